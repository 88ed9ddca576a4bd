"""HTTP answers that are given up at one moment, however slowly the other server sends them.

A socket's timeout counts each read: a server that sends a byte now and then, in the headers or in the body, stays below it for ever.
Here every read is given what is left until the deadline, and none is given more.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any


class AnswerBy:
    """Goes in the place of ``http.client.HTTPConnection.response_class``: past ``deadline`` (``time.monotonic()``), reading the status,
    the headers or the body raises ``TimeoutError``.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def __call__(self, sock: socket.socket, *options: Any, **more: Any) -> HTTPResponse:
        return HTTPResponse(_Timed(sock, self._deadline), *options, **more)  # type: ignore[arg-type]


class _Timed:
    """All that ``HTTPResponse`` asks of a socket."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reads(self._sock, self._deadline))


class _Reads(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        # Unbuffered, it holds the connection open until it is closed itself, and works over TLS too.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline is over")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
