"""What was seen of the person, in words: what the language model is told at their turn, and what is told at the end.

Owner of what has been seen in a conversation. It keeps words and counts, never a picture.
"""

import re
from collections import Counter, deque
from collections.abc import Sequence

from visavis.conversation.clock import Clock
from visavis.layers.perception import Behaviour, Face, Noticed, Scene

FRESH_S = 15.0
"""Older behaviour is not news any more."""

MOST_PHRASES = 3
"""At one turn."""

REMEMBERED = 200

SEEING_PROMPT = (
    "You see the caller through their camera. Notes in brackets that begin with 'Camera' say what you see; they are "
    "not the caller's words. Never read them aloud; when the caller asks what you see, answer from the newest note "
    "only."
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
    Behaviour.FROWNED,
    Behaviour.COMPANY,
    Behaviour.ALONE,
    Behaviour.CAME,
    Behaviour.LOOKED_AWAY,
    Behaviour.LEANED_IN,
    Behaviour.LEANED_BACK,
)
"""What is worth telling, the most telling first."""

_VIEWS = {
    "dark": "the picture is too dark to see anything",
    "covered": "the camera is covered, so you see nothing",
    "frozen": "the picture is frozen, so what you see may be old",
}
_NUMBERS = ("nobody", "one person", "two people", "three people", "four people")


class Observations:
    """What was seen of one person."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._news: deque[Noticed] = deque(maxlen=REMEMBERED)
        self._counts: Counter[str] = Counter()
        self._scene: Scene | None = None
        self._looks = self._present = self._looking = self._smiling = 0
        self._seen_s = 0.0

    def take(self, scene: Scene) -> None:
        """Remember what a look has shown."""
        passed_s = min(scene.at - self._scene.at, 2.0) if self._scene else 0.0
        self._scene = scene
        self._news.extend(scene.noticed)
        self._counts.update(noticed.phrase for noticed in scene.noticed)
        self._looks += 1
        self._seen_s += passed_s
        if scene.face:
            self._present += 1
            self._looking += scene.face.looking
            self._smiling += scene.face.smile > _SMILING

    def blind(self) -> None:
        """The camera is off: nothing is known of the present any more."""
        self._scene = None
        self._news.clear()

    def note(self, text: str) -> str:
        """What the language model is told along with the person's words `text`; mostly nothing. Changes nothing."""
        if _ASKED.search(text):
            return f"(Camera: {self.description()}.)"
        phrases = self._recent()
        return f"(Camera: the caller {_listed(phrases)}.)" if phrases else ""

    def told(self) -> None:
        """The person's turn is over; what it was about is no news any more."""
        self._news.clear()

    def description(self) -> str:
        """What is to be seen at this moment, and what is not."""
        scene = self._scene
        if scene is None:
            return "it is off, so you see nothing"
        if scene.view in _VIEWS:
            return _VIEWS[scene.view]
        if not scene.people:
            parts = ["nobody is in view"]
        else:
            parts = [f"{_NUMBERS[min(scene.people, 4)]} in view"]
            parts += _of_face(scene.face) if scene.face else []
        parts += [f"a hand that shows {gesture}" for gesture in scene.gestures]
        parts += [f"there is {_with_article(thing)}" for thing in scene.things]
        if recent := self._recent():
            parts.append(f"a moment ago they {_listed(recent)}")
        return f"{', '.join(parts)}; clothes, colours, hair and the room you cannot make out"

    def summary(self) -> str:
        """The whole conversation, as lines for people; empty when nothing was ever seen."""
        if not self._looks:
            return ""
        present = 100 * self._present / self._looks
        lines = [f"- In view {present:.0f} % of the {self._seen_s:.0f} s that the camera was watched."]
        if self._present:
            looking, smiling = (100 * count / self._present for count in (self._looking, self._smiling))
            lines.append(f"- Looked at the replica {looking:.0f} % of that time and smiled {smiling:.0f} % of it.")
        lines += [
            f"- {phrase[0].upper()}{phrase[1:]}: {count} time{'s' if count > 1 else ''}."
            for phrase, count in self._counts.most_common()
        ]
        return "\n".join(lines)

    def _recent(self) -> list[str]:
        now = self._clock.now()
        fresh = [one for one in self._news if now - one.at <= FRESH_S and one.behaviour in _ORDER]
        fresh.sort(key=lambda one: _ORDER.index(one.behaviour))
        return list(dict.fromkeys(one.phrase for one in fresh))[:MOST_PHRASES]


_SMILING = 0.4
_NEAR, _FAR = 0.45, 0.12


def _of_face(face: Face) -> list[str]:
    parts = [] if _FAR < face.height < _NEAR else ["very near" if face.height >= _NEAR else "far away"]
    parts.append("looking at you" if face.looking else "looking away")
    if face.eyes_closed:
        parts.append("eyes closed")
    if face.smile > _SMILING:
        parts.append("smiling")
    elif face.frown > _SMILING:
        parts.append("brows drawn together")
    return parts


def _with_article(thing: str) -> str:
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _listed(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
