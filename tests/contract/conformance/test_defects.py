"""No promise is an assertion that cannot fail: the template, broken in one way, breaks the promise meant, in one sentence.

``DEFECTS`` holds (promise id, words of the sentence, edits of the template); each edit is (file, text, replacement).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bocage.contract import conformance
from bocage.contract.conformance import conduct

Edit = tuple[str, str | None, str]
DOCS = Path(__file__).resolve().parents[3] / "docs" / "use_case.md"
ENGINE = "engine.py"
FICHE = "fiche.toml"
README = "README.md"


def engine(old: str, new: str) -> list[Edit]:
    """An edit of engine.py."""
    return [(ENGINE, old, new)]


def in_run(statement: str) -> list[Edit]:
    """A statement put first in ``run``."""
    line = "        weeks = cast(CasEssaiParams, params).semaines\n"
    return [(ENGINE, line, f"        {statement}\n{line}")]


def in_propose(statement: str) -> list[Edit]:
    """A statement put first in what ``run`` and ``baseline`` share."""
    line = '    days = _per_day(cast(pd.DataFrame, inputs["frequentations"]))\n'
    return [(ENGINE, line, f"    {statement}\n{line}")]


OPTIONAL = (
    ENGINE,
    '{"frequentations": Frequentation}\n    truth',
    '{"frequentations": Frequentation, "meteo": FileInput("Météo", (".txt",), required=False)}\n    truth',
)

DEFECTS: list[tuple[str, str, list[Edit]]] = [
    ("fiche", "reste à écrire", [(FICHE, 'domaine = "accueil du public"', 'domaine = "à compléter"')]),
    ("fiche", "Le champ titre de fiche.toml reste à écrire", engine("HORIZON_DAYS = 7", "HORIZON_DAYS = 5")),
    ("loads", "ZeroDivisionError (engine.py, ligne", engine("HORIZON_DAYS = 7", "HORIZON_DAYS = 7 // 0")),
    ("loads", "importe module_qui_n_existe_pas", engine("import pandas as pd", "import module_qui_n_existe_pas")),
    (
        "loads",
        "« arbres », que bocage n’a pas",
        [*engine("import pandas as pd", "import module_qui_n_existe_pas"), (FICHE, 'extra = ""', 'extra = "arbres"')],
    ),
    ("loads", "SyntaxError (engine.py, ligne", engine("HORIZON_DAYS = 7", "HORIZON_DAYS = = 7")),
    ("loads", "Il manque engine.py", [(ENGINE, None, "")]),
    ("names", "doit définir la classe CasEssai", engine("class CasEssai:", "class AutreNom:")),
    ("names", "s’appelle Params", engine("CasEssaiParams", "Params")),
    ("names", "ne définit pas explain", engine("def explain(self, rec: Recommendation)", "def explique(self, rec: Recommendation)")),
    ("names", "prend 1 argument", engine("def explain(self, rec: Recommendation)", "def explain(self, rec: Recommendation, extra: int)")),
    ("schemas", "L’unité « gens par jour »", engine('unit="passages", example="240"', 'unit="gens par jour", example="240"')),
    ("schemas", "ne lit pas", engine("passages: int = column", "passages: list[int] = column")),
    ("example_data", "d’un type que le lecteur ne lit pas", engine("passages: int = column", "passages: list[int] = column")),
    ("schemas", "n’a pas de sens écrit", engine('column("Jour du comptage", example="2024-03-25")', "None")),
    ("schemas", "n’a pas de titre", engine('TableInfo(title="Fréquentation des lieux, jour par jour")', 'TableInfo(title="")')),
    ("params", "n’est pas borné", engine("Field(6, ge=1, le=52, ", "Field(6, ")),
    ("params", "n’a pas de valeur par défaut", engine("Field(6, ge=1", "Field(ge=1")),
    ("params", "n’a pas de description", engine(', description="Nombre de semaines dont on fait la moyenne")', ")")),
    ("readme", "« Termes »", [(README, "## Termes", "## Divers")]),
    ("readme", "Il manque README.md", [(README, None, "")]),
    (
        "readme",
        "son unité : passages",
        [(README, "| `passages` | nombre de passages de ce jour | passages |", "| `passages` | nombre | |")],
    ),
    ("readme", "`semaines`", [(README, "- `semaines`", "- semaines")]),
    ("example_data", "ajoutez data/frequentations.csv", [("data/frequentations.csv", None, "")]),
    ("example_data", "ajoutez data/verite/passages_constates.csv", [("data/verite/passages_constates.csv", None, "")]),
    ("example_data", "La colonne lieu manque", [("data/frequentations.csv", "lieu,jour,passages", "nom,jour,passages")]),
    ("licences", "Aucune source n’a d’adresse", [(FICHE, " : données simulées", "")]),
    ("licences", "et dans README.md", [(README, "**données simulées**", "**données**")]),
    ("imports", "subprocess", engine("import pandas as pd", "import subprocess\n\nimport pandas as pd")),
    ("imports", "django.db.models", engine("import pandas as pd", "import pandas as pd\nfrom django.db import models")),
    ("imports", "bocage.execution", engine("import pandas as pd", "import pandas as pd\nfrom bocage.execution import execute")),
    ("imports", "sort du dossier", engine("import pandas as pd", "import pandas as pd\nfrom ..autre import engine")),
    ("no_hidden_inputs", "date.today", in_run("date.today()")),
    ("no_hidden_inputs", "pandas.Timestamp.now", in_run("pd.Timestamp.now()")),
    (
        "no_hidden_inputs",
        "sans graine",
        engine("import pandas as pd", "import numpy as np\nimport pandas as pd\n\nrng = np.random.default_rng()"),
    ),
    (
        "no_hidden_inputs",
        "random.shuffle",
        engine("import pandas as pd", "from random import shuffle\nimport pandas as pd\n\nMIX = shuffle"),
    ),
    ("no_hidden_inputs", "eval()", in_run('eval("1 + 1")')),
    ("sizes", "run() a 65 lignes", in_run("\n".join(["pass", *["        pass"] * 60]))),
    ("sizes", "engine.py a 541 lignes", engine("HORIZON_DAYS = 7", "\n" * 400 + "HORIZON_DAYS = 7")),
    (
        "docstrings",
        "CasEssai n’a pas de docstring",
        engine('    """Mean of the same weekdays, against the same day of the week before."""\n', ""),
    ),
    ("docstrings", "CasEssai.explain", engine('        """One French sentence; every number in it is in ``rec``."""\n', "")),
    ("answers", "ValueError (engine.py, ligne", in_run('raise ValueError("oups")')),
    ("answers", "rend NoneType", in_run("return None")),
    ("answers", "aucune proposition", in_run("return Outcome([])")),
    ("answers", "SystemExit", in_run("raise SystemExit(3)")),
    ("json_round_trip", "value n’est pas un nombre fini", engine("value=float(kept.mean())", 'value=float("nan")')),
    ("json_round_trip", "la clé 2023 devient un texte", engine('"semaines": len(kept)}', '"par_an": {2023: 1.0}, "semaines": len(kept)}')),
    ("json_round_trip", "semaines : date 2024", engine('"semaines": len(kept)}', '"semaines": day.date()}')),
    ("json_round_trip", "value : bool True devient float", engine("value=float(kept.mean())", "value=True")),
    (
        "json_round_trip",
        "value : Decimal",
        [
            *engine("value=float(kept.mean())", 'value=Decimal("12.5")'),
            *engine("import date\n", "import date\nfrom decimal import Decimal\n"),
        ],
    ),
    ("json_round_trip", "pandas.Series", engine("value=float(kept.mean())", "value=kept")),
    ("subjects_exist", "ACCUEIL DE LA MAIRIE", engine("subject=place,\n            action", "subject=place.upper(),\n            action")),
    (
        "same_subjects",
        "« Piscine » n’est que",
        engine("lambda same_days: same_days.tail(1))", 'lambda d: d.tail(1), skip="Piscine")')
        + engine(
            "keep: Callable[[pd.Series], pd.Series]) -> Outcome:", 'keep: Callable[[pd.Series], pd.Series], skip: str = "") -> Outcome:'
        )
        + engine("    places = list(days", '    days = days[days["lieu"] != skip]\n    places = list(days'),
    ),
    (
        "intervals",
        "n’est pas dans l’intervalle (165",
        engine("interval=(float(kept.min()), float(kept.max()))", "interval=(float(kept.max()) + 1, float(kept.min()))"),
    ),
    (
        "intervals",
        "n’est pas dans l’intervalle (165.0, 166.0)",
        engine("interval=(float(kept.min()), float(kept.max()))", "interval=(float(kept.max()) + 1, float(kept.max()) + 2)"),
    ),
    ("reference", "rien ne dit ce que donne la méthode habituelle", engine('"reference": float(same_days.iloc[-1])', '"reference": None')),
    ("units", "« pax »", engine('unit="passages",\n            interval', 'unit="pax",\n            interval')),
    ("units", "« visites »", [(FICHE, 'unite = "passages"', 'unite = "visites"')]),
    ("scores", "score vaut inf", engine("score=float(kept.mean())", 'score=float("inf")')),
    ("scores", "score vaut 'haut'", engine("score=float(kept.mean())", 'score="haut"')),
    ("artifacts", "portent le même nom", engine('name=f"prevision_{place}"', 'name="prevision"')),
    ("artifacts", "autant de valeurs", engine("for rec in proposals),\n        series", "for rec in proposals[1:]),\n        series")),
    (
        "explain_sentence",
        "fait plus d’une phrase",
        engine("contre {usual} la semaine d’avant.", "contre {usual} la semaine d’avant. À vous de voir."),
    ),
    ("explain_sentence", "ne finit pas par un point", engine("contre {usual} la semaine d’avant.", "contre {usual} la semaine d’avant")),
    (
        "explain_sentence",
        "en français",
        engine('return f"Le {when}, le', 'return f"The number of visits for the day is {usual}." or f"Le {when}, le'),
    ),
    ("explain_sentence", "avec un point", engine("french.number(cast(float, rec.value))", 'f"{cast(float, rec.value):.1f}"')),
    ("explain_sentence", "explain() échoue", engine("french.day(date.from", "french.jour(date.from")),
    (
        "explain_sentence",
        "KeyError",
        [
            *engine('"semaines": len(kept)}', '"par_an": {2023: 1.0}, "semaines": len(kept)}'),
            *engine("        usual = french", '        cast("dict[int, float]", rec.evidence["par_an"])[2023]\n        usual = french'),
        ],
    ),
    ("explain_numbers", "« 95 »", engine("la semaine d’avant.", "la semaine d’avant, à 95 % près.")),
    ("explain_numbers", "« 146,1 »", engine("french.number(cast(float, rec.value))", "french.number(cast(float, rec.value) + 3.4, 1)")),
    (
        "deterministic",
        "Le même moteur, une seconde fois",
        [
            *engine("    def run(", "    calls: ClassVar[list[int]] = []\n\n    def run("),
            *in_run("self.calls.append(1)"),
            *engine("same_days.tail(weeks)", "same_days.tail(weeks + len(self.calls))"),
        ],
    ),
    (
        "row_order",
        "Les lignes mêlées",
        engine('groupby("lieu", sort=True)', 'groupby("lieu", sort=False)')
        + engine('days.groupby(["lieu", "jour"], as_index=False, sort=True)["passages"].mean()', "days"),
    ),
    ("inputs_untouched", "run() a modifié frequentations", in_propose('cast(pd.DataFrame, inputs["frequentations"])["vu"] = 1')),
    ("inputs_untouched", "run() a modifié frequentations", in_run('cast(pd.DataFrame, inputs["frequentations"]).loc[0, "passages"] = 1')),
    ("no_network", "127.0.0.1", in_run('import socket; socket.create_connection(("127.0.0.1", 9))')),
    (
        "no_network",
        "bocage.invalid",
        engine("import pandas as pd", "import contextlib\nimport socket\n\nimport pandas as pd")
        + in_run('with contextlib.suppress(OSError): socket.getaddrinfo("bocage.invalid", 80)'),
    ),
    ("no_writing", "bocage-essai.txt", in_run('open("/tmp/bocage-essai.txt", "w").close()')),
    (
        "no_writing",
        "subprocess.Popen",
        in_run('import contextlib, subprocess\n        with contextlib.suppress(OSError): subprocess.run(["true"])'),
    ),
    ("no_reading", "use_case.md", in_run(f"open({str(DOCS)!r}).read()")),
    (
        "no_reading",
        "use_case.md",
        engine("import pandas as pd", "import contextlib\nfrom pathlib import Path\n\nimport pandas as pd")
        + in_run(f"with contextlib.suppress(OSError): Path({str(DOCS)!r}).read_text()"),
    ),
    ("progress", "recule", engine("res.progress(done / len(places)", "res.progress(1 - done / len(places)")),
    ("progress", "vaut 2.0", engine("res.progress(done / len(places)", "res.progress(float(done)")),
    ("progress", "«  »", engine('f"{place} : fait")', '"")')),
    ("time_budget", "a pris 1", in_run("import time; time.sleep(1)")),
    ("empty_inputs", "IndexError", engine("    if days.empty:", '    days["jour"].iloc[0]\n    if days.empty:')),
    ("empty_inputs", "« no data »", engine("Aucun jour n’est renseigné : donnez au moins une semaine de comptages.", "no data")),
    ("one_line", "AssertionError", engine("    if days.empty:", "    assert len(days) != 1\n    if days.empty:")),
    (
        "one_line",
        "n’est pas un nombre fini",
        engine("value=float(kept.mean())", "value=float(kept.mean() if len(same_days) > 1 else kept.std())"),
    ),
    (
        "dirty_inputs",
        "lignes doublées",
        in_propose('cast(pd.DataFrame, inputs["frequentations"]).set_index(["lieu", "jour"]).index.is_unique or [][0]'),
    ),
    ("optional_inputs", "Sans meteo", [OPTIONAL, ("data/meteo.txt", "", "beau temps"), *in_run('inputs["meteo"]')]),
    ("param_bounds", "un paramètre inconnu", engine('extra="forbid"', 'extra="ignore"')),
    ("param_bounds", "semaines = 0", engine("Field(6, ge=1, le=52, ", 'Field(6, json_schema_extra={"minimum": 1, "maximum": 52}, ')),
    ("param_bounds", "bornes hautes", in_run("assert cast(CasEssaiParams, params).semaines < 52")),
    ("evaluate", "doit rendre « ecart_moyen »", engine('return {"ecart_moyen"', 'return {"ecart"')),
    ("evaluate", "= nan", engine("gap = float((", 'gap = float("nan") if len(both) < 30 else float((')),
    ("evaluate", "refuse l’exemple de vérité", engine("if both.empty:", "if len(both) > 30:")),
    (
        "evaluate",
        "a modifié passages_constates",
        engine("        both = counted", '        truth["passages_constates"]["vu"] = 1\n        both = counted'),
    ),
    (
        "evaluate",
        "toute partie",
        engine("        both = counted", "        assert len(counted) > 30\n        both = counted"),
    ),
    (
        "unmatched_truth",
        "un zéro serait publié",
        engine(
            "        if both.empty:\n            raise",
            '        if both.empty:\n            return {"ecart_moyen": 0.0}\n            raise',
        ),
    ),
    (
        "unmatched_truth",
        "dites en français",
        engine(
            "        if both.empty:\n            raise",
            '        if both.empty:\n            raise NotEnoughData("nothing matches")\n            raise',
        ),
    ),
    (
        "gain",
        "0,000\xa0passages",
        [(FICHE, "gain_demontre = false", "gain_demontre = true"), *engine("same_days.tail(weeks)", "same_days.tail(1)")],
    ),
    ("gain", "−5,595\xa0passages", [(FICHE, "gain_demontre = false", "gain_demontre = true"), (FICHE, 'sens = "min"', 'sens = "max"')]),
    (
        "gain",
        "truth est vide",
        [(FICHE, "gain_demontre = false", "gain_demontre = true"), *engine('{"passages_constates": Frequentation}', "{}")],
    ),
    ("processes", "pickle local object", in_run("list(res.pool.map(lambda n: n, [1])) if res.pool else None")),
    ("processes", "le résultat change", engine("same_days.tail(weeks))", "same_days.tail(weeks if res.pool is None else 1))")),
]
"""Every promise has at least one; a test checks it."""


@pytest.mark.parametrize(("promise", "words", "edits"), DEFECTS, ids=[f"{d[0]}-{i}" for i, d in enumerate(DEFECTS)])
def test_a_defect_breaks_its_promise(
    promise: str, words: str, edits: list[Edit], use_case: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conduct, "FLOOR_SECONDS", 0.2)
    use_case(*edits)
    result = conformance.check("cas_essai", only=[promise])[promise]
    assert (result.id, result.state) == (promise, "rompu"), result.sentence
    assert words in result.sentence
    assert "Traceback" not in result.sentence and "\n" not in result.sentence
    assert len(result.sentence) >= 40 and result.sentence[-1] in ".!"


def test_every_promise_has_a_defect() -> None:
    # the defect of « dask » stands in test_pools.py, beside the cluster that it needs
    assert {name for name, _, _ in DEFECTS} | {"dask"} == set(conformance.PROMISES)
