"""Personal data taken out of text that outlives its use: logs, and questions kept to improve the answers.

Phones, e-mail addresses, social security numbers (NIR), bank accounts (IBAN), registration plates. Shapes only: a name is not a shape, and
is not found. Where both are possible (ten digits may be a phone or a file number) the number is masked.
"""

from __future__ import annotations

import logging
import re

_SEP = r"[\s. \u00a0\u202f/_-]?"
# A social security number: sex, year, month, department (2A and 2B too), commune, order, and the key or not.
_NIR = re.compile(rf"(?<![\dA-Za-z])[1-478]{_SEP}\d\d{_SEP}\d\d{_SEP}\d[\dABab]{_SEP}\d{{3}}{_SEP}\d{{3}}(?:{_SEP}\d\d)?(?!\d)")
_IBAN = re.compile(rf"(?<![A-Za-z\d])[A-Za-z]{{2}}\d\d(?:{_SEP}[A-Za-z\d]{{4}}){{2,7}}(?:{_SEP}[A-Za-z\d]{{1,3}})?(?![A-Za-z\d])")
# Bounded on both sides of the sign, so that a long line without any is read once and not once per letter.
_LOCAL, _DOMAIN = r"[^\s@<>()\[\],;:«»\"']{1,64}", r"[^\s@<>()\[\],;:«»\"']{1,253}"
_EMAIL = re.compile(rf"{_LOCAL}@{_DOMAIN}")
_SPELT = re.compile(rf"{_LOCAL}(?:\s?[\[(]\s?(?:arobase|at)\s?[\])]\s?|\sarobase\s){_DOMAIN}", re.IGNORECASE)
_PHONE = re.compile(rf"(?<![\d+])(?:(?:\+|00){_SEP}\d{{2,3}}{_SEP}(?:\(0\){_SEP})?\d|0{_SEP}?[1-9])(?:{_SEP}{_SEP}\d\d){{4}}(?!\d)")
# Ten digits beginning with 0, however they are grouped.
_PHONE_LOOSE = re.compile(rf"(?<!\d)0(?:{_SEP}\d){{9}}(?!\d)")
_PLATE = re.compile(r"(?<![A-Za-z\d])[A-HJ-NP-TV-Za-hj-np-tv-z]{2}[\s-]?\d{3}[\s-]?[A-HJ-NP-TV-Za-hj-np-tv-z]{2}(?![A-Za-z\d])")
_OLD_PLATE = re.compile(r"(?<![A-Za-z\d])\d{2,4}[\s-][A-Z]{2,3}[\s-](?:\d{2}|2[AB])(?![A-Za-z\d])")
# The unguessable part of a conversation's address opens it: it is as personal as the text.
_KEY = re.compile(r"(/assistant(?:-widget)?/)[\w-]{20,}")

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (_KEY, r"\1[clé]"),
    (_EMAIL, "[adresse électronique]"),
    (_SPELT, "[adresse électronique]"),
    (_NIR, "[numéro de sécurité sociale]"),
    (_PHONE, "[téléphone]"),
    (_PHONE_LOOSE, "[téléphone]"),
    (_PLATE, "[plaque]"),
    (_OLD_PLATE, "[plaque]"),
)


def mask(text: str) -> str:
    """``text`` with each personal number or address replaced by what it was, in brackets. Idempotent."""
    text = _IBAN.sub(_account, text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def _account(found: re.Match[str]) -> str:
    """An IBAN has between 15 and 34 signs, of which many are digits: a sentence in capitals has none."""
    compact = re.sub(r"[^A-Za-z\d]", "", found.group())
    return "[compte bancaire]" if 15 <= len(compact) <= 34 and sum(c.isdigit() for c in compact) >= 8 else found.group()


class MaskPersonalData(logging.Filter):
    """Masks the message of every log record that passes, its arguments included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: nothing is hidden but the numbers."""
        record.msg, record.args = mask(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
        return True
