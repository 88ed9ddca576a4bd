"""An engine that does what its parameter ``geste`` says, most often something that it should not."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from bocage.contract.errors import NotEnoughData
from bocage.contract.outcome import Document, Outcome, Recommendation
from bocage.contract.rows import FileInput


class EssaiMoteurParams(BaseModel):
    geste: str = "rien"
    cible: str = ""
    nombre: int = Field(default=3, ge=1, le=50)


def answer(**evidence: Any) -> Outcome:
    return Outcome([Recommendation("essai", "constater", evidence=evidence)])


def said(act: Any) -> str:
    """What an attempt gives: the error's name and text, or « fait »."""
    try:
        act()
    except Exception as error:
        return f"{type(error).__name__} {error}"
    return "fait"


def burn(seconds: float) -> float:
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))
    return seconds


def square(number: int) -> int:
    return number * number


def boom(number: int) -> int:
    raise ValueError(f"tâche {number}")


def call_socket(_: int) -> str:
    return said(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1))


def raw_socket(family: int, kind: int = socket.SOCK_STREAM) -> int:
    """errno of the C library's socket(); 0 when it gave one."""
    libc = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.socket(family, kind, 0) >= 0 else ctypes.get_errno()


def tried(name: str, *arguments: object) -> int:
    """errno of a function of the C library; 0 when it did what was asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    ctypes.set_errno(0)
    return ctypes.get_errno() if getattr(libc, name)(*arguments) == -1 else 0


def tried_clone(flags: int) -> int:
    """errno of clone() with ``flags``; 0 when it made a process."""
    number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    child = libc.syscall(number, ctypes.c_long(flags | signal.SIGCHLD), None, None, None, None)
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
    return ctypes.get_errno() if child < 0 else 0


def run_child(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{done.returncode} {done.stderr[-300:]}"


class Gestures:
    """One method per ``geste``."""

    def rien(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return answer(graine=res.seed, secondes=res.seconds, entrees=sorted(inputs))

    def prise(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        socket.create_connection(("127.0.0.1", 9))
        return answer()

    def reseau(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        child = "import ctypes,os; l=ctypes.CDLL(None,use_errno=True); r=l.socket(2,1,0); os._exit(0 if r>=0 else ctypes.get_errno())"
        pair = socket.socketpair()
        for end in pair:
            end.close()
        uring = ctypes.CDLL(None, use_errno=True)
        uring.syscall(425, 8, 0)
        return answer(
            python=said(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)),
            urllib=said(lambda: urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)),
            inet=raw_socket(socket.AF_INET),
            inet6=raw_socket(socket.AF_INET6, socket.SOCK_DGRAM),
            netlink=raw_socket(16, socket.SOCK_RAW),
            unix=raw_socket(socket.AF_UNIX),
            io_uring=ctypes.get_errno(),
            curl=run_child("curl", "-sS", "--max-time", "2", "http://127.0.0.1:9/"),
            enfant=run_child(sys.executable, "-c", child),
        )

    def autres(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        """What touches the process ``cible``, and what leaves something behind that no process holds."""
        other, mask, turn = int(params.cible), ctypes.c_ulong(1), ctypes.c_int(0)
        private, create = 0, 0o1600
        limit = (ctypes.c_ulong * 2)(1, 1)
        return answer(
            prlimit=tried("prlimit", other, 0, limit, None),
            sched_setaffinity=tried("sched_setaffinity", other, ctypes.sizeof(mask), ctypes.byref(mask)),
            sched_setscheduler=tried("sched_setscheduler", other, 3, ctypes.byref(turn)),
            sched_setparam=tried("sched_setparam", other, ctypes.byref(turn)),
            setpriority=tried("setpriority", 0, other, 19),
            setpriority_user=tried("setpriority", 2, 0, 19),
            shmget=tried("shmget", private, ctypes.c_size_t(4096), create),
            shmat=tried("shmat", 0, None, 0),
            shmctl=tried("shmctl", 0, 2, (ctypes.c_char * 256)()),
            semget=tried("semget", private, 1, create),
            msgget=tried("msgget", private, create),
            mq_open=tried("mq_open", b"/bocage-essai", os.O_CREAT | os.O_RDWR, 0o600, None),
            memfd_create=tried("memfd_create", b"essai", 0),
            process_vm_readv=tried("process_vm_readv", other, None, ctypes.c_ulong(0), None, ctypes.c_ulong(0), ctypes.c_ulong(0)),
            new_user=tried_clone(0x10000000),
            new_messages=tried_clone(0x08000000),
        )

    def siens(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        """The same on oneself, threads and processes: what ordinary libraries do."""
        threads = [threading.Thread(target=sum, args=(range(1000),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answer(
            limite=said(lambda: resource.prlimit(0, resource.RLIMIT_NOFILE, (64, 64))),
            limites=said(lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))),
            coeurs=said(lambda: os.sched_setaffinity(0, os.sched_getaffinity(0))),
            priorite=said(lambda: os.nice(1)),
            fourche=tried_clone(0),
            enfant=run_child(sys.executable, "-c", "import threading; threading.Thread(target=print).start()"),
        )

    def memoire(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        held = []
        while True:
            held.append(bytearray(os.urandom(1 << 20)) * 8)
            time.sleep(0.005)

    def dort(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        res.progress(0.1, params.cible or "sommeil")
        while True:
            time.sleep(10)

    def famille(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        """Grandchildren that leave the session, and lose their parent."""
        script = (
            "import os,subprocess,sys\n"
            "for _ in range(2): subprocess.Popen([sys.executable,'-c','import time; time.sleep(600)',sys.argv[1]],start_new_session=True)"
        )
        subprocess.run([sys.executable, "-c", script, params.cible], check=True, cwd="/", env={})
        if params.nombre == 50:
            self.dort(inputs, params, res)
        return answer()

    def suicide(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        os.kill(os.getpid(), signal.SIGKILL)
        return answer()

    def sortie(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        os._exit(7)

    def leve(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        raise ValueError("un défaut voulu")

    def peu(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        raise NotEnoughData("Il faut au moins deux ans d’historique.")

    def nan(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return Outcome([Recommendation("essai", "constater", value=float("nan"))])

    def bavard(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        for _ in range(10_000):
            print("x" * 1023)
        print("fin du bavardage", file=sys.stderr)
        return answer()

    def type_faux(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return Outcome([Recommendation(12, "constater", interval="large")])  # type: ignore[arg-type]

    def autre_objet(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Any:
        return {"recommendations": []}

    def enorme(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return Outcome((), artifacts=[Document("d", "t", ("é" * 90_000,) * 800)])

    def nombreux(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return Outcome([Recommendation("essai", "constater")] * 100_001)

    def profond(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        nest: Any = 1
        for _ in range(60):
            nest = [nest]
        return answer(nid=nest)

    def faux_messages(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        with contextlib.suppress(OSError):
            for fd in range(3, 1024):
                with contextlib.suppress(OSError):
                    os.write(fd, b"\x00garbage" * 20_000)
        return answer()

    def fichiers(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        """Write outside, write the input, read the outside, look at the parent, kill it."""
        target = Path(params.cible)
        own = Path(tempfile.mkdtemp()) / "mien"
        parent = os.getppid()
        return answer(
            ecrire_dehors=said(lambda: (target / "trace").write_text("x")),
            ecrire_entree=said(lambda: (inputs["fichier"].chmod(0o600), inputs["fichier"].write_text("x"))),
            lire_dehors=said(lambda: (target / "secret").read_text()),
            lire_parent=said(lambda: Path(f"/proc/{parent}/environ").read_bytes()),
            tuer_parent=said(lambda: os.kill(parent, signal.SIGTERM)),
            ecrire_chez_soi=said(lambda: own.write_text("x")),
            lire_entree=said(lambda: inputs["fichier"].read_text()),
            environnement=sorted(os.environ),
        )

    def verrouille(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        """Leave a folder that nobody may enter."""
        folder = Path(tempfile.mkdtemp())
        (folder / "a").write_text("x")
        folder.chmod(0)
        return answer()

    def avance(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        for step in range(400):
            res.progress((step if step % 7 else 0) / 400, f"pas {step}")
            time.sleep(0.0025)
        return answer()

    def brule(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        if res.pool is None:
            return answer(brule=burn(0.8))
        return answer(brule=sum(res.pool.map(burn, [0.8])))

    def carres(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        squares = list(res.pool.map(square, range(params.nombre))) if res.pool else [square(n) for n in range(params.nombre)]
        return answer(carres=squares)

    def tache_ratee(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return answer(dit=said(lambda: list(res.pool.map(boom, range(2)))))

    def prise_enfant(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return answer(dit=list(res.pool.map(call_socket, [0])), brut=list(res.pool.map(raw_socket, [int(socket.AF_INET)])))


class EssaiMoteur:
    inputs = {"fichier": FileInput("Un fichier", (".txt",), required=False)}
    truth: dict[str, Any] = {}
    params = EssaiMoteurParams

    def run(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return getattr(Gestures(), params.geste)(inputs, params, res)

    def baseline(self, inputs: Any, params: EssaiMoteurParams, res: Any) -> Outcome:
        return answer(reference=True)

    def evaluate(self, outcome: Outcome, truth: Any) -> dict[str, float]:
        if outcome.recommendations[0].action == "rater":
            return {"ecart": float("nan")}
        return {"ecart": float(len(outcome.recommendations))}

    def explain(self, rec: Recommendation) -> str:
        if rec.action == "rater":
            raise KeyError("absent")
        return f"Pour {rec.subject}, il est proposé de {rec.action}."
