"""The turns of a call whose answers come from a voice-to-voice model.

Owner of the connection to the model and of what it says that has not been played. The model decides when the person
has finished; when they begin is noticed here as well, so that the replica falls silent before the model says so.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np

from visavis.audio import Samples
from visavis.conversation import engagement, events
from visavis.conversation.answer import FILLER_AFTER_S, FILLERS, spoken
from visavis.conversation.echoes import MAX_WAITING_BYTES
from visavis.conversation.floor import Doing
from visavis.conversation.latency import Waterfall
from visavis.conversation.person_voice import PersonVoice, VoiceStarted
from visavis.conversation.toolbox import Outcome
from visavis.conversation.turns import Saying, Turns, streaming
from visavis.conversation.voiced_reply import VoicedReply
from visavis.errors import EngineError
from visavis.layers import realtime
from visavis.layers.llm import ToolRequest
from visavis.layers.realtime import Part, RefusedError, VoiceToVoice
from visavis.replica import Attitude

_log = logging.getLogger(__name__)

CONFIRM_S = 1.0
"""Who speaks while the replica does is waited for so long in silence; if the model does not hear them, it goes on."""

ECHO = 0.5
"""A frame of which more than this is the replica's own voice is kept from the model while the replica speaks."""

LOST = "I'm sorry, I lost the connection for a moment. Could you say that again?"
UNREACHABLE = "I'm sorry, I can't answer at the moment."
"""Said in the replica's own voice, when there is no other."""

_LONGEST_BACKOFF_S = 10.0
_GIVE_NOTICE_AFTER = 3
_LOOK_EVERY_S = 0.25


