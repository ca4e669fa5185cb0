"""LiveKit's interfaces for recogniser, voice and language model in terms of ours."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import llm, stt
from livekit.agents.llm import function_tool
from livekit.agents.types import APIConnectOptions

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.errors import EngineError
from visavis.layers.llm import Function, Message, Piece, Tokens, ToolRequest
from visavis.layers.tts import Speech
from visavis.layers.tts.openai_speech import EstimatedWords
from visavis.layers.tts.spoken_text import spoken_text
from visavis.resampling import Resampler, as_pcm, as_samples

_log = logging.getLogger(__name__)

FINAL_S = 3.0
"""Longest wait for a final text, and for the first sound."""

SETTLED_S = 0.15
"""A final text to which nothing was added for so long is all of it."""

PIECE_S = 0.4
_ONE_TRY = APIConnectOptions(max_retry=0, timeout=10.0)


class LiveKitRecogniser:
    """A `visavis.layers.stt.SpeechToText`."""

    def __init__(self, plugin: Any, name: str) -> None:
        self._plugin = plugin
        self._name = name
        self._streams: set[Any] = set()

    def utterance(self) -> "_Streamed | _Whole":
        """See `visavis.layers.stt.SpeechToText`."""
        if not self._plugin.capabilities.streaming:
            return _Whole(self._plugin, self._name)
        made = _Streamed(self._plugin, self._name)
        self._streams = {one for one in self._streams if not one.over} | {made}
        return made

    async def aclose(self) -> None:
        """Close what still listens."""
        for one in self._streams:
            await one.aclose()


class _Whole:
    """An utterance for a recogniser that takes whole recordings."""

    def __init__(self, plugin: Any, name: str) -> None:
        self._plugin = plugin
        self._name = name
        self._sound: list[Samples] = []

    def feed(self, samples: Samples) -> None:
        """See `visavis.layers.stt.Utterance`, as for all that follow."""
        self._sound.append(samples)

    async def partial(self) -> str:
        return ""  # would be a request each time

    async def final(self) -> str:
        frame = _frame(np.concatenate([np.zeros(0, np.float32), *self._sound]))
        try:
            async with asyncio.timeout(FINAL_S):
                event = await self._plugin.recognize(frame, conn_options=_ONE_TRY)
        except TimeoutError:
            raise EngineError("recogniser", f"{self._name} did not answer within {FINAL_S:g} s") from None
        except Exception as error:
            raise EngineError("recogniser", f"{self._name} failed ({type(error).__name__})") from None
        return str(event.alternatives[0].text).strip() if event.alternatives else ""


class _Streamed:
    """An utterance for a recogniser that listens while somebody speaks. Owns its connection."""

    def __init__(self, plugin: Any, name: str) -> None:
        self.over = False
        self._name = name
        self._stream = plugin.stream(conn_options=_ONE_TRY)
        self._finals: list[str] = []
        self._interim = ""
        self._unsettled = False
        self._problem: str | None = None
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    def feed(self, samples: Samples) -> None:
        """See `visavis.layers.stt.Utterance`, as for all that follow."""
        if not self.over:
            self._unsettled = True
            with suppress(RuntimeError):  # it is closed already
                self._stream.push_frame(_frame(samples))

    async def partial(self) -> str:
        return " ".join([*self._finals, self._interim]).strip()

    async def final(self) -> str:
        if self._unsettled and not self.over:
            self._unsettled = False
            known = len(self._finals)
            self._stream.flush()
            with suppress(TimeoutError):
                async with asyncio.timeout(FINAL_S):
                    while not self.over and (len(self._finals) == known or self._interim):
                        await self._change()
            with suppress(TimeoutError):
                while not self.over:
                    async with asyncio.timeout(SETTLED_S):
                        await self._change()
        if self._problem is not None and not self._finals:
            raise EngineError("recogniser", self._problem)
        return await self.partial()

    async def aclose(self) -> None:
        self.over = True
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._stream.aclose()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _read(self) -> None:
        try:
            async for event in self._stream:
                text = event.alternatives[0].text if event.alternatives else ""
                if event.type == stt.SpeechEventType.INTERIM_TRANSCRIPT:
                    self._interim = text
                elif event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
                    self._finals.append(text)
                    self._interim = ""
                self._changed.set()
        except Exception as error:  # foreign code may fail in any way
            self._problem = f"{self._name} failed ({type(error).__name__})"
            _log.error("%s", self._problem)
        finally:
            self.over = True
            self._changed.set()


class LiveKitVoice:
    """A `visavis.layers.tts.TextToSpeech`."""

    def __init__(self, plugin: Any, name: str) -> None:
        self._plugin = plugin
        self._name = name

    async def aclose(self) -> None:
        """Nothing: each text has a connection of its own."""

    async def stream(self, text: str) -> AsyncGenerator[Speech, None]:
        """Speak `text`, piece by piece; see `visavis.layers.tts.TextToSpeech`. Raises `EngineError`."""
        said = spoken_text(text)
        if not said:
            return
        words, held, spoke = EstimatedWords(text.split(), 1.0), np.zeros(0, np.int16), False
        async for pcm in self._sound(said):
            held = np.concatenate([held, pcm])
            size = round(PIECE_S * PLAYOUT_RATE_HZ)
            while len(held) > 2 * size:  # what follows may be the end, which takes all words
                yield Speech(held[:size], tuple(words.until(PIECE_S)), ())
                held, spoke = held[size:], True
        if not len(held) and not spoke:
            raise EngineError("voice", f"{self._name} sent no sound")
        yield Speech(held, tuple(words.rest(len(held) / PLAYOUT_RATE_HZ)), ())

    async def _sound(self, text: str) -> AsyncGenerator[Pcm, None]:
        resampler: Resampler | None = None
        try:
            async with self._plugin.synthesize(text, conn_options=_ONE_TRY) as stream:
                pieces = aiter(stream)
                while True:
                    async with asyncio.timeout(FINAL_S):
                        piece = await anext(pieces, None)
                    if piece is None:
                        return
                    frame = piece.frame
                    resampler = resampler or Resampler(frame.sample_rate, PLAYOUT_RATE_HZ)
                    mono = np.frombuffer(frame.data, np.int16)[:: frame.num_channels]
                    yield as_pcm(resampler.feed(as_samples(mono)))
        except TimeoutError:
            raise EngineError("voice", f"{self._name} sent no sound in time") from None
        except GeneratorExit:
            raise
        except Exception as error:
            raise EngineError("voice", f"{self._name} failed ({type(error).__name__})") from None


class LiveKitModel:
    """A `visavis.layers.llm.LanguageModel`."""

    shares_processor = False

    def __init__(self, plugin: Any, name: str) -> None:
        self._plugin = plugin
        self._name = name

    async def aclose(self) -> None:
        """Nothing: each reply has a connection of its own."""

    async def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncGenerator[Piece, None]:
        """See `visavis.layers.llm.LanguageModel`. Raises `EngineError`."""
        offered = [_tool(one) for one in tools]
        try:
            stream = self._plugin.chat(chat_ctx=_context(messages), tools=offered, conn_options=_ONE_TRY)
            async with aclosing(stream) as chunks:
                async for chunk in chunks:
                    if chunk.delta and chunk.delta.content:
                        yield chunk.delta.content
                    for call in chunk.delta.tool_calls if chunk.delta else ():
                        yield ToolRequest(call.call_id, call.name, call.arguments)
                    if used := chunk.usage:
                        yield Tokens(used.prompt_tokens, used.completion_tokens, used.prompt_cached_tokens)
        except GeneratorExit:
            raise
        except Exception as error:
            raise EngineError("language model", f"{self._name} failed ({type(error).__name__})") from None

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        """Nothing."""

    def rest(self, seconds: float) -> None:
        """Nothing: the work is done elsewhere."""


def _frame(samples: Samples) -> rtc.AudioFrame:
    return rtc.AudioFrame(as_pcm(samples).tobytes(), LISTEN_RATE_HZ, 1, len(samples))


def _context(messages: Sequence[Message]) -> llm.ChatContext:
    context = llm.ChatContext()
    for message in messages:
        if message.role == "tool":
            output = llm.FunctionCallOutput(call_id=message.call_id, output=message.content, is_error=False)
            context.items.append(output)
            continue
        if message.content:
            context.add_message(role=message.role, content=message.content)
        for one in message.tool_requests:
            context.items.append(llm.FunctionCall(call_id=one.call_id, name=one.name, arguments=one.arguments or "{}"))
    return context


def _tool(function: Function) -> Any:
    async def never(raw_arguments: dict[str, object]) -> None:
        """Tools are done by the conversation."""

    schema = {"name": function.name, "description": function.description, "parameters": dict(function.parameters)}
    return function_tool(never, raw_schema=schema)
