"""Which use cases are installed, and how to reach their parts. Listing them reads fiches and never imports an engine.

Three sources, in this order: folders of ``bocage/usecases``; entry points of the group ``bocage.usecases`` (name = slug, value =
package) of other distributions; sub-folders of the folders in ``BOCAGE_USECASES_PATH``. The first use case to take a slug keeps it:
a folder dropped on a server cannot replace a use case that is already there; ``problems()`` says so.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, metadata
from pathlib import Path
from types import ModuleType
from typing import cast

from pydantic import JsonValue

from bocage.contract import private
from bocage.contract.errors import BocageError, InvalidUseCase, MissingExtra, UnknownUseCase
from bocage.contract.fiche import Fiche, read_fiche
from bocage.contract.usecase import UseCase

BUILT_IN = "built in"
GROUP = "bocage.usecases"
_PARTS = ("inputs", "truth", "params", "run", "baseline", "evaluate", "explain")
_NOT_DATA = {".md", ".toml", ".py", ".pyc"}


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """Data to show a use case with: files by input name, files by truth name, where they come from (French), parameters, licence.

    ``demo.py`` writes real ones; ``example`` gives those that the folder carries. ``earlier`` is how many more episodes, each before
    the last, ``write_demo(folder, n)`` can write for n = 1, 2…
    """

    inputs: dict[str, Path]
    truth: dict[str, Path]
    source: str
    params: dict[str, JsonValue] = field(default_factory=dict)
    earlier: int = 0
    licence: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """One use case: its folder, the package to import, and where it comes from."""

    folder: Path
    package: str
    origin: str
    fiche: Fiche


@dataclass(frozen=True, slots=True)
class _Catalogue:
    found: dict[str, _Found]
    problems: dict[str, str]


def slugs() -> list[str]:
    """The slugs of all readable use cases, sorted."""
    return sorted(_catalogue().found)


def all_fiches() -> list[Fiche]:
    """The fiches of all readable use cases, sorted by slug."""
    found = _catalogue().found
    return [found[slug].fiche for slug in sorted(found)]


def load_fiche(slug: str) -> Fiche:
    """The fiche of ``slug``; the engine is not imported. Raises ``UnknownUseCase`` or ``InvalidUseCase``."""
    return _find(slug).fiche


def use_case_folder(slug: str) -> Path:
    """The folder of ``slug``. Raises ``UnknownUseCase`` or ``InvalidUseCase``."""
    return _find(slug).folder


def origin(slug: str) -> str:
    """``"built in"``, the name of the distribution that brings the use case, or its folder's path for a private one."""
    return _find(slug).origin


def problems() -> dict[str, str]:
    """What is wrong with use cases that could not be listed: French sentence by slug, or by folder."""
    return dict(_catalogue().problems)


