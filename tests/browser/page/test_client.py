"""The client on pages of other sites: the example of a page of one's own, and the widget."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import serious_issues
from tests.browser.page.stand_in import on_green, stand_in
from tests.browser.page.test_states import received, replica_says, until

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[3] / "examples"
MOVING = "(video) => video.getVideoPlaybackQuality().totalVideoFrames > 5 && !video.muted"
PIXELS = """
    (canvas) => new Promise((resolve) => requestAnimationFrame(() => {
        const copy = new OffscreenCanvas(4, 4).getContext("2d");
        copy.drawImage(canvas, 0, 0, 4, 4);
        const alpha = (x, y) => copy.getImageData(x, y, 1, 1).data[3];
        resolve([alpha(0, 0), alpha(3, 3), alpha(1, 1), alpha(2, 2)]);
    }))
"""


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """Another site, which serves a folder."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_page_of_ones_own_in_thirty_lines_shows_the_replica_and_writes_to_it(page: Page):
    assert len((EXAMPLES / "custom-ui" / "index.html").read_text().splitlines()) < 30
    with stand_in() as server, site(EXAMPLES / "custom-ui") as address:
        page.goto(f"{address}/?call={server.link}")
        page.get_by_role("button", name="Call").click()
        until(page, lambda: page.locator("video").evaluate(MOVING), "moving pictures with sound")
        replica_says(server, "Hello from elsewhere.", final=False)
        expect(page.locator("#said")).to_have_text("replica: Hello from elsewhere.")
        page.get_by_role("textbox").fill("Good day")
        page.get_by_role("textbox").press("Enter")
        assert received(page, server, "conversation.respond")["properties"] == {"text": "Good day"}


def test_widget_floats_over_another_site_without_its_green(page: Page, tmp_path: Path):
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with stand_in(on_green) as server, site(tmp_path) as address:
        (tmp_path / "index.html").write_text(
            '<html lang="en"><title>Elsewhere</title><main><h1>Elsewhere</h1></main>'
            f'<script src="{server.base_url}/static/widget.js"></script>'
            f'<visavis-widget src="{server.link}" transparent></visavis-widget>'
        )
        page.goto(address)
        expect(page.get_by_role("button", name="Talk with Mira")).to_be_visible()
        assert serious_issues(page) == []
        page.get_by_role("button", name="Talk with Mira").click()
        canvas = page.locator("visavis-widget canvas")
        until(page, lambda: page.locator("visavis-widget video").evaluate(MOVING), "moving pictures")
        until(page, lambda: page.evaluate(PIXELS, canvas.element_handle()) == [0, 0, 255, 255], "green that is gone")
        assert serious_issues(page) == []
        page.get_by_role("button", name="Leave").click()
        expect(page.get_by_role("button", name="Talk with Mira")).to_be_visible()
        assert received(page, server, "conversation.leave")
    assert complaints == []


def test_widget_speaks_the_language_that_it_is_told(page: Page, tmp_path: Path):
    with stand_in() as server, site(tmp_path) as address:
        (tmp_path / "index.html").write_text(
            f'<script src="{server.base_url}/static/widget.js"></script>'
            f'<visavis-widget src="{server.link}" lang="de-AT"></visavis-widget>'
        )
        page.goto(address)
        expect(page.get_by_role("button", name="Sprechen Sie mit Mira")).to_contain_text("Eine KI, kein Mensch")


def test_wrong_link_is_an_error_that_says_what_to_do(page: Page):
    with stand_in() as server:
        page.goto(f"{server.base_url}/c/unknown")
        error = page.evaluate(
            """async (link) => {
                const { join, CallError } = await import("/static/client.js");
                return join(link).catch((error) => [error instanceof CallError, error.reason, error.message]);
            }""",
            f"{server.base_url}/c/nobody",
        )
        assert error == [True, "unknown", "unknown"]
        unreachable = page.evaluate(
            """async () => (await import("/static/client.js")).join("/c/c1/../../x:y").catch((error) => error.reason)"""
        )
        assert unreachable in ("unknown", "unreachable")
