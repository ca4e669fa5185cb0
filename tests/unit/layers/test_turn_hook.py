"""A turn detector behind an address, spoken to over real HTTP and WebSocket connections on this machine."""

import asyncio
import base64
import http.client
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from visavis.api.runnable import merge, outside_addresses, runnable
from visavis.api.runnable import warnings as persona_warnings
from visavis.errors import BadInputError, EngineError
from visavis.hosting.engines import SharedEngines
from visavis.hosting.faces import Faces
from visavis.hosting.plan import Plan
from visavis.layers import Layers
from visavis.layers.turn import EndOfTurn, UnreadPause
from visavis.outbound import Outbound, PrivateAddresses

HERE = Outbound(PrivateAddresses(every=True))
SOUND = (0.25 * np.sin(np.arange(10 * 16_000) / 9)).astype(np.float32)
BUILT_IN = 0.4

Answer = Callable[[dict[str, Any]], object]


class House:
    """The built-in judgement, which says the same of everything."""

    async def probabilities(self, pause: UnreadPause) -> AsyncIterator[float]:
        await pause.words
        yield BUILT_IN
        yield BUILT_IN + 0.1


class Detector:
    """A server that answers whatever `answer` makes of a pause; None is no answer at all."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.connections = 0
        self.port = 0

    async def over_socket(self, connection: ServerConnection) -> None:
        assert connection.request
        self.connections += 1
        self.keys.append(connection.request.headers.get("Authorization"))
        async for message in connection:
            asked = json.loads(message)
            self.asked.append(asked)
            said = self.answer(asked)
            if said == "hang up":
                return
            if said is not None:
                await connection.send(json.dumps(said))

    async def over_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = http.client.parse_headers(io.BytesIO(head.partition(b"\r\n")[2]))
                self.keys.append(fields["Authorization"])
                self.asked.append(json.loads(await reader.readexactly(int(fields["content-length"]))))
                said = self.answer(self.asked[-1])
                if said is None:
                    continue
                status = said if isinstance(said, http.HTTPStatus) else http.HTTPStatus.OK
                body = json.dumps(said).encode()
                writer.write(f"HTTP/1.1 {status.value} x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running(scheme: str, answer: Answer) -> AsyncIterator[Detector]:
    detector = Detector(answer)
    async with AsyncExitStack() as stack:
        if scheme == "ws":
            server = await stack.enter_async_context(serve(detector.over_socket, "127.0.0.1", 0))
        else:
            server = await stack.enter_async_context(await asyncio.start_server(detector.over_http, "127.0.0.1", 0))
        detector.port = next(iter(server.sockets)).getsockname()[1]
        yield detector


@asynccontextmanager
async def judge(scheme: str, port: int, outbound: Outbound = HERE, **options: Any) -> AsyncIterator[EndOfTurn]:
    """What a conversation asks whose persona names the detector."""
    hook = {"base_url": f"{scheme}://127.0.0.1:{port}/turn", "timeout_ms": 5_000, **options}
    flow = {"turn_detection_model": "hook", "turn_detector": hook}
    document = {"persona_name": "B", "system_prompt": "x", "layers": {"conversational_flow": flow}}
    assert persona_warnings(document) == []
    built_in = Layers(None, None, House(), None, None)  # type: ignore[arg-type]
    async with SharedEngines(built_in, Faces(), outbound).layers(
        Plan(persona=runnable(document), replica_id="")
    ) as found:
        yield found.end_of_turn


async def verdicts(judging: EndOfTurn, text: str = "I would like", asked: str = "Tea?") -> list[float]:
    async def words() -> str:
        await asyncio.sleep(0)
        return text

    async with asyncio.timeout(20):
        return [one async for one in judging.probabilities(UnreadPause(SOUND, 0.224, words(), asked))]


def by_words(asked: dict[str, Any]) -> object:
    return {"probability": 0.9 if asked["text"].endswith(".") else 0.1, "id": asked.get("id")}


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_detector_is_told_words_sound_and_question_and_its_answer_counts(scheme):
    async with running(scheme, by_words) as detector, judge(scheme, detector.port, api_key="k1") as judging:
        assert await verdicts(judging) == [0.1]
        assert await verdicts(judging, "I would like tea.") == [0.9]
    first = detector.asked[0]
    assert (first["text"], first["asked"], first["silence_s"]) == ("I would like", "Tea?", 0.224)
    assert first["sample_rate_hz"] == 16_000
    heard = np.frombuffer(base64.b64decode(first["sound"]), "<i2")
    assert len(heard) == 8 * 16_000
    assert np.abs(heard / 32768 - SOUND[-len(heard) :]).max() < 1e-3
    assert set(detector.keys) == {"Bearer k1"}
    assert detector.connections == 1  # it is kept


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_sound_is_kept_from_a_detector_that_wants_none(scheme):
    async with running(scheme, by_words) as detector, judge(scheme, detector.port, with_sound=False) as judging:
        assert await verdicts(judging) == [0.1]
    assert "sound" not in detector.asked[0]


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize(
    "answer", [{"probability": 7}, {"verdict": "done"}, "over", ["x"]], ids=["beyond", "nothing", "word", "list"]
)
async def test_built_in_judgement_counts_where_the_detector_answers_nonsense_which_then_rests(scheme, answer):
    async with running(scheme, lambda asked: answer) as detector, judge(scheme, detector.port) as judging:
        assert await verdicts(judging) == [BUILT_IN, BUILT_IN + 0.1]
        assert await verdicts(judging) == [BUILT_IN, BUILT_IN + 0.1]
    assert len(detector.asked) == 1


@pytest.mark.parametrize(
    ("scheme", "answer"), [("http", http.HTTPStatus.SERVICE_UNAVAILABLE), ("ws", "hang up")], ids=["busy", "gone"]
)
async def test_built_in_judgement_counts_where_the_detector_fails(scheme, answer):
    async with running(scheme, lambda asked: answer) as detector, judge(scheme, detector.port) as judging:
        assert await verdicts(judging) == [BUILT_IN, BUILT_IN + 0.1]


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_late_detector_is_asked_again_twice_and_then_rests(scheme):
    async with running(scheme, lambda asked: None) as detector, judge(scheme, detector.port, timeout_ms=20) as judging:
        for _ in range(5):
            assert await verdicts(judging) == [BUILT_IN, BUILT_IN + 0.1]
    assert len(detector.asked) <= 3


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_address_that_users_may_not_reach_is_not_asked(scheme):
    async with running(scheme, by_words) as detector, judge(scheme, detector.port, Outbound()) as judging:
        assert await verdicts(judging) == [BUILT_IN, BUILT_IN + 0.1]
    assert detector.connections == 0


async def test_words_that_cannot_be_had_are_the_recognisers_failure():
    async def words() -> str:
        raise EngineError("speech to text", "gone")

    async with running("http", by_words) as detector, judge("http", detector.port) as judging:
        with pytest.raises(EngineError, match="gone"):
            await anext(judging.probabilities(UnreadPause(SOUND, 0.2, words())))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "turn_detector.base_url"),
        ({"base_url": "ftp://host"}, "turn_detector.base_url"),
        ({"base_url": "wss://me:secret@host"}, "turn_detector.base_url"),
        ({"base_url": "https://host", "timeout_ms": 0}, "turn_detector.timeout_ms"),
        ({"base_url": "https://host", "colour": "red"}, "turn_detector.colour"),
    ],
)
def test_wrong_settings_are_refused_with_the_field(given, field):
    flow = {"turn_detection_model": "hook", "turn_detector": given}
    with pytest.raises(BadInputError) as refused:
        runnable({"persona_name": "B", "system_prompt": "x", "layers": {"conversational_flow": flow}})
    assert refused.value.field == f"layers.conversational_flow.{field}"
    assert "secret" not in str(refused.value)


def test_key_does_not_follow_to_another_address_and_the_address_is_checked():
    hook = {"base_url": "wss://one.example", "api_key": "k"}
    flow = {"turn_detection_model": "hook", "turn_detector": hook}
    document = {"persona_name": "B", "system_prompt": "x", "layers": {"conversational_flow": flow}}
    elsewhere = {"layers": {"conversational_flow": {"turn_detector": {"base_url": "wss://two.example"}}}}
    changed = merge(document, elsewhere)["layers"]["conversational_flow"]["turn_detector"]
    assert changed == {"base_url": "wss://two.example"}
    assert hook["api_key"] == "k"
    field = "layers.conversational_flow.turn_detector.base_url"
    assert outside_addresses(runnable(document)) == [(field, "https://one.example")]


def test_unknown_detection_models_are_named():
    flow = {"turn_detection_model": "clairvoyance"}
    (line,) = persona_warnings({"layers": {"conversational_flow": flow}})
    assert "clairvoyance" in line
