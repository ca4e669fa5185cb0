"""The page in states that a real conversation reaches seldom, against a server that does exactly what a test says."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page.stand_in import StandIn
from tests.visitor import visitor

pytestmark = pytest.mark.browser

GREETING = "Hello, I am Mira."
NO_DEVICE = """
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("in use", "NotReadableError"); };
"""
PRESS_JOIN = """
    const waiting = setInterval(() => {
        const button = document.getElementById("join");
        if (!button?.offsetParent) return;
        clearInterval(waiting);
        button.click();
    }, 50);
"""
NO_DEVICES_AT_ALL = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"


def join(page: Page, server: StandIn) -> None:
    """Open the link, press Join, and wait for pictures."""
    page.goto(server.link)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("#call")).to_be_visible(timeout=20_000)
    expect(page.locator("#veil")).to_be_hidden(timeout=20_000)


def until(page: Page, condition: Callable[[], object], what: str) -> None:
    """Wait for something that Playwright cannot see; the page goes on meanwhile."""
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"waited 20 s for {what}")


def replica_says(server: StandIn, words: str, *, final: bool) -> None:
    server.tell("conversation.utterance.streaming", role="replica", speech=words, content_index=1, final=final)
    if final:
        server.tell("conversation.utterance", role="replica", speech=words)


def received(page: Page, server: StandIn, event_type: str) -> dict[str, Any]:
    """The one message of this type that the page has sent, or sends soon."""
    until(page, lambda: server.said(event_type), event_type)
    (message,) = server.said(event_type)
    return message


def write(page: Page, text: str) -> None:
    field = page.get_by_role("textbox", name="Type a message")
    if not field.is_visible():
        page.keyboard.press("t")
    field.fill(text)
    field.press("Enter")


def test_pictures_move_sound_is_on_and_nothing_is_asked_of_others(server: StandIn, page: Page):
    complaints: list[str] = []
    addresses: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: addresses.append(request.url))
    join(page, server)
    count = "document.getElementById('replica').getVideoPlaybackQuality().totalVideoFrames"
    before = page.evaluate(count)
    until(page, lambda: page.evaluate(count) > before + 10, "moving pictures")
    assert page.evaluate("(({muted, paused}) => [muted, paused])(document.getElementById('replica'))") == [False, False]
    assert all(address.startswith((server.base_url, "blob:")) for address in addresses)
    assert complaints == []


def test_partial_words_are_captions_and_whole_turns_are_the_transcript(server: StandIn, page: Page):
    join(page, server)
    server.tell("conversation.user.started_speaking")
    server.tell("conversation.utterance.streaming", role="user", speech="where is", content_index=2, final=False)
    expect(page.locator(".caption.user")).to_have_text("You where is")
    expect(page.locator("#state-text")).to_have_text("Hearing you")
    server.tell("conversation.utterance", role="user", speech="Where is the door?")
    server.tell("conversation.user.stopped_speaking")
    expect(page.locator("#state-text")).to_have_text("Thinking…")
    server.tell("conversation.replica.started_speaking", duration=None, interrupted=False)
    replica_says(server, "It is behind you.", final=False)
    expect(page.locator(".caption.replica")).to_have_text("Mira It is behind you.")
    expect(page.locator("#state-text")).to_have_text("Speaking")
    expect(page.locator("#lines .line")).to_have_count(1)
    replica_says(server, "It is behind you, on the left.", final=True)
    server.tell("conversation.replica.stopped_speaking", duration=1.0, interrupted=False)
    expect(page.locator("#state-text")).to_have_text("Listening")
    page.keyboard.press("t")
    assert page.locator("#lines .line > p").all_inner_texts() == [
        "Where is the door?",
        "It is behind you, on the left.",
    ]
    assert page.locator("#spoken").inner_text().count("It is behind you") == 1, "read out once, when it is whole"

    expect(page.locator("#people")).to_be_hidden()
    server.tell("conversation.participant_joined", participant_id="me", participant_count=1, own=True)
    server.tell("conversation.participant_joined", participant_id="another", participant_count=2)
    expect(page.locator("#people")).to_contain_text("2 people in the call")
    for speaker in ("another", "me"):
        server.tell("conversation.utterance", role="user", speech=f"I am {speaker}.", participant_id=speaker)
    expect(page.locator("#lines .line b")).to_have_text(["You", "Mira", "Guest", "You"])
    server.tell("conversation.participant_left", participant_id="another", participant_count=1)
    expect(page.locator("#people")).to_be_hidden()


def test_words_from_outside_are_text_and_never_markup(server: StandIn, page: Page):
    join(page, server)
    nasty = "<img src=x onerror=\"document.title='broken'\"><b>bold</b>"
    replica_says(server, nasty, final=True)
    server.tell("conversation.error", message=nasty)
    expect(page.locator("#notice p")).to_have_text(nasty)
    page.keyboard.press("t")
    expect(page.locator("#lines .line > p")).to_have_text(nasty)
    assert page.title() != "broken"


def test_typed_message_is_sent_and_shown_once(server: StandIn, page: Page):
    join(page, server)
    write(page, "  Good morning ")
    sent = received(page, server, "conversation.respond")
    server.tell("conversation.utterance.streaming", role="user", speech="Good morning", content_index=2, final=True)
    server.tell("conversation.utterance", role="user", speech="Good morning")
    replica_says(server, "Good morning to you.", final=True)
    expect(page.locator("#lines .line")).to_have_count(2)
    assert sent["properties"] == {"text": "Good morning"}
    assert sent["conversation_id"] == "c1"


def test_stop_button_interrupts_only_while_the_replica_speaks(server: StandIn, page: Page):
    join(page, server)
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_hidden()
    server.tell("conversation.replica.started_speaking", duration=None, interrupted=False)
    stop.click()
    server.tell("conversation.replica.stopped_speaking", duration=0.4, interrupted=True)
    expect(stop).to_be_hidden()
    assert received(page, server, "conversation.interrupt")


def test_read_out_shows_last_and_median_and_typed_turns_do_not_count(server: StandIn, page: Page):
    join(page, server)
    stages = {"last_voice": 0.0, "turn_decision": 200.0, "final_text": 150.0, "sent": 400.0}
    for total in (400.0, None, 800.0, 600.0):
        server.tell("conversation.latency", utterance_to_utterance_ms=total, stages=stages)
    read_out = page.get_by_role("button", name="median")
    expect(read_out).to_have_text("600 ms · median 600 ms")
    read_out.click()
    waterfall = page.get_by_role("complementary", name="Last turn")
    assert waterfall.locator("dt").all_inner_texts() == [
        "Your last sound",
        "Words understood",
        "Turn taken as over",
        "Sent to you",
    ]
    bars = waterfall.locator(".bar i").evaluate_all(
        "all => all.map((bar) => [bar.offsetLeft - bar.parentElement.offsetLeft, bar.offsetWidth]"
        ".map((length) => Math.round(100 * length / bar.parentElement.offsetWidth)))"
    )
    assert [start for start, _ in bars] == pytest.approx([0, 0, 38, 50], abs=2)
    assert [length for _, length in bars][1:] == pytest.approx([38, 12, 50], abs=2)


@pytest.mark.parametrize(
    ("code", "headers", "explanation"),
    [
        (404, {}, "This link leads nowhere"),
        (409, {}, "This call is taken"),
        (410, {}, "This conversation has ended"),
        (500, {}, "refused with 500"),
        (503, {"Retry-After": "30"}, "Trying again in 30 s"),
    ],
)
def test_refused_offer_is_explained(server: StandIn, page: Page, code: int, headers: dict[str, str], explanation: str):
    server.refusal = (code, headers)
    page.goto(server.link)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("#closed")).to_contain_text(explanation)
    final = code in (404, 410)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0 if final else 1)
    if final:
        cameras = "document.getElementById('lobby-own').srcObject"
        assert page.evaluate(f"{cameras} === null || {cameras}.getTracks().every((t) => t.readyState === 'ended')")


def test_busy_page_joins_by_itself_when_a_line_is_free(server: StandIn, page: Page):
    server.refusal = (503, {"Retry-After": "2"})
    page.goto(server.link)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("#closed-countdown")).to_contain_text("Trying again in")
    server.refusal = None
    expect(page.locator("#call")).to_be_visible(timeout=15_000)


@pytest.mark.parametrize(
    ("obstacle", "explanation"),
    [(NO_DEVICE, "does not start"), (NO_DEVICES_AT_ALL, "https://")],
    ids=["in use", "not https"],
)
def test_unusable_devices_are_explained_and_writing_works(server: StandIn, page: Page, obstacle: str, explanation: str):
    page.add_init_script(obstacle)
    page.goto(server.link)
    expect(page.locator("#problems")).to_contain_text(explanation)
    join(page, server)
    write(page, "Hello there")
    expect(page.locator("#lines .line")).to_have_count(1)
    assert received(page, server, "conversation.respond")["properties"] == {"text": "Hello there"}


def test_sound_that_the_browser_holds_back_takes_one_tap(server: StandIn):
    with visitor(
        "--autoplay-policy=document-user-activation-required", recorder=False, allowed=(), devices=False
    ) as person:
        page = person.page
        # Neither a press of the person's, nor anything that Playwright does, which the browser takes for one.
        page.add_init_script(PRESS_JOIN)
        page.goto(server.link)
        page.wait_for_timeout(4000)
        page.get_by_role("button", name="Tap to hear").click(timeout=20_000)
        expect(page.get_by_role("button", name="Tap to hear")).to_be_hidden()
        assert page.evaluate("document.getElementById('replica').muted") is False


def test_broken_connection_is_made_again(server: StandIn, page: Page):
    join(page, server)
    replica_says(server, GREETING, final=True)
    expect(page.locator("#lines .line")).to_have_count(1)
    server.hang_up()
    expect(page.locator("#state-text")).to_have_text("Reconnecting…")
    expect(page.locator("#state-text")).to_have_text("Listening", timeout=15_000)
    assert len(server.offers) == 2
    expect(page.locator("#veil")).to_be_hidden(timeout=15_000)
    expect(page.locator("#lines .line")).to_have_count(1)


@pytest.mark.slow
def test_frozen_server_ends_the_call_with_its_transcript(server: StandIn, page: Page):
    join(page, server)
    replica_says(server, GREETING, final=True)
    expect(page.locator("#lines .line")).to_have_count(1)
    page.wait_for_timeout(1500)  # a heartbeat has been heard
    server.freeze()
    expect(page.locator("#state-text")).to_have_text("Reconnecting…", timeout=15_000)
    expect(page.get_by_role("heading", name="The connection was lost")).to_be_visible(timeout=45_000)
    expect(page.locator("#over-lines")).to_contain_text(GREETING)


@pytest.mark.parametrize("how", ["button", "closed tab"])
def test_leaving_is_told_to_the_server(server: StandIn, page: Page, how: str):
    join(page, server)
    if how == "button":
        page.get_by_role("button", name="Leave").click()
    else:
        page.goto("about:blank")
    assert received(page, server, "conversation.leave")


def test_ended_conversation_says_why(server: StandIn, page: Page):
    join(page, server)
    server.status = "ended"
    server.tell("conversation.ended", reason="max_call_duration reached")
    expect(page.get_by_role("heading", name="Time is up")).to_be_visible()
    page.wait_for_timeout(1500)
    expect(page.get_by_role("button", name="Call again")).to_be_hidden()


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("size", [(320, 568), (667, 375), (1280, 800)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_everything_fits_the_window(server: StandIn, size: tuple[int, int], direction: str):
    outside = """
        () => [...document.querySelectorAll("button, select, textarea, h1, #captions p, #own")]
            .filter((one) => one.offsetParent || one === document.activeElement)
            .filter((one) => {
                const box = one.getBoundingClientRect();
                const scrolls = document.body.dataset.screen !== "call";
                return box.left < 0 || box.right > innerWidth
                    || (!scrolls && (box.top < 0 || box.bottom > innerHeight));
            })
            .map((one) => one.outerHTML.slice(0, 80))
    """
    with visitor(recorder=False, size=size) as person:
        page = person.page
        page.add_init_script(
            f"addEventListener('DOMContentLoaded', () => document.documentElement.dir = '{direction}')"
        )
        page.goto(server.link)
        page.get_by_role("meter").wait_for()
        assert page.evaluate(outside) == []
        join(page, server)
        server.tell("conversation.latency", utterance_to_utterance_ms=1234.0, stages={"last_voice": 0, "sent": 1234})
        server.tell("conversation.replica.started_speaking", duration=None, interrupted=False)
        replica_says(server, "A rather long sentence that goes on and on " * 6, final=False)
        page.locator(".caption").wait_for()
        assert page.evaluate(outside) == []
        page.keyboard.press("t")
        assert page.evaluate(outside) == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Leave").click()
        page.get_by_role("heading", name="You have left the call").wait_for()
        assert page.evaluate(outside) == []


def test_keys_switch_camera_captions_and_message_field(server: StandIn, page: Page):
    join(page, server)
    own = page.locator("#own")
    own.wait_for(state="visible")
    page.keyboard.press("v")
    own.wait_for(state="hidden")
    page.keyboard.press("v")
    own.wait_for(state="visible")

    replica_says(server, GREETING, final=False)
    expect(page.locator("#captions")).to_contain_text("Mira")
    page.keyboard.press("c")
    assert not page.locator("#captions").is_visible()
    page.keyboard.press("c")
    assert page.locator("#captions").count() == 1

    field = page.get_by_role("textbox")
    page.keyboard.press("t")
    field.wait_for(state="visible")
    page.keyboard.type("mvct")
    assert field.input_value() == "mvct", "keys are letters while typing"
    assert own.is_visible()
    page.keyboard.press("Escape")
    field.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.dataset.switch") == "panel", "the focus is not lost"


def test_own_picture_moves_to_every_corner(server: StandIn, page: Page):
    join(page, server)
    own, stage = page.locator("#own"), page.locator("#stage").bounding_box()
    assert stage

    def corner() -> tuple[bool, bool]:
        page.wait_for_timeout(500)
        box = own.bounding_box()
        assert box
        assert box["x"] >= stage["x"] and box["x"] + box["width"] <= stage["x"] + stage["width"]
        assert box["y"] >= stage["y"] and box["y"] + box["height"] <= stage["y"] + stage["height"]
        return (
            box["x"] + box["width"] / 2 > stage["x"] + stage["width"] / 2,
            box["y"] + box["height"] / 2 > stage["y"] + stage["height"] / 2,
        )

    own.focus()
    seen = []
    for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
        seen.append(corner())
    assert seen == [(True, False), (False, False), (False, True), (True, True)]

    box = own.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(stage["x"] + 60, stage["y"] + 60, steps=5)
    page.mouse.up()
    assert corner() == (False, False)


def test_level_meter_moves_with_the_sound(server: StandIn, page: Page):
    """Chromium's fake microphone beeps every second."""
    page.goto(server.link)
    meter = page.get_by_role("meter")
    meter.wait_for(state="visible")
    levels: list[int] = []

    def moved() -> bool:
        levels.append(int(meter.get_attribute("aria-valuenow") or 0))
        return max(levels) > min(levels) + 30

    until(page, moved, "the meter")


