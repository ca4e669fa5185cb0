"""The turns of one call: who is being answered, and with what.

Owner of the speculative reply, which is prepared at every pause of the person and which only the floor's decision
lets be heard, and of the reply that is being played.
"""

import asyncio
import logging
import statistics
import uuid
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from visavis.conversation import engagement, events
from visavis.conversation.answer import Answer
from visavis.conversation.answers import Answers
from visavis.conversation.attention import Attention
from visavis.conversation.clock import Clock
from visavis.conversation.context import Context
from visavis.conversation.ear import (
    EarFailed,
    Heard,
    OverlapBegan,
    OverlapPassed,
    PartialText,
    PauseJudged,
    PauseText,
    PersonTurn,
    TurnDone,
    TurnPaused,
    TurnResumed,
    TurnStarted,
)
from visavis.conversation.engagement import Engagement
from visavis.conversation.events import EventStream, Role
from visavis.conversation.floor import Doing, Floor
from visavis.conversation.latency import Waterfall
from visavis.conversation.openers import Openers
from visavis.conversation.persona import ConversationalFlow
from visavis.conversation.playout import Playing, Playout
from visavis.conversation.reply import Reply
from visavis.conversation.showing import Showing
from visavis.conversation.sound_reply import SoundReply
from visavis.conversation.toolbox import Toolbox
from visavis.conversation.words import same_words
from visavis.layers.llm import LanguageModel, Message
from visavis.layers.tts import TextToSpeech
from visavis.replica import Attitude, Renderer

_log = logging.getLogger(__name__)

_PREFILL_WORDS = 3  # fewer words change too often to be worth preparing for

_YIELD_S = 0.4
"""Who speaks within this much of the replica's speech had not finished: both began at once, and the replica yields."""

_TYPICAL_S = 1.0
"""How long a reply's first sound takes after the words are known, until it has been measured."""

_JUDGING_S = 0.5
"""Longer than it takes to recognise the last words and to judge whether they were the last."""

_TIMED = {"final_text", "turn_decision", "asked"}
"""Stages that only an answer to the person has, and what a client has said: of these the latency is reported."""

_NOD_EVERY_S = 3.0

_QUESTION_OPEN_S = 8.0
"""So long after the replica's question a gesture is an answer to it."""


@dataclass(frozen=True, slots=True)
class _Speculation:
    """A reply to what the person seems to have said."""

    text: str
    reply: Reply
    answer: Answer


@dataclass(frozen=True, slots=True)
class Saying:
    """A reply that is being played, from `from_s` on."""

    reply: Reply | SoundReply
    playing: Playing
    from_s: float
    inference_id: str
    interruptible: bool
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def heard_text(self) -> str:
        return self.reply.heard_text(self.playing.heard_s, self.from_s)

    @property
    def remembered_text(self) -> str:
        """What was heard, without the opener, which the language model would learn to repeat."""
        return self.reply.heard_text(self.playing.heard_s, self.from_s, opener=False)


