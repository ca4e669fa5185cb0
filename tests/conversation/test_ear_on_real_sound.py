"""The ear with its real engines: what it takes for a turn, and what it makes of it."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from tests.sentences import SENTENCES, sentence
from tests.speech import word_errors
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.conversation.clock import LoopClock
from visavis.conversation.ear import Ear, Heard, PartialText, TurnDone
from visavis.conversation.floor import Floor
from visavis.layers.stt.moonshine import Moonshine
from visavis.layers.turn.end_of_turn import CombinedEndOfTurn
from visavis.layers.turn.silero import Silero
from visavis.layers.turn.smart_turn import SmartTurn

pytestmark = pytest.mark.models

PIECE = LISTEN_RATE_HZ // 50
RNG = np.random.default_rng(7)


async def heard_in(sound: Samples, speed: float = 1.0) -> list[Heard]:
    """What the ear hears in `sound`, given `speed` times as fast as real."""

    async def pieces() -> AsyncIterator[Samples]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for index in range(0, len(sound) - PIECE + 1, PIECE):
            await asyncio.sleep(max(0.0, start + index / LISTEN_RATE_HZ / speed - loop.time()))
            yield sound[index : index + PIECE]

    ear = Ear(Silero().listen(), Moonshine(), CombinedEndOfTurn(SmartTurn()), Floor(), LoopClock())
    return [heard async for heard in ear.listen(pieces())]


def silence(seconds: float) -> Samples:
    return RNG.normal(0, 3e-4, round(seconds * LISTEN_RATE_HZ)).astype(np.float32)


async def test_spoken_sentences_become_turns_with_their_words():
    names = ["tt-weasels", "vm-nobodyavail"]
    sound = np.concatenate([part for name in names for part in (sentence(name, LISTEN_RATE_HZ), silence(2.5))])
    heard = await heard_in(np.concatenate([silence(0.5), sound]))
    texts = [event.turn.text for event in heard if isinstance(event, TurnDone)]
    assert len(texts) == 2
    for name, text in zip(names, texts, strict=True):
        assert word_errors(SENTENCES[name], text) <= 1
    assert any(isinstance(event, PartialText) for event in heard)


def noises() -> dict[str, Samples]:
    size = 20 * LISTEN_RATE_HZ
    time = np.arange(size) / LISTEN_RATE_HZ
    clicks = np.zeros(size, np.float32)
    for at in RNG.integers(0, size - 200, 120):
        clicks[at : at + 200] += RNG.normal(0, 0.4, 200) * np.exp(-np.arange(200) / 40)
    pink = np.cumsum(RNG.normal(0, 1, size))
    pink -= np.convolve(pink, np.ones(1600) / 1600, "same")
    return {
        "white noise": RNG.normal(0, 0.1, size).astype(np.float32),
        "rumble": (0.1 * pink / pink.std()).astype(np.float32),
        "mains hum": (0.1 * np.sin(2 * np.pi * 50 * time) + 0.05 * np.sin(2 * np.pi * 150 * time)).astype(np.float32),
        "typing": clicks,
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["white noise", "rumble", "mains hum", "typing"])
async def test_twenty_seconds_of_noise_are_no_turn(kind: str):
    heard = await heard_in(np.concatenate([noises()[kind], silence(2)]), speed=4)
    assert not [event.turn.text for event in heard if isinstance(event, TurnDone) and event.turn.text]
