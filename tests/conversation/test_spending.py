"""What replies cost, what the model is shown with the person's words, and what is said while it is slow."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest

from tests.conversation.simulation import ScriptedModel, World, silence, simulate, speech, world
from visavis.conversation.showing import MOST_BYTES, Showing, jpeg
from visavis.conversation.slowness import SLOW, not_in_silence
from visavis.layers.llm import Function, Message, Piece, Tokens
from visavis.transport import Picture


@dataclass
class CountingModel(ScriptedModel):
    """Tells what it costs, and takes pictures."""

    takes_pictures: bool = False

    async def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncIterator[Piece]:
        async for piece in super().stream(messages, tools):
            yield piece
        yield Tokens(100, 7, cached=40)


def counted(said: list[str], replies: list[Any], **how: Any) -> World:
    found = world(said, replies, **how.pop("world", {}))
    found.model = CountingModel(found.model.replies, **how)
    object.__setattr__(found.conversation._layers, "language_model", found.model)
    return found


def costs(found: World) -> list[dict[str, Any]]:
    return [event["properties"] for event in found.call.said("conversation.usage")]


def test_a_reply_tells_what_it_cost() -> None:
    async def work() -> None:
        found = counted(["hello there"], ["Hi."])
        found.call.speak(speech(1.0), silence(4))
        await found.run_for(6)
        (cost,) = costs(found)
        assert cost == {
            "input_tokens": 100,
            "cached_input_tokens": 40,
            "output_tokens": 7,
            "requests": 1,
            "dropped": False,
            "estimated": False,
        }

    simulate(work)


@pytest.mark.parametrize("words", [3, 500])
def test_a_reply_that_nobody_hears_is_paid_for_too(words: int) -> None:
    async def work() -> None:
        found = counted(["we close|at five I mean"], ["Dropped. " * words, "Heard."], first_token_s=0.02)
        found.end_of_turn.scripted = [0.3, 0.9]
        found.call.speak(speech(1.0), silence(0.5), speech(1.5), silence(3))
        await found.run_for(7)
        dropped, heard = costs(found)
        assert dropped["dropped"] and not heard["dropped"]
        assert heard["input_tokens"] == 100
        assert dropped["estimated"] is (words == 500)
        assert dropped["output_tokens"] > 3

    simulate(work)


def test_all_rounds_of_tools_are_one_cost() -> None:
    async def work() -> None:
        found = counted([], [[("unknown_tool", "{}")], "I cannot do that."], world={"system_tools": ["current_time"]})
        found.call.type("conversation.respond", text="Do it.")
        await found.run_for(5)
        (cost,) = costs(found)
        assert (cost["requests"], cost["input_tokens"], cost["output_tokens"]) == (2, 200, 14)

    simulate(work)


def test_a_refused_request_costs_nothing() -> None:
    async def work() -> None:
        found = counted([], ["Hi."], fails_after=0)
        found.call.type("conversation.respond", text="Hello.")
        await found.run_for(5)
        assert costs(found) == []

    simulate(work)


class Still:
    """Shows one grey picture, and then nothing new."""

    def __init__(self, level: int, size: tuple[int, int] = (48, 64)) -> None:
        self.pixels: np.ndarray | None = np.full((*size, 3), level, np.uint8)

    def look(self, longest_side: int) -> Picture | None:
        pixels, self.pixels = self.pixels, None
        return None if pixels is None else Picture(pixels, (64, 48), 0.0)


class Shown:
    """A call in which something is shown."""

    def __init__(self, **kinds: Still) -> None:
        self.kinds = kinds

    def sight(self, kind: str) -> Still | None:
        return self.kinds.get(kind)

    def assign(self, camera: str | None, screen: str | None) -> None:
        pass


def level_of(picture: bytes | None) -> int | None:
    return picture and round(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).mean())


def test_the_screen_is_shown_before_the_camera_and_again_while_it_does_not_change() -> None:
    async def work() -> None:
        call = Shown(camera=Still(50), screen=Still(200))
        showing = Showing(call)  # type: ignore[arg-type]
        assert level_of(await showing.picture()) == 200
        await asyncio.sleep(60)
        assert level_of(await showing.picture()) == 200
        del call.kinds["screen"]
        assert level_of(await showing.picture()) == 50
        await asyncio.sleep(60)
        assert await showing.picture() is None
        call.kinds.clear()
        assert await showing.picture() is None

    simulate(work)


def test_a_picture_is_never_large() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (768, 1024, 3), np.uint8)
    text = cv2.putText(np.full((768, 1024, 3), 255, np.uint8), "12 EUR", (50, 400), 0, 4, (0, 0, 0), 6)
    assert len(jpeg(noise)) < len(cv2.imencode(".jpg", noise)[1])
    assert len(jpeg(text)) < MOST_BYTES


@pytest.mark.parametrize("takes", [True, False])
def test_only_the_newest_words_of_the_person_come_with_a_picture(takes: bool) -> None:
    async def work() -> None:
        found = counted(["what is this"], ["A cup."], takes_pictures=takes)
        found.call.kinds = {"camera": Still(90)}  # type: ignore[attr-defined]
        found.call.sight = found.call.kinds.get  # type: ignore[attr-defined]
        found.call.assign = lambda camera, screen: None  # type: ignore[attr-defined]
        found.call.speak(speech(1.0), silence(3))
        running = asyncio.create_task(found.run_for(9))
        await asyncio.sleep(5)
        found.call.kinds["camera"] = Still(150)  # type: ignore[attr-defined]
        found.call.type("conversation.respond", text="And now?")
        await running
        shown = [[level_of(message.picture) for message in asked] for asked in found.model.asked]
        assert shown == ([[None, 90], [None, None, None, 150]] if takes else [[None] * 2, [None] * 4])

    simulate(work)


def test_a_blind_persona_shows_nothing() -> None:
    async def work() -> None:
        found = counted([], ["A cup."], takes_pictures=True)
        seeing = found.conversation.persona.layers.perception
        object.__setattr__(seeing, "perception_model", "off")
        found.call.sight = {"camera": Still(90)}.get  # type: ignore[attr-defined]
        found.call.assign = lambda camera, screen: None  # type: ignore[attr-defined]
        found.call.type("conversation.respond", text="And now?")
        await found.run_for(4)
        assert [message.picture for message in found.model.asked[0]] == [None, None]

    simulate(work)


def spoken(found: World) -> str:
    return " ".join(event["properties"]["speech"] for event in found.call.said("conversation.utterance"))


async def excused(first_piece_s: float, waited_for_after_s: float | None) -> list[Piece]:
    async def made() -> AsyncGenerator[Piece, None]:
        await asyncio.sleep(first_piece_s)
        yield "At "
        await asyncio.sleep(30)
        yield "five."

    waited_for = asyncio.Event()
    if waited_for_after_s is not None:
        asyncio.get_running_loop().call_later(waited_for_after_s, waited_for.set)
    return [piece async for piece in not_in_silence(made(), waited_for)]


@pytest.mark.parametrize(
    ("first_piece_s", "waited_for_after_s", "excuses"), [(2, 0, 0), (5, 0, 1), (14, 0, 2), (5, 4, 0), (60, None, 0)]
)
def test_a_slow_model_is_excused_to_somebody_who_waits(
    first_piece_s: float, waited_for_after_s: float | None, excuses: int
) -> None:
    pieces = simulate(lambda: excused(first_piece_s, waited_for_after_s))
    assert pieces == [*(f"{words} " for _, words in SLOW[:excuses]), "At ", "five."]


def test_a_reply_that_is_dropped_while_the_model_is_slow_is_closed() -> None:
    async def work() -> None:
        model = ScriptedModel(["Too late."], first_token_s=60)
        stream = not_in_silence(model.stream([]), asyncio.Event())  # type: ignore[arg-type]
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert model.closed == 1

    simulate(work)


def test_a_model_that_fails_after_an_excuse_is_apologised_for() -> None:
    async def work() -> str:
        found = counted([], ["At five."], first_token_s=5.0, fails_after=0)
        found.call.type("conversation.respond", text="When?")
        await found.run_for(12)
        return spoken(found)

    assert "Let me think for a moment. I'm sorry" in simulate(work)
