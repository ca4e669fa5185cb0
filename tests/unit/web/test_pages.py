"""The built pages, as a browser gets them."""

import gzip
from importlib import resources

WEB = resources.files("visavis") / "web"
MOST_BYTES = 150_000


def test_first_load_of_the_call_page_is_small():
    files = ("index.html", "call.js", "call.css", "icon.svg", "call-zh.js")
    assert sum(len(gzip.compress((WEB / name).read_bytes())) for name in files) < MOST_BYTES


def test_pages_have_no_inline_scripts_and_name_no_other_host():
    page = (WEB / "index.html").read_text("utf-8")
    scripts = [line.strip() for line in page.splitlines() if "<script" in line]
    assert len(scripts) == 1 and 'src="../static/call.js"' in scripts[0]
    assert "style=" not in page
    assert "https://" not in page.replace("https://www.w3.org", "")
