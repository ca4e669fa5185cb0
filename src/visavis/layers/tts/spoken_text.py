"""Written text to speakable text: what a language model types, without what nobody would say aloud."""

import re
import unicodedata

LINK_IN_WORDS = "the link"
"""Spoken in place of an address that nobody could follow by ear."""

_CODE_BLOCK = re.compile(r"```.*?```", re.DOTALL)
_MARKDOWN_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_FOOTNOTE = re.compile(r"\[\^?\d+\]")
_ADDRESS = re.compile(r"(?:\b(?:https?|ftp)://|\bwww\.)[^\s<>]*[^\s<>.,;:!?)\]'\"*_]", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TABLE_RULE = re.compile(r"^[\s|:-]*-{2,}[\s|:-]*$", re.MULTILINE)
_LIST_ITEM = re.compile(r"^[ \t]*(?:#{1,6}|[-*+•]|>+)[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_SOUND_EFFECT = re.compile(
    r"[\[(*]\s*(?:(?:soft|light|nervous|quiet|brief|short)\w*\s+)?"
    r"(?:laugh|chuckl|giggl|sigh|gasp|cough|sniff|yawn|groan|hum|breath|inhal|exhal|hesitat|paus|smil|grin|nod|wink"
    r"|clear\w*\s+(?:\w+\s+)?throat)\w*(?:\s+\w+){0,2}\s*[\])*]",
    re.IGNORECASE,
)
"""Stage directions: [laughs], (sighs softly), *clears throat*."""
_EMOTICON = re.compile(r"(?<![\w$])[:;=][-^o']?[)(\]\[DPp](?!\w)")
_TIMES = re.compile(r"(?<=\d)\s*[*×]\s*(?=\d)")
_UNDERSCORE = re.compile(r"_+")
_DASHES = re.compile(r"\s*--+\s*")
_REPEATED = re.compile(r"([!?,;:])\1+")
_SPACE_BEFORE_STOP = re.compile(r"\s+([.,;:!?…])(?=\s|$)")

_READ_ALOUD = frozenset("+=%$£€¥₹₩¢°&@/")
_HASH_OF_NUMBER = re.compile(r"#(?!\d)")
_DROPPED = str.maketrans(dict.fromkeys("|\\^~<>{}[]", " ") | dict.fromkeys("*`", ""))
_MEANT_ALONE = frozenset("+=%&@—–-…/")


def spoken_text(text: str) -> str:
    """What should be said of `text`: words and the punctuation that shapes them, separated by single spaces.

    Markdown, tags, code blocks, emoji, emoticons and stray symbols go; the words of a link stay, and a bare
    address becomes `LINK_IN_WORDS`. Works on any part of a text, such as a clause with half of a `**pair**`.
    Empty when nothing can be said.
    """
    text = unicodedata.normalize("NFC", text)
    text = _CODE_BLOCK.sub(" ", text)
    text = _MARKDOWN_LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub("", text)
    text = _ADDRESS.sub(LINK_IN_WORDS, text)
    text = _TAG.sub(" ", text)
    text = _TABLE_RULE.sub(" ", text)
    text = _LIST_ITEM.sub(_as_sentence, text)
    text = _SOUND_EFFECT.sub(" ", text)
    text = _EMOTICON.sub("", text)
    text = _TIMES.sub(" times ", text)
    text = _HASH_OF_NUMBER.sub("", text)
    text = _UNDERSCORE.sub(" ", text)
    text = "".join(c for c in text.translate(_DROPPED) if c in _READ_ALOUD or not _is_pictorial(c))
    text = _DASHES.sub(" — ", text)
    text = _REPEATED.sub(r"\1", text)
    text = _SPACE_BEFORE_STOP.sub(r"\1", text)
    words = [word for word in text.split() if any(c.isalnum() or c in _MEANT_ALONE for c in word)]
    return " ".join(words) if any(c.isalnum() for word in words for c in word) else ""


def _as_sentence(item: re.Match[str]) -> str:
    """A heading or list item, closed by a full stop so that the voice falls at its end."""
    words: str = item.group(1)
    return words if words[-1] in ".,;:!?…" else f"{words}."


def _is_pictorial(char: str) -> bool:
    """Whether a character is a picture or invisible: emoji, box drawing, joiners, private use, control."""
    if char.isspace():
        return False
    if unicodedata.category(char) in {"So", "Sk", "Cc", "Cf", "Cs", "Co", "Cn", "Me"}:
        return True
    return 0xFE00 <= ord(char) <= 0xFE0F  # variation selectors, which choose an emoji's picture
