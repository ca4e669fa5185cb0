"""What it means that the person speaks while the replica speaks: a backchannel, or an interruption.

Backchannels are the short signs of attention that leave the floor with the speaker (Yngve 1970). The list holds the
frequent English ones of the Switchboard dialogue act corpus (Jurafsky, Shriberg and Biasca 1997, tags b, bk and ba).
"""

import re
from enum import Enum

from visavis.conversation.words import words

HEARD_MS = 256
"""Voice from which a partial text says something. The recogniser writes "Mm-hmm" and "Yeah" for less of anything."""

COMMAND_MS = 320
"""Voice from which "stop" and "wait" count; they were never a mishearing there."""

SPEECH_MS = 700
"""Voice from which words count while they go on.

Until then most backchannels are over, and partial texts of them are often wrong ("And then." for "mm-hmm"). The
replica is silent meanwhile, so nobody is talked over.
"""

SHORT_MS = 384
"""A single word of less voice that is no known one is a misheard backchannel, or no speech at all."""

TOO_LONG_MS = 1500
"""Voice for which no backchannel is left: whoever goes on this long wants the floor, whatever was understood."""

MS_PER_WORD = 450
SPARE_MS = 500
"""A text accounts for this much voice a word, and for `SPARE_MS` besides; what goes on longer has more to say."""


class Overlap(Enum):
    """What somebody means who speaks at the same time as the replica."""

    UNKNOWN = "unknown"
    """Too early to say."""
    BACKCHANNEL = "backchannel"
    """Attention, laughter, a cough, or nothing at all: the replica goes on."""
    INTERRUPTION = "interruption"
    """The person wants the floor: the replica stops."""


_PHRASES = (
    # attention and agreement
    "yes yeah yep yup yea ya aye right alright okay ok okey kay sure exactly absolutely definitely certainly totally"
    " indeed true correct agreed understood gotcha good great nice cool fine perfect lovely wonderful awesome amazing"
    " wow oh ah aha ooh really interesting excellent super brilliant",
    "i see|i know|i understand|i agree|i get it|i guess|i guess so|i bet|i think so|got it|of course|all right|you bet"
    "|for sure|that's right|that's true|that's great|that's good|that's nice|that's cool|that's interesting|is that so"
    "|that is right|that is true|makes sense|that makes sense|sounds good|fair enough|very good|very nice|very true"
    "|oh really|oh no|no way|oh my|oh my god|my god|oh wow|oh dear|not bad|no kidding|me too|you're right|good point"
    "|how nice|how interesting|it is|it does|yes it is|i c|i e",
)
_BACKCHANNELS = frozenset(tuple(phrase.split()) for phrase in [*_PHRASES[0].split(), *_PHRASES[1].split("|")])
_LONGEST = max(map(len, _BACKCHANNELS))

_MURMUR = re.compile(
    r"(?:m+(?:h+m*)*|h+m+|mhm+|m+hmm*|u+h+u+h+|uhhuh|a+ha+|e+h+|a+h+|o+h+|hu+h+|(?:h[aeio]+)+h?|u+h+|u+m+|e+r+m?|amen|mum)"
)
"""Sounds that are written as people hear them, and what the recogniser makes of a closed "mm" ("Amen", "Mum")."""

_STOP = frozenset(
    "no nope nah wait stop hold hang pause quiet enough sorry excuse pardon but actually however listen hey hello what"
    " who where when why how which whose can could would should do does did is are will shut cancel never don't"
    " one please".split()
)
"""First words of people who take the floor, which count however short."""

_COMMANDS = frozenset({"stop", "wait", "hold"})


def classify(text: str, voiced_ms: float, ended: bool) -> Overlap:
    """Judge an overlap by its words so far.

    `text` is the newest partial text ("" if there is none yet), `voiced_ms` how long voice has been heard, `ended`
    whether it has fallen silent again. Ask again with every partial text and at the end: only UNKNOWN waits, and
    a BACKCHANNEL that is still going on may yet become an INTERRUPTION ("yeah, but"). An ended one is never UNKNOWN.
    """
    said = words(text)
    rest = _without_backchannels(said)
    if not rest:
        return _by_length(len(said), voiced_ms, ended)
    if ended:
        misheard = len(said) == 1 and rest[0] not in _STOP and voiced_ms <= SHORT_MS
        return Overlap.BACKCHANNEL if misheard else Overlap.INTERRUPTION
    needed_ms = COMMAND_MS if rest[0] in _COMMANDS else SPEECH_MS
    return Overlap.INTERRUPTION if voiced_ms >= needed_ms else Overlap.UNKNOWN


def _by_length(count: int, voiced_ms: float, ended: bool) -> Overlap:
    """An overlap with nothing in it but `count` words of backchannel."""
    if voiced_ms >= TOO_LONG_MS + MS_PER_WORD * count:
        return Overlap.INTERRUPTION
    if ended:
        return Overlap.BACKCHANNEL
    if count and HEARD_MS <= voiced_ms <= SPARE_MS + MS_PER_WORD * count:
        return Overlap.BACKCHANNEL
    return Overlap.UNKNOWN


def _without_backchannels(said: list[str]) -> list[str]:
    """`said` from the first on that belongs to no backchannel."""
    at = 0
    while at < len(said):
        length = next((n for n in range(_LONGEST, 0, -1) if tuple(said[at : at + n]) in _BACKCHANNELS), 0)
        if not length and _MURMUR.fullmatch(said[at]):
            length = 1
        if not length:
            return said[at:]
        at += length
    return []
