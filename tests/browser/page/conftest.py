"""A server that says exactly what a test wants said, and a stranger's browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.page.stand_in import StandIn, stand_in
from tests.visitor import visitor


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.fixture
def page() -> Iterator[Page]:
    with visitor(recorder=False) as person:
        yield person.page
