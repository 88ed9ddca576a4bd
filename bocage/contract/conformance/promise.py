"""A promise: a small function with a stable id. It returns the sentence of a kept promise, or raises how it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bocage.contract.conformance.lab import Lab


class Broken(Exception):
    """The promise is broken; the message teaches what to do."""


class NotApplicable(Exception):
    """The promise says nothing of this use case; the message says why."""


class Unmet(Exception):
    """Another promise, on which this one rests, is broken: ``needs`` is its id."""

    def __init__(self, needs: str, message: str) -> None:
        super().__init__(message)
        self.needs = needs


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the contract."""

    id: str
    title: str
    check: Callable[[Lab], str]


PROMISES: dict[str, Promise] = {}


def promise(promise_id: str, title: str) -> Callable[[Callable[[Lab], str]], Callable[[Lab], str]]:
    """Register the decorated function as promise ``promise_id`` with its French ``title``."""

    def register(check: Callable[[Lab], str]) -> Callable[[Lab], str]:
        PROMISES[promise_id] = Promise(promise_id, title, check)
        return check

    return register
