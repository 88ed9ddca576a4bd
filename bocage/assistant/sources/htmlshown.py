"""What a visitor reads of an HTML page: its content, panels of tabs included; no menu, no banner, nothing that the eye never sees."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import islice

from bocage.assistant.sources.htmltree import HEADINGS, walk
from bocage.assistant.sources.nodes import Node, collapse

_NEVER = frozenset(
    {"script", "style", "nav", "footer", "aside", "noscript", "template", "svg", "iframe", "select", "textarea", "datalist", "head"}
    | {"audio", "video", "canvas"}
)
_FIELD_NAMES = frozenset({"label", "legend"})
_ZERO = r"0(?:\.0+)?(?![.\d])"
_HIDDEN = re.compile(rf"display\s*:\s*none|visibility\s*:\s*hidden|(?:font-size|opacity)\s*:\s*{_ZERO}", re.IGNORECASE)
_BANNER = re.compile(
    r"\b(?:breadcrumb|fil-d-?ariane|arbo|chemin-de-fer|cookie|footer|pied|pied-de-?page|bas-de-?page|sidebar|skip-?link)s?\b", re.IGNORECASE
)
_BESIDE = re.compile(
    r"\b(?:sharedaddy|share-(?:buttons?|links?|bar)|social-(?:share|sharing|links?)|boutons?-(?:de-)?partage|(?:jp-)?related-?posts"
    r"|articles?-(?:similaires|lies)|a-lire-aussi|post-navigation|nav-links|post-nav|comments-area)\b",
    re.IGNORECASE,
)
"""Names of what stands beside the text even within the content: sharing, other articles, comments."""
_LINKS = re.compile(r"\b(?:menu|nav|navbar|share|partage)s?\b", re.IGNORECASE)
"""Names of navigation, and of content too: « menu-semaine » is the canteen’s. What it holds decides."""
_FEW_WORDS = 3
_PANEL = re.compile(r"\b(?:tab-?pane|tab-?panel|tabs?-content|collapse|accord[ei]on|onglet|toggle-content)", re.IGNORECASE)
_DIALOG = re.compile(r"\b(?:modal|dialog|popup|popin|tooltip)", re.IGNORECASE)
_PANEL_TITLE = re.compile(
    r"\b(?:accord[ei]on|collapse|collapsible|faq)[-_]*(?:title|titre|header|heading|head|btn|button|label|question)\b", re.IGNORECASE
)
_FOLDING = re.compile(r"accord[ei]on|collaps", re.IGNORECASE)
_TABS = re.compile(r"(?<![\w-])(?:nav-)?(?:tabs?|onglets?)(?:-(?:nav|list|menu|links))?(?![\w-])|tablist", re.IGNORECASE)
_ORDER = re.compile(r"(?:lire|voir|afficher|masquer|ouvrir|fermer|en savoir|plus|menu|d[ée]plier|replier)\b", re.IGNORECASE)
"""« Lire la suite » opens a panel and does not name it."""
_TITLE_WORDS = 25


@dataclass(frozen=True, slots=True)
class Panels:
    """Parts of the page that a click opens, by the ``id`` that what is clicked names."""

    opened: frozenset[str]
    titles: dict[str, str]
    """What the tab or the button says, when it names the panel."""

    def title_of(self, node: Node) -> str:
        """The title of the panel that ``node`` is, or nothing."""
        return "" if node.name in HEADINGS else self.titles.get(node.attributes.get("id", ""), "")

    def names_one(self, node: Node) -> bool:
        """Whether a click on ``node``, which says the title of a panel, opens it."""
        return any(target in self.titles for target in _targets(node))


@dataclass(slots=True)
class _Size:
    words: int = 0
    linked: int = 0
    holds_main: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts of a page that are its content, in reading order; within them, the ``id()`` of the elements to leave out."""

    roots: list[Node]
    left_out: set[int]
    panels: Panels


def shown(root: Node) -> Shown:
    """What to read of the page. Its ``<main>``, or the ``<article>`` that holds most of it, or the whole page without its menus."""
    panels = _panels(root)
    left_out = _Sieve(root, panels).left_out()
    sizes = _sizes(root, left_out)
    mains: list[Node] = []
    articles: list[Node] = []
    seen = set(left_out)
    for kind, node, _ in walk(root, seen):
        if kind == "start" and _is_main(node):
            mains.append(node)
            seen.add(id(node))
        elif kind == "start" and node.name == "article":
            articles.append(node)
    mains = [node for node in mains if sizes[id(node)].words]
    # A short article beside the text is a teaser for another page.
    articles = [node for node in articles if 2 * sizes[id(node)].words > sizes[id(root)].words]
    return Shown(mains or articles[:1] or [root], left_out, panels)


def is_panel_title(node: Node) -> bool:
    """By its name, an element whose text is the title of the panel that follows it."""
    names = _names(node)
    return bool(_PANEL_TITLE.search(names) or (node.name == "button" and _FOLDING.search(names)))


def _names(node: Node) -> str:
    """Its class and its id, written with hyphens: « site_footer » is « site-footer »."""
    return f"{node.attributes.get('class', '')} {node.attributes.get('id', '')}".replace("_", "-")


