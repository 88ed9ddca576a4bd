"""``bocage new``: one folder, complete, that passes the conformance suite as it is; its fiche is to be rewritten with its engine."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from bocage.contract import discovery, private
from bocage.contract.errors import InvalidUseCase
from bocage.contract.fiche import SLUG_PATTERN

TEMPLATE = Path(__file__).resolve().parent / "template"
SUFFIX = ".tmpl"
MAX_SLUG = 40


def new_use_case(slug: str, parent: Path | None = None) -> Path:
    """Write the folder ``<parent>/<slug>`` from the template and return it. The folder appears whole or not at all.

    ``parent`` defaults to ``bocage/usecases`` of a source checkout. Raises ``InvalidUseCase`` on a bad slug, a slug already taken, a
    folder that exists, or a place that cannot be written.
    """
    _check_slug(slug)
    parent = parent or _checkout()
    folder = parent / slug
    if folder.exists():
        raise InvalidUseCase(f"Le dossier « {folder} » existe déjà ; rien n’a été écrit. Prenez un autre nom, ou supprimez-le.")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{slug}-", dir=parent))
    except OSError as error:
        raise InvalidUseCase(f"Le dossier « {parent} » ne s’écrit pas ({error.strerror}). Donnez un autre dossier par --parent.") from None
    try:
        _fill(draft, slug)
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError as error:
        raise InvalidUseCase(f"« {folder} » n’a pas pu être écrit ({error.strerror}) ; rien n’est resté à moitié.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    discovery.clear()
    return folder


def from_template(name: str, slug: str) -> str:
    """The text of the file ``name`` of the template, as ``new_use_case`` writes it for ``slug``."""
    return _named((TEMPLATE / f"{name}{SUFFIX}").read_text(encoding="utf-8"), slug)


def _check_slug(slug: str) -> None:
    if not re.fullmatch(SLUG_PATTERN, slug) or len(slug) > MAX_SLUG:
        raise InvalidUseCase(
            f"« {slug} » ne peut pas nommer un cas d’usage : il faut deux mots ou plus, en minuscules sans accent, joints par « _ », "
            f"{MAX_SLUG} signes au plus, comme mon_cas."
        )
    if slug in discovery.slugs():
        raise InvalidUseCase(f"Un cas d’usage s’appelle déjà « {slug} » ({discovery.origin(slug)}). Prenez un autre nom.")


def _checkout() -> Path:
    root = Path(__file__).resolve().parents[2]
    if not (root / "pyproject.toml").is_file():
        raise InvalidUseCase(
            f"Bocage est installé comme paquet : dites où écrire par --parent, puis nommez ce dossier dans {private.SETTING}."
        )
    return root / "bocage" / "usecases"


def _fill(draft: Path, slug: str) -> None:
    """Copy the template, with the slug and the class name in place of their marks."""
    for source in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        name = str(source.relative_to(TEMPLATE)).removesuffix(SUFFIX)
        target = draft / _named(name, slug)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_named(source.read_text(encoding="utf-8"), slug), encoding="utf-8", newline="\n")


def _named(text: str, slug: str) -> str:
    return text.replace("__slug__", slug).replace("__Camel__", discovery.camel(slug))
