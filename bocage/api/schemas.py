"""What the API sends and takes. Field names are English: this is machinery; fiches keep their own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import ConfigDict, Field

from bocage.decisions.services import MAX_SEED

DepositId = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]


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
    """Which deposit feeds which input, and the parameters (defaults for those left out). A misspelt field is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")

    deposits: dict[str, DepositId] = Field(description="Input name → deposit id.", max_length=50)
    params: dict[str, Any] = Field(
        default_factory=dict, description="Parameters, as GET /usecases/{slug}/description says them.", max_length=100
    )
    seed: int = Field(default=0, strict=True, ge=0, le=MAX_SEED)


class ColumnOut(Schema):
    """One column of a table."""

    name: str
    required: bool
    title: str
    unit: str
    example: str


class InputOut(Schema):
    """One file that a use case reads: a table with its columns, or another file with its suffixes."""

    name: str
    title: str
    required: bool
    suffixes: list[str]
    max_mb: int
    columns: list[ColumnOut]


class DescriptionOut(Schema):
    """What a use case asks for: files to compute from, files to measure with, parameters as a JSON schema."""

    inputs: list[InputOut]
    truth: list[InputOut]
    params: dict[str, Any]


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
    example: bool


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
    when: str = Field(description="The day (ISO) or the period in words that it is about; empty where it has none.")
    verdict: str
    value: Any
    unit: str
    reason: str
    person: str
    decided_at: datetime


class ReadingOut(Schema):
    """What was read of one file of what happened: its lines, those kept, and the first wrong values."""

    input: str
    file: str
    lines: int
    kept: int
    errors_total: int
    errors: list[dict[str, Any]] = Field(description="line, column, read, expected, advice.")
    notes: list[str]


class EvaluationOut(Schema):
    """What a run was worth once the truth was known: figure name → value, engine and usual method side by side."""

    id: int
    truth_sha256: str
    engine: dict[str, float]
    baseline: dict[str, float]
    decided: dict[str, float] | None = Field(description="What people decided, measured alike; null where it is what was proposed.")
    reading: list[ReadingOut]
    evaluated_at: datetime
