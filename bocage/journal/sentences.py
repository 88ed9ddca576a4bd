"""What each event of the journal says, in French: one code, one label, one sentence. Codes that are not here are shown as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bocage.contract.french import count, number

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event: its label in lists and filters, and its sentence."""

    label: str
    say: Callable[[Facts], str]


_VERDICTS = {"acceptee": "acceptée", "modifiee": "modifiée", "refusee": "refusée"}
_STATES = {"essai": "à l’essai", "service": "en service", "arrete": "arrêté"}
_ROLES = {
    "lecteur": "lecteur",
    "agent": "agent",
    "decideur": "décideur",
    "dpo": "délégué à la protection des données",
    "administrateur": "administrateur",
}


def _decision(f: Facts) -> str:
    unit = f" {f['unite']}" if f.get("unite") else ""
    said = f"Proposition {_VERDICTS.get(f['verdict'], f['verdict'])} pour « {f['sujet']} » (exécution {f['execution']})"
    said += f" : proposé {_value(f['propose'])}{unit}, retenu {_value(f['decide'])}{unit}."
    if f.get("motif"):
        said += f" Motif : {f['motif']}"
    return said + (" Remplace une décision précédente." if f.get("remplace") else "")


def _value(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "rien" if value is None else str(value)
    return number(value, 0 if float(value).is_integer() else 2)


def _checked(f: Facts) -> str:
    if f.get("erreur"):
        return f"Dépôt {f['depot']} de « {f['cas']} » illisible ({f['erreur']})."
    return f"Dépôt {f['depot']} de « {f['cas']} » vérifié : {f['gardees']} lignes gardées sur {f['lues']}."


def _done(f: Facts) -> str:
    proposals = f" : {count(f['propositions'], 'proposition')}" if "propositions" in f else ""
    return f"Exécution {f['execution']} de « {f['cas']} » terminée{proposals}."


def _asked(f: Facts) -> str:
    example = " sur l’exemple fourni" if f.get("exemple") else ""
    return f"Exécution {f['execution']} de « {f['cas']} » demandée{example}."


def _publication(f: Facts) -> str:
    decider = f" Décide : {f['decide']}." if f.get("decide") else ""
    before = f", auparavant {_STATES.get(f['avant'], f['avant'])}" if f.get("avant") and f["avant"] != f["apres"] else ""
    return f"« {f['cas']} » publié au registre : {_STATES.get(f['apres'], f['apres'])}{before}.{decider}"


def _evaluation(f: Facts) -> str:
    replaced = f" Remplace la mesure {f['remplace']}." if f.get("remplace") else ""
    return f"Exécution {f['execution']} de « {f['cas']} » comparée à ce qui s’est vraiment passé.{replaced}"


def _export(f: Facts) -> str:
    return f"Journal exporté en CSV : {count(f['lignes'], 'entrée')}, celle-ci non comptée."


def _decisions_exported(f: Facts) -> str:
    undecided = f", {count(f['manquantes'], 'proposition')} sans décision" if f["manquantes"] else ""
    kept = f"{count(f['lignes'], 'ligne')}{undecided}"
    return f"Liste décidée de l’exécution {f['execution']} de « {f['cas']} » emportée en {f['format'].upper()} : {kept}."


_ORGANISATION = {"name": "nom", "contact": "contact", "accent": "couleur", "accent_night": "couleur de nuit"}


def _organisation_settings(f: Facts) -> str:
    before = f.get("avant") or {}
    told = (f"{_ORGANISATION.get(name, name)} « {before.get(name, '')} » devient « {value} »" for name, value in f["apres"].items())
    return f"Réglages changés : {' ; '.join(told)}."


def _role_given(f: Facts) -> str:
    title = f" ({f['fonction']})" if f.get("fonction") else ""
    return f"Rôle {_ROLES.get(f['role'], f['role'])} donné à {f['nom']}{title}."


def _opening(f: Facts) -> str:
    over = f" Ses membres et ses réglages sont gérés par {f['administree_par']}." if f.get("administree_par") else ""
    return f"« {f['nom']} » ouverte sur ce serveur, à l’heure de {f['fuseau']}.{over}"


_AUDIENCES = {"citoyens": "habitants", "accueil": "accueil", "rh": "ressources humaines"}


def _assistant_settings(f: Facts) -> str:
    served = ", ".join(_AUDIENCES.get(a, a) for a in f["publics"]) or "personne"
    before, after = f.get("avant") or {}, f.get("apres") or {}
    changes = [f"{said} : {_listed(before.get(name))} devient {_listed(after[name])}" for name, said in _LISTED.items() if name in after]
    told = " ; ".join(changes)
    return (
        f"Réglages de l’assistant changés. Publics servis : {served}. Conservation : {count(f['jours'], 'jour')}."
        f"{f' {told[:1].upper()}{told[1:]}.' if told else ''}"
    )


_LISTED = {"services": "services", "widget_origins": "sites où l’assistant s’affiche", "answer_minutes": "délai de réponse (minutes)"}


def _listed(value: Any) -> str:
    """A setting's value in words: a service is its name, its mail and its hours."""
    items = value if isinstance(value, list) else [value]
    said = [_service(item) if isinstance(item, Mapping) else _value(item) for item in items]
    return f"« {' | '.join(said)} »" if said else "rien"


def _service(item: Mapping[str, Any]) -> str:
    return ", ".join(str(item[name]) for name in ("name", "email", "hours") if item.get(name))


def _pair(f: Facts) -> str:
    said = {"validee": "validée", "rejetee": "rejetée", "corrigee": "corrigée", "retiree": "retirée du service"}.get(
        f["verdict"], f["verdict"]
    )
    alone = " Par la personne qui l’avait proposée : personne d’autre ici ne pouvait la relire." if f.get("seule") else ""
    return f"Question et réponse {f['paire']} {said} ({_AUDIENCES.get(f['public'], f['public'])}).{alone}"


def _purge(f: Facts) -> str:
    alone, pairs = f.get("sans_reponse", 0), f.get("paires", 0)
    told = f" ; {count(alone, 'effacée')} sans que personne ait répondu" if alone else ""
    refused = f" Propositions de réponse écartées depuis longtemps : {count(pairs, 'effacée')}." if pairs else ""
    return (
        f"Conversations anciennes : {count(f['effacees'], 'effacée')}, {count(f['masquees'], 'masquée')} en attente d’une personne{told}."
        f"{refused}"
    )


def _import(f: Facts) -> str:
    parts = ", ".join(f"{name} {number(pages)}" for name, pages in f["sources"].items())
    return f"Pages de l’assistant remplacées par un import : {count(f['pages'], 'document')} ({parts})."


def _transfer(f: Facts) -> str:
    if f["de"] == f["vers"]:
        who = f.get("tenue_par") or "la personne qui la tenait"
        return f"Demande {f['conversation']} rendue à la file de « {f['vers']} » : {who} ne la suit plus."
    return f"Demande {f['conversation']} passée de « {f['de']} » à « {f['vers']} »."


KINDS: dict[str, Kind] = {
    "assistant.effacement": Kind("Conversation effacée", lambda f: f"Conversation {f['conversation']} effacée à la demande de son auteur."),
    "assistant.import": Kind("Pages importées", _import),
    "assistant.paire": Kind("Réponse relue", _pair),
    "assistant.prise_en_charge": Kind(
        "Demande prise", lambda f: f"Demande {f['conversation']} prise ({f['service']}) après {f['attente_min']} min d’attente."
    ),
    "assistant.purge": Kind("Conversations anciennes", _purge),
    "assistant.reglages": Kind("Assistant", _assistant_settings),
    "assistant.resolution": Kind("Demande réglée", lambda f: f"Demande {f['conversation']} réglée ({f['service']})."),
    "assistant.transfert": Kind("Demande transférée", _transfer),
    "decision.enregistree": Kind("Décision", _decision),
    "decision.exportee": Kind("Liste emportée", _decisions_exported),
    "depot.recu": Kind("Dépôt reçu", lambda f: f"Fichier « {f['fichier']} » déposé pour « {f['cas']} », entrée {f['entree']}."),
    "depot.verifie": Kind("Dépôt vérifié", _checked),
    "donnees.exportees": Kind("Export complet", lambda f: "Toutes les données de la collectivité exportées."),
    "evaluation.enregistree": Kind("Mesure", _evaluation),
    "execution.demandee": Kind("Exécution demandée", _asked),
    "execution.echouee": Kind("Exécution échouée", lambda f: f"Exécution {f['execution']} de « {f['cas']} » échouée ({f['code']})."),
    "execution.interrompue": Kind("Exécution interrompue", lambda f: f"Exécution {f['execution']} de « {f['cas']} » interrompue."),
    "execution.relancee": Kind("Exécution relancée", lambda f: f"Exécution {f['execution']} de « {f['cas']} » relancée."),
    "execution.terminee": Kind("Exécution terminée", _done),
    "jeton.cree": Kind("Jeton créé", lambda f: f"Jeton de l’API créé : « {f['usage']} »."),
    "jeton.revoque": Kind("Jeton révoqué", lambda f: f"Jeton de l’API révoqué : « {f['usage']} »."),
    "journal.exporte": Kind("Export du journal", _export),
    "membre.compte_ferme": Kind("Compte fermé", lambda f: f"Compte de {f['nom']} fermé."),
    "membre.compte_ouvert": Kind("Compte ouvert", lambda f: f"Compte de {f['nom']} ouvert."),
    "membre.identite_liee": Kind("Identité liée", lambda f: f"Compte de {f['nom']} lié au fournisseur d’identité {f['fournisseur']}."),
    "membre.mot_de_passe_change": Kind("Mot de passe changé", lambda f: f"Mot de passe de {f['nom']} changé."),
    "membre.role_donne": Kind("Rôle donné", _role_given),
    "membre.role_retire": Kind("Rôle retiré", lambda f: f"Rôle {_ROLES.get(f['role'], f['role'])} retiré à {f['nom']}."),
    "organisation.ouverte": Kind("Ouverture", _opening),
    "organisation.logo": Kind("Logo", lambda f: "Logo changé." if f["empreinte"] else "Logo retiré."),
    "organisation.reglages": Kind("Réglages", _organisation_settings),
    "registre.publication": Kind("Registre", _publication),
}


def label(event: str) -> str:
    """The short name of an event; its code when it is not known."""
    return KINDS[event].label if event in KINDS else event


def sentence(event: str, facts: Facts) -> str:
    """What happened, in one French sentence. An unknown event, or facts of another version, are shown plainly: nothing is hidden."""
    if event in KINDS:
        try:
            return KINDS[event].say(facts)
        except (KeyError, TypeError):
            pass
    return ", ".join(f"{key} : {_value(value)}" for key, value in facts.items()) or "Sans précision."
