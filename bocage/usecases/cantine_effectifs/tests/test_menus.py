"""What menus say: families of dishes read by the rules, and tags that a dish contradicts. Titles are those that canteens publish."""

from __future__ import annotations

import pandas as pd
import pytest

from bocage.usecases.cantine_effectifs.menus import FAMILIES, contradiction, families, read_menus, rules, wrong_tags

READ = {
    "Filet de lieu au beurre blanc": {"poisson"},
    "Parmentier de poisson": {"poisson"},
    "Hachis Parmentier*": {"boeuf"},
    "Sauté de bœuf* au gingembre": {"boeuf", "viande"},
    "Émincé de volaille à la forestière": {"volaille", "viande"},
    "Saucisses de porc bio": {"porc", "viande"},
    "Jambon fumé": {"porc"},
    "Œufs durs mayonnaise": {"sans_viande"},
    "Galette de soja tomate / basilic": {"sans_viande"},
    "Boulettes de soja": {"sans_viande"},
    "Hachis végétal aux lentilles": {"sans_viande"},
    "Omelette bio": {"sans_viande"},
    "Frites": {"frites"},
    "Yaourt fermier bio°": set(),
    "Carottes râpées": set(),
    "Pâtes bio": {"pates"},
    "Galette des rois": {"sans_viande", "fete"},
    "Rillettes de thon": {"porc", "poisson"},
    "Purée de pommes de terre": set(),
    "Pommes rissolées": set(),
    "Nuggets de blé": {"sans_viande"},
    "Nuggets, salade de blé": {"volaille"},
    "Cordon bleu végétal": {"sans_viande"},
    "Chili sin carne": {"sans_viande"},
    "Dos de merlan": {"poisson"},
}


@pytest.mark.parametrize(("dish", "expected"), READ.items())
def test_a_dish_is_read(dish: str, expected: set[str]) -> None:
    assert families(dish) == expected


WRONG = [
    ("Sauté de porc, haricots verts", "végétarien", "porc"),
    ("Sauté de porc aux pommes", "Végétarienne", "porc"),
    ("Filet de poisson meunière", "vegetarien", "poisson"),
    ("Boulettes de bœuf en tajine", "poisson", "boeuf"),
    ("Rôti de porc", "Alternative", "porc"),
    ("Jambon blanc", "sans porc", "porc"),
    ("Paupiette de dinde", "Repas végétarien", "volaille"),
    ("Paupiette de dinde", "végétarien", "volaille"),
    ("Lasagnes de légumes", "végétarien", ""),
    ("Boulettes végétales", "végétarien", ""),
    ("Filet de lieu", "poisson", ""),
    ("Rôti de porc", None, ""),
    ("Rôti de porc", "bio", ""),
    # A shape is what it is made of.
    ("Nuggets de blé", "végétarien", ""),
    ("Nuggets végétaux", "végétarien", ""),
    ("Cordon bleu végétal", "végétarien", ""),
    ("Cordon bleu, blé", "végétarien", "volaille"),
    ("Chili sin carne", "végétarien", ""),
    ("Chili con carne", "végétarien", "boeuf"),
    ("Jambon blanc de dinde", "sans porc", ""),
    ("Jambon de dinde", "végétarien", "volaille"),
    ("Paella chorizo poulet", "sans porc", "porc"),
    ("Rillettes de thon", "poisson", ""),
    ("Nuggets de poisson", "végétarien", "poisson"),
    ("Dos de merlan", "végétarien", "poisson"),
    ("Gigot", "végétarien", "boeuf"),
    # A tag is read wherever its words stand, and for what it promises.
    ("Boulettes au bœuf", "Menu végétarien", "boeuf"),
    ("Poulet rôti", "Alternative végétarienne", "volaille"),
    ("Poulet rôti", "Végétarien / bio", "volaille"),
    ("Colin", "plat végé", "poisson"),
    ("Colin", "végétarien ou poisson", ""),
    ("Rôti de porc", "végétarien ou poisson", "porc"),
    ("Colin", "sans poisson", ""),
    ("Escalope viennoise", "sans viande", "viande"),
]


@pytest.mark.parametrize(("dish", "tag", "family"), WRONG)
def test_a_tag_that_the_dish_contradicts_is_told(dish: str, tag: str | None, family: str) -> None:
    assert contradiction(dish, tag) == family


def test_rules_are_well_formed() -> None:
    """Every family named exists, and a rule reads its own words."""
    loaded = rules()
    assert set(loaded["familles"]) == set(FAMILIES)
    for family in ("poisson", "porc", "frites", "pates", "fete", "pique_nique"):
        assert all(family in families(f"Un plat de {word}, riz") for word in loaded["familles"][family])
    assert all(family in FAMILIES for excluded in loaded["etiquettes"].values() for family in excluded)


def test_menus_become_facts_and_absent_days_are_zero() -> None:
    days = pd.DatetimeIndex(["2024-01-08", "2024-01-09", "2024-01-11"])
    table = pd.DataFrame({"date": [days[0], days[0], days[2]], "plat": ["Filet de lieu", "Frites", "Rôti de porc"]})
    facts = read_menus(table, days)
    assert facts.known.tolist() == [1, 0, 1] and not facts.families[1].any()
    assert facts.families[0, FAMILIES.index("poisson")] == 1 and facts.families[0, -1] == 1 and facts.families[2, -3] == 1


def test_wrong_tags_come_in_the_order_of_days() -> None:
    days = pd.to_datetime(["2024-01-09", "2024-01-08", "2024-01-08"])
    table = pd.DataFrame({"date": days, "plat": ["Rôti de porc", "Colin", "Omelette"], "etiquette": ["végétarien"] * 3})
    assert [line[3] for line in wrong_tags(table)] == ["poisson", "porc"] and wrong_tags(table.drop(columns="etiquette")) == []
