"""Facts as text that is the same wherever it is read: what the hash of an entry covers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(facts: Mapping[str, Any]) -> str:
    """``facts`` as JSON with sorted keys, no spaces, whole floats written as integers (RFC 8785 does so too), in UTF-8.

    Raises ``ValueError`` for a number that is not finite and ``TypeError`` for what JSON has no word for. The characters that PostgreSQL
    cannot store (NUL, lone surrogates) are replaced by U+FFFD, on SQLite too: the same facts give the same hash everywhere.
    """
    # One trip through JSON first: keys become text, tuples lists.
    plain = _plain(json.loads(json.dumps(facts, allow_nan=False)))
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 of ``text`` in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def storable(text: str) -> str:
    """``text`` without the characters that a database cannot store."""
    return "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in text)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {storable(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
