"""The call page in Firefox."""

import pytest

from tests.browser.page.stand_in import stand_in
from tests.browser.page.test_states import GREETING, replica_says
from tests.firefox import firefox

pytestmark = pytest.mark.browser

SHOWN = "!document.getElementById('{}').hidden"


def test_call_in_firefox_from_the_lobby_to_the_goodbye():
    with stand_in() as server, firefox() as page:
        page.goto(server.link)
        page.wait_for("!!document.querySelector('#lobby:not([hidden]) #join:not([disabled])')")
        page.wait_for("!!document.getElementById('lobby-own').srcObject")
        page.evaluate("document.getElementById('join').click()")
        page.wait_for(SHOWN.format("call"))
        page.wait_for("document.getElementById('veil').hidden")
        page.wait_for(
            "(({videoWidth, currentTime}) => videoWidth > 0 && currentTime > 0.5)(document.getElementById('replica'))"
        )
        assert page.evaluate("document.getElementById('replica').muted") is False
        replica_says(server, GREETING, final=False)
        page.wait_for(f"document.getElementById('captions').innerText.includes({GREETING!r})")
        replica_says(server, GREETING, final=True)
        page.wait_for("!document.getElementById('seen').hidden")
        page.evaluate("document.getElementById('leave').click()")
        page.wait_for("document.getElementById('over-title').innerText === 'You have left the call'")
        page.wait_for(f"document.getElementById('over-lines').innerText.includes({GREETING!r})")
        assert server.loudest > 0.01, "the fake microphone's tone"
