"""Which days and sites are to be ordered: those that the file asks for, else those that menus and calendars tell."""

from __future__ import annotations

import pandas as pd

from bocage.contract import french
from bocage.contract.errors import NotEnoughData
from bocage.usecases.cantine_effectifs.agenda import FAR, coming_days, forbidden, open_days, school_zone
from bocage.usecases.cantine_effectifs.rows import CantineEffectifsParams

ACTIVE_DAYS = 30
"""A site that served nothing on the last served days of this number is closed."""

LAST_DAYS = 5
"""Empty lines met among the last served days of this number may be days to order that a mistyped date hides."""

MOST_TOLD = 8


def asked_days(
    table: pd.DataFrame, reel: pd.DataFrame, menus: pd.DataFrame | None, params: CantineEffectifsParams, notes: list[str]
) -> pd.DataFrame:
    """Days to order x sites: the lines of ``table`` without ``reel`` after the last served day; else its lines at zero, on days that
    the calendar opens; else every active site on the days that come. Raises ``NotEnoughData`` when no day asked for can be ordered."""
    known = pd.DatetimeIndex(reel.index)
    _tell_hidden(table, known, notes)
    after = table[table["date"] > known[-1]]
    coming = after[after["reel"].isna()]
    if len(coming):
        coming = _feasible(coming, known, params, notes)
    else:
        coming = _zeros(after, known, params, notes)
    if not len(coming):
        return _from_calendar(reel, known, menus, params, notes)
    asked = coming.assign(asked=True).pivot(index="date", columns="site_nom", values="asked").notna()
    unknown = sorted(set(map(str, asked.columns)) - set(map(str, reel.columns[reel.notna().any()])))
    if unknown:
        notes.append(f"Sans aucun repas servi dans l’historique, d’après les seuls effectifs : {', '.join(unknown[:10])}.")
    return asked.sort_index()


def _tell_hidden(table: pd.DataFrame, known: pd.DatetimeIndex, notes: list[str]) -> None:
    """Say which empty days stand just before the last served one, on weekdays that are served: they are read as days without a meal."""
    near = table[(table["date"] > known[-LAST_DAYS - 1]) & (table["date"] < known[-1]) & ~table["date"].isin(known)]
    days = pd.DatetimeIndex(sorted(set(near.loc[near["reel"].isna(), "date"])))
    days = days[days.day_of_week.isin(known[-ACTIVE_DAYS:].day_of_week)]
    if len(days):
        last = french.day(known[-1].date(), year=True)
        notes.append(
            f"Jours sans repas servi, non commandés parce que d’autres repas sont servis plus tard, jusqu’au {last} : {_told(days)}. "
            "Si cette dernière date est une faute de frappe, corrigez-la dans « frequentation »."
        )


def _feasible(coming: pd.DataFrame, known: pd.DatetimeIndex, params: CantineEffectifsParams, notes: list[str]) -> pd.DataFrame:
    """The lines asked for on days that can be ordered; the others are told."""
    days = pd.DatetimeIndex(sorted(set(coming["date"])))
    far = days[days > known[-1] + pd.Timedelta(days=FAR)]
    if len(far):
        notes.append(
            f"Jours demandés à plus de {FAR} jours du dernier jour servi, non commandés : {_told(far)}. "
            "Corrigez leur date, ou donnez des repas servis plus récents."
        )
    closed = days[forbidden(days, params)].difference(far)
    if len(closed):
        notes.append(f"Jours demandés mais fériés, ou mercredis que « mercredi » exclut, non commandés : {_told(closed)}.")
    kept = coming[~coming["date"].isin(far.append(closed))]
    if not len(kept):
        raise NotEnoughData(
            f"Aucun jour demandé ne peut être commandé ({_told(days)}) : tous sont fériés, exclus par « mercredi », ou à plus de {FAR} "
            f"jours du dernier jour servi, le {french.day(known[-1].date(), year=True)}. Corrigez ces dates dans « frequentation »."
        )
    return kept


def _zeros(after: pd.DataFrame, known: pd.DatetimeIndex, params: CantineEffectifsParams, notes: list[str]) -> pd.DataFrame:
    """The lines at zero after the last served day, on days that the calendar opens: some exports write zero for what is not served yet."""
    days = pd.DatetimeIndex(sorted(set(after["date"]))).as_unit(known.unit)
    if not len(days) or days[0] > known[-1] + pd.Timedelta(days=FAR):
        return after.iloc[:0]
    days = days[days <= known[-1] + pd.Timedelta(days=FAR)]
    opened = days[open_days(days, known, params)]
    if len(opened):
        first, last = (french.day(day.date(), year=True) for day in (opened[0], opened[-1]))
        notes.append(
            f"Aucun repas n’est servi du {first} au {last} (« reel » à zéro) : ces jours sont tenus pour des jours à commander. "
            "Laissez « reel » vide pour les demander, ôtez les jours fermés."
        )
    return after[after["date"].isin(opened)]


def _from_calendar(
    reel: pd.DataFrame, known: pd.DatetimeIndex, menus: pd.DataFrame | None, params: CantineEffectifsParams, notes: list[str]
) -> pd.DataFrame:
    active = [name for name in reel.columns if reel[name].iloc[-ACTIVE_DAYS:].notna().any()]
    days, refused = coming_days(known, menus, params)
    first, last = (french.day(day.date(), year=True) for day in (days[0], days[-1]))
    notes.append(f"Le fichier ne dit pas les jours à commander : du {first} au {last}, tous les sites ouverts.")
    if len(refused):
        notes.append(
            f"Jours des menus non commandés, parce que fériés ou un jour de la semaine où la cantine ne sert pas : {_told(refused)}. "
            "Pour servir le mercredi, choisissez « mercredi » : oui ; sinon, donnez les jours à commander dans « frequentation »."
        )
    if school_zone(known, params.zone_scolaire, params.territoire) is None:
        notes.append(_learnt_breaks(known))
    return pd.DataFrame(True, index=days, columns=active)


def _learnt_breaks(known: pd.DatetimeIndex) -> str:
    start = "Aucun calendrier de vacances scolaires ne vaut pour ces jours"
    advice = "Vérifiez les vacances à venir et donnez les jours à commander : une ligne par site et par jour, sans « reel »."
    if (known[-1] - known[0]).days < FAR:
        return f"{start}, et l’historique est trop court pour les apprendre : aucune semaine n’est tenue pour fermée. {advice}"
    return f"{start} : les semaines sans repas un an plus tôt sont tenues pour fermées. {advice}"


def _told(days: pd.DatetimeIndex) -> str:
    more = f" et {len(days) - MOST_TOLD} autres" if len(days) > MOST_TOLD else ""
    return ", ".join(french.day(day.date(), year=True) for day in days[:MOST_TOLD]) + more
