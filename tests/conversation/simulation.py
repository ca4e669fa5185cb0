"""A simulated world for conversations: time that jumps, and engines that follow a script.

The engines stand for what lies outside the conversation core (models); everything of the core is real.
"""

import asyncio
import selectors
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.conversation.persona import ConversationalFlow, Persona, PersonaLayers, PipelineMode
from visavis.errors import EngineError
from visavis.layers import Layers
from visavis.layers.llm import Function, Message, ToolRequest
from visavis.layers.tools import Tool
from visavis.layers.tts import Speech, Word
from visavis.layers.turn import Ending, UnreadPause, WordsJudge
from visavis.replica import Attitude, Background, Emotion, Frame, Rapport

WORD_S = 0.3
PIECE = LISTEN_RATE_HZ // 50


class _JumpingSelector(selectors.SelectSelector):
    """When nothing is ready, lets the waiting time pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop on simulated time, without threads: work given to executors is done on the spot."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.set_default_executor(_OnTheSpot())

    def time(self) -> float:
        return self._jumping.now


class _OnTheSpot(ThreadPoolExecutor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def simulate(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run `work` on simulated time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work())


def speech(seconds: float) -> Samples:
    """Something that the scripted voice activity takes for speech."""
    # Unlike the replica's voice, or it would be taken for its echo.
    return np.resize(np.array([0.5, 0.5, -0.5, -0.5], np.float32), round(seconds * LISTEN_RATE_HZ))


def silence(seconds: float) -> Samples:
    """Something that it takes for silence."""
    return np.zeros(round(seconds * LISTEN_RATE_HZ), np.float32)


class LevelActivity:
    """Voice activity by level."""

    def probability(self, frame: Samples) -> float:
        return float(np.abs(frame).mean() * 2)

    def reset(self) -> None:
        pass


@dataclass
class ScriptedRecogniser:
    """Hears the next sentence of the script in every utterance that has enough sound.

    A sentence of several parts, divided by "|", is heard part by part at the pauses.
    """

    sentences: list[str]
    takes_s: float = 0.15
    fails: bool = False
    finals: int = 0

    def utterance(self) -> "ScriptedUtterance":
        return ScriptedUtterance(self)


@dataclass
class ScriptedUtterance:
    recogniser: ScriptedRecogniser
    voiced: int = 0
    text: str | None = None
    pauses: int = 0

    def feed(self, samples: Samples) -> None:
        self.voiced += int((np.abs(samples) > 0.1).sum())

    async def partial(self) -> str:
        words = (self.text or (self.recogniser.sentences or [""])[0]).replace("|", "").split()
        return " ".join(words[: round(self.voiced / LISTEN_RATE_HZ / WORD_S)])

    async def final(self) -> str:
        await asyncio.sleep(self.recogniser.takes_s)
        if self.recogniser.fails:
            raise EngineError("recogniser", "it broke")
        self.recogniser.finals += 1
        if self.text is None:
            if self.voiced < 0.3 * LISTEN_RATE_HZ:
                return ""  # a cough
            self.text = self.recogniser.sentences.pop(0)
        self.pauses += 1
        return " ".join("".join(self.text.split("|")[: self.pauses]).split())


@dataclass
class ScriptedEndOfTurn:
    scripted: list[float] = field(default_factory=list)
    second_thoughts: list[float] = field(default_factory=list)

    async def probabilities(self, pause: UnreadPause) -> AsyncGenerator[float, None]:
        words, _ = await asyncio.gather(pause.words, asyncio.sleep(0.09))
        if pause.ending and (ending := await pause.ending(words)):
            yield 0.9 if ending.of_turn > -2 else 0.1
            return
        yield self.scripted.pop(0) if self.scripted else 0.9
        if self.second_thoughts:
            await asyncio.sleep(0.2)
            yield self.second_thoughts.pop(0)


@dataclass
class ScriptedWordsJudge:
    """Takes what ends in "end" for an end; remembers what it read and was asked."""

    takes_s: float = 0.06
    read_along: list[tuple[str, str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def read(self, asked: str, text: str) -> None:
        self.read_along.append((asked, text))
        await asyncio.sleep(self.takes_s)

    async def ending(self, asked: str, text: str) -> Ending | None:
        self.asked.append((asked, text))
        await asyncio.sleep(self.takes_s)
        return Ending(-0.1 if text.endswith("end") else -9.0, -0.1)


@dataclass
class ScriptedModel:
    """Answers with the next reply, token by token; remembers what it was asked."""

    shares_processor: ClassVar[bool] = False

    replies: list[str | list[tuple[str, str]]]
    """What it says, or the tools that it wants used: names and arguments."""
    first_token_s: float = 0.25
    token_s: float = 0.04
    fails_after: int | None = None
    asked: list[list[Message]] = field(default_factory=list)
    offered: list[list[str]] = field(default_factory=list)
    closed: int = 0
    prefilled: list[str] = field(default_factory=list)

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Function] = ()
    ) -> AsyncIterator[str | ToolRequest]:
        self.asked.append(list(messages))
        self.offered.append([tool.name for tool in tools])
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if isinstance(reply, list):
            await asyncio.sleep(self.first_token_s)
            for index, (name, arguments) in enumerate(reply):
                yield ToolRequest(f"model{index}", name, arguments)
            return
        try:
            await asyncio.sleep(self.first_token_s)
            for index, word in enumerate(reply.split(" ")):
                if self.fails_after == index:
                    raise EngineError("language model", "it was killed")
                yield word if index == 0 else f" {word}"
                await asyncio.sleep(self.token_s)
        finally:
            self.closed += 1

    def rest(self, seconds: float) -> None:
        pass

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        self.prefilled.append(messages[-1].content)


class SteadyVoice:
    """Takes 300 ms for every word and hums."""

    async def stream(self, text: str) -> AsyncIterator[Speech]:
        await asyncio.sleep(0.05)
        texts = text.split()
        words = tuple(Word(word, i * WORD_S, (i + 1) * WORD_S) for i, word in enumerate(texts))
        hum = 1000 * np.cos(2 * np.pi * 200 / PLAYOUT_RATE_HZ * np.arange(round(len(texts) * WORD_S * PLAYOUT_RATE_HZ)))
        yield Speech(hum.astype(np.int16), words, ())


class CountingFace:
    """Frames that carry their motion, so that tests can pair them with sound."""

    name, size = "face", (8, 8)
    rapport = Rapport()

    def renderer(self, background: Background | None = None) -> "CountingFace":
        return self

    def plan(self, speech: Speech) -> Sequence[int]:
        return [1] * -(-len(speech.pcm) // (PLAYOUT_RATE_HZ // 25))

    def follow_sound(self) -> "CountingFace":
        return self

    def next(self, sound: Pcm) -> int:
        return 1

    def express(self, emotion: Emotion) -> None:
        self.emotion = emotion

    def mirror(self, rapport: Rapport) -> None:
        self.rapport = rapport

    def render(self, motion: object, attitude: Attitude) -> Frame:
        return np.full((8, 8, 3), 255 if motion else 0, np.uint8)


class SimulatedCall:
    """A person with a script: sound to say, then silence for ever."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, int, bool]] = []
        self.frames: list[tuple[float, int, bool]] = []
        self.events: list[Mapping[str, Any]] = []
        self.closed = False
        self._sound: list[Samples] = []
        self._messages: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    def speak(self, *parts: Samples) -> None:
        """Say `parts`, after what is being said."""
        sound = np.concatenate(parts)
        self._sound.extend(sound[i : i + PIECE] for i in range(0, len(sound) - PIECE + 1, PIECE))

    def type(self, event_type: str, **properties: Any) -> None:
        """Send a message from the page."""
        self._messages.put_nowait({"event_type": event_type, "properties": properties})

    async def connected(self) -> bool:
        return True

    async def hear(self) -> AsyncIterator[Samples]:
        loop = asyncio.get_running_loop()
        start, count = loop.time(), 0
        while not self.closed:
            count += 1
            await asyncio.sleep(max(0.0, start + count * 0.02 - loop.time()))
            yield self._sound.pop(0) if self._sound else silence(0.02)

    async def messages(self) -> AsyncIterator[Mapping[str, Any]]:
        while True:
            yield await self._messages.get()

    def send_audio(self, pcm: Pcm, position: int) -> None:
        self.sent.append((asyncio.get_running_loop().time(), position, bool(np.abs(pcm).max() > 0)))

    def send_frame(self, frame: Frame, position: int) -> None:
        self.frames.append((asyncio.get_running_loop().time(), position, bool(frame.max())))

    def send_event(self, event: Mapping[str, Any]) -> None:
        self.events.append({**event, "_at": asyncio.get_running_loop().time()})

    async def close(self) -> None:
        self.closed = True

    def said(self, event_type: str) -> list[Mapping[str, Any]]:
        """The events of a type so far."""
        return [event for event in self.events if event["event_type"] == event_type]

    def sounding(self) -> list[float]:
        """Times at which packets with sound left."""
        return [at for at, _, loud in self.sent if loud]


