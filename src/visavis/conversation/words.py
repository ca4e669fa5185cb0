"""Words as they matter for comparing what was said: no case, no punctuation."""

import re

_WORD = re.compile(r"[\w']+")
_FILLERS = frozenset("um uh umm uhm erm er hmm hm mm mhm ah eh oh".split())


def words(text: str) -> list[str]:
    """The words of `text` in lower case."""
    return _WORD.findall(text.lower().replace("’", "'"))


def same_words(one: str, other: str) -> bool:
    """Whether two transcripts differ in nothing but punctuation, case and fillers ("um")."""
    return [w for w in words(one) if w not in _FILLERS] == [w for w in words(other) if w not in _FILLERS]