def clear() -> None:
    """Forget what was found, and the private modules imported: the next call looks again (installed distributions excepted)."""
    _read.cache_clear()
    for name in [name for name in sys.modules if name.startswith(f"{private.__name__}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()


def camel(slug: str) -> str:
    """``mon_cas`` → ``MonCas``, the name of the engine's class."""
    return "".join(part.capitalize() for part in slug.split("_"))


def load_module(slug: str) -> ModuleType:
    """The module ``engine`` of ``slug``. Raises ``MissingExtra``, or ``InvalidUseCase`` when the import fails."""
    return _import(slug, "engine")


def load_engine(slug: str) -> UseCase:
    """A new engine of ``slug``. Raises ``UnknownUseCase``, ``MissingExtra``, or ``InvalidUseCase`` when names break the contract."""
    module = load_module(slug)
    name = camel(slug)
    engine_class = getattr(module, name, None)
    if not isinstance(engine_class, type):
        raise InvalidUseCase(f"engine.py de « {slug} » doit définir la classe {name}. Ajoutez-la, ou renommez celle qui existe.")
    missing = [part for part in _PARTS if not hasattr(engine_class, part)]
    if missing:
        raise InvalidUseCase(f"La classe {name} de « {slug} » ne définit pas {', '.join(missing)}. Voyez docs/use_case.md.")
    given = getattr(getattr(engine_class, "params", None), "__name__", "autrement")
    if given != f"{name}Params":
        raise InvalidUseCase(
            f"La classe des paramètres de « {slug} » s’appelle {given} ; nommez-la {name}Params : "
            "deux classes du même nom se confondraient dans l’API."
        )
    try:
        return cast(UseCase, engine_class())
    except Exception as error:
        raise InvalidUseCase(
            f"{name}() ne se construit pas sans argument ({said(error, use_case_folder(slug))}). Retirez ce que __init__ exige."
        ) from error


def example_inputs(slug: str) -> dict[str, Path]:
    """Example files by input name: ``data/<input>.<suffix>``. Empty when there is no example."""
    return _files(use_case_folder(slug) / "data")


def example_truth(slug: str) -> dict[str, Path]:
    """Example files by truth name: ``data/verite/<truth>.<suffix>``. Empty when there is no example."""
    return _files(use_case_folder(slug) / "data" / "verite")


def example(slug: str) -> DemoFiles | None:
    """The example that the folder of ``slug`` carries, and what its fiche says of it (« données simulées »); None when there is none."""
    inputs = example_inputs(slug)
    if not inputs:
        return None
    told = next((source for source in load_fiche(slug).sources if source.titre.lower().startswith("exemple")), None)
    source = told.titre.partition(" : ")[2] or told.titre if told else "exemple fourni avec le cas d’usage"
    return DemoFiles(inputs, example_truth(slug), source, licence=told.licence if told else "")


def load_demo(slug: str) -> Callable[[Path, int], DemoFiles] | None:
    """``write_demo(folder, before) -> DemoFiles`` of the use case's ``demo.py``, or None when it has none."""
    if not (use_case_folder(slug) / "demo.py").exists():
        return None
    write = getattr(_import(slug, "demo"), "write_demo", None)
    if not callable(write):
        raise InvalidUseCase(f"demo.py de « {slug} » doit définir write_demo(folder, before), qui rend DemoFiles.")
    return cast("Callable[[Path, int], DemoFiles]", write)


def _find(slug: str) -> _Found:
    catalogue = _catalogue()
    if slug in catalogue.found:
        return catalogue.found[slug]
    if slug in catalogue.problems:
        raise InvalidUseCase(catalogue.problems[slug])
    near = difflib.get_close_matches(slug, catalogue.found, n=3)
    hint = f"Les plus proches : {', '.join(near)}." if near else "« bocage list » donne ceux qui sont installés."
    raise UnknownUseCase(f"Aucun cas d’usage ne s’appelle « {slug} ». {hint}")


def _catalogue() -> _Catalogue:
    return _read(private.folders())


@cache
def _read(private_folders: tuple[str, ...]) -> _Catalogue:
    catalogue = _Catalogue({}, {})
    here = Path(__file__).resolve().parent.parent / "usecases"
    for folder in _subfolders(here):
        _add(catalogue, folder, f"bocage.usecases.{folder.name}", BUILT_IN)
    for point in _outside():
        _add_outside(catalogue, point)
    for parent in private_folders:
        if not Path(parent).is_dir():
            catalogue.problems[parent] = f"Le dossier « {parent} », nommé dans {private.SETTING}, n’existe pas. Corrigez le réglage."
            continue
        for folder in _subfolders(Path(parent)):
            _add(catalogue, folder, f"{private.__name__}.{folder.name}", str(folder))
    return catalogue


@cache
def _outside() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _subfolders(parent: Path) -> list[Path]:
    """Sub-folders that hold a use case: one with a fiche, or with an engine that lacks one."""
    if not parent.is_dir():
        return []
    return sorted(
        folder
        for folder in parent.iterdir()
        if folder.name[0] not in "._" and ((folder / "fiche.toml").is_file() or (folder / "engine.py").is_file())
    )


def _add_outside(catalogue: _Catalogue, point: EntryPoint) -> None:
    distribution = point.dist.name if point.dist else point.value
    folder = _package_folder(point.value)
    if folder is None:
        catalogue.problems.setdefault(
            point.name, f"Le paquet « {point.value} » que {distribution} annonce pour « {point.name} » est introuvable. Réinstallez-le."
        )
        return
    _add(catalogue, folder, point.value, distribution, expected=point.name)


def _package_folder(package: str) -> Path | None:
    """The folder of a package, found without importing it nor its parents."""
    top, *rest = package.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location, *rest)
        if folder.is_dir():
            return folder
    return None


def _add(catalogue: _Catalogue, folder: Path, package: str, where: str, expected: str = "") -> None:
    """Put one use case in the catalogue, or its fault among the problems; never raises."""
    slug = expected or folder.name
    taken = catalogue.found.get(slug)
    if taken:
        catalogue.problems[str(folder)] = (
            f"Le dossier « {folder} » porte le nom « {slug} », que prend déjà {taken.folder}. Renommez-le : il n’est pas chargé."
        )
        return
    try:
        fiche = read_fiche(folder / "fiche.toml")
        if fiche.slug != slug:
            raise InvalidUseCase(f"La fiche de « {slug} » porte le slug « {fiche.slug} ». Donnez-lui le nom de son dossier : « {slug} ».")
    except BocageError as error:
        catalogue.problems[slug] = error.message
    except OSError as error:
        catalogue.problems[slug] = f"La fiche de « {slug} » ne se lit pas ({error.strerror}). Vérifiez les droits du dossier {folder}."
    else:
        catalogue.found[slug] = _Found(folder, package, where, fiche)


def _import(slug: str, part: str) -> ModuleType:
    found = _find(slug)
    name = f"{found.package}.{part}"
    if not (found.folder / f"{part}.py").is_file():
        raise InvalidUseCase(f"Il manque {part}.py dans le dossier « {found.folder} ».")
    _forget_if_moved(found)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and not error.name.startswith((found.package, "bocage.")):
            raise _absent(found, error.name, part) from error
        raise InvalidUseCase(f"{part}.py de « {slug} » importe un module qui n’existe pas : {error.name}.") from error
    except Exception as error:
        raise InvalidUseCase(f"{part}.py de « {slug} » ne s’importe pas : {said(error, found.folder)}.") from error


def _forget_if_moved(found: _Found) -> None:
    """Drop modules of a private use case that came from another folder of the same name."""
    for name in [name for name in sys.modules if name == found.package or name.startswith(f"{found.package}.")]:
        places = [getattr(sys.modules[name], "__file__", None), *getattr(sys.modules[name], "__path__", ())]
        if found.package.startswith(private.__name__) and not any(p and Path(p).is_relative_to(found.folder) for p in places):
            del sys.modules[name]


def _absent(found: _Found, module: str, part: str) -> BocageError:
    fiche = found.fiche
    if fiche.extra:
        ours = found.package.startswith(("bocage.usecases.", f"{private.__name__}."))
        project = "bocage" if ours else found.origin
        offered = _extras(project)
        if offered is not None and _plain(fiche.extra) not in map(_plain, offered):
            known = f"celles qu’il propose : {', '.join(offered)}" if offered else "il n’en propose aucune"
            return InvalidUseCase(
                f"{part}.py de « {fiche.slug} » importe {module}, qui n’est pas installé ; la fiche nomme l’extension « {fiche.extra} », "
                f"que {project} n’a pas ({known}). Corrigez le champ extra, ou l’import."
            )
        return MissingExtra(f"« {fiche.titre} » a besoin du module {module} : installez-le par « pip install '{project}[{fiche.extra}]' ».")
    return InvalidUseCase(
        f"{part}.py de « {fiche.slug} » importe {module}, qui n’est pas installé, et la fiche ne nomme pas d’extension (champ extra)."
    )


def _extras(project: str) -> list[str] | None:
    """The extras of an installed distribution; None where it is not installed as one, which says nothing."""
    try:
        return list(metadata(project).get_all("Provides-Extra") or [])
    except PackageNotFoundError:
        return None


def _plain(extra: str) -> str:
    return extra.lower().replace("_", "-").replace(".", "-")


def said(error: BaseException, folder: Path) -> str:
    """``TypeError (engine.py, ligne 12) : …``: an exception on one line, with the last place inside ``folder`` that it crossed."""
    places = [(Path(f.filename), f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((Path(error.filename), error.lineno))
    inside = [f" ({path.name}, ligne {line})" for path, line in places if path.is_relative_to(folder)]
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}{inside[-1] if inside else ''} : {' '.join(message.split())[:300].rstrip('. ') or 'sans message'}"


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {
        path.stem: path
        for path in sorted(folder.iterdir(), reverse=True)
        if path.is_file() and path.name[0] not in "._" and path.suffix.lower() not in _NOT_DATA
    }