def test_devices_chosen_in_the_lobby_are_the_ones_in_the_call(server: StandIn):
    with visitor("--use-fake-device-for-media-stream=device-count=2", own_microphone=False) as person:
        page = person.page
        page.goto(server.link)
        chosen = {}
        for kind in ("Microphone", "Camera"):
            choice = page.get_by_role("combobox", name=kind)
            choice.wait_for(state="visible")
            used = choice.input_value()
            other = next(
                value
                for value in choice.locator("option").evaluate_all("all => all.map(one => one.value)")
                if value != used
            )
            choice.select_option(other)
            chosen[kind] = other
            person.wait_for(lambda choice=choice, other=other: choice.input_value() == other, "the choice")
        person.wait(0.5)
        page.get_by_role("button", name="Join").click()
        page.locator("#own").wait_for(state="visible", timeout=20_000)
        assert page.evaluate("visitor.microphone().deviceId") == chosen["Microphone"]
        camera = "document.getElementById('call-own').srcObject.getTracks()[0].getSettings().deviceId"
        assert page.evaluate(camera) == chosen["Camera"]


def test_embedded_lobby_has_no_margins(server: StandIn, page: Page):
    page.goto(f"{server.link}?embed=1")
    picture = page.locator(".own-picture")
    picture.wait_for()
    box = picture.bounding_box()
    assert box and (box["x"], box["y"]) == (0, 0)
