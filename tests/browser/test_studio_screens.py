"""Studio on a server with simulated engines: signing in, forms and what they refuse, who can use them."""

import gzip
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import serious_issues
from tests.browser.studio import choose_file, open_studio
from tests.unit.api.server import served
from tests.visitor import visitor
from visavis.replica.stock import bundle_path

pytestmark = pytest.mark.browser

KEY = "test-key"
SCREENS = ["", "personas", "personas/new", "personas/new?template=ptutor", "replicas", "replicas/rmira", "replicas/new"]
SCREENS += ["conversations", "keys", "webhooks", "usage"]
LARGEST_BYTES = 120_000


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("studio"), dev=False, api_key=KEY) as url:
        yield url


def sign_in(page: Page, base_url: str, screen: str = "") -> None:
    open_studio(page, base_url, screen)
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#main h1").wait_for(state="visible")


def test_wrong_key_is_refused_and_the_right_one_lasts_until_signing_out(base_url: str):
    with visitor(recorder=False) as person:
        page = person.page
        open_studio(page, base_url)
        page.get_by_label("API key").fill("vv_wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not valid")
        sign_in(page, base_url)
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("API key")).to_be_visible()
        assert page.evaluate("localStorage.length + sessionStorage.length") <= 1, "only the choice of colours is kept"


def test_what_the_server_says_of_a_field_stands_at_the_field(base_url: str):
    with visitor(recorder=False) as person:
        page = person.page
        sign_in(page, base_url, "personas/new?blank=1")
        page.get_by_label("Name", exact=True).fill("Ines")
        prompt = page.get_by_label("Prompt")
        expect(prompt).to_have_attribute("aria-invalid", "true")
        expect(page.locator(f"[id='{prompt.get_attribute('aria-describedby')}']")).to_contain_text("Expected a text")
        prompt.fill("You are Ines.")
        expect(prompt).not_to_have_attribute("aria-invalid", "true")
        page.get_by_role("tab", name="Engines").click()
        page.get_by_label("Address", exact=True).fill("https://api.example.com/v1")
        expect(page.get_by_label("Model", exact=True)).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Model", exact=True).fill("large")
        expect(page.get_by_label("Model", exact=True)).not_to_have_attribute("aria-invalid", "true")
        page.get_by_role("tab", name="JSON").click()
        assert '"base_url": "https://api.example.com/v1"' in page.get_by_role("textbox").input_value()
        page.get_by_role("button", name="Create persona").click()
        page.get_by_role("button", name="Save").wait_for()
        page.get_by_role("tab", name="Manners").click()
        page.get_by_role("radio", name="Patient").check(force=True)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
        expect(page.get_by_role("button", name="Save")).to_be_disabled()


def test_draft_that_was_left_is_there_when_one_comes_back(base_url: str):
    with visitor(recorder=False) as person:
        page = person.page
        sign_in(page, base_url, "personas/new?template=pguide")
        page.get_by_label("Name", exact=True).fill("Half done")
        page.get_by_role("link", name="Usage").click()
        page.go_back()
        expect(page.get_by_label("Name", exact=True)).to_have_value("Half done")


def test_tool_is_made_for_a_persona_which_then_has_it(base_url: str):
    with visitor(recorder=False) as person:
        page = person.page
        sign_in(page, base_url, "personas/new?template=pguide")
        page.get_by_role("tab", name="Tools").click()
        page.get_by_role("checkbox", name="current time").check()
        page.get_by_role("button", name="New tool").click()
        page.get_by_label("Name", exact=True).fill("opening hours")
        page.get_by_label("Description").fill("When the museum is open on a day.")
        page.get_by_role("radio", name="The page of the call").check(force=True)
        page.get_by_role("button", name="Add parameter").click()
        page.get_by_label("Name of parameter 1").fill("day")
        page.get_by_role("button", name="Make tool").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Expected")
        page.get_by_label("Name", exact=True).fill("opening_hours")
        assert serious_issues(page) == []
        page.get_by_role("button", name="Make tool").click()
        expect(page.get_by_role("checkbox", name="opening hours")).to_be_checked()
        page.get_by_role("button", name="Create persona").click()
        page.get_by_role("button", name="Save").wait_for()
        page.get_by_role("tab", name="Tools").click()
        expect(page.get_by_role("checkbox", name="opening hours")).to_be_checked()
        expect(page.get_by_role("checkbox", name="current time")).to_be_checked()


