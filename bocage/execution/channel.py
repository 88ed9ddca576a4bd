"""The words that parent and worker exchange: one JSON object per line, followed by as many raw bytes as its ``blob`` says.

No pickle, and bounds on everything that is read: the other side may be hostile.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from typing import Any

MAX_LINE = 64 * 1024
MAX_BLOB = 64 * 1024 * 1024

Header = dict[str, Any]


class ProtocolError(Exception):
    """The other side does not speak as agreed, or says too much. The message is a French clause."""


def encode(header: Header, blob: bytes = b"") -> bytes:
    """One message."""
    if len(blob) > MAX_BLOB:
        raise ProtocolError(f"réponse de {len(blob) / 1e6:.0f} Mo, au-delà des {MAX_BLOB / 1e6:.0f} Mo admis")
    line = json.dumps({**header, "blob": len(blob)}, ensure_ascii=True).encode()
    if len(line) >= MAX_LINE:
        raise ProtocolError("message trop long")
    return line + b"\n" + blob


class Reader:
    """Cuts a stream of bytes into messages. ``feed`` raises ``ProtocolError`` as soon as a bound is passed."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._header: Header | None = None

    def feed(self, data: bytes) -> Iterator[tuple[Header, bytes]]:
        """The messages that ``data`` completes."""
        self._held += data
        while True:
            if self._header is None:
                end = self._held.find(b"\n")
                if end < 0:
                    if len(self._held) > MAX_LINE:
                        raise ProtocolError("message sans fin")
                    return
                self._header = self._parse(bytes(self._held[:end]))
                del self._held[: end + 1]
            size = self._header["blob"]
            if len(self._held) < size:
                return
            header, blob = self._header, bytes(self._held[:size])
            del self._held[:size]
            self._header = None
            yield header, blob

    @staticmethod
    def _parse(line: bytes) -> Header:
        try:
            header: Any = json.loads(line)
        except (ValueError, RecursionError):
            raise ProtocolError("message illisible") from None
        size = header.get("blob") if isinstance(header, dict) else None
        if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(header.get("t"), str):
            raise ProtocolError("message sans forme")
        if size > MAX_BLOB:
            raise ProtocolError(f"réponse de {size / 1e6:.0f} Mo, au-delà des {MAX_BLOB / 1e6:.0f} Mo admis")
        return dict(header)


class Sender:
    """The worker's end: whole messages, from any thread."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def send(self, header: Header, blob: bytes = b"") -> None:
        """Write one message; blocks when the other side is slow."""
        data = memoryview(encode(header, blob))
        with self._lock:
            while data:
                data = data[os.write(self._fd, data) :]
