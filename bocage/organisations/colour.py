"""One colour per organisation, legible by construction: contrast as WCAG 2 measures it, and the nearest colour that passes.

Pure functions over « #rrggbb » texts. The papers, the text on the colour and the share of the tint are those of ``bocage.css``: a test
compares them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Mode = Literal["day", "night"]
Triple = tuple[float, float, float]

ENOUGH = 4.5
PAPER: dict[Mode, str] = {"day": "#fbfaf5", "night": "#161916"}
ON_BRAND: dict[Mode, str] = {"day": "#ffffff", "night": "#121a14"}
TINT_SHARE: dict[Mode, float] = {"day": 0.11, "night": 0.15}
# The accents of LOOK.md: name, day, night.
ACCENTS: tuple[tuple[str, str, str], ...] = (
    ("Haie", "#2b5b3f", "#9ccaa8"),
    ("Prunelle", "#33477f", "#a9bbef"),
    ("Mûre", "#742b52", "#e6a9c9"),
    ("Ardoise", "#3d4f5c", "#a9bfce"),
    ("Terre", "#7a4413", "#e5b583"),
    ("Eau", "#0f5a66", "#86cbd6"),
)
_NIGHT_LIGHTNESS, _NIGHT_CHROMA = 0.80, 0.09
_STEPS = 512


@dataclass(frozen=True, slots=True)
class Measure:
    """The contrast of one pair of colours, and what the pair is for, in French."""

    pair: str
    ratio: float

    @property
    def enough(self) -> bool:
        """Whether text in this pair is legible."""
        return self.ratio >= ENOUGH


def is_colour(text: str) -> bool:
    """Whether ``text`` is « # » and six hexadecimal digits, lower case."""
    return re.fullmatch(r"#[0-9a-f]{6}", text) is not None


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio, from 1 (the same) to 21 (black on white)."""
    return _ratio(_channels(one), _channels(other))


def measures(accent: str, mode: Mode) -> tuple[Measure, ...]:
    """The three pairs in which ``accent`` is read in ``mode``."""
    colour, paper = _channels(accent), _channels(PAPER[mode])
    share = TINT_SHARE[mode]
    tint = _triple(share * c + (1 - share) * p for c, p in zip(colour, paper, strict=True))
    return (
        Measure("sur le papier", _ratio(colour, paper)),
        Measure("sur le fond teinté", _ratio(colour, tint)),
        Measure("sous le texte des boutons", _ratio(_channels(ON_BRAND[mode]), colour)),
    )


def passes(accent: str, mode: Mode) -> bool:
    """Whether ``accent`` is legible everywhere it is used in ``mode``."""
    return all(measure.enough for measure in measures(accent, mode))


def nearest(accent: str, mode: Mode) -> str:
    """``accent`` if it passes, else the same hue made just dark enough (day) or light enough (night)."""
    if passes(accent, mode):
        return accent
    lightness, chroma, hue = _to_lch(_channels(accent))
    end = 0.0 if mode == "day" else 1.0
    for step in range(1, _STEPS + 1):
        candidate = _from_lch(lightness + (end - lightness) * step / _STEPS, chroma, hue)
        if passes(candidate, mode):
            return candidate
    return "#000000" if mode == "day" else "#ffffff"


def night_of(accent: str) -> str:
    """The night twin of a day accent: that of LOOK.md if there is one, else the same hue, light and calm."""
    for _, day, night in ACCENTS:
        if day == accent:
            return night
    _, chroma, hue = _to_lch(_channels(accent))
    return nearest(_from_lch(_NIGHT_LIGHTNESS, min(chroma, _NIGHT_CHROMA), hue), "night")


def _triple(values: object) -> Triple:
    a, b, c = values  # type: ignore[misc]
    return (a, b, c)


def _channels(colour: str) -> Triple:
    return _triple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _encoded(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _ratio(one: Triple, other: Triple) -> float:
    lights = sorted(sum(w * _linear(v) for w, v in zip((0.2126, 0.7152, 0.0722), c, strict=True)) for c in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _to_lch(colour: Triple) -> Triple:
    """OKLCH (Björn Ottosson, 2020): lightness 0 to 1, chroma, hue in radians."""
    r, g, b = (_linear(v) for v in colour)
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    green_red = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    blue_yellow = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(green_red, blue_yellow), math.atan2(blue_yellow, green_red)


def _from_lch(lightness: float, chroma: float, hue: float) -> str:
    """The screen colour; chroma is lowered until the screen can show it."""
    while True:
        linear = _linear_of(lightness, chroma, hue)
        if chroma <= 0 or all(-1e-4 <= v <= 1 + 1e-4 for v in linear):
            return "#" + "".join(f"{round(255 * _encoded(min(max(v, 0.0), 1.0))):02x}" for v in linear)
        chroma = chroma - 0.002 if chroma > 0.002 else 0.0


def _linear_of(lightness: float, chroma: float, hue: float) -> Triple:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
