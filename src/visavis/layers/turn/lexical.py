"""End of turn by word (English): does a running transcript break off where nobody ends a sentence?

The recogniser puts a full stop after almost anything, so a full stop proves little and only the words count. The
lists hold words that need another after them; those that may also end a sentence are left out, or, where they
usually do not ("that", "is"), given a middling value.
"""

import re
from dataclasses import dataclass

DONE, UNSURE, UNFINISHED = 1.0, 0.5, 0.1

_NEED_MORE = frozenset(
    # articles, possessives, quantifiers
    "a an the my your our their every whose"
    # conjunctions, also in their second half ("either ... or")
    " and or but nor because although though unless whereas whether if while since until than"
    # prepositions that are not also particles ("I came in" may end, "I came from" seldom does)
    " of from into onto with without during between among against toward towards per via at by for as to"
    # forms of be, have and auxiliaries with their pronoun ("I'm", "we've" need a predicate)
    " am i'm you're we're they're i've you've we've they've i'd you'd we'd they'd"
    " i'll you'll he'll she'll we'll they'll"
    # adverbs of degree that stand before what they grade
    " very quite rather extremely gonna wanna gotta"
    # subject pronouns
    " i he she we they".split()
)
_MAY_END = frozenset(
    "that this these those is are was were be been has have had do does did can could will would should may might"
    " must in on about like so then when where which who what how some any no not his her its just also well really"
    " more it's that's there's what's he's she's let's".split()
)
_FILLERS = frozenset("um uh umm uhm erm er hmm mm ah eh".split())
_FILLER_PHRASES = ("you know", "i mean", "sort of", "kind of", "let me see", "let me think", "such as", "for example")
_COMPLETE_PHRASES = (
    "i am", "you are", "they are", "we are", "it is", "that is", "is that", "is it", "i do", "i did", "i can", "i will",
    "i have", "i would", "so am i", "so do i", "neither do i", "i think so", "i hope so", "like that", "like this",
    "what for", "where from", "what about", "how about", "why not", "love to", "used to", "want to", "supposed to",
)  # fmt: skip
_DIGIT_WORDS = frozenset("zero oh one two three four five six seven eight nine".split())
_DICTATED = (
    (re.compile(r"\b(?:phone|telephone|mobile|my|account|card) number\b[a-z ']*$"), 7),
    (re.compile(r"\b(?:code|pin|extension)\b[a-z ']*$"), 4),
)
"""What comes before a number that is dictated digit by digit, and how many digits it has at least."""


_LACK_OBJECT = frozenset(
    "press enter want need get got give take make put say said says tell told call called like think thought know mean"
    " find bring send buy use see is are was were be been have has had number extension named called from"
    " says lasts including around about exactly currently approximately between".split()
)
"""Words after which an object or a value is due; many may also end a sentence, so this is a hint."""
_OPENERS = frozenset(
    "if when while although because since after before once unless until as though whenever whether to for at".split()
)
"""First words of clauses that prepare another one."""
_NUMBER_WORDS = _DIGIT_WORDS | frozenset(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty"
    " seventy eighty ninety hundred thousand million".split()
)
_SHORT_ANSWER = 4
_SHORT_CLAUSE = 9
_OPEN_MARKS = (",", ";", ":", "-", "–", "—", "...", "…")


@dataclass(frozen=True, slots=True)
class Wording:
    """What the words say about the end: whether each sign is there. Without words there is none."""

    breaks_off: bool = False
    """Ends in a word or a phrase that needs more."""
    comma: bool = False
    """Ends in a mark that needs more; the recogniser also hears one in a voice that has not quite come down."""
    may_end: bool = False
    """Ends in a word that seldom ends a sentence, but may."""
    filler: bool = False
    lacks_object: bool = False
    number: bool = False
    """Ends in a number, which may go on."""
    dictating: bool = False
    """Ends in the first digits of a number that has more."""
    only_opens: bool = False
    """The last sentence is so far only a clause that prepares another one."""
    pointed: bool = False
    """Ends in the recogniser's full stop, which proves little."""
    asks: bool = False
    answers: bool = False
    """At most four words after a question, without a sign of more to come."""


def wording(text: str, asked: str = "") -> Wording:
    """The signs in `text`, the transcript up to a pause, said after the replica's words `asked`."""
    words = _words(text)
    if not words:
        return Wording()
    ending = text.rstrip()
    filler = words[-1] in _FILLERS or _ends_in(" ".join(words), _FILLER_PHRASES)
    # The recogniser writes "Um?" and "The?" as well, so the words come first.
    breaks_off = not filler and _by_last_words(words) == UNFINISHED
    asks = ending.endswith("?") and not filler and not breaks_off
    short = len(words) <= _SHORT_ANSWER and asked.rstrip().endswith("?")
    return Wording(
        breaks_off=breaks_off,
        comma=ending.endswith(_OPEN_MARKS),
        may_end=words[-1] in _MAY_END and not breaks_off,
        filler=filler,
        lacks_object=words[-1] in _LACK_OBJECT and not breaks_off,
        number=not short and (words[-1].isdigit() or words[-1] in _NUMBER_WORDS),
        dictating=_dictating(words),
        only_opens=_only_opens(text) and not asks,
        pointed=ending.endswith((".", "!", "?")),
        asks=asks,
        answers=short and not filler and not breaks_off,
    )


def _only_opens(text: str) -> bool:
    last = [part for part in re.split(r"[.?!]+(?:\s+|$)", text.strip()) if _words(part)][-1]
    words = _words(last)
    return words[0] in _OPENERS and len(words) <= _SHORT_CLAUSE and "," not in last.rstrip(", ")


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower().replace("’", "'"))


def completeness(text: str) -> float:
    """How complete `text` is by its last words: 1 for a possible end of turn, towards 0 for a broken-off one.

    A text of no words gives 0.5: nothing can be said.
    """
    words = _words(text)
    if not words:
        return UNSURE
    ending = text.rstrip().rstrip("\"')”’")
    if ending.endswith(_OPEN_MARKS):
        return UNFINISHED
    if ending.endswith("?"):
        return DONE
    return _by_last_words(words)


def _by_last_words(words: list[str]) -> float:
    last, spoken = words[-1], " ".join(words)
    if last in _FILLERS or _ends_in(spoken, _FILLER_PHRASES):
        return UNFINISHED
    if _ends_in(spoken, _COMPLETE_PHRASES):
        return DONE
    if last in _NEED_MORE:
        return UNFINISHED
    if _dictating(words):
        return UNFINISHED
    return UNSURE if last in _MAY_END else DONE


def _dictating(words: list[str]) -> bool:
    """Whether the text ends in the first digits of a number that has more of them."""
    digits = 0
    for word in reversed(words):
        if not word.isdigit() and word not in _DIGIT_WORDS:
            break
        digits += len(word) if word.isdigit() else 1
        words = words[:-1]
    before = " ".join(words)
    return any(0 < digits < expected and opener.search(before) for opener, expected in _DICTATED)


def _ends_in(spoken: str, phrases: tuple[str, ...]) -> bool:
    return any(spoken == phrase or spoken.endswith(f" {phrase}") for phrase in phrases)
