"""How a persona's prompt is framed so that a language model talks instead of writing."""

_SPOKEN = """\
You are talking aloud in a live call. Reply in one or two short, plain sentences, without lists or symbols."""

_KEPT_IN_CHARACTER = """\
Rules: speak as this character, never as the caller. Answer yes or no questions with yes or no and the reason. \
If the facts above do not hold the answer, say: I don't know."""


def spoken_style(system_prompt: str) -> str:
    """The `system_prompt` of a persona, followed by the rules of speaking that any model needs."""
    return f"{system_prompt.strip()}\n\n{_SPOKEN}".lstrip()


def for_small_model(system_prompt: str) -> str:
    """A framed prompt, followed by what a model of a billion parameters must be told besides.

    Without it such models answer in the caller's role, agree to everything, and invent what they do not know.
    """
    return f"{system_prompt}\n\n{_KEPT_IN_CHARACTER}"
