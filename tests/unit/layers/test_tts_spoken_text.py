import pytest

from visavis.layers.tts.spoken_text import LINK_IN_WORDS, spoken_text


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Hello there.", "Hello there."),
        ("**Yes**, that is *really* `true`.", "Yes, that is really true."),
        ("that is **very", "that is very"),
        ("## Prices\n- a panel\n- a battery!\n1. Call us", "Prices. a panel. a battery! 1. Call us"),
        ("See [our page](https://acme.example/x?y=1) now", "See our page now"),
        (
            "Look at https://acme.example/a_b.html, or www.acme.example.",
            f"Look at {LINK_IN_WORDS}, or {LINK_IN_WORDS}.",
        ),
        ("Great! 😀👍🏽 Bye 👋", "Great! Bye"),
        ("Nice to meet you :) and you ;-)", "Nice to meet you and you"),
        ("One<br/>two <b>three</b>", "One two three"),
        ("Run this: ```python\nprint(1)\n``` and wait", "Run this: and wait"),
        ("It costs $9.99 (about €10), i.e. 50% off & more", "It costs $9.99 (about €10), i.e. 50% off & more"),
        ("5 * 3 = 15", "5 times 3 = 15"),
        ("It is 20°C", "It is 20°C"),
        ("Room #4 is #great", "Room #4 is great"),
        ("snake_case words", "snake case words"),
        ("Wait!!! What??", "Wait! What?"),
        ("yes -- no", "yes — no"),
        ("as shown[1] by them [^2]", "as shown by them"),
        ("| a | b |\n|---|---|\n| c | d |", "a b c d"),
        ("> He said so", "He said so."),
        ("  two\n\n spaces ", "two spaces"),
    ],
)
def test_only_what_would_be_said_stays(written: str, spoken: str) -> None:
    assert spoken_text(written) == spoken


@pytest.mark.parametrize("written", ["", "  \n", "***", "😀", "---", "...", "```\ncode\n```", "\u200b\ufe0f", "!?"])
def test_text_without_words_is_empty(written: str) -> None:
    assert spoken_text(written) == ""
