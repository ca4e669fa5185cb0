"""What the call page can do besides talking: languages, camera and screen, menu, kiosk, a network that goes away."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import serious_issues
from tests.browser.page.stand_in import StandIn
from tests.browser.page.test_states import GREETING, join, replica_says, until
from tests.lossy import lossy_path
from tests.visitor import visitor

pytestmark = pytest.mark.browser

SCREEN = """
    navigator.mediaDevices.getDisplayMedia = async () => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
        const pen = canvas.getContext("2d");
        const draw = () => { pen.fillStyle = `hsl(${performance.now() / 10} 80% 50%)`; pen.fillRect(0, 0, 320, 180); };
        setInterval(draw, 100);
        return canvas.captureStream(5);
    };
"""


def shown(server: StandIn) -> list[tuple[bool, bool]]:
    """Whether camera and screen are shown, by every message that said so."""
    said = [message["properties"] for message in server.said("conversation.media")]
    return [(one["camera_mid"] is not None, one["screen_mid"] is not None) for one in said]


@pytest.mark.parametrize(
    ("language", "button", "heading"),
    [
        ("de-AT", "Teilnehmen", "Sprechen Sie mit Mira"),
        ("es", "Entrar", "Habla con Mira"),
        ("zh-CN", "加入", "与 Mira 交谈"),
    ],
)
def test_page_speaks_the_persons_language(server: StandIn, language: str, button: str, heading: str):
    with visitor(recorder=False, locale=language) as person:
        person.page.goto(server.link)
        expect(person.page.get_by_role("button", name=button)).to_be_visible()
        expect(person.page.get_by_role("heading", name=heading)).to_be_visible()


def test_camera_and_screen_are_shown_to_a_replica_that_sees_and_the_person_knows(server: StandIn, page: Page):
    page.add_init_script(SCREEN)
    join(page, server)
    expect(page.get_by_text("Sees you")).to_be_visible()
    until(page, lambda: shown(server)[-1:] == [(True, False)], "the camera")
    page.keyboard.press("s")
    expect(page.get_by_text("Your screen is shared")).to_be_visible()
    until(page, lambda: shown(server)[-1:] == [(True, True)], "the screen")
    page.keyboard.press("v")
    until(page, lambda: shown(server)[-1:] == [(False, True)], "the camera's end")
    page.keyboard.press("s")
    until(page, lambda: shown(server)[-1:] == [(False, False)], "the screen's end")
    assert len(server.offers) == 1, "without another connection"


def test_blind_replica_gets_no_picture_and_the_lobby_says_so(server: StandIn, page: Page):
    server.sees = False
    page.goto(server.link)
    expect(page.get_by_text("stays in this browser")).to_be_visible()
    join(page, server)
    page.wait_for_timeout(500)
    assert not any(camera for camera, _ in shown(server))
    expect(page.get_by_text("Sees you")).to_be_hidden()


def test_menu_opens_and_closes_by_keyboard_and_devices_are_in_it(server: StandIn, page: Page):
    join(page, server)
    more = page.get_by_role("button", name="More")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Microphone")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Microphone")).to_be_hidden()
    expect(more).to_be_focused()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [5, 20])
def test_network_that_is_gone_for_a_while_leaves_the_conversation_as_it_was(server: StandIn, page: Page, seconds: int):
    with lossy_path(page, 0.0) as relays:
        join(page, server)
        replica_says(server, GREETING, final=True)
        page.wait_for_timeout(1500)  # a heartbeat has been heard
        for relay in relays:
            relay.lose(1.0)
        page.context.set_offline(True)
        page.wait_for_timeout(1000 * seconds)
        page.context.set_offline(False)
        for relay in relays:
            relay.lose(0.0)
        expect(page.locator("#state-text")).to_have_text("Listening", timeout=15_000)
        expect(page.locator("#veil")).to_be_hidden(timeout=15_000)
        expect(page.locator("#lines .line")).to_have_count(1)
        replica_says(server, "Where were we?", final=True)
        expect(page.locator("#lines .line")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_has_a_serious_accessibility_issue(server: StandIn, scheme: str):
    with visitor(color_scheme=scheme, recorder=False) as person:
        page = person.page
        page.goto(server.link)
        page.get_by_role("meter").wait_for()
        assert serious_issues(page) == []
        join(page, server)
        replica_says(server, GREETING, final=True)
        server.tell("conversation.latency", utterance_to_utterance_ms=400, stages={"last_voice": 0, "sent": 400})
        page.keyboard.press("t")
        page.get_by_role("button", name="median").click()
        assert serious_issues(page) == []
        page.get_by_role("button", name="More").click()
        assert serious_issues(page) == []
        page.get_by_role("button", name="Leave").click()
        page.get_by_role("heading", name="You have left the call").wait_for()
        assert serious_issues(page) == []
        page.goto(f"{server.base_url}/c/nothing")
        page.get_by_role("heading", name="This link leads nowhere").wait_for()
        assert serious_issues(page) == []


def test_kiosk_waits_for_somebody_and_waits_again_after_the_call(server: StandIn):
    # The picture of Chromium's fake camera moves all the time; without one, only a touch wakes the kiosk.
    with visitor(recorder=False, devices=False) as person:
        page = person.page
        page.goto(f"{server.link}?kiosk=/c/c1")
        invitation = page.get_by_role("button", name="Touch the screen")
        invitation.wait_for()
        page.wait_for_timeout(1000)
        assert server.offers == []
        invitation.click()
        expect(page.locator("#call")).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="Leave").click()
        invitation.wait_for(timeout=20_000)


def test_kiosk_wakes_when_somebody_moves_before_its_camera(server: StandIn, page: Page):
    page.goto(f"{server.link}?kiosk=/c/c1")
    expect(page.locator("#call")).to_be_visible(timeout=20_000)
    assert len(server.offers) == 1


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("size", [(320, 568), (667, 375), (3840, 2160)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_menu_is_inside_the_window(server: StandIn, size: tuple[int, int], direction: str):
    with visitor(recorder=False, size=size) as person:
        page = person.page
        page.add_init_script(
            f"addEventListener('DOMContentLoaded', () => document.documentElement.dir = '{direction}')"
        )
        join(page, server)
        page.get_by_role("button", name="More").click()
        box = page.locator("#more-menu").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= size[0]
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1]
