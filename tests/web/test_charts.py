"""Charts say the same as their table, cross no word with a line, and stay inside their frame."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bocage.web.bars import Bar, bar_chart
from bocage.web.chart_axis import axis_label, label_width, time_ticks
from bocage.web.charts import dot_plot, gap_scale, line_chart, nice_ticks
from bocage.web.outline import outline


def chart_of(measured: list[float | None], forecast: list[float | None], xs: list[str], **changes: object) -> dict:
    gap = [None] * len(measured)
    ahead = [*gap, *forecast]
    series = [
        {"name": "Mesuré", "role": "measured", "values": [*measured, *[None] * len(forecast)]},
        {"name": "Prévu", "role": "forecast", "values": ahead},
        {"name": "Bas", "role": "lower", "values": [v if v is None else v - 5 for v in ahead]},
        {"name": "Haut", "role": "upper", "values": [v if v is None else v + 5 for v in ahead]},
        {"name": "Habituel", "role": "usual", "values": [*gap, *[v if v is None else v * 0.9 for v in forecast]]},
    ]
    return {"title": "Débit & <volume>", "unit": "m³", "note": "", "x": xs, "series": series, **changes}


def days(count: int) -> list[str]:
    return [(date(2026, 11, 2) + timedelta(days=i)).isoformat() for i in range(count)]


def hours(count: int) -> list[str]:
    return [(datetime(2026, 11, 2) + timedelta(hours=i)).isoformat() for i in range(count)]


def drawings(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


def wave(count: int, start: int = 0) -> list[float]:
    return [60 + 40 * math.sin((start + i) / 24 * 2 * math.pi) + 7 * math.sin(i) for i in range(count)]


MEASURED = [980, 1002, 995, 1010, 1034, 1072, 1050, 988, 1006, 1001, 1019, 1046, 1085, 1063]
FORECAST = [992, 1010, 1004, 1030, 1125, 1240, 1148]
CHARTS = {
    "21 jours": chart_of(
        [980, 1002, 995, 1010, 1034, 1072, 1050, 988, 1006, 1001, 1019, 1046, 1085, 1063],
        [992, 1010, 1004, 1030, 1125, 1240, 1148],
        days(21),
    ),
    "168 heures": chart_of([], wave(168), hours(168)),
    "deux semaines d’heures": chart_of(wave(168), wave(168, 168), hours(336)),
    "douze mois": chart_of([], wave(12), [f"Mois {i}" for i in range(12)]),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_drawn_for_each_width_with_the_same_finding_and_escapes_its_words(name):
    html = line_chart(CHARTS[name], "essai", finding="Le volume < 3 & monte.")
    drawn = drawings(html)
    assert [svg.get("class") for svg in drawn] == ["wide", "middle", "narrow"]
    assert {svg.find("title").text for svg in drawn} == {"Le volume < 3 & monte."}
    assert len({svg.find("title").get("id") for svg in drawn}) == 3
    assert "style=" not in html and "Débit &amp; &lt;volume&gt;" in html
    assert [svg.get("class") for svg in drawings(line_chart(CHARTS[name], "essai", beside_form=True))] == ["middle", "narrow"]


def test_a_month_that_was_not_measured_breaks_the_line_and_takes_its_room():
    xs = [d for d in days(60) if not "2026-11-16" <= d <= "2026-12-15"]
    chart = chart_of(wave(len(xs)), [], xs)
    for svg in drawings(line_chart(chart, "essai")):
        lines = [line.get("points").split() for line in svg.iter("polyline")]
        assert [len(line) for line in lines] == [14, 16], "nothing is drawn over the month without a day"
        (first, last), (again, _) = ([float(line[i].split(",")[0]) for i in (0, -1)] for line in lines)
        # As many labels as a quarter of the drawing, at most: the hole is seen, and the days around it still are.
        assert 0.9 < (again - last) / ((last - first) / 13) / (len(xs) / 4 + 1) < 1.1


@pytest.mark.parametrize("xs", [[d for d in days(40) if date.fromisoformat(d).weekday() < 5], hours(40), [f"Mois {i}" for i in range(40)]])
def test_weekends_that_nobody_serves_and_labels_without_date_break_no_line(xs):
    for svg in drawings(line_chart(chart_of(wave(len(xs)), [], xs), "essai")):
        assert len(list(svg.iter("polyline"))) == 1


def test_long_figures_stay_inside_every_drawing():
    chart = chart_of([], [1_200_000.0, 1_900_000.0], days(2))
    bars = bar_chart([Bar(f"nov. {2000 + n}", (1_200_000.0 + n,)) for n in range(24)], ("Énergie",), ("p",), "Énergie")
    for svg in drawings(line_chart(chart, "essai")) + drawings(bars):
        width = float(svg.get("viewBox").split()[2])
        for text in svg.iter("text"):
            left, _, right, _ = box_of(text)
            assert left >= -2 and right <= width + 2, text.text


def test_bars_of_less_than_one_have_an_axis_whose_figures_differ():
    for svg in drawings(bar_chart([Bar("a", (0.9,))], ("Énergie",), ("p",), "Énergie")):
        figures = [text.text for text in svg.iter("text") if text.get("text-anchor") == "end"]
        values = [float(figure.replace(",", ".")) for figure in figures]
        assert len({round(b - a, 6) for a, b in pairwise(values)}) == 1, f"uneven steps: {figures}"


def test_two_methods_with_one_value_each_do_not_look_alike():
    for svg in drawings(line_chart(chart_of([], [5.0], days(1)), "essai")):
        assert sorted(dot.get("class") for dot in svg.iter("circle")) == ["f", "u"]


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("name", CHARTS)
def test_no_line_runs_through_a_word_and_no_word_leaves_the_drawing(name, beside):
    for svg in drawings(line_chart(CHARTS[name], "essai", beside_form=beside, mark="2026-11-20")):
        width, height = map(float, svg.get("viewBox").split()[2:])
        boxes = [box_of(text) for text in svg.iter("text")]
        for left, top, right, bottom in boxes:
            assert left >= -2 and right <= width + 2 and top >= -4 and bottom <= height + 2
        for i, one in enumerate(boxes):
            assert not [other for other in boxes[i + 1 :] if touch(one, other)], "two words touch"
        for line in svg.iter("polyline"):
            for a, b in pairwise([tuple(map(float, p.split(","))) for p in line.get("points").split()]):
                for box in boxes:
                    assert not crosses(a, b, box), f"a line runs through a word at {box}"


def box_of(text: ElementTree.Element) -> tuple[float, float, float, float]:
    x, y, width = float(text.get("x")), float(text.get("y")), label_width(text.text) * 0.95
    left = {"middle": x - width / 2, "end": x - width}.get(text.get("text-anchor", "start"), x)
    return left, y - 9, left + width, y + 2


def touch(one: tuple, other: tuple) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def crosses(a: tuple, b: tuple, box: tuple) -> bool:
    for step in range(21):
        x, y = a[0] + (b[0] - a[0]) * step / 20, a[1] + (b[1] - a[1]) * step / 20
        if box[0] < x < box[2] and box[1] < y < box[3]:
            return True
    return False


def test_the_table_holds_every_number_and_marks_the_day():
    html = line_chart(CHARTS["21 jours"], "essai", mark="2026-11-21")
    assert html.count("<tr") == 22 and html.count('class="now"') == 1
    assert "sam. 21 nov." in html.split('class="now"')[1].split("</tr>")[0]


def test_an_empty_chart_is_no_chart_and_a_lone_value_is_a_dot():
    assert line_chart(chart_of([None], [None], days(2)), "essai") == ""
    assert "<circle" in line_chart(chart_of([], [5.0], days(1)), "essai")


def test_a_week_of_hours_has_a_tick_a_day():
    ticks = time_ticks(hours(168), "", lambda i: 44 + i * 3, 780)
    assert [t.text for t in ticks] == ["lun. 2 nov.", "mar. 3", "mer. 4", "jeu. 5", "ven. 6", "sam. 7", "dim. 8"]


@pytest.mark.parametrize("mark", ["", "2027-01-04"])
@pytest.mark.parametrize("width", [300, 332, 800])
def test_each_tick_says_its_month_where_the_one_before_has_another(width, mark):
    first = date(2026, 9, 16)
    xs = [(first + timedelta(days=n)).isoformat() for n in range(140)]
    step = (width - 60) / 140
    ticks = time_ticks(xs, mark, lambda i: 44 + i * step, width)
    before = None
    for tick in ticks:
        day = date.fromisoformat(xs[tick.index])
        months = [m for m in ("sept.", "oct.", "nov.", "déc.", "janv.") if m in tick.text]
        assert bool(months) == (before is None or before.month != day.month)
        assert ("2027" in tick.text) == (before is not None and before.year != day.year)
        before = day
    assert len(ticks) >= 2


def test_the_day_that_the_page_is_about_always_has_its_tick():
    for marked in days(21):
        ticks = time_ticks(days(21), marked, lambda i: 44 + i * 14, 332)
        assert [t.index for t in ticks if t.marked] == [days(21).index(marked)]


def test_axis_labels():
    assert axis_label("2026-11-21") == "sam. 21 nov."
    assert axis_label("2026-11-01T08:00:00") == "dim. 1er nov., 8 h"
    assert axis_label("2026-11-01T08:30:00") == "dim. 1er nov., 8 h 30"
    assert axis_label("Nord") == "Nord"


finite = st.floats(-1e9, 1e9)


@example(low=0.0, high=5e-324)
@example(low=1.0, high=1.0 + 2e-16)
@given(low=finite, high=finite)
def test_ticks_are_few_even_and_cover_the_values(low, high):
    low, high = sorted((low, high))
    ticks = nice_ticks(low, high)
    slack = (ticks[1] - ticks[0]) * 1e-6
    assert 2 <= len(ticks) <= 6
    assert ticks[0] <= low + slack and (ticks[-1] >= high - slack)


@settings(deadline=None)
@given(values=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=40), from_zero=st.booleans())
def test_any_numbers_make_a_drawing(values, from_zero):
    for svg in drawings(line_chart(chart_of([], values, days(len(values))), "essai", from_zero=from_zero)):
        assert "nan" not in ElementTree.tostring(svg, encoding="unicode")


def test_the_dot_says_the_gap_and_one_scale_serves_all_rows():
    assert "+14" in dot_plot(1240, 1150, 1340, 1085, 0.3) and "−14" in dot_plot(640, 560, 710, 745, 0.3)
    assert dot_plot(5, None, None, 0, 0.3) == dot_plot(5, None, None, None, 0.3) == ""
    assert gap_scale([0.14, 0.09, -0.25, 0.04]) == 0.3
    assert gap_scale([0.14, 0.09, 0.1, 0.04, 9.0]) == 0.3, "one outlier does not flatten the others"
    assert "<path" in dot_plot(30, None, None, 10, 0.3), "beyond the axis: an arrow"


@pytest.mark.parametrize(
    ("geometry", "shape"),
    [
        ({"type": "Point", "coordinates": [2.3, 47.6]}, "circle"),
        ({"type": "LineString", "coordinates": [[2.3, 47.6], [2.4, 47.7]]}, "polyline"),
        ({"type": "Polygon", "coordinates": [[[2.3, 47.6], [2.4, 47.7], [2.4, 47.6], [2.3, 47.6]]]}, "polygon"),
        ({"type": "MultiPolygon", "coordinates": [[[[2.3, 47.6], [2.4, 47.7], [2.4, 47.6], [2.3, 47.6]]]]}, "polygon"),
        ({"type": "Feature", "geometry": {"type": "Point", "coordinates": [2.3, 47.6, 120]}}, "circle"),
    ],
)
def test_a_place_is_outlined_with_its_coordinates(geometry, shape):
    html = outline(geometry, "Réservoir <haut>")
    assert f"<{shape}" in html and "° N" in html and "&lt;haut&gt;" in html


def test_no_place_is_no_outline():
    assert outline(None, "x") == outline({}, "x") == outline({"type": "Inconnu", "coordinates": [1]}, "x") == ""
