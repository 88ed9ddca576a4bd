"""Chat and embeddings over the OpenAI-compatible HTTP interface that llama.cpp, vLLM, Ollama and hosted servers share.

The server is the operator's choice, in settings: nothing that a visitor sends chooses an address. What comes back is hostile data: it is
bounded in size and time, and only text is taken from it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import requests

from bocage.contract.errors import BocageError

_CONNECT_S, _READ_S = 5.0, 60.0
_MAX_CHARACTERS = 20_000
_MAX_VECTORS = 64 << 20
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
    """One model on one server. ``url`` ends in ``/v1``; ``joules_per_token`` is the operator's figure, 0 when unknown; ``settings``: how
    the settings to check begin, for messages.
    """

    url: str
    model: str
    key: str = ""
    joules_per_token: float = 0.0
    seconds: float = _READ_S
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
        deadline, characters, pieces = time.monotonic() + self.seconds, 0, 0
        counted = False
        with self._post("chat/completions", body, stream=True) as response:
            for event in _events(response):
                counted = self._count(event) or counted
                piece = _piece(event)
                characters += len(piece)
                pieces += bool(piece)
                if characters > _MAX_CHARACTERS or time.monotonic() > deadline:
                    raise ModelUnavailable("Le modèle de langage écrit trop ou trop lentement : sa réponse n’a pas été gardée.")
                if piece:
                    yield piece
        if not counted:
            # Servers that count nothing send about one token a piece; four characters make a token in what was read.
            self.usage.written += pieces
            self.usage.read += sum(len(message["content"]) for message in messages) // 4

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text, in order. Raises ``ModelUnavailable``."""
        with self._post("embeddings", {"model": self.model, "input": list(texts)}, stream=True) as response:
            try:
                rows = sorted(json.loads(_body(response))["data"], key=lambda row: int(row["index"]))
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

    def _post(self, path: str, body: object, stream: bool) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            response = requests.post(
                f"{self.url.rstrip('/')}/{path}",
                json=body,
                headers=headers,
                stream=stream,
                timeout=(_CONNECT_S, self.seconds),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ModelUnavailable(f"Le modèle de langage ne répond pas ({type(error).__name__}). Vérifiez {self.settings}_URL.") from None
        if response.status_code != 200:
            response.close()
            raise ModelUnavailable(
                f"Le modèle de langage refuse la demande (HTTP {response.status_code}). Vérifiez les réglages {self.settings}_…."
            )
        return response

    def _count(self, event: object) -> bool:
        usage = event.get("usage") if isinstance(event, dict) else None
        if not isinstance(usage, dict):
            return False
        try:
            self.usage.read += int(usage.get("prompt_tokens") or 0)
            self.usage.written += int(usage.get("completion_tokens") or 0)
        except (TypeError, ValueError):
            return False
        return True


def _body(response: requests.Response) -> bytes:
    """The whole body, of a bounded size."""
    read = bytearray()
    try:
        for piece in response.iter_content(1 << 16):
            read += piece
            if len(read) > _MAX_VECTORS:
                raise ModelUnavailable("Le serveur de vecteurs a envoyé une réponse démesurée.")
    except requests.RequestException as error:
        raise ModelUnavailable(f"Le serveur de vecteurs s’est interrompu ({type(error).__name__}).") from None
    return bytes(read)


def _events(response: requests.Response) -> Iterator[object]:
    """The JSON of each server-sent event, until « [DONE] »."""
    try:
        for line in response.iter_lines(chunk_size=1024):
            if len(line) > _MAX_LINE:
                raise ModelUnavailable("Le modèle de langage a envoyé une ligne démesurée.")
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                return
            try:
                yield json.loads(data)
            except ValueError:
                raise ModelUnavailable("Le modèle de langage n’a pas répondu dans la forme attendue.") from None
    except requests.RequestException as error:
        raise ModelUnavailable(f"Le modèle de langage s’est interrompu ({type(error).__name__}).") from None


def _piece(event: object) -> str:
    try:
        content = event["choices"][0]["delta"].get("content")  # type: ignore[index]
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""
    return content if isinstance(content, str) else ""
