"""What a sheet tells to do next: online services, forms, letters, offices, phones, pages. Each keeps the branch that it holds for."""

from __future__ import annotations

import re

from bocage.assistant.documents import Step, StepKind
from bocage.assistant.sources.nodes import Node, text_of

STEP_ELEMENTS = frozenset({"ServiceEnLigne", "OuSAdresser", "PourEnSavoirPlus", "LienExterneCommente", "ServiceComplementaire"})
SHEET_URL = "https://www.service-public.fr/particuliers/vosdroits/"

# « 01 23 45 67 89 », « +33 1 23… », « 0 809 401 401 », « 3939 », « 15 », « 119 », « 118 700 ».
_PHONE = re.compile(r"(?:\+33 ?[1-9]|0\d)(?:[ .]?\d{2}){4}|0 ?8\d{2} ?\d{3} ?\d{3}|3\d ?\d{2}|1\d{1,2}|1[01]\d ?\d{3}")
_TITLE_PHONE = re.compile(r"^(3\d ?\d{2}|1\d{1,2})\s*[-–:]")
_SHEET_ID = re.compile(r"[FNR]\d{1,7}")
_URL = re.compile(r"https?://[^\s<>\"']{3,2000}")


def safe_url(url: str) -> str:
    """The URL when it is a web address, otherwise nothing: a « javascript: » link never leaves a source."""
    url = url.strip()
    return url if _URL.fullmatch(url) else ""


class StepBook:
    """Steps in the order met, each once per branch. Those recapped at the foot of a sheet are dropped when met before."""

    def __init__(self) -> None:
        self._steps: dict[Step, None] = {}
        self._recap: dict[Step, None] = {}

    def add(self, node: Node, case: tuple[str, ...], recap: bool) -> None:
        """Read one element of ``STEP_ELEMENTS``."""
        for step in _steps_of(node, case):
            (self._recap if recap else self._steps).setdefault(step)

    def add_sheet(self, link: Node, label: str, case: tuple[str, ...]) -> None:
        """A leaf of a guided search: the sheet that answers."""
        sheet = link.attributes.get("LienPublication", "")
        if _SHEET_ID.fullmatch(sheet):
            self._steps.setdefault(Step(StepKind.PAGE, link.text() or label, SHEET_URL + sheet, case))

    def all(self) -> tuple[Step, ...]:
        """Every step."""
        known = {(step.kind, step.label, step.target) for step in self._steps}
        return (*self._steps, *(step for step in self._recap if (step.kind, step.label, step.target) not in known))


def _steps_of(node: Node, case: tuple[str, ...]) -> list[Step]:
    title = text_of(node.child("Titre"))
    if node.name == "OuSAdresser":
        return _office(node, title, case)
    if node.name in ("PourEnSavoirPlus", "LienExterneCommente"):
        outside = node.child("LienExterne") or node
        label, target = title or outside.text(), safe_url(outside.attributes.get("URL", ""))
        return [Step(StepKind.PAGE, label, target, case)] if label and target else []
    steps = [Step(_service_kind(node), _with_cerfa(title, node), safe_url(node.attributes.get("URL", "")), case)] if title else []
    for annex in node.elements("ServiceEnLigneAnnexe"):
        link = annex.child("LienWeb")
        label = text_of(annex.child("Titre"))
        if label and link is not None:
            steps.append(Step(StepKind.FORM, _with_cerfa(label, annex), safe_url(link.attributes.get("URL", "")), case))
    return steps


def _service_kind(node: Node) -> StepKind:
    kind = node.attributes.get("type", "").casefold()
    if "modèle" in kind:
        return StepKind.LETTER
    return StepKind.FORM if "formulaire" in kind else StepKind.ONLINE


def _with_cerfa(label: str, node: Node) -> str:
    number = node.attributes.get("numerocerfa", "").split("*")[0].strip()
    return f"{label} (cerfa n° {number})" if number.isdigit() and number not in label else label


def _office(node: Node, title: str, case: tuple[str, ...]) -> list[Step]:
    if not title:
        return []
    note = text_of(node.child("Complement"))
    label = f"{title} ({note})" if note else title
    web = node.child("RessourceWeb")
    steps = [Step(StepKind.OFFICE, label, safe_url(web.attributes.get("URL", "")) if web is not None else "", case)]
    numbers = [found[1]] if (found := _TITLE_PHONE.match(title)) else []
    for emphasis in node.descendants("MiseEnEvidence"):
        numbers += [match[0] for match in [_PHONE.fullmatch(emphasis.text())] if match]
    return steps + [Step(StepKind.PHONE, title, number, case) for number in dict.fromkeys(numbers)]
