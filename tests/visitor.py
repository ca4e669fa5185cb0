"""A person who visits a call: real headless Chromium, with a voice and an ear that tests and benchmarks can use."""

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from visavis.audio import Samples

RATE_HZ = 48_000
CHROMIUM = Path("/usr/bin/chromium")
_ALLOW = "--use-fake-ui-for-media-stream"
_DEVICES = "--use-fake-device-for-media-stream"
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    f"--disable-sync --no-first-run {_ALLOW} {_DEVICES} --autoplay-policy=no-user-gesture-required"
).split()
_SCRIPT = Path(__file__).with_name("visitor.js")


@dataclass(frozen=True)
class Recording:
    """Both sides of a call on one clock: float32 at 48 kHz, from `start` seconds on."""

    start: float
    person: Samples
    replica: Samples


class Visitor:
    """One browser tab in a call."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.urls: list[str] = []
        """Every address that the page asked for."""
        page.on("request", lambda request: self.urls.append(request.url))

    def join(self, url: str) -> None:
        """Open a link, press Join, and wait for moving pictures."""
        self.page.goto(url)
        self.page.evaluate("visitor.ready")
        self.page.get_by_role("button", name="Join").click()
        self.wait_for(lambda: self.count("system.replica_present"), "the replica")
        self.page.evaluate("visitor.watchFrames()")

    def say(self, samples: Samples) -> float:
        """Speak into the microphone; returns when the sound begins, in seconds of the page's clock."""
        data = base64.b64encode(np.ascontiguousarray(samples, np.float32).tobytes()).decode()
        return float(self.page.evaluate("data => visitor.say(data)", data))

    def events(self, event_type: str = "") -> list[dict[str, Any]]:
        """What came over the data channel so far; `_at` is its time on the page's clock."""
        found: list[dict[str, Any]] = self.page.evaluate("type => visitor.events(type)", event_type)
        return found

    def count(self, event_type: str) -> int:
        """How many events of a type came so far; cheap enough to be asked often."""
        return int(self.page.evaluate("type => visitor.count(type)", event_type))

    def frames(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """One row per frame shown: time on the page's clock, change and brightness of the watched region (0-255)."""
        return np.array(self.page.evaluate("visitor.frames()"), np.float64).reshape(-1, 3)

    def recording(self) -> Recording:
        """Both sides since the last call of this."""
        taken = self.page.evaluate("visitor.recording()")
        person, replica = (np.frombuffer(base64.b64decode(taken[side]), np.float32) for side in ("person", "replica"))
        return Recording(taken["start"] / RATE_HZ, person, replica)

    def now(self) -> float:
        """The page's clock, seconds."""
        return float(self.page.evaluate("visitor.now()"))

    def statistics(self, kind: str) -> list[dict[str, Any]]:
        """The browser's own WebRTC statistics of one type."""
        return [report for report in self.page.evaluate("visitor.statistics()") if report["type"] == kind]

    def frames_received(self) -> int:
        """Pictures that have arrived over the network so far."""
        reports = self.statistics("inbound-rtp")
        return sum(report.get("framesReceived", 0) for report in reports if report["kind"] == "video")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.page.wait_for_timeout(seconds * 1000)

    def wait_for(self, condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
        """Wait until `condition` is true; returns its value."""
        for _ in range(round(seconds / 0.05)):
            if value := condition():
                return value
            self.wait(0.05)
        raise AssertionError(f"waited {seconds} s for {what}; events: {[e['event_type'] for e in self.events()][-20:]}")

    def wait_until_replica_is_quiet(self, turns: int, seconds: float = 40) -> None:
        """Wait until the replica has spoken `turns` times and is silent again."""
        self.wait_for(lambda: self.count("conversation.replica.stopped_speaking") >= turns, f"{turns} replies", seconds)


@contextmanager
def visitor(
    *flags: str,
    own_microphone: bool = True,
    allowed: Sequence[str] = ("microphone", "camera"),
    devices: bool = True,
    recorder: bool = True,
    size: tuple[int, int] = (1280, 800),
    **context_options: Any,
) -> Iterator[Visitor]:
    """A browser that knows nothing of earlier visits.

    own_microphone: lets `Visitor.say` be heard; otherwise Chromium's fake device is.
    allowed: the person allows the page these; the rest is refused.
    devices: the computer has a microphone and a camera.
    recorder: load `visitor.js`, for which the page's content policy is lifted; without it, the browser is a stranger's
        and only `Visitor.page` is of use.
    context_options: further ones of Playwright's `new_context`, such as `color_scheme`.
    """
    if not CHROMIUM.exists():
        pytest.skip("Chromium is absent; apt-get install chromium")
    without = {*(() if devices else (_DEVICES,)), *(() if len(allowed) == 2 else (_ALLOW,))}
    chosen = (*(flag for flag in _FLAGS if flag not in without), *flags)
    with _driver() as playwright, _browser(playwright, chosen) as browser:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            permissions=list(allowed),
            bypass_csp=recorder,  # which is not of the page's origin
            **context_options,
        )
        try:
            if recorder:
                context.add_init_script(path=str(_SCRIPT))
            if recorder and own_microphone and devices and "microphone" in allowed:
                context.add_init_script("visitor.useOwnMicrophone()")
            page = context.new_page()
            yield Visitor(page)
            # As people do; a browser that is killed leaves its call to be noticed by its silence.
            page.close()
        finally:
            context.close()


_kept: list[Browser] = []


@contextmanager
def kept_browser() -> Iterator[None]:
    """While entered, visitors whose browser needs no flags of its own share one; they share nothing within it."""
    with _driver() as playwright:
        _kept.append(_start(playwright, _FLAGS))
        try:
            yield
        finally:
            _kept.pop().close()


@contextmanager
def _browser(playwright: Playwright, flags: Sequence[str]) -> Iterator[Browser]:
    if _kept and flags == tuple(_FLAGS):
        if not _kept[0].is_connected():
            _kept[0] = _start(playwright, flags)
        yield _kept[0]
        return
    browser = _start(playwright, flags)
    try:
        yield browser
    finally:
        browser.close()


def _start(playwright: Playwright, flags: Sequence[str]) -> Browser:
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*flags])


_drivers: list[Playwright] = []


@contextmanager
def _driver() -> Iterator[Playwright]:
    """Playwright, which can be started only once, however many visitors there are at a time."""
    if _drivers:
        yield _drivers[0]
        return
    with sync_playwright() as playwright:
        _drivers.append(playwright)
        try:
            yield playwright
        finally:
            _drivers.clear()


def loud_spans(samples: Samples, *, floor: float = 0.01, gap_s: float = 0.3) -> Sequence[tuple[float, float]]:
    """Stretches of sound, seconds from the start: 5 ms pieces over `floor`, joined across gaps under `gap_s`."""
    size = RATE_HZ // 200
    pieces = np.sqrt((samples[: len(samples) // size * size].reshape(-1, size) ** 2).mean(axis=1))
    spans: list[tuple[float, float]] = []
    for index in np.flatnonzero(pieces > floor):
        start, stop = index * size / RATE_HZ, (index + 1) * size / RATE_HZ
        if spans and start - spans[-1][1] < gap_s:
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((start, stop))
    return spans
