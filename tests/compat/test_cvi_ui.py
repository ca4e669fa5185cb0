"""Tavus' React components on our stand-in for daily-js, in a call. `make web-compat` builds them."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.page.stand_in import stand_in
from tests.browser.page.test_client import MOVING, site
from tests.browser.page.test_states import received, until
from tests.visitor import visitor

pytestmark = pytest.mark.browser

BUILT = Path(__file__).parents[2] / "web" / "compat" / "react" / "dist"


def test_cvi_uis_conversation_shows_the_replica_mutes_and_leaves():
    if not BUILT.exists():
        pytest.skip("cvi-ui is not built; make web-compat")
    with stand_in() as server, site(BUILT) as address, visitor(recorder=False) as person:
        page = person.page
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/?call={server.link}")
        page.get_by_role("button", name="Start").click()
        expect(page.locator("video")).to_have_count(2)
        main = page.locator("video").first
        until(page, lambda: main.evaluate(MOVING.replace(" && !video.muted", "")), "the replica's picture")
        until(
            page, lambda: page.locator("audio").evaluate("(audio) => !audio.paused && !!audio.srcObject"), "its sound"
        )
        until(page, lambda: server.loudest > 0.01, "the person's voice")
        page.get_by_role("button", name="Microphone").click()
        expect(page.get_by_role("img", name="Microphone Muted")).to_be_visible()
        page.get_by_role("img", name="Leave Call").click()
        expect(page.get_by_role("heading", name="Left")).to_be_visible()
        assert received(page, server, "conversation.leave")
    assert complaints == []
