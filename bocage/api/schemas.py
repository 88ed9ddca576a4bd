"""What the API sends and takes. Field names are English: this is machinery; fiches keep their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field


class ErrorBody(Schema):
    """One error: a stable code, a French sentence that teaches."""

    code: str
    message: str
    details: list[str] = []


class ErrorOut(Schema):
    """Every refusal has this shape."""

    error: ErrorBody


class DepositOut(Schema):
    """A file as received."""

    id: int
    usecase: str
    input_name: str
    filename: str
    sha256: str
    size: int
    deposited_at: datetime


class RunIn(Schema):
    """Which deposit feeds which input, and the parameters (defaults for those left out)."""

    deposits: dict[str, int] = Field(description="Input name → deposit id.", max_length=50)
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of the use case.", max_length=100)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class RunOut(Schema):
    """Where a run stands."""

    id: int
    usecase: str
    state: str
    progress: float
    progress_message: str
    params: dict[str, Any]
    seed: int
    engine_version: str
    input_hash: str
    requested_at: datetime
    finished_at: datetime | None
    error_code: str
    error_message: str


class ProposalOut(Schema):
    """One proposal, with the usual method's value beside it."""

    id: int
    rank: int
    subject: str
    action: str
    sentence: str
    value: Any
    unit: str
    low: float | None
    high: float | None
    reference: Any
    evidence: dict[str, Any]
    geometry: dict[str, Any] | None


class DecisionOut(Schema):
    """What a named person decided: the list that leaves the system."""

    proposal: int
    subject: str
    action: str
    verdict: str
    value: Any
    unit: str
    reason: str
    person: str
    decided_at: datetime


class EvaluationOut(Schema):
    """What a run was worth once the truth was known: figure name → value, engine and usual method side by side."""

    id: int
    truth_sha256: str
    engine: dict[str, float]
    baseline: dict[str, float]
    evaluated_at: datetime
