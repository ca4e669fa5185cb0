"""Short words to begin with while the reply itself is not ready: what people do when they need a moment.

Many turns of spoken English begin with a discourse marker that says little and keeps the floor (Tao 2003, "Turn
initiators in spoken English"). An opener suits what was said, promises nothing ("yes" would), and any
sentence can follow it. It is played only when the reply is expected too late.
"""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType

from visavis.layers.tts import Speech, TextToSpeech

READY_SOON_S = 0.25
"""A reply that is expected within this time is waited for: nobody notices so short a pause."""

_TIERS_S = (0.0, 0.8, 1.5)
"""Waits from which the second and the third kind of opener are due: they last some 0.4, 0.8 and 1.4 s."""

_REMEMBERED = 3

_OPENERS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "greeting": (("Hi!", "Hello!"), ("Hi there!", "Hello there!"), ("Well, hello there!", "Oh, hi there!")),
        "thanks": (("Oh,", "Ah,"), ("Oh, well,", "Ah, right,"), ("Oh, that's very kind.", "Ah, that's good to hear.")),
        "goodbye": (
            ("All right,", "Okay,"),
            ("All right then,", "Okay then,"),
            ("All right, no problem.", "Okay, that's fine then."),
        ),
        "trouble": (
            ("I see,", "Hmm,", "Right,"),
            ("I understand.", "Okay, I see.", "Hmm, I see."),
            ("I see what you mean.", "Okay, I understand that.", "Hmm, let me think about that."),
        ),
        "question": (
            ("Well,", "So,", "Hmm,"),
            ("Let's see.", "Let me think.", "Well, let's see."),
            ("Let me think for a moment.", "Well, let me see about that.", "Hmm, that's a good question."),
        ),
        "request": (
            ("Okay,", "All right,", "Well,"),
            ("Okay, let's see.", "All right, let me see.", "Let me think."),
            ("Okay, let me see about that.", "All right, let me think about it.", "Well, just give me a moment."),
        ),
        "statement": (
            ("I see.", "Right,", "Okay,", "Ah,"),
            ("Okay, I see.", "Ah, I see.", "All right, I see."),
            ("Okay, I see what you mean.", "Ah, that's good to know.", "All right, thanks for telling me."),
        ),
    }
)
"""By what somebody does with their words: openers for each of the tiers."""

_ACTS = tuple(
    (act, re.compile(pattern))
    for act, pattern in (
        ("goodbye", r"\b(bye|goodbye|see you|good night|that's all|have a (nice|good|great))\b"),
        ("thanks", r"\b(thanks|thank you|appreciate)\b"),
        ("greeting", r"^(hi|hello|hey|good (morning|afternoon|evening))\b(?!.*\?.*\?)"),
        ("request", r"^(please|tell|show|give|explain|describe|help|say|let's|let us|go on)\b|\bplease\b"),
        ("request", r"^(can|could|would|will) you\b|\bi('d| would) (like|love) to\b|\bi want (to|you)\b"),
        ("question", r"\?\s*$|^(what|who|whom|whose|where|when|why|how|which)\b"),
        ("question", r"^(is|are|was|were|do|does|did|can|could|should|would|will|have|has|am|may)\b"),
        ("trouble", r"n't\b|\b(not|no|never|problem|trouble|wrong|broken|expensive|sad|tired|angry|afraid|worried)\b"),
    )
)

_FIRST_WORDS = re.compile(
    r"^\W*(?:(?:hi|hello|hey)(?: there)?|well|so|hmm|oh|ah|okay|right|all right|i see)(?:[,.!]+\s*|$)", re.I
)


def act_of(text: str) -> str:
    """What somebody does by saying `text`: one of the keys above."""
    said = text.strip().lower().replace("’", "'")
    return next((act for act, pattern in _ACTS if pattern.search(said)), "statement")


def without_opener(clause: str, opener: str) -> str:
    """`clause`, the first of a reply, without an opening of its own, which would be one too many after `opener`.

    May be empty.
    """
    rest = _FIRST_WORDS.sub("", clause)
    return rest[:1].upper() + rest[1:] if opener.endswith((".", "!")) else rest


class Openers:
    """The openers of one conversation, spoken in advance. Owner of which were used lately."""

    def __init__(self, voice: TextToSpeech) -> None:
        self._voice = voice
        self._spoken: dict[str, Speech] = {}
        self._lately: deque[str] = deque(maxlen=_REMEMBERED)

    async def prepare(self) -> None:
        """Speak all of them once; `pick` gives what is ready."""
        for text in sorted({text for tiers in _OPENERS.values() for tier in tiers for text in tier}):
            pieces = [speech async for speech in self._voice.stream(text)]
            if len(pieces) == 1:
                self._spoken[text] = pieces[0]

    def pick(self, said: str, wait_s: float) -> Speech | None:
        """An opener to answer `said` with, if the reply's own words are expected in `wait_s`; None for none."""
        if wait_s < READY_SOON_S:
            return None
        tier = bisect_right(_TIERS_S, wait_s) - 1
        candidates = [text for text in _OPENERS[act_of(said)][tier] if text in self._spoken]
        fresh = [text for text in candidates if text not in self._lately] or candidates
        if not fresh:
            return None
        self._lately.append(fresh[0])
        return self._spoken[fresh[0]]
