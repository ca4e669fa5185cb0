"""How a persona's prompt is framed so that a language model talks instead of writing."""

_SPOKEN = """\
You are talking aloud in a live call. Reply in one or two short, plain sentences, without lists or symbols."""

_KEPT_IN_CHARACTER = """\
Speak as this character, never as the caller. Begin each reply with the fact above that answers, in its own words \
and numbers; never calculate. Nothing but the facts above and what the caller said is known to you: for anything \
else, do as told above or say that you don't know."""

FACT_FIRST = r"""
root ::= first rest
first ::= [^Yy\n\t *#_<>{}|\U0001F000-\U0001FAFF-] | [Yy] [^Ee\n]
rest ::= [^\n*#_<>{}|\U0001F000-\U0001FAFF]*
"""
"""Grammar (GBNF) of a small model's replies: one paragraph, nothing that cannot be said, and no "yes" to begin with.

Such models say yes to nearly every question and then make the rest fit. When they have to begin with the fact instead
("We close at five, so ...") they keep to it: of 24 scripted turns the 1.5B model passed 20 instead of 18
(`benchmarks/dialogue.py`). "No" needs no such rule, because they never say it lightly."""


def spoken_style(system_prompt: str) -> str:
    """The `system_prompt` of a persona, followed by the rules of speaking that any model needs."""
    return f"{system_prompt.strip()}\n\n{_SPOKEN}".lstrip()


def for_small_model(system_prompt: str) -> str:
    """A framed prompt, followed by what a model of a billion parameters must be told besides.

    Without it such models answer in the caller's role, agree to everything, and invent what they do not know.
    """
    return f"{system_prompt}\n\n{_KEPT_IN_CHARACTER}"