@dataclass
class World:
    """A conversation with scripted engines."""

    call: SimulatedCall
    conversation: Conversation
    recogniser: ScriptedRecogniser
    end_of_turn: ScriptedEndOfTurn
    model: ScriptedModel

    async def run_for(self, seconds: float) -> None:
        """Let the conversation go on from its start for `seconds`, then hang up."""
        run = asyncio.create_task(self.conversation.run(self.call))
        await asyncio.sleep(seconds)
        await self.call.close()
        await run


def world(
    said: list[str],
    replies: list[Any],
    greeting: str = "",
    mode: PipelineMode = "full",
    tools: Sequence[Tool] = (),
    persona_tools: Sequence[Mapping[str, Any]] = (),
    system_tools: Sequence[str] = (),
    words_judge: WordsJudge | None = None,
    **flow: Any,
) -> World:
    """A world in which the person says `said` and the model answers `replies`; `flow` are the persona's settings.

    Openers are off unless asked for, so that replies begin with the model's words.
    """
    recogniser, end_of_turn, model = ScriptedRecogniser(list(said)), ScriptedEndOfTurn(), ScriptedModel(replies)
    layers = Layers(
        LevelActivity, recogniser, end_of_turn, model, SteadyVoice(), tools=tuple(tools), words_judge=words_judge
    )
    layers_wanted = PersonaLayers(conversational_flow=ConversationalFlow(**{"openers": False, **flow}))
    persona = Persona(
        persona_name="Test",
        pipeline_mode=mode,
        system_prompt="You are a test.",
        greeting=greeting,
        layers=layers_wanted,
        tools=persona_tools,
        system_tools=system_tools,
    )
    conversation = Conversation("ctest", persona, CountingFace(), layers, LoopClock())
    return World(SimulatedCall(), conversation, recogniser, end_of_turn, model)