class Turns:
    """Takes what was heard and what is asked for; says something, stops, or goes on."""

    def __init__(
        self,
        flow: ConversationalFlow,
        context: Context,
        language_model: LanguageModel,
        voice: TextToSpeech,
        renderer: Renderer[object],
        playout: Playout,
        floor: Floor,
        stream: EventStream,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        toolbox: Toolbox,
        *,
        speculative: bool = True,
        showing: Showing | None = None,
    ) -> None:
        """All work runs in `tasks` and ends with it. `speculative` prepares replies before the turn is over.

        `showing` is what the person shows, for a language model that takes pictures.
        """
        self._flow = flow
        self._context = context
        self._language_model = language_model
        self._voice = voice
        self._renderer = renderer
        self._playout = playout
        self._floor = floor
        self._events = stream
        self._clock = clock
        self._tasks = tasks
        self._toolbox = toolbox
        self._answers = Answers(language_model, toolbox, stream, showing)
        self._speculative = speculative
        self._openers = Openers(voice) if flow.openers else None
        self._attention = Attention(flow.wake_phrase, flow.sleep_phrase)
        self._engagement = Engagement(flow.idle_engagement, clock.now())
        self._speculation: _Speculation | None = None
        self._saying: Saying | None = None
        self._cut_off: Saying | None = None
        self._took_s: deque[float] = deque(maxlen=5)
        self._person_started_at = 0.0
        self._nodded_at = 0.0
        self._asked_at: float | None = None
        self.alone = False
        """Nobody is in view. Set by whoever watches."""
        self.elsewhere = False
        """The person speaks to somebody beside them. Set by whoever watches."""
        self._preparation: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Do in advance what would cost time in a turn."""
        if self._openers:
            await self._openers.prepare()

    def context_changed(self) -> None:
        """The prompt is another one; the language model is told with the next reply."""

    async def keep_company(self) -> None:
        """Speak up after long silences, as the persona wishes; runs until cancelled."""
        while True:
            await self._clock.sleep_until(self._clock.now() + 0.5)
            if self._attention.awake and not self.alone and self._engagement.due(self._clock.now()):
                question = self._context.with_person(engagement.PROMPT)
                self._play(self._reply(self._committed(question, tools=False).text(), Waterfall()))

    def heard(self, heard: Heard) -> None:
        """The person did something with their voice."""
        match heard:
            case OverlapBegan():
                self._overlap_began()
            case OverlapPassed(text):
                self._overlap_passed(text)
            case TurnStarted(turn):
                self._turn_started(turn)
            case PartialText(text):
                self._follow_words(text)
            case TurnPaused():
                self._stop_preparing()
                self._language_model.rest(_JUDGING_S)
                self._nod()
            case PauseText(turn, text):
                if not self._language_model.shares_processor:
                    self._consider(text, turn.waterfall)
            case PauseJudged(turn):
                if self._language_model.shares_processor:
                    self._consider(turn.text, turn.waterfall)
            case TurnResumed():
                # The speculation stays until the words show that there is more than "um": see PartialText.
                self._playout.attitude = Attitude.LISTENING
            case TurnDone(turn):
                self._person_stopped()
                self._take_turn(turn)
            case EarFailed(error):
                _log.error("%s", error)
                self._person_stopped()
                self._engagement.quiet(self._clock.now())
                self._events.emit(events.ConversationError(message="I could not hear that. Please say it again."))

    def respond(self, text: str) -> None:
        """Answer as if the person had said `text`."""
        self.interrupt()
        self._engagement.person_spoke()
        waterfall = Waterfall()
        waterfall.mark("final_text", self._clock.now())
        self._answer(text.strip(), waterfall)

    def say(self, text: str, *, interruptible: bool = True) -> None:
        """Say exactly `text`."""
        self._play(self._reply(_once(text), Waterfall()), interruptible=interruptible)

    def question_is_open(self) -> bool:
        """The replica has just asked something, and nobody speaks."""
        if self._saying or self._asked_at is None or self._floor.person_speaks or not self._attention.awake:
            return False
        return self._clock.now() - self._asked_at <= _QUESTION_OPEN_S

    async def farewell(self, text: str) -> None:
        """Say exactly `text`, whatever the person does; returns when it has been heard."""
        self.interrupt()
        playing = self._play(self._reply(_once(text), Waterfall()), interruptible=False)
        async for _ in playing.progress():
            pass

    async def silence(self) -> None:
        """Return when nothing is being said and nothing is about to be."""
        while self._saying:
            await self._saying.over.wait()

    async def said(self) -> bool:
        """Wait until what is being said is over; whether it was heard to its end."""
        if saying := self._saying:
            await saying.over.wait()
            return not saying.playing.interrupted
        return True

    def learn(self, name: str, result: str, respond: bool) -> None:
        """A tool's result came when no reply waited for it any more; `respond` makes one from it."""
        self._context.add_note(f"Result of {name}: {result}")
        if respond:
            self._start(self._speak_of_news())

    async def _speak_of_news(self) -> None:
        await self.silence()
        if not (self._floor.person_speaks or self._speculation):
            self._play(self._reply(self._committed(self._context.messages()).text(), Waterfall()))

    async def echo(self, said: AsyncIterator[str] | SoundReply, inference_id: str) -> bool:
        """Say exactly `said` from now on; returns when it is over, and whether it was interrupted."""
        reply = said if isinstance(said, SoundReply) else self._reply(said, Waterfall())
        reply.waterfall.mark("asked", self._clock.now())
        playing = self._play(reply, inference_id=inference_id)
        assert self._saying
        await self._saying.over.wait()
        return playing.interrupted

    def interrupt(self) -> None:
        """Stop speaking for good."""
        self._drop_speculation()
        self._forget_cut_off()
        if saying := self._stop():
            saying.reply.drop()

    # The person's side

    def _overlap_began(self) -> None:
        """Fall silent at once, and wait for what it turns out to be."""
        held = self._flow.replica_interruptibility != "low"
        self._events.emit(events.Overlap(outcome="began", held=held))
        if held:
            self._playout.attitude = Attitude.LISTENING
            self._playout.hold()

    def _overlap_passed(self, text: str) -> None:
        """It was no interruption: go on with the word that was cut."""
        self._events.emit(events.Overlap(outcome="backchannel" if text else "noise", speech=text or None))
        if (saying := self._saying) and self._playout.held:
            self._playout.go_on(saying.reply.rewind(saying.playing.heard_s))

    def _turn_started(self, turn: PersonTurn) -> None:
        if turn.overlap:
            self._events.emit(events.Overlap(outcome="interruption"))
        self._cut_off = self._stop()
        self._asked_at = None
        self._person_started_at = self._nodded_at = self._clock.now()
        self._engagement.person_spoke()
        self._playout.attitude = Attitude.LISTENING
        self._events.emit(events.UserStartedSpeaking())
        self._events.emit(events.StartedSpeaking(role="user"))

    def _follow_words(self, text: str) -> None:
        """Make ready for an answer to the words so far, unless that is being done."""
        self._events.emit(streaming("user", text, final=False))
        if self._speculation and not same_words(self._speculation.text, text):
            self._drop_speculation()
        if self._speculation is None:
            self._prepare(text)

    def _person_stopped(self) -> None:
        self._playout.attitude = Attitude.IDLE
        duration = round(self._clock.now() - self._person_started_at, 3)
        self._events.emit(events.UserStoppedSpeaking())
        self._events.emit(events.StoppedSpeaking(role="user", duration=duration))

    def _nod(self) -> None:
        """A sign of attention at the end of a phrase, to somebody who has the floor for longer."""
        now = self._clock.now()
        if self._flow.active_listening and now - self._nodded_at > _NOD_EVERY_S:
            self._nodded_at = now
            self._playout.attitude = Attitude.NODDING

    def _prepare(self, text: str) -> None:
        """Let the language model read the words so far, unless it is still at earlier ones."""
        busy = self._preparation and not self._preparation.done()
        if self._speculative and not busy and len(text.split()) >= _PREFILL_WORDS:
            asked, functions = self._context.with_person(text), self._toolbox.functions
            self._preparation = self._start(self._language_model.prefill(asked, functions))

    def _stop_preparing(self) -> None:
        """Leave the cores to the recogniser; what has been read so far stays read."""
        if self._preparation:
            self._preparation.cancel()
            self._preparation = None

    def _consider(self, text: str, waterfall: Waterfall) -> None:
        """Prepare an answer to what may be the end."""
        if self._speculative and self._attention.would_answer(text):
            self._speculate(text, waterfall)

    def _speculate(self, text: str, waterfall: Waterfall) -> None:
        if self._speculation and same_words(self._speculation.text, text):
            return
        self._drop_speculation()
        if text:
            self._forget_cut_off()
            answer = self._answers.to(self._context.with_person(text))
            self._speculation = _Speculation(text, self._reply(answer.text(), waterfall), answer)

    def _drop_speculation(self) -> None:
        if self._speculation:
            self._speculation.reply.drop()
            self._speculation.answer.drop()
            self._speculation = None

    def _answer(self, text: str, waterfall: Waterfall) -> None:
        """The person has said `text` and waits."""
        if not text:
            self._drop_speculation()
            self._go_on()
            return
        self._events.turn_idx += 1
        self._events.emit(streaming("user", text, final=True))
        seen, sounded = self._context.seen(text) or None, self._context.heard(text) or None
        self._events.emit(
            events.Utterance(role="user", speech=text, user_audio_analysis=sounded, user_visual_analysis=seen)
        )
        if not self._attention.hear(text):
            self._drop_speculation()
            self._forget_cut_off()
            return
        self._speculate(text, waterfall)
        assert self._speculation
        reply, answer, self._speculation = self._speculation.reply, self._speculation.answer, None
        reply.waterfall.adopt(waterfall, ("last_voice", "vad_end", "turn_decision", "final_text"))
        self._context.add_person(text)
        self._playout.attitude = Attitude.THINKING
        self._floor.replica = Doing.THINKING
        self._open(reply, text)
        self._play(reply)
        answer.commit(self._context)

    def _take_turn(self, turn: PersonTurn) -> None:
        if self.elsewhere and turn.text:
            self._overhear(turn.text)
        else:
            self._answer(turn.text, turn.waterfall)

    def _overhear(self, text: str) -> None:
        """The person has said `text` to somebody beside them: it is known, and not answered."""
        self._events.turn_idx += 1
        self._events.emit(streaming("user", text, final=True))
        self._events.emit(events.Utterance(role="user", speech=text, user_visual_analysis="(Said to somebody else.)"))
        self._drop_speculation()
        self._forget_cut_off()
        self._engagement.quiet(self._clock.now())
        self._context.add_note(f"The caller said to somebody else: {text}")

    def _committed(self, messages: Sequence[Message], *, tools: bool = True) -> Answer:
        answer = self._answers.to(messages, tools=tools)
        answer.commit(self._context)
        return answer

    def _open(self, reply: Reply, said: str) -> None:
        """Bridge a long wait for the reply's own words."""
        typical_s = statistics.median(self._took_s) if self._took_s else _TYPICAL_S
        if self._openers and (opener := self._openers.pick(said, typical_s - reply.age_s)):
            reply.open_with(opener)

    # The replica's side

    def _reply(self, text: AsyncIterator[str], waterfall: Waterfall) -> Reply:
        return Reply(text, self._voice, self._renderer, self._clock, waterfall, self._tasks)

    def _play(
        self, reply: Reply | SoundReply, from_s: float = 0.0, *, interruptible: bool = True, inference_id: str = ""
    ) -> Playing:
        if instead_of := self._stop():
            instead_of.reply.drop()
        self._engagement.busy()
        playing = self._playout.play(reply, from_s)
        self._saying = Saying(reply, playing, from_s, inference_id or str(uuid.uuid4()), interruptible)
        self._start(self._follow(self._saying))
        return playing

    async def _follow(self, saying: Saying) -> None:
        """Publish what the person hears, while they hear it."""
        started, shown = False, ""
        async for heard_s in saying.playing.progress():
            if saying.playing.over:
                break
            if not started:
                started = True
                self._replica_started(saying)
            if heard_s - saying.from_s >= _YIELD_S or not saying.interruptible:
                self._floor.replica, self._floor.interruptible = Doing.SPEAKING, saying.interruptible
            words = saying.heard_text
            if words != shown:
                shown = words
                self._events.emit(streaming("replica", words, final=False), saying.inference_id)
        if not saying.playing.interrupted:
            if self._saying is saying:  # the next one may have begun in the meantime
                self._saying = None
            self._replica_stopped(saying)
        saying.over.set()

    def _replica_started(self, saying: Saying) -> None:
        self._events.emit(events.ReplicaStartedSpeaking(), saying.inference_id)
        self._events.emit(events.StartedSpeaking(role="replica"), saying.inference_id)
        if _TIMED & saying.reply.waterfall.stages_ms().keys() and not saying.from_s:
            self._start(self._report_latency(saying))

    async def _report_latency(self, saying: Saying) -> None:
        playing, waterfall = saying.playing, saying.reply.waterfall
        await playing.seen()
        await saying.reply.begun()
        if (took_s := saying.reply.took_s) is not None and "asked" not in waterfall.stages_ms():
            self._took_s.append(took_s)
        if playing.started_at is not None:
            waterfall.mark("sent", playing.started_at)
        if playing.first_frame_at is not None:
            waterfall.mark("first_frame", playing.first_frame_at)
        total, stages = waterfall.utterance_to_utterance_ms, waterfall.stages_ms()
        _log.info("turn %d answered after %s ms: %s", self._events.turn_idx, total, stages)
        ago_s = self._clock.now() - (waterfall.began_at or 0.0)
        latency = events.Latency(
            utterance_to_utterance_ms=total, began_at=self._clock.unix() - ago_s, stages=dict(stages)
        )
        self._events.emit(latency, saying.inference_id)

    def _stop(self) -> Saying | None:
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
            heard_s = cut_off.reply.rewind(cut_off.playing.heard_s)
            self._play(cut_off.reply, heard_s, interruptible=cut_off.interruptible)
        else:
            self._engagement.quiet(self._clock.now())

    def _forget_cut_off(self) -> None:
        if self._cut_off:
            self._cut_off.reply.drop()
            self._cut_off = None

    def _replica_stopped(self, saying: Saying) -> None:
        """Tell what was heard, and remember it."""
        self._floor.replica, self._floor.interruptible = Doing.LISTENING, True
        self._playout.attitude = Attitude.IDLE
        self._engagement.quiet(self._clock.now())
        playing, inference_id, heard = saying.playing, saying.inference_id, saying.heard_text
        cut = playing.interrupted
        if playing.started_at is not None:
            duration = round(playing.heard_s - saying.from_s, 3)
            self._events.emit(events.ReplicaStoppedSpeaking(duration=duration, interrupted=cut), inference_id)
            self._events.emit(events.StoppedSpeaking(role="replica", duration=duration, interrupted=cut), inference_id)
            self._events.emit(streaming("replica", heard, final=True, interrupted=cut), inference_id)
        if heard:
            self._events.emit(
                events.Utterance(role="replica", speech=heard, interrupted=True if cut else None), inference_id
            )
        if saying.reply.failure and not cut:
            self._events.emit(events.ConversationError(message=saying.reply.failure))
        self._asked_at = self._clock.now() if heard.rstrip().endswith("?") and not cut else None
        self._context.add_replica(saying.remembered_text)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.create_task(work)


def streaming(role: Role, speech: str, *, final: bool, interrupted: bool = False) -> events.UtteranceStreaming:
    return events.UtteranceStreaming(
        role=role,
        speech=speech,
        content_index=len(speech.split()),
        final=final,
        is_interrupted=True if interrupted else None,
    )


async def _once(text: str) -> AsyncIterator[str]:
    yield text
