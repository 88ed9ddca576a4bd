"""One portal for all tests in a browser: it takes half a minute to make."""

from __future__ import annotations

import pytest

from tests.browser.world import world


@pytest.fixture(scope="package")
def portal(tmp_path_factory):
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made
