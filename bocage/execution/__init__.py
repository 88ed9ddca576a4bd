"""The only caller of engines: a fresh sandboxed process per role, limits, energy and the record of what happened.

Names are loaded on first use, so that a worker can close its doors before pandas or pydantic are imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bocage.execution.records import Energy, RoleRecord, RunRecord, RunRequest
    from bocage.execution.service import correct, describe, evaluate, execute, explain, inspect

__all__ = ["Energy", "RoleRecord", "RunRecord", "RunRequest", "correct", "describe", "evaluate", "execute", "explain", "inspect"]

_RECORDS = ("Energy", "RoleRecord", "RunRecord", "RunRequest")


def __getattr__(name: str) -> Any:
    if name in _RECORDS:
        from bocage.execution import records

        return getattr(records, name)
    if name in __all__:
        from bocage.execution import service

        return getattr(service, name)
    raise AttributeError(name)
