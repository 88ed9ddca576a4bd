"""Chat and embeddings over the OpenAI-compatible HTTP interface that llama.cpp, vLLM, Ollama and hosted servers share.

The server is the operator's choice, in settings: nothing that a visitor sends chooses an address. What comes back is hostile data: it is
bounded in size and time, however slowly it comes, and only text that a database keeps is taken from it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import requests
from requests.adapters import HTTPAdapter

from bocage.contract.errors import BocageError
from bocage.contract.text_checks import storable
from bocage.network.deadlines import AnswerBy

_CONNECT_S, _ANSWER_S = 5.0, 60.0
_MAX_CHARACTERS, _MAX_TOKENS = 20_000, 10_000_000
_MAX_STREAM, _MAX_VECTORS = 32 << 20, 64 << 20
_MAX_LINE = 1 << 16
Message = dict[str, str]
"""``{"role": "system" | "user" | "assistant", "content": …}``."""


class ModelUnavailable(BocageError):
    """The language model's server does not answer, or not as the interface asks."""

    code = "modele-indisponible"
    exit_code = 2


@dataclass(slots=True)
class Usage:
    """Tokens read and written since the client was made, as the server counts them (an estimate where it does not)."""

    read: int = 0
    written: int = 0


@dataclass(slots=True)
class ChatClient:
    """One model on one server. ``url`` ends in ``/v1``; ``joules_per_token`` is the operator's figure, 0 when unknown; ``seconds``: the
    longest that one call takes, from the question to the last word; ``settings``: how the settings to check begin, for messages.
    """

    url: str
    model: str
    key: str = ""
    joules_per_token: float = 0.0
    seconds: float = _ANSWER_S
    settings: str = "BOCAGE_LLM"
    usage: Usage = field(default_factory=Usage)

    def complete(self, messages: Sequence[Message], max_tokens: int = 400) -> str:
        """The whole answer as text, greedy decoding. Raises ``ModelUnavailable``."""
        return "".join(self.stream(messages, max_tokens))

    def stream(self, messages: Sequence[Message], max_tokens: int = 400) -> Iterator[str]:
        """The answer piece by piece as it is written. Raises ``ModelUnavailable``, also in the middle."""
        body = {
            "model": self.model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": 0,
            "seed": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        characters, pieces = 0, 0
        counted: Usage | None = None
        with self._post("chat/completions", body) as response:
            for event in _events(_lines(_received(response, _MAX_STREAM, "Le modèle de langage"))):
                # A server that counts after each piece counts from the beginning: its last word holds.
                counted = _usage(event) or counted
                piece = _piece(event)
                characters += len(piece)
                pieces += bool(piece)
                if characters > _MAX_CHARACTERS:
                    raise ModelUnavailable("Le modèle de langage écrit trop : sa réponse n’a pas été gardée.")
                if piece:
                    yield piece
        # Servers that count nothing send about one token a piece; four characters make a token in what was read.
        counted = counted or Usage(sum(len(message["content"]) for message in messages) // 4, pieces)
        self.usage.read += counted.read
        self.usage.written += counted.written

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text, in order. Raises ``ModelUnavailable``."""
        with self._post("embeddings", {"model": self.model, "input": list(texts)}) as response:
            try:
                body = b"".join(_received(response, _MAX_VECTORS, "Le serveur de vecteurs"))
                rows = sorted(json.loads(body)["data"], key=lambda row: int(row["index"]))
                vectors = [[float(value) for value in row["embedding"]] for row in rows]
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                raise ModelUnavailable("Le serveur de vecteurs n’a pas répondu dans la forme attendue.") from None
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) > 1:
            raise ModelUnavailable(f"Le serveur de vecteurs a rendu {len(vectors)} vecteurs pour {len(texts)} textes.")
        return vectors

    @property
    def joules(self) -> float:
        """Energy of what was read and written so far, by the operator's figure."""
        return self.joules_per_token * (self.usage.read + self.usage.written)

    @contextmanager
    def _post(self, path: str, body: dict[str, Any]) -> Iterator[requests.Response]:
        """The server's answer, whose body is still to be read; the connection is closed at the end."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        with requests.Session() as session:
            in_time = _InTime(time.monotonic() + self.seconds)
            session.mount("http://", in_time)
            session.mount("https://", in_time)
            try:
                response = session.post(
                    f"{self.url.rstrip('/')}/{path}",
                    json=body,
                    headers=headers,
                    stream=True,
                    timeout=(_CONNECT_S, self.seconds),
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise ModelUnavailable(
                    f"Le modèle de langage ne répond pas ({type(error).__name__}). Vérifiez {self.settings}_URL."
                ) from None
            with response:
                if response.status_code != 200:
                    raise ModelUnavailable(
                        f"Le modèle de langage refuse la demande (HTTP {response.status_code}). Vérifiez les réglages {self.settings}_…."
                    )
                yield response


class _InTime(HTTPAdapter):
    """Connections whose answers are given up at ``deadline``."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._answer_by = AnswerBy(deadline)

    def get_connection_with_tls_context(self, *given: Any, **more: Any) -> Any:
        """The pool of the address, for one call: its connections read by the deadline."""
        pool = super().get_connection_with_tls_context(*given, **more)
        pool.ConnectionCls = type("InTime", (pool.ConnectionCls,), {"response_class": self._answer_by})
        return pool


def _received(response: requests.Response, most: int, who: str) -> Iterator[bytes]:
    """The body as it comes. Raises ``ModelUnavailable`` beyond ``most`` bytes, and when it breaks off or the time is over."""
    size = 0
    try:
        for piece in response.iter_content(1024):
            size += len(piece)
            if size > most:
                raise ModelUnavailable(f"{who} a envoyé une réponse démesurée.")
            yield piece
    except requests.RequestException as error:
        raise ModelUnavailable(f"{who} s’est interrompu, ou répond trop lentement ({type(error).__name__}).") from None


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What comes, line by line. A line is never held beyond its bound, even if it does not end."""
    held = b""
    for piece in pieces:
        lines = (held + piece).splitlines(keepends=True)
        held = b"" if not lines or lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        if len(held) > _MAX_LINE:
            raise ModelUnavailable("Le modèle de langage a envoyé une ligne démesurée.")
        yield from lines
    yield held


def _events(lines: Iterable[bytes]) -> Iterator[object]:
    """The JSON of each server-sent event, until « [DONE] »."""
    for line in lines:
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        try:
            yield json.loads(data)
        except (ValueError, RecursionError):
            raise ModelUnavailable("Le modèle de langage n’a pas répondu dans la forme attendue.") from None


def _usage(event: object) -> Usage | None:
    """The tokens that the server says it counted; None when it says nothing, or what cannot be."""
    told = event.get("usage") if isinstance(event, dict) else None
    if not isinstance(told, dict):
        return None
    read, written = told.get("prompt_tokens"), told.get("completion_tokens")
    if not (_is_count(read) and _is_count(written)):
        return None
    return Usage(read, written)


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MAX_TOKENS


def _piece(event: object) -> str:
    try:
        content = event["choices"][0]["delta"].get("content")  # type: ignore[index]
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""
    return storable(content) if isinstance(content, str) else ""
