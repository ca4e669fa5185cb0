"""Serious issues of accessibility on a page, as axe-core finds them (it comes with the dependencies in web/)."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = """
    async () => (await axe.run()).violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 90)).join(" | ")}`)
"""


def serious_issues(page: Page) -> list[str]:
    """What is wrong on `page` as it is now, also inside of shadow roots. Skips the test where axe is absent."""
    if not _AXE.exists():
        pytest.skip("axe is absent; cd web && npm ci")
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE.read_text())
    found: list[str] = page.evaluate(_SERIOUS)
    return found
