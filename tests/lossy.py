"""A network path that loses packets: a UDP relay on loopback between a browser and the server."""

import json
import random
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from playwright.sync_api import Page, Route

_CANDIDATE = re.compile(r"^a=candidate:(\S+ \d udp \d+) (127\.0\.0\.1) (\d+) typ host(.*)$", re.MULTILINE | re.I)


class _Relay(threading.Thread):
    """Sends what one side sends to the other, except for a share that it drops."""

    def __init__(self, server_port: int, loss: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.dropped = self.passed = 0
        self._random, self._loss = random.Random(seed), loss
        self._front, self._back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for side in (self._front, self._back):
            side.bind(("127.0.0.1", 0))
        self._back.connect(("127.0.0.1", server_port))
        self._browser: tuple[str, int] | None = None
        self.port: int = self._front.getsockname()[1]

    def run(self) -> None:
        threading.Thread(target=self._return, daemon=True).start()
        while packet := self._receive(self._front):
            data, self._browser = packet
            if self._passes():
                self._send(self._back, data, None)

    def lose(self, share: float) -> None:
        """From now on drop `share` (0 to 1) of the packets; 1 is a network that is gone."""
        self._loss = share

    def close(self) -> None:
        self._front.close()
        self._back.close()

    def _return(self) -> None:
        while packet := self._receive(self._back):
            if self._browser and self._passes():
                self._send(self._front, packet[0], self._browser)

    def _passes(self) -> bool:
        lost = self._random.random() < self._loss
        self.dropped, self.passed = self.dropped + lost, self.passed + (not lost)
        return not lost

    @staticmethod
    def _receive(side: socket.socket) -> tuple[bytes, tuple[str, int]] | None:
        try:
            return side.recvfrom(4096)
        except OSError:
            return None

    @staticmethod
    def _send(side: socket.socket, data: bytes, to: tuple[str, int] | None) -> None:
        with suppress(OSError):
            if to:
                side.sendto(data, to)
            else:
                side.send(data)


@contextmanager
def lossy_path(page: Page, loss: float, seed: int = 1) -> Iterator[list[_Relay]]:
    """Every call that `page` joins while this lasts loses `loss` (0 to 1) of its packets, each way."""
    relays: list[_Relay] = []

    def through_relay(found: re.Match[str]) -> str:
        relay = _Relay(int(found[3]), loss, seed)
        relay.start()
        relays.append(relay)
        return f"a=candidate:{found[1]} {found[2]} {relay.port} typ host{found[4]}"

    def answer(route: Route) -> None:
        offer = json.loads(route.request.post_data or "{}")
        # Without the browser's addresses the server cannot go past the relay.
        offer["sdp"] = re.sub(r"^a=candidate:.*\r?\n", "", offer["sdp"], flags=re.MULTILINE)
        response = route.fetch(post_data=json.dumps(offer))
        body = response.json()
        if "sdp" in body:
            body["sdp"] = _CANDIDATE.sub(through_relay, body["sdp"])
        route.fulfill(response=response, body=json.dumps(body))

    page.route("**/offer", answer)
    try:
        yield relays
    finally:
        page.unroute("**/offer")
        for relay in relays:
            relay.close()
