"""How many requests and conversations a key may have. Owner of how much of each minute's requests is left."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request

from visavis.api.auth import Caller
from visavis.api.errors import TooManyRequestsError
from visavis.hosting.errors import TooManyConversationsError
from visavis.store.conversations import Conversations
from visavis.store.keys import ApiKey


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Limits:
    """The limits of one server's keys."""

    def __init__(self, conversations: Conversations, clock: Callable[[], float] = time.monotonic) -> None:
        self._conversations = conversations
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._creating: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def spend_request(self, key: ApiKey) -> None:
        """Count a request (a token bucket of one minute's requests). Raises `TooManyRequestsError`."""
        if key.requests_per_minute is None:
            return
        now, each_s = self._clock(), 60 / key.requests_per_minute
        bucket = self._buckets.setdefault(key.key_id, _Bucket(key.requests_per_minute, now))
        bucket.left = min(key.requests_per_minute, bucket.left + (now - bucket.at) / each_s)
        bucket.at = now
        if bucket.left < 1:
            raise TooManyRequestsError(max(1, math.ceil((1 - bucket.left) * each_s)))
        bucket.left -= 1

    @asynccontextmanager
    async def one_more_conversation(self, key: ApiKey) -> AsyncIterator[None]:
        """While a conversation is made: nobody else makes one with this key. Raises `TooManyConversationsError`."""
        if key.max_conversations is None:
            yield
            return
        async with self._creating[key.key_id]:
            if await self._conversations.active_count(key.key_id) >= key.max_conversations:
                raise TooManyConversationsError
            yield


async def within_rate(request: Request, caller: Caller) -> None:
    """A dependency of every resource that needs a key."""
    limits: Limits = request.app.state.limits
    limits.spend_request(caller)
