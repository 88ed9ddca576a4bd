"""Use cases found in the package, in other distributions and in private folders; one that is broken hides no other."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bocage.contract import discovery
from bocage.contract.errors import InvalidUseCase, UnknownUseCase
from bocage.contract.scaffold import new_use_case
from bocage.contract.usecase import UseCase


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cas"
    folder.mkdir()
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(folder))
    discovery.clear()
    yield folder
    discovery.clear()


def use_sibling(folder: Path, how: str) -> None:
    """Give the engine a sibling module that it imports relatively."""
    (folder / "cleaning.py").write_text('"""Cleaning."""\n\nMARK = "propre"\n', encoding="utf-8")
    engine = folder / "engine.py"
    engine.write_text(engine.read_text(encoding="utf-8").replace("HORIZON_DAYS = 7", f"{how}\n\nHORIZON_DAYS = 7"), encoding="utf-8")
    discovery.clear()


def test_a_private_use_case_is_found_and_loaded(parent: Path) -> None:
    folder = new_use_case("cas_prive", parent)
    before = list(sys.path)
    assert "cas_prive" in discovery.slugs()
    assert discovery.load_fiche("cas_prive").slug == "cas_prive"
    assert discovery.use_case_folder("cas_prive") == folder
    assert discovery.origin("cas_prive") == str(folder)
    engine = discovery.load_engine("cas_prive")
    assert isinstance(engine, UseCase) and engine.params.__name__ == "CasPriveParams"
    assert discovery.load_engine("cas_prive") is not engine
    assert sys.path == before
    assert pickle.loads(pickle.dumps(type(engine))) is type(engine)
    assert [f.slug for f in discovery.all_fiches()] == discovery.slugs() == sorted(discovery.slugs())


@pytest.mark.parametrize("how", ["from . import cleaning", "from .cleaning import MARK"])
@pytest.mark.parametrize("package", [True, False])
def test_siblings_are_imported_relatively(parent: Path, how: str, package: bool) -> None:
    folder = new_use_case("cas_voisin", parent)
    if not package:
        (folder / "__init__.py").unlink()
    use_sibling(folder, how)
    module = discovery.load_module("cas_voisin")
    assert getattr(module, "MARK", None) == "propre" or module.cleaning.MARK == "propre"


def test_listing_never_imports_an_engine(parent: Path) -> None:
    new_use_case("cas_prive", parent)
    code = (
        "import sys; from bocage.contract import discovery as d; print(d.slugs(), d.example_inputs('cas_prive'));"
        "sys.exit(any('cas_prive' in m for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_the_same_slug_in_another_folder_is_another_engine(parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "autre"
    for folder in (other, parent):
        monkeypatch.setenv("BOCAGE_USECASES_PATH", str(folder))
        new_use_case("cas_prive", folder)
    for folder in (parent, other, parent):  # the setting alone is enough: nothing is cleared
        monkeypatch.setenv("BOCAGE_USECASES_PATH", str(folder))
        engine = discovery.load_engine("cas_prive")
        assert Path(sys.modules[type(engine).__module__].__file__ or "").is_relative_to(folder)


def test_a_broken_use_case_hides_no_other(parent: Path) -> None:
    new_use_case("cas_bon", parent)
    for slug, fiche in (("cas_casse", "titre = ["), ("cas_court", 'slug = "cas_court"'), ("cas_binaire", None)):
        folder = new_use_case(slug, parent)
        if fiche is None:
            (folder / "fiche.toml").write_bytes(b"\xff\xfe\x00")
        else:
            (folder / "fiche.toml").write_text(fiche, encoding="utf-8")
    (parent / "cas_sans_fiche").mkdir()
    (parent / "cas_sans_fiche" / "engine.py").touch()
    renamed = new_use_case("cas_nomme", parent)
    renamed.rename(parent / "cas_renomme")
    (parent / "notes.txt").touch()
    discovery.clear()
    problems = discovery.problems()
    assert "cas_bon" in discovery.slugs() and discovery.load_engine("cas_bon")
    assert set(problems) == {"cas_casse", "cas_court", "cas_binaire", "cas_sans_fiche", "cas_renomme"}
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in problems.values())
    assert "« cas_nomme »" in problems["cas_renomme"]
    with pytest.raises(InvalidUseCase, match="TOML"):
        discovery.load_fiche("cas_casse")


FICHE_FAULTS = [
    ("titre =", "tittre =", "tittre : ce champ n’existe pas, sans doute « titre »"),
    ("titre =", "tittre =", "titre : ce champ est obligatoire"),
    ("gain_demontre = false", 'gain_demontre = "non"', "gain_demontre : lu « non », écrivez true ou false"),
    (
        'risque_ai_act = "minimal"',
        'risque_ai_act = "élevé"',
        "choisissez entre « minimal », « limité », « haut », « hors champ »",
    ),
    ('sens = "min"', 'sens = "minimum"', "mesure.sens : lu « minimum », choisissez entre « min », « max »"),
    ('nom = "ecart_moyen"', 'nom = "Écart moyen"', "mesure.nom : lu « Écart moyen », écrivez des minuscules"),
    ('alternatives = ["Un tableur qui tient la moyenne des mêmes jours."]', "alternatives = []", "donnez-en au moins un"),
    ('domaine = "accueil du public"', "domaine = 3", "domaine : lu « 3 », écrivez un texte, entre guillemets"),
    ('domaine = "accueil du public"', 'domaine = "x"', "écrivez un texte d’au moins 3 caractères"),
    (
        'licence = "Licence Ouverte 2.0"',
        'license = "Licence Ouverte 2.0"',
        "sources.0.license : ce champ n’existe pas, sans doute « licence »",
    ),
    ("[mesure]", '[tutelle]\nx = "y"\n\n[mesure]', "tutelle : ce champ n’existe pas, retirez-le"),
    ("usages_exclus = [", "usages_exclus = 3 # [", "écrivez une liste, entre crochets"),
]


@pytest.mark.parametrize(("old", "new", "said"), FICHE_FAULTS)
def test_a_fault_of_the_fiche_says_in_french_what_to_write(parent: Path, old: str, new: str, said: str) -> None:
    fiche = new_use_case("cas_essai", parent) / "fiche.toml"
    text = fiche.read_text(encoding="utf-8")
    assert old in text
    fiche.write_text(text.replace(old, new), encoding="utf-8")
    discovery.clear()
    with pytest.raises(InvalidUseCase) as caught:
        discovery.load_fiche("cas_essai")
    assert said in caught.value.message and not re.search(r"(?i)input|should|field", caught.value.message)


def test_a_fiche_saved_with_a_byte_order_mark_is_read(parent: Path) -> None:
    fiche = new_use_case("cas_essai", parent) / "fiche.toml"
    fiche.write_bytes(b"\xef\xbb\xbf" + fiche.read_bytes())
    discovery.clear()
    assert discovery.load_fiche("cas_essai").slug == "cas_essai"


def test_a_slug_taken_twice_stays_with_the_first(parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_use_case("cas_double", parent)
    second = tmp_path / "autre"
    second.mkdir()
    (second / "cas_double").mkdir()
    (second / "cas_double" / "fiche.toml").write_bytes((first / "fiche.toml").read_bytes())
    monkeypatch.setenv("BOCAGE_USECASES_PATH", f"{parent}:{second}:{tmp_path / 'absent'}")
    assert discovery.use_case_folder("cas_double") == first
    problems = discovery.problems()
    assert str(first) in problems[str(second / "cas_double")] and "Renommez-le" in problems[str(second / "cas_double")]
    assert "n’existe pas" in problems[str(tmp_path / "absent")]


def test_an_unknown_slug_is_told_its_neighbours(parent: Path) -> None:
    new_use_case("cas_prive", parent)
    with pytest.raises(UnknownUseCase, match="Les plus proches : cas_prive"):
        discovery.load_fiche("cas_privé")
    with pytest.raises(UnknownUseCase, match="bocage list"):
        discovery.use_case_folder("zzzzz")


def test_a_use_case_of_another_distribution(parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "site" / "paquet_tiers_bocage"
    use_sibling(new_use_case("cas_tiers", outside), "from .cleaning import MARK")
    (outside / "__init__.py").write_text("raise RuntimeError('imported while listing')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(outside.parent))
    points = (
        EntryPoint("cas_tiers", "paquet_tiers_bocage.cas_tiers", discovery.GROUP),
        EntryPoint("cas_perdu", "paquet_qui_manque.cas_perdu", discovery.GROUP),
        EntryPoint("cas_autre", "paquet_tiers_bocage.cas_tiers", discovery.GROUP),
    )
    monkeypatch.setattr(discovery, "_outside", lambda: points)
    discovery.clear()
    assert "cas_tiers" in discovery.slugs() and discovery.use_case_folder("cas_tiers").is_relative_to(outside)
    assert "introuvable" in discovery.problems()["cas_perdu"] and "« cas_tiers »" in discovery.problems()["cas_autre"]
    (outside / "__init__.py").write_text("", encoding="utf-8")
    assert discovery.load_module("cas_tiers").MARK == "propre"


def test_examples_and_demo(parent: Path) -> None:
    folder = new_use_case("cas_prive", parent)
    assert discovery.example_inputs("cas_prive") == {"frequentations": folder / "data" / "frequentations.csv"}
    assert discovery.example_truth("cas_prive") == {"passages_constates": folder / "data" / "verite" / "passages_constates.csv"}
    assert discovery.load_demo("cas_prive") is None
    (folder / "demo.py").write_text(
        "from bocage.contract.discovery import DemoFiles\n\n\ndef write_demo(folder):\n    return DemoFiles({}, {}, 'Essai')\n",
        encoding="utf-8",
    )
    write = discovery.load_demo("cas_prive")
    assert write is not None and write(folder).source == "Essai"
    (folder / "demo.py").write_text("", encoding="utf-8")
    discovery.clear()
    with pytest.raises(InvalidUseCase, match="write_demo"):
        discovery.load_demo("cas_prive")


def test_sixty_fiches_are_read_in_a_blink(parent: Path) -> None:
    for number in range(60):
        new_use_case(f"cas_{number}", parent)
    discovery.slugs()
    took = []
    for _ in range(5):
        discovery._read.cache_clear()
        started = time.process_time()
        assert len(discovery.all_fiches()) >= 60
        took.append(time.process_time() - started)
    assert min(took) < 0.05
