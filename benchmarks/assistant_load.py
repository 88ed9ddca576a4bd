"""Fifty people who talk to the assistant at once, on one server with SQLite and the whole national index, on the loopback.

    python -m benchmarks.assistant_load [--data DIR] [--seconds 60] [--think 5 15]

Each one asks a development question, is sent to the page of the conversation, reads for ``--think`` seconds (any time between the two),
and asks again there. Times are those of the question (search, answer, three transactions) and of the page that shows it. People, server
and measure share the same cores.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.assistant import national_documents
from bocage.assistant.bank import with_bank
from bocage.assistant.evaluation import read_cases
from bocage.assistant.index import build

ROOT = Path(__file__).resolve().parents[1]
PEOPLE, PAGE = 50, "/brenoux/assistant/"
_ANSWERED = re.compile(r'<div class="ex" id="dernier"|class="small happens"')
"""The last message is the machine's, or the conversation has been handed over to a person, who is awaited."""
SETUP = """
from bocage.assistant import configuration
from bocage.assistant.documents import Audience
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(ensure_organisation("Brenoux")):
    configuration.change(None, list(Audience), 30, 60, [{"name": "Accueil", "email": "accueil@brenoux.example", "hours": ""}], [])
"""


class Person(threading.Thread):
    """Asks, reads, asks again: one request after the other."""

    def __init__(self, port: int, number: int, until: float, think: tuple[float, float], questions: list[str]) -> None:
        super().__init__(daemon=True)
        self.until, self.think, self.questions = until, think, questions
        self.drawn, self.token = random.Random(number), f"{number:032d}"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.asking: list[float] = []
        self.showing: list[float] = []
        self.lost = 0

    def run(self) -> None:
        time.sleep(self.drawn.uniform(0, self.think[1]))
        address, page, sent = PAGE, self._page(PAGE), 0
        while time.monotonic() < self.until:
            hidden = dict(re.findall(r'<input type="hidden" name="(jeton|cle)" value="([^"]+)"', page))
            question = self.drawn.choice(self.questions)
            form = {**hidden, "action": "question", "texte": question, "csrfmiddlewaretoken": self.token}
            began = time.monotonic()
            status, place, _ = self._request("POST", address, urlencode(form))
            self.asking.append(time.monotonic() - began)
            if status == 302:
                address = place.split("#")[0]
                began = time.monotonic()
                page = self._page(address)
                self.showing.append(time.monotonic() - began)
                sent += 1
                self.lost += page.count('<h2 class="asked') != sent or not _ANSWERED.search(page)
            else:
                self.lost += 1
                address, page, sent = PAGE, self._page(PAGE), 0
            time.sleep(self.drawn.uniform(*self.think))

    def _page(self, address: str) -> str:
        status, _, page = self._request("GET", address)
        return page if status == 200 else ""

    def _request(self, method: str, address: str, body: str | None = None) -> tuple[int, str, str]:
        headers = {"Cookie": f"csrftoken={self.token}", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            self.connection.request(method, address, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.headers.get("Location", ""), answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return 0, "", ""


def measure(data: Path, seconds: float, think: tuple[float, float]) -> dict[str, float]:
    """Times in milliseconds of questions and of pages, and how many questions are not in their conversation, or wait there unanswered."""
    sys.path.insert(0, str(ROOT))
    from tests.servers import server

    questions = [case.question for case in read_cases(data / "assistant" / "questions.jsonl")]
    with tempfile.TemporaryDirectory(prefix="bocage-bench-") as folder, server(Path(folder)) as town:
        town.bocage("migrate", check=True)
        town.python(SETUP)
        build(list(with_bank(national_documents(data))), Path(folder) / "assistant" / "national").close()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = town.start("serve", "--port", str(port), "--no-worker")
        try:
            _wait(port, questions[0])
            until = time.monotonic() + seconds
            people = [Person(port, number, until, think, questions) for number in range(PEOPLE)]
            for person in people:
                person.start()
            for person in people:
                person.join()
        finally:
            process.terminate()
            process.wait(timeout=20)
    asking, showing = (sorted(t for person in people for t in getattr(person, name)) for name in ("asking", "showing"))
    return {
        "questions": len(asking),
        "question_p50_ms": _ms(asking, 0.5), "question_p95_ms": _ms(asking, 0.95), "question_max_ms": _ms(asking, 1),
        "page_p95_ms": _ms(showing, 0.95), "lost": sum(person.lost for person in people),
    }  # fmt: skip


def _wait(port: int, question: str) -> None:
    """Until the server answers, and its index is in memory: one question is asked and not counted."""
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        first = Person(port, 0, 0.0, (0.0, 0.0), [question])
        if first._page(PAGE):
            first.until = time.monotonic() + 0.1
            first.run()
            return
        time.sleep(0.2)
    raise TimeoutError("the server did not answer within two minutes")


def _ms(times: list[float], share: float) -> int:
    return round(1000 * times[min(int(share * len(times)), len(times) - 1)]) if times else -1


def main() -> None:
    """The command line of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--think", type=float, nargs=2, default=(5.0, 15.0))
    given = parser.parse_args()
    print(json.dumps(measure(given.data, given.seconds, tuple(given.think))))


if __name__ == "__main__":
    main()
