import asyncio
import itertools
from pathlib import Path

import numpy as np
import pytest

from visavis.audio import PLAYOUT_RATE_HZ
from visavis.errors import EngineError
from visavis.layers.tts import Speech
from visavis.layers.tts.hibari import Hibari
from visavis.layers.tts.hibari_network import HEART

LONG_CLAUSE = "and then we went on along the river to the old mill " * 16


@pytest.fixture(scope="module")
def voice() -> Hibari:
    return Hibari()


async def say(voice: Hibari, text: str) -> list[Speech]:
    return [speech async for speech in voice.stream(text)]


def level_db(speech: Speech, start_s: float, end_s: float) -> float:
    """Level of a stretch below the loudest 20 ms of the whole."""
    pcm = speech.pcm.astype(np.float64)
    frames = pcm[: len(pcm) // 960 * 960].reshape(-1, 960)
    loudest = np.square(frames).mean(axis=1).max()
    part = pcm[round(start_s * PLAYOUT_RATE_HZ) : round(end_s * PLAYOUT_RATE_HZ)]
    return float(10 * np.log10(np.square(part).mean() / loudest + 1e-12))


def silence_at_ends_s(speech: Speech) -> tuple[float, float]:
    loud = np.flatnonzero(np.abs(speech.pcm.astype(np.int32)) > np.abs(speech.pcm.astype(np.int32)).max() * 0.02)
    return loud[0] / PLAYOUT_RATE_HZ, (len(speech.pcm) - loud[-1]) / PLAYOUT_RATE_HZ


@pytest.mark.parametrize(
    "text",
    [
        "Our standard package costs nine thousand dollars.",
        "It costs $9.99, or 2,500 in all",
        "At 7:30pm on 3 March 2024, Dr. Smith met Mrs. O'Brien — she is 1.75 m tall!",
        "I think 50% of A&B's 3/4 cups, i.e. 20°C, are No. 5",
        "Mail bob@acme.com or see acme.com today",
        "Zyxelwort and blorptang",
        '"Really?" she said (twice).',
        "The number is 12345678901234567890123",
        "Hello Привет world",
    ],
)
async def test_words_are_the_text_and_times_never_go_back(voice: Hibari, text: str) -> None:
    speeches = await say(voice, text)
    assert " ".join(word.text for speech in speeches for word in speech.words) == text
    for speech in speeches:
        times = [t for word in speech.words for t in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert times[0] >= 0
        assert times[-1] <= len(speech.pcm) / PLAYOUT_RATE_HZ
        symbols = [t for p in speech.phonemes for t in (p.start_s, p.end_s)]
        assert symbols == sorted(symbols)
        assert all(p.symbol.isalpha() for p in speech.phonemes)


async def test_an_amount_of_money_lasts_as_long_as_it_is_said(voice: Hibari) -> None:
    (speech,) = await say(voice, "It costs $9.99 today")
    length_s = {word.text: word.end_s - word.start_s for word in speech.words}
    assert length_s["$9.99"] > length_s["It"] + length_s["costs"] + length_s["today"]


async def test_words_and_phonemes_cover_the_sound(voice: Hibari) -> None:
    (speech,) = await say(voice, "We looked along the river for many hours")
    heard_s = len(speech.pcm) / PLAYOUT_RATE_HZ
    assert sum(p.end_s - p.start_s for p in speech.phonemes) > 0.9 * heard_s
    assert all(b.start_s - a.end_s < 0.1 for a, b in itertools.pairwise(speech.words))
    assert heard_s - speech.words[-1].end_s < 0.06


@pytest.mark.parametrize("text", ["We are here", "Papa", "Some cats", "six", "Maybe a big dog"])
async def test_silence_at_the_ends_is_cut(voice: Hibari, text: str) -> None:
    (speech,) = await say(voice, text)
    before_s, after_s = silence_at_ends_s(speech)
    assert before_s < 0.06
    assert after_s < 0.06
    assert speech.pcm[0] == 0


@pytest.mark.parametrize(
    ("text", "shortest_s", "longest_s"), [("We are here.", 0.24, 0.4), ("We are here,", 0.11, 0.2)]
)
async def test_a_pause_follows_punctuation(voice: Hibari, text: str, shortest_s: float, longest_s: float) -> None:
    (speech,) = await say(voice, text)
    assert shortest_s < silence_at_ends_s(speech)[1] < longest_s


async def test_lips_are_closed_while_the_sound_is_low(voice: Hibari) -> None:
    closures: list[float] = []
    vowels: list[float] = []
    for text in ["A happy puppy up a big pub", "He buys a baby rabbit about a pepper", "My papa taps a paper cup"]:
        (speech,) = await say(voice, text)
        for phoneme in speech.phonemes[1:-1]:
            level = level_db(speech, phoneme.start_s, phoneme.end_s)
            if phoneme.symbol in "pb":
                closures.append(level)
            elif phoneme.symbol in "AIOWæɑəɛiɪʌu":
                vowels.append(level)
    assert len(closures) > 10
    assert np.median(closures) < np.median(vowels) - 12


async def test_hissing_sounds_where_the_timing_says(voice: Hibari) -> None:
    (speech,) = await say(voice, "Six sad seals say so")
    treble = np.diff(speech.pcm.astype(np.float64))
    hiss, rest = [], []
    for phoneme in speech.phonemes:
        part = slice(round(phoneme.start_s * PLAYOUT_RATE_HZ), round(phoneme.end_s * PLAYOUT_RATE_HZ))
        (hiss if phoneme.symbol == "s" else rest).append(np.square(treble[part]).mean())
    assert np.median(hiss) > 4 * np.median(rest)


async def test_each_sentence_is_a_piece(voice: Hibari) -> None:
    pieces = await say(voice, "Hello there. How are you today? Dr. Who is here!")
    assert [" ".join(word.text for word in speech.words) for speech in pieces] == [
        "Hello there.",
        "How are you today?",
        "Dr. Who is here!",
    ]


async def test_a_very_long_clause_is_spoken_whole(voice: Hibari) -> None:
    pieces = await say(voice, LONG_CLAUSE)
    assert len(pieces) > 1
    assert [word.text for speech in pieces for word in speech.words] == LONG_CLAUSE.split()
    spoken_s = sum(len(speech.pcm) for speech in pieces) / PLAYOUT_RATE_HZ
    assert 0.2 < spoken_s / len(LONG_CLAUSE.split()) < 0.5


async def test_an_endless_word_is_cut_short(voice: Hibari) -> None:
    (speech,) = await say(voice, "9" * 600)
    assert [word.text for word in speech.words] == ["9" * 600]


@pytest.mark.parametrize("text", ["", " ", "😀", "***", "...", "привет", "你好"])
async def test_what_cannot_be_said_yields_nothing(voice: Hibari, text: str) -> None:
    assert await say(voice, text) == []


async def test_the_event_loop_runs_on_during_synthesis(voice: Hibari) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await anext(voice.stream(LONG_CLAUSE))
    counting.cancel()
    assert turns > 100


async def test_speaking_can_be_stopped_and_started_again(voice: Hibari) -> None:
    stream = voice.stream("One sentence. Another sentence. A third one.")
    await anext(stream)
    await stream.aclose()
    assert len(await say(voice, "Hello.")) == 1


def test_another_graph_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "hibari.onnx"
    damaged.write_bytes(HEART.read_bytes()[:-1] + b"x")
    with pytest.raises(EngineError, match=r"not the voice that was expected.*reinstall"):
        Hibari(damaged)


def test_a_missing_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"cannot read .*nothing\.onnx"):
        Hibari(tmp_path / "nothing.onnx")
