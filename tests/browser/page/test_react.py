"""A page made of @visavis/react; `make web-compat` builds it."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import serious_issues
from tests.browser.page.stand_in import stand_in
from tests.browser.page.test_client import MOVING, site
from tests.browser.page.test_states import replica_says, until
from tests.compat.test_cvi_ui import BUILT
from tests.visitor import visitor

pytestmark = pytest.mark.browser


def test_components_show_the_call_and_hooks_follow_it():
    if not (BUILT / "react.html").exists():
        pytest.skip("the React page is not built; make web-compat")
    with stand_in() as server, site(BUILT) as address, visitor(recorder=False) as person:
        page = person.page
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/react.html?call={server.link}")
        state = page.locator("#state")
        expect(state).to_contain_text("idle")
        page.get_by_role("button", name="Join").click()
        expect(state).to_have_text("connected listening", timeout=20_000)
        until(page, lambda: page.locator("video").first.evaluate(MOVING), "moving pictures with sound")
        expect(page.locator("video.own")).to_be_visible()
        assert serious_issues(page) == []
        assert page.get_by_role("combobox", name="Microphone").locator("option").count() > 0
        replica_says(server, "Hello", final=False)
        expect(page.locator(".captions")).to_have_text("Hello")
        replica_says(server, "Hello there.", final=True)
        expect(page.get_by_role("listitem")).to_have_text("replica: Hello there.")
        server.tell("conversation.latency", utterance_to_utterance_ms=412.3, stages={})
        expect(page.get_by_text("412 ms")).to_be_visible()
        page.get_by_role("button", name="Leave").click()
        expect(state).to_contain_text("ended")
        expect(state).to_contain_text("left")
        page.get_by_role("button", name="Join").click()
        expect(state).to_contain_text("connected", timeout=20_000)
        assert len(server.offers) == 2
    assert complaints == []
