"""What was seen and heard of the person, in words: for the language model at their turn, and for people at the end.

Owner of what has been noticed in a conversation. It keeps words and counts, never a picture or a sound.
"""

import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from visavis.conversation.clock import Clock
from visavis.layers.perception import HEARD, Behaviour, Face, Noticed, Scene
from visavis.layers.perception.kinds import HANDHELD
from visavis.layers.perception.sensed import CANNOT_SEE, UNSEEN, Sensed, answer, can_tell

FRESH_S = 15.0
"""Older behaviour is not news any more."""

MOST_PHRASES = 3
"""At one turn, seen and heard each."""

REMEMBERED = 200
LONGEST_ANSWER = 200
"""Characters of an answer to a question that the persona always asks."""

SEEING_PROMPT = (
    "You see the caller through their camera. Notes in brackets that begin with 'Camera' or 'Voice' say what you "
    "notice; they are not the caller's words. Never read them aloud; when the caller asks what you see, answer from "
    "the newest note only."
)

_ASKED = re.compile(
    r"\b(?:you see|see (?:me|us|this|that|my|what i)|look at|looking at|how (?:do|am) i look|do i look"
    r"|watch(?:ing)? me|am i (?:\w+ing|alone|far|close|near|there|visible)|who(?:'s| is) (?:here|with me)"
    r"|behind me|in my hands?|i(?:'m| am) (?:holding|showing|wearing)|how many (?:people|of us)"
    r"|my (?:camera|face|expression|smile|screen|picture))\b",
    re.IGNORECASE,
)
"""Words of somebody who asks about what is to be seen."""

_ORDER = (
    Behaviour.HELD_UP,
    Behaviour.NODDED,
    Behaviour.SHOOK_HEAD,
    Behaviour.THUMB_UP,
    Behaviour.THUMB_DOWN,
    Behaviour.WAVED,
    Behaviour.OPEN_PALM,
    Behaviour.VICTORY,
    Behaviour.POINTED_UP,
    Behaviour.FIST,
    Behaviour.LOVE,
    Behaviour.SMILED,
    Behaviour.SURPRISED,
    Behaviour.FROWNED,
    Behaviour.SNEERED,
    Behaviour.COMPANY,
    Behaviour.ALONE,
    Behaviour.CAME,
    Behaviour.LOOKED_AWAY,
    Behaviour.LEANED_IN,
    Behaviour.LEANED_BACK,
    Behaviour.LAUGHED,
    Behaviour.SIGHED,
    Behaviour.HESITATED,
    Behaviour.LOUD,
    Behaviour.QUIET,
    Behaviour.FAST,
    Behaviour.SLOW,
    Behaviour.LIVELY,
    Behaviour.FLAT,
    Behaviour.HIGH,
    Behaviour.LOW,
)
"""What is worth telling, the most telling first."""

_VIEWS = {
    "dark": "The picture is too dark for me to see anything.",
    "covered": "Your camera is covered, so I see nothing.",
    "frozen": "The picture is frozen, so what I see may be old.",
}
_SMILING = 0.4
_NEAR, _FAR = 0.45, 0.12


