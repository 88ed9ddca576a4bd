"""The use case of the tests, and people of each role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bocage.contract import discovery
from tests.servers import USECASES


@pytest.fixture(autouse=True)
def test_use_cases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(USECASES))
    discovery.clear()
    yield
    discovery.clear()
