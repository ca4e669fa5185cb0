"""Cuts the language model's stream into pieces worth speaking: the first as early as possible, then sentences."""

import re

_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st sr jr vs etc e.g i.e a.m p.m inc ltd co"
    " jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_CONNECTIVES = frozenset(
    "and but or so because which that when where while if although though for with to of in at on from".split()
)

_FIRST_SOFT_WORDS = 3  # from here on the first clause may also end before a connective
_FIRST_HARD_WORDS = 6
_LONG_SENTENCE_WORDS = 24  # longer sentences are also cut at commas, so that sound never runs dry

# `.` needs to see what follows ("3.5", "visavis.ai"); the others end a clause at once unless inside a number ("1,000").
_BREAK = re.compile(r"[.…]+[\"')\]]*(?=\s)|(?<=[^\W\d])[,;:!?]+[\"')\]]*|[,;:!?—]+[\"')\]]*(?=\s)|\n+")
_STRONG = re.compile(r"[.…!?\n]")


class ClauseSplitter:
    """Feed text in any portions; get clauses out. Joining all clauses with single spaces gives the text."""

    def __init__(self) -> None:
        self._buffer = ""
        self._first = True

    def feed(self, text: str) -> list[str]:
        """Add `text`; return the clauses that are complete now."""
        self._buffer += text
        clauses = []
        while (cut := self._cut()) is not None:
            clause, self._buffer = self._buffer[:cut].strip(), self._buffer[cut:].lstrip()
            if clause:
                clauses.append(clause)
                self._first = False
        return clauses

    def flush(self) -> list[str]:
        """The rest, at the end of the stream."""
        clause, self._buffer = self._buffer.strip(), ""
        return [clause] if clause else []

    def _cut(self) -> int | None:
        for found in _BREAK.finditer(self._buffer):
            head = self._buffer[: found.end()]
            words = head.split()
            if not words or words[-1].rstrip(".,;:!?\"')]").lower() in _ABBREVIATIONS:
                continue
            if head.count('"') % 2:
                continue  # the closing quotation mark may still come
            strong = bool(_STRONG.search(found.group()))
            if self._first:
                return found.end()
            if not self._first and (strong or len(words) >= _LONG_SENTENCE_WORDS):
                return found.end()
        return self._cut_at_word() if self._first else None

    def _cut_at_word(self) -> int | None:
        """Where a first clause without punctuation may end: before a connective, or when it gets too long."""
        words = list(re.finditer(r"\S+(?=\s)", self._buffer))
        for index, word in enumerate(words):
            if index >= _FIRST_HARD_WORDS or (index >= _FIRST_SOFT_WORDS and word.group().lower() in _CONNECTIVES):
                return word.start()
        return None
