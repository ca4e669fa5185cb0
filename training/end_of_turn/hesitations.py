"""Sentences broken off where people search for words, and whole ones, spoken by the built-in voice.

Synthetic, so reported apart: the voice does not know that it hesitates, except for its commas and fillers.
Sentences are split between training and test by their frame, so that no opening is in both.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from training.end_of_turn.sources import TEST, TRAIN
from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Samples
from visavis.layers.tts.hibari import Hibari


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence for the built-in voice, and whether it is all."""

    name: str
    text: str
    asked: str
    complete: bool
    part: str


_FRAMES = """
I would like to|book a table for two
My name is|Martin and I live in Leeds
I was thinking about|buying an electric car
We went to|the museum on Sunday
The reason I'm calling is|that my bill is wrong
Could you tell me|how much the premium version costs
I think the|blue one looks better
She said that|she would come tomorrow
It depends on|the weather in the mountains
I have been working with|children for ten years
Do you know if|the shop is open on Monday
I'm looking for|a birthday present for my brother
Last year I|moved to a smaller flat
We need|three chairs and a lamp
Well, because|nobody told me about it
If the battery is empty|I charge it over night
When I was a child|we lived by the sea
There are two|things I don't understand
My favourite|colour is green
I can't|hear you very well
What happens when|it rains for a week
He wants to|learn how to swim
They told us to|wait in the hall
I'd rather have|tea than coffee
Our house is|between the church and the river
Maybe we could|meet a little earlier
The first thing I noticed was|the smell of fresh bread
You should probably|ask my wife about that
I used to live in|Berlin
So the problem is|that it never stops
"""
_FILLERS = ("um", "uh", "you know", "well", "I mean", "like")
_NUMBERS = (
    ("My phone number is", "five five five,", "five five five, one two three, four five six seven"),
    ("The code is", "seven two", "seven two nine four"),
    ("It costs about", "two hundred and", "two hundred and fifty dollars"),
    ("I was born in", "nineteen", "nineteen eighty two"),
    ("My name is spelled", "S, M, Y,", "S, M, Y, T, H, E"),
    ("The address is", "forty two,", "forty two, Mill Lane"),
    ("My account number is", "three eight,", "three eight, nine one, zero four"),
    ("We are", "twenty", "twenty seven people"),
)
_ANSWERS = (
    ("What is your name?", "Martin."),
    ("Do you like music?", "Yes."),
    ("Do you like music?", "Not really."),
    ("When did you arrive?", "Yesterday."),
    ("How old are you?", "Thirty four."),
    ("Which one do you want?", "The red one."),
    ("Where do you live?", "In Leeds."),
    ("Is there anything else?", "No, thank you."),
    ("How many do you need?", "Two."),
    ("Shall we start?", "Sure."),
    ("What do you do?", "I'm a teacher."),
    ("How are you today?", "Fine, thanks."),
    ("Who told you?", "My sister."),
    ("Do you have a car?", "I do."),
    ("Would you like to see more?", "Maybe later."),
    ("What is your favourite food?", "Pizza."),
)
_SEARCHING = ("Um", "Well", "Hmm, let me think", "I think", "The", "It's", "So", "Maybe the")


def sentences() -> Iterator[Sentence]:
    """All of them, complete and broken off."""
    for number, (text, asked, complete, part) in enumerate(_texts()):
        yield Sentence(f"{'whole' if complete else 'broken'}-{number}", text, asked, complete, part)


def _texts() -> Iterator[tuple[str, str, bool, str]]:
    for number, frame in enumerate(_FRAMES.strip().splitlines()):
        opening, rest = frame.split("|")
        part = TEST if number % 2 else TRAIN
        filler = _FILLERS[number // 2 % len(_FILLERS)]
        question = opening.startswith(("Could", "Do you", "What"))
        yield f"{opening} {rest}{'?' if question else '.'}", "", True, part
        yield f"{opening},", "", False, part
        yield f"{opening}, {filler},", "", False, part
        yield f"{opening} {' '.join(rest.split()[: 1 + number % 2])},", "", False, part
    for number, (opening, some, whole) in enumerate(_NUMBERS):
        part = TEST if number % 2 else TRAIN
        yield f"{opening} {some}", "", False, part
        yield f"{opening} {whole}.", "", True, part
    for number, (asked, answer) in enumerate(_ANSWERS):
        part = TEST if number % 2 else TRAIN
        yield answer, asked, True, part
        yield f"{_SEARCHING[number // 2 % len(_SEARCHING)]},", asked, False, part


def said(text: str) -> Samples:
    """`text` in the built-in voice, as float32 16 kHz, without the silence at its end."""

    async def collect() -> list[np.ndarray]:
        return [speech.pcm async for speech in _voice().stream(text)]

    pcm = np.concatenate(asyncio.run(collect()))
    assert PLAYOUT_RATE_HZ == 3 * LISTEN_RATE_HZ
    third = np.convolve(pcm / 32768, np.hamming(15) / np.hamming(15).sum(), mode="same")[::3]
    sounding = np.flatnonzero(np.abs(third) > 0.01)
    kept = third[: sounding[-1] + LISTEN_RATE_HZ // 50]
    noise = np.random.default_rng(len(text)).normal(0, 2e-4, len(kept))
    return np.asarray(kept * 0.06 / (np.sqrt(np.mean(kept**2)) + 1e-6) + noise, np.float32)


_voices: list[Hibari] = []


def _voice() -> Hibari:
    if not _voices:
        _voices.append(Hibari())
    return _voices[0]
