"""The turns of one call: who is being answered, and with what.

Owner of the speculative reply, which is prepared at every pause of the person and which only the floor's decision
lets be heard, and of the reply that is being played.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any

from visavis.conversation import events
from visavis.conversation.clock import Clock
from visavis.conversation.context import Context
from visavis.conversation.ear import (
    EarFailed,
    Heard,
    PartialText,
    PauseText,
    TurnDone,
    TurnPaused,
    TurnResumed,
    TurnStarted,
)
from visavis.conversation.events import EventStream, Role
from visavis.conversation.floor import Floor
from visavis.conversation.latency import Waterfall
from visavis.conversation.playout import Playing, Playout
from visavis.conversation.reply import Reply
from visavis.layers.llm import LanguageModel
from visavis.layers.tts import TextToSpeech
from visavis.replica import Attitude, Renderer

_log = logging.getLogger(__name__)

_PREFILL_WORDS = 3  # fewer words change too often to be worth preparing for


@dataclass(frozen=True, slots=True)
class _Speculation:
    """A reply to what the person seems to have said."""

    text: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class _Saying:
    """A reply that is being played, from `from_s` on."""

    reply: Reply
    playing: Playing
    from_s: float
    inference_id: str

    @property
    def heard_text(self) -> str:
        return self.reply.heard_text(self.playing.heard_s, self.from_s)


class Turns:
    """Takes what was heard and what is asked for; says something, stops, or goes on."""

    def __init__(
        self,
        context: Context,
        language_model: LanguageModel,
        voice: TextToSpeech,
        renderer: Renderer[object],
        playout: Playout,
        floor: Floor,
        stream: EventStream,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """All work runs in `tasks` and ends with it."""
        self._context = context
        self._language_model = language_model
        self._voice = voice
        self._renderer = renderer
        self._playout = playout
        self._floor = floor
        self._events = stream
        self._clock = clock
        self._tasks = tasks
        self._speculation: _Speculation | None = None
        self._saying: _Saying | None = None
        self._cut_off: _Saying | None = None
        self._person_started_at = 0.0
        self._preparation: asyncio.Task[None] | None = None

    def heard(self, heard: Heard) -> None:
        """The person did something with their voice."""
        match heard:
            case TurnStarted():
                self._person_started()
                self._cut_off = self._stop()
            case PartialText(text):
                self._events.emit(_streaming("user", text, final=False))
                self._prepare(text)
            case TurnPaused():
                self._stop_preparing()
            case PauseText(turn, text):
                self._speculate(text, turn.waterfall)
            case TurnResumed():
                self._drop_speculation()
            case TurnDone(turn):
                self._person_stopped()
                self._answer(turn.text, turn.waterfall)
            case EarFailed(error):
                _log.error("%s", error)
                self._person_stopped()
                self._events.emit(events.ConversationError(message="I could not hear that. Please say it again."))

    def respond(self, text: str) -> None:
        """Answer as if the person had said `text`."""
        self.interrupt()
        waterfall = Waterfall()
        waterfall.mark("final_text", self._clock.now())
        self._answer(text.strip(), waterfall)

    def say(self, text: str) -> None:
        """Say exactly `text`."""
        self._play(self._reply(_once(text), Waterfall()))

    def interrupt(self) -> None:
        """Stop speaking for good."""
        self._drop_speculation()
        if saying := self._stop():
            saying.reply.drop()

    # The person's side

    def _person_started(self) -> None:
        self._person_started_at = self._clock.now()
        self._playout.attitude = Attitude.LISTENING
        self._events.emit(events.UserStartedSpeaking())
        self._events.emit(events.StartedSpeaking(role="user"))

    def _person_stopped(self) -> None:
        self._playout.attitude = Attitude.IDLE
        duration = round(self._clock.now() - self._person_started_at, 3)
        self._events.emit(events.UserStoppedSpeaking())
        self._events.emit(events.StoppedSpeaking(role="user", duration=duration))

    def _prepare(self, text: str) -> None:
        """Let the language model read the words so far, unless it is still at earlier ones."""
        if len(text.split()) >= _PREFILL_WORDS and (self._preparation is None or self._preparation.done()):
            self._preparation = self._start(self._language_model.prefill(self._context.with_person(text)))

    def _stop_preparing(self) -> None:
        """Leave the cores to the recogniser; what has been read so far stays read."""
        if self._preparation:
            self._preparation.cancel()
            self._preparation = None

    def _speculate(self, text: str, waterfall: Waterfall) -> None:
        if self._speculation and self._speculation.text == text:
            return
        self._drop_speculation()
        if text:
            self._forget_cut_off()
            stream = self._language_model.stream(self._context.with_person(text))
            self._speculation = _Speculation(text, self._reply(stream, waterfall))

    def _drop_speculation(self) -> None:
        if self._speculation:
            self._speculation.reply.drop()
            self._speculation = None

    def _answer(self, text: str, waterfall: Waterfall) -> None:
        """The person has said `text` and waits."""
        if not text:
            self._drop_speculation()
            self._go_on()
            return
        self._speculate(text, waterfall)
        assert self._speculation
        reply, self._speculation = self._speculation.reply, None
        reply.waterfall.inherit(waterfall, ("last_voice", "vad_end", "turn_decision", "final_text"))
        self._events.turn_idx += 1
        self._events.emit(_streaming("user", text, final=True))
        self._events.emit(events.Utterance(role="user", speech=text))
        self._context.add_person(text)
        self._playout.attitude = Attitude.THINKING
        self._play(reply)

    # The replica's side

    def _reply(self, text: AsyncIterator[str], waterfall: Waterfall) -> Reply:
        return Reply(text, self._voice, self._renderer, self._clock, waterfall, self._tasks)

    def _play(self, reply: Reply, from_s: float = 0.0) -> None:
        self._saying = _Saying(reply, self._playout.play(reply, from_s), from_s, str(uuid.uuid4()))
        self._start(self._follow(self._saying))

    async def _follow(self, saying: _Saying) -> None:
        """Publish what the person hears, while they hear it."""
        started, shown = False, ""
        async for _ in saying.playing.progress():
            if saying.playing.over:
                break
            if not started:
                started = True
                self._replica_started(saying)
            words = saying.heard_text
            if words != shown:
                shown = words
                self._events.emit(_streaming("replica", words, final=False), saying.inference_id)
        if not saying.playing.interrupted:
            if self._saying is saying:  # the next one may have begun in the meantime
                self._saying = None
            self._replica_stopped(saying)

    def _replica_started(self, saying: _Saying) -> None:
        self._floor.replica_speaks = True
        self._events.emit(events.ReplicaStartedSpeaking(), saying.inference_id)
        self._events.emit(events.StartedSpeaking(role="replica"), saying.inference_id)
        if "final_text" in saying.reply.waterfall.stages_ms() and not saying.from_s:
            self._start(self._report_latency(saying))

    async def _report_latency(self, saying: _Saying) -> None:
        playing, waterfall = saying.playing, saying.reply.waterfall
        await playing.seen()
        if playing.started_at is not None:
            waterfall.mark("sent", playing.started_at)
        if playing.first_frame_at is not None:
            waterfall.mark("first_frame", playing.first_frame_at)
        total, stages = waterfall.utterance_to_utterance_ms, waterfall.stages_ms()
        _log.info("turn %d answered after %s ms: %s", self._events.turn_idx, total, stages)
        self._events.emit(events.Latency(utterance_to_utterance_ms=total, stages=dict(stages)), saying.inference_id)

    def _stop(self) -> _Saying | None:
        """Cut off what is being said; returns it."""
        saying, self._saying = self._saying, None
        self._playout.clear()
        if saying is None or not saying.playing.interrupted:
            return None  # nothing, or it had just come to its end
        self._replica_stopped(saying)
        return saying

    def _go_on(self) -> None:
        """What cut the replica off was no speech: go on with the word that was cut."""
        cut_off, self._cut_off = self._cut_off, None
        if cut_off and not cut_off.reply.failure:
            self._play(cut_off.reply, cut_off.reply.rewind(cut_off.playing.heard_s))

    def _forget_cut_off(self) -> None:
        if self._cut_off:
            self._cut_off.reply.drop()
            self._cut_off = None

    def _replica_stopped(self, saying: _Saying) -> None:
        """Tell what was heard, and remember it."""
        self._floor.replica_speaks = False
        self._playout.attitude = Attitude.IDLE
        playing, inference_id, heard = saying.playing, saying.inference_id, saying.heard_text
        cut = playing.interrupted
        if playing.started_at is not None:
            duration = round(playing.heard_s - saying.from_s, 3)
            self._events.emit(events.ReplicaStoppedSpeaking(duration=duration, interrupted=cut), inference_id)
            self._events.emit(events.StoppedSpeaking(role="replica", duration=duration, interrupted=cut), inference_id)
            self._events.emit(_streaming("replica", heard, final=True, interrupted=cut), inference_id)
        if heard:
            self._events.emit(
                events.Utterance(role="replica", speech=heard, interrupted=True if cut else None), inference_id
            )
        if saying.reply.failure and not cut:
            self._events.emit(events.ConversationError(message=saying.reply.failure))
        self._context.add_replica(heard)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.create_task(work)


def _streaming(role: Role, speech: str, *, final: bool, interrupted: bool = False) -> events.UtteranceStreaming:
    return events.UtteranceStreaming(
        role=role,
        speech=speech,
        content_index=len(speech.split()),
        final=final,
        is_interrupted=True if interrupted else None,
    )


async def _once(text: str) -> AsyncIterator[str]:
    yield text
