"""The text of an official sheet to passages: headings kept as ``path``, « Situation » and « Cas » kept as ``case``, never flattened.

Vocabulary: the « Publication » schema 3.x of DILA (Direction de l’information légale et administrative).
"""

from __future__ import annotations

from bocage.assistant.documents import Passage
from bocage.assistant.sources.nodes import Node, text_of
from bocage.assistant.sources.steps import STEP_ELEMENTS, StepBook
from bocage.assistant.sources.tabletext import table_rows

Trail = tuple[str, ...]

# A box inside the text: its heading (« À noter », « Attention »…) goes to the path.
_BOXES = frozenset({"ANoter", "ASavoir", "Attention", "Rappel", "Avertissement"})
_THROUGH = frozenset({"Texte", "Introduction", "ContenuIllustre", "Contenu", "BlocCas", "ListeSituations"})
_BRANCHES = frozenset({"Cas", "Situation"})
_CHAPTERS = frozenset({"Chapitre", "SousChapitre"})


class Walker:
    """One walk through one sheet. ``passages`` and ``steps`` hold what was found, in the sheet's order."""

    def __init__(self, publication: Node) -> None:
        self.publication = publication
        self.passages: list[Passage] = []
        self.steps = StepBook()
        self._labels = _questionnaire_labels(publication)
        self._top = {id(child) for child in publication.elements()}

    def walk(self) -> None:
        """Read the whole sheet."""
        self._blocks(self.publication, (), ())
        for guided in self.publication.elements("Problematiques"):
            for problem in guided.elements("Problematique"):
                self._branch_of_search(problem, ())

    def _emit(self, text: str, path: Trail, case: Trail) -> None:
        if text:
            self.passages.append(Passage(text=text, path=path, case=case))

    def _blocks(self, node: Node, path: Trail, case: Trail) -> None:
        """Children in order; the paragraph just before a list, or ending with « : » before a table, is its lead-in and is cited with it."""
        exclusive = _exclusive_chapters(node)
        pending = ""
        for child in node.elements():
            if child.name == "Liste" or (child.name == "Tableau" and pending.endswith(":")):
                (self._list if child.name == "Liste" else self._table)(child, pending, path, case)
                pending = ""
                continue
            self._emit(pending, path, case)
            pending = child.text() if child.name == "Paragraphe" else ""
            if child.name != "Paragraphe":
                self._block(child, path, case, id(child) in exclusive)
        self._emit(pending, path, case)

    def _block(self, child: Node, path: Trail, case: Trail, exclusive: bool) -> None:
        alternative = text_of(child.child("TitreAlternatif"))
        title = text_of(child.child("Titre")) or alternative
        if child.name in _THROUGH:
            self._blocks(child, path, case)
        elif child.name in _BRANCHES:
            self._blocks(child, path, _and(case, title))
        elif child.name in _CHAPTERS:
            # « Enfants » has for other title « Si vous avez des enfants »: its condition, in the words of the sheet.
            condition = alternative or (title if exclusive else self._label(child))
            self._blocks(child, _and(path, title), _and(case, condition))
        elif child.name == "FragmentConditionne":
            self._blocks(child, path, _and(case, self._label(child)))
        elif child.name in _BOXES:
            self._blocks(child, _and(path, title), case)
        elif child.name == "Tableau":
            self._table(child, "", path, case)
        elif child.name in STEP_ELEMENTS:
            self.steps.add(child, case, recap=id(child) in self._top)

    def _list(self, node: Node, lead: str, path: Trail, case: Trail) -> None:
        """Items one a line. An item under a condition of its own stands alone, so that its siblings stay true for everybody."""
        lines: list[tuple[str, str]] = []
        apart: list[tuple[str, str]] = []
        for item in node.elements("Item"):
            label = self._label(item)
            (apart if label and label not in case else lines).append((label, item.text()))
        self._emit("\n".join(filter(None, (lead, *(text for _, text in lines)))), path, case)
        for label, text in apart:
            self._emit("\n".join(filter(None, (lead, text))), path, _and(case, label))

    def _table(self, node: Node, lead: str, path: Trail, case: Trail) -> None:
        path = _and(path, text_of(node.child("Titre")))
        for row in table_rows(node):
            self._emit("\n".join(filter(None, (lead, row))), path, case)

    def _label(self, node: Node) -> str:
        """What must be true for ``node``, in the words of the sheet’s own questionnaire; nothing when it has none."""
        condition = node.child("Condition")
        tests = list(condition.elements("estVrai")) if condition is not None else []
        return self._labels.get(tests[0].attributes.get("var", ""), "") if len(tests) == 1 else ""

    def _branch_of_search(self, node: Node, case: Trail) -> None:
        """A guided search is nothing but branches: each question is a passage, each leaf a step to the sheet that answers."""
        title = text_of(node.child("Titre"))
        case = _and(case, title)
        for helped in node.elements("Aide"):
            self._blocks(helped, (), case)
        branches = list(node.elements("Branche"))
        if branches:
            self._emit("\n".join(filter(None, (title, *(text_of(branch.child("Titre")) for branch in branches)))), (), case[:-1])
        for link in node.elements("LienInterne"):
            self.steps.add_sheet(link, title, case)
        for branch in branches:
            self._branch_of_search(branch, case)


def _and(trail: Trail, title: str) -> Trail:
    return (*trail, title) if title and title not in trail[-1:] else trail


def _exclusive_chapters(node: Node) -> set[int]:
    """Sibling chapters under different conditions (« Fonctionnaire », « Contractuel ») are branches, whatever the schema calls them."""
    chapters = [chapter for chapter in node.elements(*_CHAPTERS) if chapter.child("Condition") is not None]
    conditions = {tuple(sorted(test.attributes.get("var", "") for test in c.descendants("estVrai"))) for c in _conditions(chapters)}
    return {id(chapter) for chapter in chapters} if len(conditions) > 1 else set()


def _conditions(nodes: list[Node]) -> list[Node]:
    return [condition for node in nodes for condition in node.elements("Condition")]


def _questionnaire_labels(publication: Node) -> dict[str, str]:
    """Variable → « Vous êtes locataire », from the choices that set it true in this sheet."""
    labels: dict[str, str] = {}
    for choice in publication.descendants("Choix"):
        label = text_of(choice.child("IntituleSiSelectionne")) or text_of(choice.child("Titre"))
        for variable in choice.descendants("affecteVrai"):
            labels.setdefault(variable.attributes.get("var", ""), label)
    return labels
