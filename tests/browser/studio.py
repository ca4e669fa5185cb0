"""Ways into Studio that its tests share."""

from pathlib import Path

from playwright.sync_api import Page


def open_studio(page: Page, base_url: str, screen: str = "") -> None:
    """Open one of its screens and wait until it is there."""
    page.goto(f"{base_url}/studio#/{screen}")
    page.locator("main h1").wait_for(state="visible")


def choose_file(page: Page, path: Path) -> None:
    """Choose a file where one is asked for."""
    page.locator("input[type=file]").first.set_input_files(path)
