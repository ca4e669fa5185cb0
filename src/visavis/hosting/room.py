"""A call that several people are in: all see and hear the replica and hear one another, and it hears all of them.

Every person has a connection of their own; the room is the `visavis.transport.Call` that the conversation talks to.
Sound keeps the pace of what the replica sends: with each of its packets one piece of every voice is taken, their sum
goes to the conversation, and everybody gets the packet with the others' voices in it. Owner of who is in the call.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from visavis.audio import Pcm, Samples
from visavis.conversation import events
from visavis.conversation.interactions import Media, parse_interaction
from visavis.errors import BadInputError
from visavis.hosting.errors import ConversationEndedError, ConversationFullError
from visavis.hosting.place import Answer
from visavis.replica import Frame
from visavis.transport import Call, Sight, SightKind, VideoCall
from visavis.transport.messages import MAX_UNREAD
from visavis.transport.mixing import Voice, added, mixed
from visavis.transport.queues import DropOldest

HEARD_PIECES = 100
"""As for one person: two seconds of sound may wait for the conversation."""

_TOLD_LATER = frozenset(
    kind.event_type
    for kind in (events.Joined, events.ReplicaJoined, events.ReplicaPresent, events.PalJoined, events.PalPresent)
)
"""Events that a page has to see, also that of somebody who comes later."""

_SAID = (events.Utterance.event_type, events.UtteranceStreaming.event_type)
_JOINED = events.ParticipantJoined.event_type

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Person:
    call: Call
    participant_id: str = field(default_factory=lambda: secrets.token_hex(4))
    voice: Voice = field(default_factory=Voice)


class Room:
    """One call of a conversation. People `join` until nobody is left; then it is over and is not used again."""

    def __init__(self, most: int, tell: Callable[[events.Event], None]) -> None:
        """At most `most` people are in it at once; `tell` publishes who comes and goes."""
        self._most = most
        self._tell = tell
        self._people: list[_Person] = []
        self._connecting: list[_Person] = []
        self._answering = 0
        """How many offers are being answered."""
        self._present = asyncio.Event()
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pieces: DropOldest[Samples] = DropOldest(HEARD_PIECES)
        self._inbox: DropOldest[Mapping[str, Any] | BadInputError] = DropOldest(MAX_UNREAD)
        self._told: list[Mapping[str, Any]] = []
        self._speaker: _Person | None = None
        self._spoke: dict[str, float] = {}
        """How much of each voice there was since the last whole utterance, by participant."""
        self._wrote: dict[str, str] = {}
        """Who has sent a text that is to be answered, until it is told as an utterance."""
        self.begun = False
        """An offer was answered."""

    @property
    def over(self) -> bool:
        """Everybody has left; nobody can join any more."""
        return self._over.is_set()

    async def join(self, answer: Answer, sdp_offer: str) -> str:
        """Let another person in; returns the SDP answer.

        Raises `ConversationFullError`, `ConversationEndedError`, and what `answer` raises.
        """
        if self.over:
            raise ConversationEndedError
        if self._count() >= self._most:
            raise ConversationFullError(self._most)
        self._answering += 1
        try:
            call, sdp_answer = await answer(sdp_offer)
        except BaseException:
            self._answering -= 1
            self._end_if_empty()
            raise
        self._answering -= 1
        if self._over.is_set():
            await call.close()
            raise ConversationEndedError
        self.begun = True
        person = _Person(call)
        self._connecting.append(person)
        task = asyncio.create_task(self._accompany(person), name="participant")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return sdp_answer

    async def connected(self) -> bool:
        """Wait until the first person is there; see `visavis.transport.Call`, as for all that follow."""
        waits = [asyncio.create_task(event.wait()) for event in (self._present, self._over)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self._present.is_set()

    def hear(self) -> AsyncIterator[Samples]:
        return self._pieces

    def messages(self) -> AsyncIterator[Mapping[str, Any] | BadInputError]:
        return self._inbox

    def send_audio(self, pcm: Pcm, position: int) -> None:
        people = list(self._people)
        pieces = [person.voice.take() for person in people]
        self._pieces.put(mixed(pieces))
        self._note_speaker(people, pieces)
        if len(people) == 1:
            people[0].call.send_audio(pcm, position)
            return
        voices = [person.voice.at_48_khz(piece) for person, piece in zip(people, pieces, strict=True)]
        for one, person in enumerate(people):
            person.call.send_audio(added(pcm, voices[:one] + voices[one + 1 :]), position)

    def send_frame(self, frame: Frame, position: int) -> None:
        for person in self._people:
            person.call.send_frame(frame, position)

    def send_event(self, event: Mapping[str, Any]) -> None:
        if event["event_type"] in _TOLD_LATER:
            self._told.append(event)
        if event["event_type"] in _SAID and event["properties"]["role"] == "user":
            event = _with(event, participant_id=self._author(event))
        own = event["properties"]["participant_id"] if event["event_type"] == _JOINED else None
        for person in self._people:
            person.call.send_event(_with(event, own=True) if own == person.participant_id else event)

    def sight(self, kind: SightKind) -> Sight | None:
        """What the person shows who spoke last; of somebody else when they show nothing."""
        first = [self._speaker] if self._speaker else []
        for person in [*first, *self._people]:
            call: object = person.call
            if isinstance(call, VideoCall) and (found := call.sight(kind)):
                return found
        return None

    def assign(self, camera: str | None, screen: str | None) -> None:
        """Nothing: each person says it of their own videos, over their own connection."""

    async def close(self) -> None:
        self._end()
        await asyncio.gather(*(person.call.close() for person in [*self._people, *self._connecting]))
        if self._tasks:
            await asyncio.wait(list(self._tasks))

    async def _accompany(self, person: _Person) -> None:
        """One person from their answered offer until they are gone."""
        there = await person.call.connected()
        self._connecting.remove(person)
        if not there or self.over:
            await person.call.close()
            self._end_if_empty()
            return
        self._come_in(person)
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(person))
                async for piece in person.call.hear():
                    person.voice.put(piece)
                reading.cancel()
        except Exception:
            _log.exception("a participant's call broke off")
        finally:
            await person.call.close()
            self._go_out(person)

    def _come_in(self, person: _Person) -> None:
        for event in self._told:
            person.call.send_event(event)  # as they were, numbers included
        self._people.append(person)
        self._present.set()
        self._tell(events.ParticipantJoined(participant_id=person.participant_id, participant_count=len(self._people)))

    def _go_out(self, person: _Person) -> None:
        self._people.remove(person)
        if self._speaker is person:
            self._speaker = None
        self._tell(events.ParticipantLeft(participant_id=person.participant_id, participant_count=len(self._people)))
        self._end_if_empty()

    def _count(self) -> int:
        """Who is there or on the way."""
        return len(self._people) + len(self._connecting) + self._answering

    def _end_if_empty(self) -> None:
        if not self._count():
            self._end()

    def _end(self) -> None:
        self._over.set()
        self._pieces.end()
        self._inbox.end()

    async def _read(self, person: _Person) -> None:
        async for message in person.call.messages():
            try:
                if isinstance(message, BadInputError):
                    raise message
                await self._obey(person, message)
            except BadInputError as error:
                self._inbox.put(error)

    async def _obey(self, person: _Person, message: Mapping[str, Any]) -> None:
        """What concerns one person's connection is done here; the rest is the conversation's."""
        match message.get("event_type"):
            case "conversation.leave" if self._count() > 1:
                await person.call.close()
            case "conversation.media":
                wanted = parse_interaction(message)
                call: object = person.call
                if isinstance(wanted, Media) and isinstance(call, VideoCall):
                    call.assign(wanted.properties.camera_mid, wanted.properties.screen_mid)
            case event_type:
                if event_type == "conversation.respond" and isinstance(text := _text(message), str):
                    self._wrote[text.strip()] = person.participant_id
                self._inbox.put(message)

    def _author(self, event: Mapping[str, Any]) -> str | None:
        """Who has said a person's words: whoever wrote them, or was heard most since the utterance before."""
        words = str(event["properties"]["speech"]).strip()
        loudest = max(self._spoke, key=lambda one: self._spoke[one], default=None)
        if event["event_type"] == events.UtteranceStreaming.event_type:
            return self._wrote.get(words, loudest)
        self._spoke.clear()
        return self._wrote.pop(words, loudest)

    def _note_speaker(self, people: list[_Person], pieces: list[Samples | None]) -> None:
        loudest = 0.0
        for person, piece in zip(people, pieces, strict=True):
            if piece is None:
                continue
            power = float(piece @ piece)
            self._spoke[person.participant_id] = self._spoke.get(person.participant_id, 0.0) + power
            if power > loudest:
                loudest, self._speaker = power, person


def _with(event: Mapping[str, Any], **properties: Any) -> Mapping[str, Any]:
    """The same event with more properties; None is left out."""
    more = {name: value for name, value in properties.items() if value is not None}
    return {**event, "properties": {**event["properties"], **more}}


def _text(message: Mapping[str, Any]) -> object:
    properties = message.get("properties")
    return properties.get("text") if isinstance(properties, Mapping) else None