class VoiceTurns(Turns):
    """Takes what a voice-to-voice model does, and what is asked for; says something, or stops."""

    def __init__(self, *parts: Any, **more: Any) -> None:
        """The same as for `Turns`."""
        super().__init__(*parts, **more)
        self._session: realtime.Session | None = None
        self._answer_within_s = 15.0
        self._replies: dict[str, VoicedReply] = {}
        self._queue: deque[VoicedReply] = deque()
        self._queued = asyncio.Event()
        self._to_say: list[str] = []
        self._protect_next = False
        self._words: dict[str, str] = {}
        self._waterfall = Waterfall()
        self._due_at: float | None = None
        self._overlap: asyncio.Task[None] | None = None
        self._silent_ms = 0.0
        self._using_tools = 0
        self._interruptions = 0

    async def converse(self, model: VoiceToVoice, sound: AsyncIterator[Samples], voice: PersonVoice) -> None:
        """Let the model talk with the person until `sound` ends."""
        self._answer_within_s = model.answer_timeout_s
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(one) for one in (self._stay_connected(model), self._speak(), self._watch())]
            async for change in voice.listen(self._passed_on(sound, voice)):
                if isinstance(change, VoiceStarted):
                    self._voice_started()
                else:
                    self._person_stopped()
            for task in working:
                task.cancel()

    # What is asked for

    async def prepare(self) -> None:
        """Nothing: the model needs no openers."""

    def context_changed(self) -> None:
        """Tell the model its new prompt."""
        if self._session:
            self._session.describe(self._part())

    async def keep_company(self) -> None:
        """Have the model speak up after long silences, as the persona wishes; runs until cancelled."""
        while True:
            await self._clock.sleep_until(self._clock.now() + 0.5)
            if self._session and not self.alone and not self._busy and self._engagement.due(self._clock.now()):
                self._session.note(engagement.PROMPT)
                self._ask()

    def say(self, text: str, *, interruptible: bool = True) -> None:
        """Have the model say exactly `text`, as soon as it is there."""
        self._protect_next = not interruptible
        if self._session:
            self._session.say(text)
        else:
            self._to_say.append(text)

    def respond(self, text: str) -> None:
        """Answer as if the person had said `text`."""
        self.interrupt()
        self._engagement.person_spoke()
        self._person_said(text.strip())
        self._waterfall = Waterfall()
        self._waterfall.mark("final_text", self._clock.now())
        if self._session:
            self._session.answer(text.strip())
            self._think()
        else:
            super().say(UNREACHABLE)

    def learn(self, name: str, result: str, respond: bool) -> None:
        """A tool's result came when no answer waited for it any more; `respond` makes one from it."""
        self._context.add_note(f"Result of {name}: {result}")
        if self._session:
            self._session.note(f"Result of {name}: {result}")
            if respond:
                self._ask()

    async def said(self) -> bool:
        """Wait until the model has nothing left to say; whether nobody interrupted it."""
        before = self._interruptions
        while self._busy:
            await self._clock.sleep_until(self._clock.now() + _LOOK_EVERY_S)
        return before == self._interruptions

    def interrupt(self) -> None:
        """Stop speaking for good; what waits to be said was not heard."""
        self._interruptions += 1
        self._end_overlap()
        super().interrupt()
        if self._session:
            self._session.cancel()
            for reply in self._queue:
                self._session.truncate(reply.item_id, 0)
        for reply in self._replies.values():
            reply.close()
        for reply in self._queue:
            reply.drop()
        self._queue.clear()

    # The person's side

    async def _passed_on(self, sound: AsyncIterator[Samples], voice: PersonVoice) -> AsyncIterator[Samples]:
        """`sound`, of which the model gets everything but the replica's own voice."""
        async for samples in sound:
            if self._session:
                speaks = self._floor.replica is Doing.SPEAKING
                deaf = speaks and (voice.echo > ECHO or not self._floor.interruptible)
                self._session.hear(np.zeros_like(samples) if deaf else samples)
            self._silent_ms = self._floor.silence_ms
            yield samples

    def _voice_started(self) -> None:
        if self._saying and self._flow.replica_interruptibility != "low":
            self._overlap_began()
            self._overlap = self._start(self._wait_for_model())
        else:
            self._person_started()

    async def _wait_for_model(self) -> None:
        await self._clock.sleep_until(self._clock.now() + CONFIRM_S)
        self._overlap = None
        self._overlap_passed("")

    def _end_overlap(self) -> None:
        if self._overlap:
            self._overlap.cancel()
            self._overlap = None
            self._events.emit(events.Overlap(outcome="interruption"))
            self._person_started()

    def _person_started(self) -> None:
        self._asked_at = None
        self._person_started_at = self._clock.now()
        self._engagement.person_spoke()
        self._playout.attitude = Attitude.LISTENING
        self._events.emit(events.UserStartedSpeaking())
        self._events.emit(events.StartedSpeaking(role="user"))
        if self._session and (noticed := " ".join(filter(None, (self._context.seen(""), self._context.heard(""))))):
            self._session.note(noticed)
            if self._context.notes:
                self._context.notes.told()

    def _person_stopped(self) -> None:
        if self._overlap is None:
            super()._person_stopped()
            if self._floor.replica is Doing.THINKING:
                self._playout.attitude = Attitude.THINKING

    def _person_said(self, text: str) -> None:
        self._events.turn_idx += 1
        self._events.emit(streaming("user", text, final=True))
        seen = self._context.seen(text) or None
        self._events.emit(events.Utterance(role="user", speech=text, user_visual_analysis=seen))
        self._context.add_person(text)

    # The model's side

    async def _stay_connected(self, model: VoiceToVoice) -> None:
        failures = 0
        while True:
            problem: EngineError | None = None
            try:
                async with model.connect(self._part()) as session:
                    self._session = session
                    async for event in session.events():
                        if isinstance(event, realtime.Ready):
                            failures = 0
                        self._take(event)
            except EngineError as error:
                problem = error
            finally:
                self._session = None
            refused = isinstance(problem, RefusedError)
            self._lost(problem, failures, refused=refused)
            if refused:
                return
            failures += 1
            await self._clock.sleep_until(self._clock.now() + min(0.25 * 2**failures, _LONGEST_BACKOFF_S))

    def _part(self) -> Part:
        prompt, *past = self._context.messages()
        return Part(prompt.content, self._toolbox.functions, past)

    def _lost(self, problem: EngineError | None, failures: int, *, refused: bool) -> None:
        """Tell the person when they wait for something."""
        _log.warning("%s", problem)
        waited = self._due_at is not None or any(not reply.closed for reply in self._replies.values())
        for reply in self._replies.values():
            reply.close()
        self._replies.clear()
        self._rest()
        if refused or failures == _GIVE_NOTICE_AFTER or (waited and not failures):
            self._events.emit(events.ConversationError(message=str(problem)))
            super().say(UNREACHABLE if refused or failures else LOST)

    def _take(self, event: realtime.Event) -> None:
        match event:
            case realtime.Ready():
                self._catch_up()
            case realtime.SpeechBegan():
                self._model_hears()
            case realtime.SpeechEnded():
                self._model_heard()
            case realtime.PersonSaid():
                self._follow_person(event)
            case realtime.ReplyBegan():
                self._think()
            case realtime.Sound():
                self._feed(event)
            case realtime.Words(item_id, text):
                self._reply_of(item_id).add_words(text)
            case realtime.Said(item_id):
                self._reply_of(item_id).close()
            case realtime.ReplyEnded():
                self._reply_ended(event)
            case realtime.Complaint(text):
                _log.warning("the voice-to-voice model complains: %s", text)

    def _catch_up(self) -> None:
        """Have said what was asked for before the model was there."""
        texts, self._to_say = self._to_say, []
        for text in texts:
            assert self._session
            self._session.say(text)

    def _model_hears(self) -> None:
        self._due_at = None
        if self._saying or self._queue or (self._session and self._session.answering):
            self.interrupt()
        self._floor.replica = Doing.LISTENING

    def _model_heard(self) -> None:
        now = self._clock.now()
        self._waterfall = Waterfall()
        self._waterfall.mark("last_voice", now - self._silent_ms / 1000)
        self._waterfall.mark("turn_decision", now)
        self._think()

    def _think(self) -> None:
        self._due_at = self._clock.now() + self._answer_within_s
        if not self._saying:
            self._floor.replica, self._playout.attitude = Doing.THINKING, Attitude.THINKING

    def _rest(self) -> None:
        """No answer is awaited."""
        self._due_at = None
        if not self._saying:
            self._floor.replica, self._playout.attitude = Doing.LISTENING, Attitude.IDLE

    def _follow_person(self, said: realtime.PersonSaid) -> None:
        if said.final:
            self._words.pop(said.item_id, None)
            if said.text:
                self._person_said(said.text)
            return
        self._words[said.item_id] = self._words.get(said.item_id, "") + said.text
        self._events.emit(streaming("user", self._words[said.item_id].strip(), final=False))

    def _reply_of(self, item_id: str) -> VoicedReply:
        if item_id not in self._replies:
            waterfall, self._waterfall = self._waterfall, Waterfall()
            self._replies[item_id] = VoicedReply(item_id, self._renderer, self._clock, waterfall)
        return self._replies[item_id]

    def _feed(self, sound: realtime.Sound) -> None:
        reply = self._reply_of(sound.item_id)
        if reply.closed:
            return  # it was interrupted, and the model does not know yet
        if not reply.came_s:
            self._due_at = None
            self._queue.append(reply)
            self._queued.set()
        reply.feed(sound.pcm, sound.rate_hz)
        if reply.waiting_bytes > MAX_WAITING_BYTES:
            _log.warning("the voice-to-voice model does not come to an end")
            reply.close()

    def _reply_ended(self, ended: realtime.ReplyEnded) -> None:
        for reply in self._replies.values():
            reply.close()
        spoke = any(reply.came_s for reply in self._replies.values())
        self._replies.clear()
        if ended.problem:
            self._events.emit(events.ConversationError(message=f"The model did not answer: {ended.problem}"))
            self._rest()
            super().say(UNREACHABLE)
        elif ended.requests:
            self._using_tools += 1
            self._start(self._use(ended.requests, spoke=spoke))
        elif not (self._session and self._session.answering):
            self._rest()

    async def _use(self, requests: Sequence[ToolRequest], *, spoke: bool) -> None:
        """Have tools do their work, and the model answer from what they tell."""
        try:
            session = self._session
            running = [self._toolbox.start(request) for request in requests]
            tools = [self._toolbox.tool(request.name) for request in requests]
            self._due_at = None
            tool = next((one for one in tools if one and one.on_call not in ("silent", "passthrough")), None)
            static = tool.static_filler if tool and tool.on_call == "static_filler" else ""
            _, waiting = await asyncio.wait(running, timeout=0.0 if static else FILLER_AFTER_S)
            if waiting and tool and not spoke and session:
                session.say(static or FILLERS[self._events.turn_idx % len(FILLERS)])
            outcomes = [await task for task in running]
            if session is not self._session or session is None:
                for outcome in outcomes:
                    self.learn(outcome.request.name, outcome.text, respond=False)
                return
            session.tell_results([(outcome.request.call_id, outcome.text) for outcome in outcomes])
            self._answer_from(outcomes)
        finally:
            self._using_tools -= 1

    def _answer_from(self, outcomes: Sequence[Outcome]) -> None:
        assert self._session
        awaited = [one for one in outcomes if one.failed or _on_resolve(one) not in _NOT_AWAITED]
        if not awaited:
            self._rest()
        elif all(_on_resolve(one) == "response_in_result" and not one.failed for one in awaited):
            self._session.say(" ".join(spoken(one.text) for one in awaited))
            self._think()
        else:
            self._ask()

    def _ask(self) -> None:
        if self._session:
            self._session.go_on()
            self._think()

    # The replica's side

    @property
    def _busy(self) -> bool:
        answering = self._session is not None and self._session.answering
        return bool(self._saying or self._queue or self._using_tools or answering)

    async def _speak(self) -> None:
        """Play what the model says, one after the other."""
        while True:
            await self._queued.wait()
            await self.silence()
            if not self._queue:
                self._queued.clear()
                continue
            reply = self._queue.popleft()
            protected, self._protect_next = self._protect_next, False
            self._play(reply, interruptible=not protected, inference_id=reply.item_id)
            assert self._saying
            await self._saying.over.wait()

    async def _watch(self) -> None:
        """Do not wait for ever for an answer."""
        while True:
            await self._clock.sleep_until(self._clock.now() + _LOOK_EVERY_S)
            if self._due_at is not None and self._clock.now() > self._due_at:
                if self._session:
                    self._session.cancel()
                self._rest()
                late = f"The voice-to-voice model did not answer within {self._answer_within_s:g} s."
                self._events.emit(events.ConversationError(message=late))
                super().say(UNREACHABLE)

    def _replica_stopped(self, saying: Saying) -> None:
        super()._replica_stopped(saying)
        if isinstance(saying.reply, VoicedReply) and saying.playing.interrupted and self._session:
            self._session.truncate(saying.reply.item_id, int(1000 * saying.reply.played_s))


_NOT_AWAITED = ("fire_and_forget", "add_to_context")


def _on_resolve(outcome: Outcome) -> str:
    return outcome.tool.on_resolve if outcome.tool else "generate_response"
