"""Delivers the queue of webhooks. Owner of which messages are on their way.

Each receiver (scheme, host and port) has few messages on their way at once, all together many, so that receivers that
are slow or down hold up nobody but themselves. The order within a conversation is kept by the queue. A message that
was sent by a worker that died is sent again by the next one, so receivers may see a message twice; `visavis-delivery`
is then the same.
"""

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from visavis.outbound import ForbiddenAddressError, Outbound, OutboundError
from visavis.store import Store
from visavis.store.errors import NotFoundError, StoreError
from visavis.store.webhooks import Delivery
from visavis.webhooks.retrying import Retrying
from visavis.webhooks.signing import HEADER, new_secret, sign

_log = logging.getLogger(__name__)

AT_ONCE = 64
AT_ONCE_FOR_ONE_RECEIVER = 4

ANSWER_WITHIN_S = 10.0
LEASE_S = 60.0
"""How long a message belongs to the worker that took it; much longer than an answer may take."""

POLL_S = 2.0
"""How long messages of other processes may wait until they are noticed; own ones are told by `wake`."""

FORGET_AFTER_S = 7 * 86_400
"""Messages that were delivered are kept this long. Dead letters stay."""

_SHOWN = 200


def _now() -> datetime:
    return datetime.now(UTC)


class Deliverer:
    """The worker of one process; several may work on one queue."""

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        retrying: Retrying | None = None,
        *,
        now: Callable[[], datetime] = _now,
        chance: Callable[[], float] = random.random,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._retrying = retrying or Retrying()
        self._now = now
        self._chance = chance
        self._answer_within_s = answer_within_s
        self._underway: Counter[str] = Counter()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Something was added to the queue: look at once."""
        self._awake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._forget_old())
            while True:
                self._awake.clear()
                try:
                    await self._take(tasks)
                    pause_s = await self._until_next()
                except StoreError as error:
                    _log.warning("webhooks wait: %s", error)
                    pause_s = POLL_S
                # Not wait_for: before Python 3.12 it may swallow a cancellation.
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._awake.wait()

    async def _take(self, tasks: asyncio.TaskGroup) -> None:
        while (room := AT_ONCE - self._underway.total()) > 0:
            busy = [receiver for receiver, count in self._underway.items() if count >= AT_ONCE_FOR_ONE_RECEIVER]
            taken = await self._store.webhooks.claim(
                min(room, AT_ONCE_FOR_ONE_RECEIVER), LEASE_S, without=busy, at=self._now()
            )
            if not taken:
                return
            for delivery in taken:
                self._underway[delivery.receiver] += 1
                tasks.create_task(self._deliver(delivery), name=f"webhook {delivery.delivery_id}")

    async def _until_next(self) -> float:
        due = await self._store.webhooks.next_due()
        if due is None:
            return POLL_S
        # What is due already waits for something that will wake this worker, or belongs to another one.
        seconds = (due - self._now()).total_seconds()
        return min(seconds, POLL_S) if seconds > 0 else POLL_S

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await self._settle(delivery, await self._attempt(delivery))
        except asyncio.CancelledError:
            with suppress(StoreError):
                await self._store.webhooks.undo_claim(delivery.delivery_id)
            raise
        except NotFoundError:
            pass  # somebody removed it meanwhile
        except StoreError as error:
            _log.warning("webhook %s will be sent again, its outcome was not stored: %s", delivery.delivery_id, error)
        finally:
            self._underway[delivery.receiver] -= 1
            self._underway += Counter()  # forgets receivers that have nothing on its way
            self._awake.set()

    async def _attempt(self, delivery: Delivery) -> OutboundError | str | None:
        """Why it was not taken; None if it was."""
        now = self._now()
        secrets = await self._store.webhook_secrets.all(new_secret())
        valid = [one.secret for one in secrets if one.valid_until is None or one.valid_until > now]
        body = json.dumps(delivery.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        headers = {
            "content-type": "application/json",
            "visavis-delivery": delivery.delivery_id,
            "visavis-event": delivery.event_type,
            HEADER: sign(body, valid, now),
        }
        try:
            answer = await self._outbound.post(
                delivery.url, body, headers, timeout_s=self._answer_within_s, max_answer=_SHOWN * 4
            )
        except OutboundError as error:
            return error
        if 200 <= answer.status < 300:
            return None
        shown = answer.body.decode("utf-8", "replace")[:_SHOWN].replace("\0", " ")
        return f"answered {answer.status}: {shown}" if shown else f"answered {answer.status}"

    async def _settle(self, delivery: Delivery, failure: OutboundError | str | None) -> None:
        if failure is None:
            await self._store.webhooks.delivered(delivery.delivery_id)
            return
        forbidden = isinstance(failure, ForbiddenAddressError)
        again = None if forbidden else self._retrying.next_attempt(delivery.attempts, self._now(), self._chance())
        await self._store.webhooks.failed(delivery.delivery_id, str(failure), again)
        if again is None:
            _log.warning(
                "webhook %s (%s) was given up after %d attempts: %s; `visavis webhooks replay %s` sends it again",
                delivery.delivery_id,
                delivery.event_type,
                delivery.attempts,
                failure,
                delivery.delivery_id,
            )

    async def _forget_old(self) -> None:
        while True:
            with suppress(StoreError):
                await self._store.webhooks.forget_finished(
                    datetime.fromtimestamp(self._now().timestamp() - FORGET_AFTER_S, UTC)
                )
            await asyncio.sleep(3600)
