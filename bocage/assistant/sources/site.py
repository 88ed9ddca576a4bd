"""What pages of one site share, which none alone can tell: the site’s name where a title should be, breadcrumbs, banners, footers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bocage.assistant.documents import Document, Passage
from bocage.assistant.opening_hours import fold

_FEWEST, _SHARE_OF_TITLE, _DISTINCT = 3, 0.3, 0.8
"""A title that names the site: on so many pages and such a share of them, whose first headings are as different as titles are."""
_SHARE, _MOST_WORDS, _EDGE = 0.5, 15, 2
"""A banner or a footer: on such a share of the pages, so short, that near the top or the bottom."""
_FEWEST_BARE, _SHARE_BARE = 5, 0.2
"""The same where it is no sentence, « Ville de Brenoux » : the pages of a folder have several makes."""
_SHARE_OF_BLOCK, _LONGEST_BLOCK, _WORDS_OF_BLOCK = 0.25, 12, 40
"""A footer that says itself one: on such a share of the pages, of at most so many passages, so short each."""
_FOOTER = re.compile(
    r"©|copyright|tous droits reserves|mentions legales|plan du site|politique de confidentialite|gestion des cookies"
    r"|(?:site|page)s? (?:realise|cree|concu|propulse)e?s? (?:par|avec)|\bwww\.|\bpage \d{1,3} ?(?:/|sur) ?\d{1,3}"
)
_CRUMBS = re.compile(r"\s*[>›»→/|]\s*")
_HOME = re.compile(r"(?:vous etes ici ?:? ?)?(?:accueil|home)")
_HOME_PAGE = re.compile(r"(?:.*-)?(?:index|accueil|home|contact|mairie|coordonnees)(?:-.*)?")


def as_one_site(pages: Sequence[Document]) -> list[Document]:
    """``pages`` of one folder, each under its own title and with its own words."""
    return _without_footers(_without_repeats([_without_trail(page) for page in _titled(pages)]))


def _titled(pages: Sequence[Document]) -> list[Document]:
    """Pages that bear the name of the site as their title, under their first heading instead: it stands above all that they say."""
    bearing: dict[str, list[Document]] = {}
    for page in pages:
        bearing.setdefault(fold(page.title), []).append(page)
    enough = max(_FEWEST, _SHARE_OF_TITLE * len(pages))
    site = {title for title, same in bearing.items() if len(same) >= enough and _are_titles([_first_heading(page) for page in same])}
    return [_under_heading(page) if fold(page.title) in site else page for page in pages]


def _are_titles(headings: Sequence[str]) -> bool:
    told = [fold(heading) for heading in headings if heading]
    return len(told) >= _DISTINCT * len(headings) and len(set(told)) >= _DISTINCT * len(headings)


def _first_heading(page: Document) -> str:
    return next((passage.path[0] for passage in page.passages if passage.path), "")


def _under_heading(page: Document) -> Document:
    title = _first_heading(page)
    if not title:
        return page
    passages = tuple(replace(p, path=p.path[1:]) if p.path[:1] == (title,) else p for p in page.passages)
    return replace(page, title=title, passages=tuple(dict.fromkeys(passages)))


def _without_trail(page: Document) -> Document:
    """``page`` less its breadcrumb, « Accueil > Vie pratique > Eau », above its text."""
    at = next((n for n, passage in enumerate(page.passages[:_EDGE]) if _is_trail(passage, page.title)), None)
    return page if at is None else _keeping(page, set(range(len(page.passages))) - {at})


def _is_trail(passage: Passage, title: str) -> bool:
    crumbs = [fold(crumb).strip() for crumb in _CRUMBS.split(passage.text.strip(" >›»→/|"))]
    if len(crumbs) < 2 or len(passage.text.split()) > _WORDS_OF_BLOCK:
        return False
    return bool(_HOME.fullmatch(crumbs[0])) and (crumbs[-1] == fold(title) or all(len(crumb.split()) <= 8 for crumb in crumbs))


def _without_repeats(pages: Sequence[Document]) -> list[Document]:
    """``pages`` less the short passages that stand alike at the top or the bottom of at least half of them: banners and footers.

    One that holds a figure (a telephone number, a price, an hour) may be the answer: it stays, as does all that a page says.
    """
    on = Counter(text for page in pages for text in {fold(page.passages[n].text) for n in _edges(page)})
    often, bare = max(_FEWEST, _SHARE * len(pages)), max(_FEWEST_BARE, _SHARE_BARE * len(pages))
    repeated = {text for text, count in on.items() if count >= often or (count >= bare and text[-1] not in ".!?")}
    return [_keeping(page, {n for n in range(len(page.passages)) if n not in _edges(page) or not _is(page, n, repeated)}) for page in pages]


def _edges(page: Document) -> set[int]:
    """Places of the short passages without a figure that stand first or last."""
    places = range(len(page.passages))
    texts = {n: page.passages[n].text for n in (*places[:_EDGE], *places[-_EDGE:])}
    return {n for n, text in texts.items() if len(text.split()) <= _MOST_WORDS and not any(letter.isdigit() for letter in text)}


def _without_footers(pages: Sequence[Document]) -> list[Document]:
    """``pages`` less the passages that come back together at their end where one of them says that it is a footer (« © », « mentions
    légales », « Page 1/2 »): figures too, for the town hall's telephone is no answer to what is asked of the cemetery.

    They stay on one page, the home page where there is one: the number itself may be asked.
    """
    on = Counter(text for page in pages for text in {fold(passage.text) for passage in page.passages[-_LONGEST_BLOCK:]})
    repeated = {text for text, count in on.items() if count >= max(_FEWEST, _SHARE_OF_BLOCK * len(pages))}
    starts = {n: _footer_start(page, repeated) for n, page in enumerate(pages)}
    footed = [n for n, start in starts.items() if start < len(pages[n].passages)]
    keeper = next((n for n in footed if _HOME_PAGE.fullmatch(pages[n].id)), footed[0] if footed else -1)
    return [page if n == keeper else _keeping(page, set(range(starts[n]))) for n, page in enumerate(pages)]


def _footer_start(page: Document, repeated: set[str]) -> int:
    """Place of the first passage of the footer; how many passages there are when there is none."""
    start = end = len(page.passages)
    while start > max(0, end - _LONGEST_BLOCK) and _is(page, start - 1, repeated) and _is_short(page, start - 1):
        start -= 1
    signed = any(_FOOTER.search(fold(page.passages[n].text)) for n in range(start, end))
    return start if signed else end


def _is(page: Document, n: int, texts: set[str]) -> bool:
    return fold(page.passages[n].text) in texts


def _is_short(page: Document, n: int) -> bool:
    return len(page.passages[n].text.split()) <= _WORDS_OF_BLOCK


def _keeping(page: Document, places: set[int]) -> Document:
    """``page`` with its passages at ``places`` alone; unchanged when nothing would be left."""
    if not places or len(places) == len(page.passages):
        return page
    return replace(page, passages=tuple(page.passages[n] for n in sorted(places)))
