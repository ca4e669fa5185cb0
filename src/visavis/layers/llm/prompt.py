"""How a persona's prompt is framed so that a language model talks instead of writing."""

_SPOKEN_STYLE = """\
You are talking aloud with the user in a live call. Answer the user's last sentence directly, in one or two short \
sentences of plain words. No lists, no headings, no emoji, no symbols. Use only the facts above; if they do not \
hold the answer, say that you do not know. Do not repeat the question."""


def spoken_style(system_prompt: str) -> str:
    """`system_prompt` of a persona, followed by short rules for spoken replies."""
    return f"{system_prompt.strip()}\n\n{_SPOKEN_STYLE}".lstrip()