def _sizes(root: Node, left_out: Container[int] = frozenset()) -> dict[int, _Size]:
    """Words of each element by its ``id()``, and those that are links; scripts, menus and banners have none."""
    sizes: dict[int, _Size] = {}
    skipped: set[int] = set()
    open_: list[_Size] = []
    links = 0
    for kind, node, text in walk(root, _Either(left_out, skipped)):
        if kind == "start":
            if node.name in _NEVER:
                skipped.add(id(node))
                continue
            size = sizes[id(node)] = _Size(holds_main=_is_main(node))
            open_.append(size)
            links += _is_link(node)
        elif kind == "text":
            words = len(text.split())
            open_[-1].words += words
            open_[-1].linked += words if links else 0
        else:
            size = open_.pop()
            links -= _is_link(node)
            if open_:
                open_[-1].words += size.words
                open_[-1].linked += size.linked
                open_[-1].holds_main |= size.holds_main
    return sizes


@dataclass(frozen=True, slots=True)
class _Either:
    first: Container[int]
    second: Container[int]

    def __contains__(self, key: object) -> bool:
        return key in self.first or key in self.second


def _is_link(node: Node) -> bool:
    return node.name == "a" and "href" in node.attributes


def _panels(root: Node) -> Panels:
    opened: set[str] = set()
    titles: dict[str, str] = {}
    present: set[str] = set()
    tabs = 0
    for kind, node, _ in walk(root):
        if kind == "start":
            present.add(node.attributes.get("id", ""))
            tabs += _is_tab_list(node)
            targets = _targets(node)
            opened.update(targets)
            if targets and (tabs or "aria-controls" in node.attributes or node.attributes.get("role") == "tab"):
                title = _short_text(node)
                if title and not _ORDER.match(title):
                    titles.update((target, titles.get(target, title)) for target in targets)
        elif kind == "end":
            tabs -= _is_tab_list(node)
    return Panels(frozenset(opened), {target: title for target, title in titles.items() if target in present})


def _is_tab_list(node: Node) -> bool:
    return node.attributes.get("role") == "tablist" or (node.name in ("ul", "ol", "nav", "div") and bool(_TABS.search(_names(node))))


def _targets(node: Node) -> list[str]:
    """Ids of the parts that a click on ``node`` opens."""
    found = node.attributes.get("aria-controls", "").split()
    found += [
        value[1:]
        for name in ("href", "data-target", "data-bs-target")
        if len(value := node.attributes.get(name, "")) > 1 and value[0] == "#"
    ]
    return found[:3]


def _short_text(node: Node) -> str:
    """The text of a small element; nothing when it is no title."""
    text = collapse("".join(text for _, _, text in islice(walk(node), 60)))
    return text if len(text.split()) <= _TITLE_WORDS else ""


class _Sieve:
    """One walk that says which elements to leave out."""

    def __init__(self, root: Node, panels: Panels) -> None:
        self.root, self.panels = root, panels
        self.sizes = _sizes(root)
        self._content = self._titles = self._forms = 0

    def left_out(self) -> set[int]:
        """The ``id()`` of each outermost element to leave out."""
        found: set[int] = set()
        for kind, node, _ in walk(self.root, found):
            if kind == "text":
                continue
            if kind == "start" and self._is_left_out(node):
                found.add(id(node))
                continue
            step = 1 if kind == "start" else -1
            self._content += step * _is_content(node)
            self._titles += step * (node.name in HEADINGS or node.name == "summary" or is_panel_title(node))
            self._forms += step * (node.name == "form")
        return found

    def _is_left_out(self, node: Node) -> bool:
        in_content = bool(self._content) or _is_content(node)
        # A <header> inside the article holds its title; outside, the banner of the site.
        if node.name in _NEVER or (node.name == "header" and not in_content):
            return True
        if self._is_control(node) or self._is_hidden(node):
            return True
        if node.name in ("page", "html", "body"):
            return False
        return self._is_beside(node) or (not in_content and self._is_navigation(node))

    def _is_control(self, node: Node) -> bool:
        """A button or the name of a field. The button that is the title of a panel is kept, once: where it stands or on its panel."""
        if node.name in _FIELD_NAMES:
            return bool(self._forms)
        button = node.name == "button" or node.attributes.get("role") in ("button", "tab")
        if not button or self._titles:
            return False
        return self.panels.names_one(node) or (node.name == "button" and not is_panel_title(node))

    def _is_hidden(self, node: Node) -> bool:
        attributes = node.attributes
        hidden = "hidden" in attributes or attributes.get("aria-hidden") == "true" or _HIDDEN.search(attributes.get("style", ""))
        return bool(hidden) and not self._is_panel(node)

    def _is_panel(self, node: Node) -> bool:
        """Hidden until one clicks on its title. A folded menu, a dialogue box are none."""
        role, names = node.attributes.get("role", ""), _names(node)
        if role == "dialog" or _DIALOG.search(names) or 2 * self._size(node).linked > self._size(node).words:
            return False
        return role == "tabpanel" or node.attributes.get("id", "") in self.panels.opened or bool(_PANEL.search(names))

    def _is_beside(self, node: Node) -> bool:
        """By its name, and a small part of the page."""
        return bool(_BESIDE.search(_names(node))) and 3 * self._size(node).words < self._size(self.root).words

    def _is_navigation(self, node: Node) -> bool:
        """By its name and by what it holds; never what holds most of the page: « page-avec-sidebar » is the page."""
        names, size = _names(node), self._size(node)
        if size.holds_main or (2 * size.words > self._size(self.root).words and size.linked < 0.7 * size.words):
            return False
        return bool(_BANNER.search(names)) or (bool(_LINKS.search(names)) and (size.words <= _FEW_WORDS or 2 * size.linked >= size.words))

    def _size(self, node: Node) -> _Size:
        return self.sizes.get(id(node)) or _Size()


def _is_main(node: Node) -> bool:
    return node.name == "main" or node.attributes.get("role") == "main"


def _is_content(node: Node) -> bool:
    return node.name == "article" or _is_main(node)