class Observations:
    """What was noticed of one person."""

    def __init__(self, clock: Clock, asked: Sequence[str] = (), asked_of_voice: Sequence[str] = ()) -> None:
        """`asked` are questions about the picture, and `asked_of_voice` about the sound, that are always open."""
        self._clock = clock
        self._asked = tuple(asked)
        self._asked_of_voice = tuple(asked_of_voice)
        self._answers: Mapping[str, str] = {}
        self._told: dict[str, str] = {}
        self._news: deque[Noticed] = deque(maxlen=REMEMBERED)
        self._lately: deque[Noticed] = deque(maxlen=REMEMBERED)
        self._counts: Counter[str] = Counter()
        self._scene: Scene | None = None
        self._looks = self._present = self._looking = self._smiling = 0
        self._seen_s = 0.0

    @property
    def scene(self) -> Scene | None:
        """What there is to be seen; None while the camera is off."""
        return self._scene

    def take(self, scene: Scene) -> None:
        """Remember what a look has shown."""
        passed_s = min(scene.at - self._scene.at, 2.0) if self._scene else 0.0
        self._scene = scene
        self.notice(scene.noticed)
        self._looks += 1
        self._seen_s += passed_s
        if scene.face:
            self._present += 1
            self._looking += scene.face.looking
            self._smiling += scene.face.smile > _SMILING

    def notice(self, noticed: Sequence[Noticed]) -> None:
        """Remember what the person did."""
        self._news.extend(noticed)
        self._lately.extend(noticed)
        self._counts.update(one.phrase for one in noticed)

    def learn(self, answers: Mapping[str, str]) -> None:
        """A vision model has answered some of the questions that are always open."""
        known = {query: text[:LONGEST_ANSWER] for query, text in answers.items() if text}
        self._answers = {**self._answers, **known}

    def blind(self) -> None:
        """The camera is off: nothing is known of the present any more."""
        self._scene = None
        self._answers = {}
        for one in [one for one in self._news if one.behaviour not in HEARD]:
            self._news.remove(one)

    def seen(self, text: str) -> str:
        """What the language model is told of the picture along with the words `text`. Changes nothing."""
        if _ASKED.search(text):
            parts = [self.description(text)]
        else:
            phrases = self._recent(heard=False)
            parts = [f"the caller {_listed(phrases)}."] if phrases else []
        parts += [f"{query} {told}." for query, told in self._changed(self._asked).items()]
        return f"(Camera: {' '.join(parts)})" if parts else ""

    def heard(self, text: str) -> str:
        """The same of how the words sounded."""
        phrases = self._recent(heard=True)
        parts = [f"the caller {_listed(phrases)}."] if phrases else []
        parts += [f"{query} {told}." for query, told in self._changed(self._asked_of_voice).items()]
        return f"(Voice: {' '.join(parts)})" if parts else ""

    def told(self) -> None:
        """The person's turn is over; what it was about is no news any more."""
        self._told |= self._changed(self._asked) | self._changed(self._asked_of_voice)
        self._news.clear()

    def description(self, question: str = "") -> str:
        """What is to be seen at this moment, as the replica would say it to the person; and what is not."""
        scene = self._scene
        if scene is None:
            return "I see nothing at the moment."
        if scene.view in _VIEWS:
            return _VIEWS[scene.view]
        parts = [_people(scene.people)]
        if scene.people and scene.face:
            parts += _of_face(scene.face)
        parts += [f"a hand that shows {gesture}" for gesture in scene.gestures]
        parts += [
            f"holding up {_with_article(thing)}" if thing in HANDHELD else f"with {_with_article(thing)} in the picture"
            for thing in scene.things
        ]
        sentences = [f"{', '.join(parts)}."]
        if recent := [phrase for phrase in self._recent(heard=False) if phrase not in _of_things(scene)]:
            sentences.append(f"A moment ago you {_to_them(_listed(recent))}.")
        if UNSEEN.search(question):
            sentences.append(f"I cannot make out {CANNOT_SEE}.")
        return " ".join(sentences)

    def answer(self, question: str) -> str:
        """What is known about `question` now, or that it cannot be told here."""
        if known := self._answers.get(question):
            return known.rstrip(".")
        told = answer(question, Sensed(self._scene, self._latest()))
        if told:
            return told
        if not can_tell(question):
            return "no sensor here can tell that"
        return "nothing was noticed of that" if self._scene or self._lately else "the camera is off"

    def summary(self) -> str:
        """The whole conversation, as lines for people; empty when nothing was ever noticed."""
        if not self._looks and not self._counts:
            return ""
        lines = []
        if self._looks:
            present = 100 * self._present / self._looks
            lines.append(f"- In view {present:.0f} % of the {self._seen_s:.0f} s that the camera was watched.")
        if self._present:
            looking, smiling = (100 * count / self._present for count in (self._looking, self._smiling))
            lines.append(f"- Looked at the replica {looking:.0f} % of that time and smiled {smiling:.0f} % of it.")
        lines += [
            f"- {phrase[0].upper()}{phrase[1:]}: {count} time{'s' if count > 1 else ''}."
            for phrase, count in self._counts.most_common()
        ]
        lines += [f"- {query} {told}" for query, told in self._told.items()]
        return "\n".join(lines)

    def _changed(self, queries: Sequence[str]) -> dict[str, str]:
        """Answers to open questions that are known and not what was told before."""
        found = {}
        for query in queries:
            known = self._answers.get(query) or answer(query, Sensed(self._scene, self._latest()))
            if known and known.rstrip(".") != self._told.get(query):
                found[query] = known.rstrip(".")
        return found

    def _latest(self) -> list[Noticed]:
        now = self._clock.now()
        return [one for one in self._lately if now - one.at <= FRESH_S]

    def _recent(self, *, heard: bool) -> list[str]:
        now = self._clock.now()
        fresh = [
            one
            for one in self._news
            if now - one.at <= FRESH_S and one.behaviour in _ORDER and (one.behaviour in HEARD) is heard
        ]
        fresh.sort(key=lambda one: _ORDER.index(one.behaviour))
        return list(dict.fromkeys(one.phrase for one in fresh))[:MOST_PHRASES]


def _people(count: int) -> str:
    known = {0: "I see nobody", 1: "I see you", 2: "I see you and somebody else"}
    return known.get(count, f"I see you and {count - 1} others")


def _of_face(face: Face) -> list[str]:
    parts = [] if _FAR < face.height < _NEAR else ["very near" if face.height >= _NEAR else "far away"]
    parts.append("looking at me" if face.looking else "looking away")
    if face.eyes_closed:
        parts.append("eyes closed")
    if face.smile > _SMILING:
        parts.append("smiling")
    elif face.frown > _SMILING:
        parts.append("brows drawn together")
    return parts


def _of_things(scene: Scene) -> set[str]:
    return {f"{Behaviour.HELD_UP.value} {_with_article(thing)}" for thing in scene.things}


def _to_them(phrases: str) -> str:
    """Words about the person as words to the person."""
    return phrases.replace("back at you", "back at me").replace("their ", "your ")


def _with_article(thing: str) -> str:
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _listed(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