def test_new_key_is_shown_once_and_can_be_revoked(base_url: str):
    with visitor(recorder=False) as person:
        page = person.page
        sign_in(page, base_url, "keys")
        page.get_by_role("button", name="New key").click()
        page.get_by_role("button", name="Make key").click()
        expect(page.get_by_role("alert")).to_contain_text("Expected")
        page.get_by_label("Name").fill("website")
        page.get_by_role("button", name="Make key").click()
        key = page.get_by_label("API key", exact=True).input_value()
        assert key.startswith("vv_")
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_role("table")).to_contain_text("website")
        assert key not in page.content()
        page.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("table")).to_contain_text("Revoked")


def test_shared_link_and_code_are_for_what_is_on_the_screen(base_url: str):
    with visitor(recorder=False) as person:
        page = person.page
        sign_in(page, base_url, "personas/ptutor")
        page.get_by_role("button", name="API code").click()
        expect(page.get_by_role("dialog")).to_contain_text('"persona_id": "ptutor"')
        page.get_by_role("tab", name="Python").click()
        expect(page.get_by_role("dialog")).to_contain_text("httpx.request")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Share").click()
        page.get_by_label("For", exact=True).select_option("up to 4 people")
        with page.expect_request("**/v2/conversations") as asked:
            page.get_by_role("button", name="Make a link").click()
        assert asked.value.post_data_json["max_participants"] == 5
        page.get_by_label("Link to the call").wait_for()
        assert "/c/c" in page.get_by_label("Link to the call").input_value()


def test_uploaded_replica_is_in_the_gallery(base_url: str, tmp_path: Path):
    with visitor(recorder=False) as person:
        page = person.page
        sign_in(page, base_url, "replicas/new")
        page.get_by_role("radio", name="A .replica file").check(force=True)
        broken = tmp_path / "broken.replica"
        broken.write_bytes(b"not a replica")
        choose_file(page, broken)
        page.get_by_role("button", name="Add replica").click()
        expect(page.get_by_role("alert")).to_contain_text("bundle")
        choose_file(page, bundle_path("mira"))
        page.get_by_label("Name of the replica").fill("Second Mira")
        page.get_by_role("button", name="Add replica").click()
        expect(page.get_by_role("heading", name="Second Mira", exact=True)).to_be_visible()
        page.get_by_role("link", name="Replicas", exact=True).first.click()
        expect(page.locator(".gallery")).to_contain_text("Second Mira")


@pytest.mark.parametrize(("width", "colours"), [(390, "light"), (1920, "dark")])
def test_every_screen_fits_and_names_what_can_be_used(base_url: str, width: int, colours: str):
    with visitor(recorder=False, size=(width, 900), color_scheme=colours) as person:
        page = person.page
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        accessibility = page.context.new_cdp_session(page)
        sign_in(page, base_url)
        complaints.clear()  # the first question for a key is answered with 401
        for screen in SCREENS:
            page.goto(f"{base_url}/studio#/{screen}")
            page.locator("main .skeleton").wait_for(state="detached")
            page.locator("main h1").wait_for(state="visible")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), screen
            assert serious_issues(page) == [], screen
            nodes = accessibility.send("Accessibility.getFullAXTree")["nodes"]
            roles = {
                "button",
                "link",
                "textbox",
                "combobox",
                "checkbox",
                "radio",
                "switch",
                "tab",
                "dialog",
                "navigation",
            }
            used = [node for node in nodes if not node["ignored"] and node["role"]["value"] in roles]
            assert used and not [node for node in used if not node["name"]["value"].strip()], screen
        assert complaints == []


def test_studio_is_small():
    folder = resources.files("visavis") / "web" / "studio"
    files = [file for file in folder.iterdir() if file.name.endswith((".js", ".css", ".html"))]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= LARGEST_BYTES
