"""How well the built-in language model talks, and how soon: scripted dialogues, for each strategy.

Every turn of every dialogue (`../shared/data/dialogue` and the held-out ones in `tests/data/dialogue`) is asked as text
through the real prompt, context, language model, clause splitter and voice; the replica's whole reply counts as heard.
A reply passes when one pattern of `expect` matches and none of `never` does. Each dialogue is played once: the built-in
models always take the likeliest word.

The first sound is timed from the moment at which the person's words are known. As in a call, all but the last two
words have been read ahead of it; nothing else runs, and no speculation hides the wait.

Names on the command line choose strategies: `python -m benchmarks.dialogue fast quality`.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from benchmarks.report import QUICK, figures, percentile, stolen_percent, table
from benchmarks.two_speeds import two_speeds
from visavis.config import Settings
from visavis.conversation.clauses import ClauseSplitter
from visavis.conversation.context import Context
from visavis.layers.llm import LanguageModel, words_of
from visavis.layers.llm.choice import language_model
from visavis.layers.llm.prompt import spoken_style
from visavis.layers.tts.hibari import Hibari

_ROOT = Path(__file__).resolve().parents[1]
_GIVEN = Path(os.environ.get("VISAVIS_TEST_DATA", _ROOT.parent / "shared" / "data")) / "dialogue"
_HELD_OUT = _ROOT / "tests" / "data" / "dialogue"

DEFAULT = "quality"
STRATEGIES = ("fast", "quality", "mixed")
_QUICK_TURNS = 8
_UNREAD_WORDS = 2
"""Words at the end of a question that come too late to be read ahead."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what became of it."""

    dialogue: str
    held_out: bool
    question: str
    reply: str
    passed: bool
    first_token_ms: float | None
    first_sound_ms: float | None
    """None when nothing was said."""


def main() -> None:
    """Measure and report."""
    names = sys.argv[1:] or ([DEFAULT] if QUICK else list(STRATEGIES))
    before = psutil.cpu_times()
    played = {name: asyncio.run(_played(name)) for name in names}
    stolen = stolen_percent(before, psutil.cpu_times())
    for name, turns in played.items():
        failed = [(turn.dialogue, turn.question, turn.reply) for turn in turns if not turn.passed]
        table(f"{name}: failed turns", ("dialogue", "asked", "answered"), failed)
    rows = [
        (
            name,
            f"{_passed([turn for turn in turns if not turn.held_out]):.2f}",
            f"{_passed([turn for turn in turns if turn.held_out]):.2f}",
            percentile(_known(turn.first_token_ms for turn in turns), 50),
            percentile(_known(turn.first_sound_ms for turn in turns), 50),
            percentile(_known(turn.first_sound_ms for turn in turns), 95),
        )
        for name, turns in played.items()
    ]
    table("Strategies", ("", "passed", "passed, held out", "first token p50 ms", "first sound p50 ms", "p95 ms"), rows)
    default = played.get(DEFAULT, [])
    summary = {
        "dialogue_pass": _passed([turn for turn in default if not turn.held_out]),
        "held_out_pass": _passed([turn for turn in default if turn.held_out]),
        "first_sound_p50_ms": percentile(_known(turn.first_sound_ms for turn in default), 50),
        "stolen_percent": stolen,
    }
    for name, turns in played.items():
        summary[f"{name}_pass"] = _passed([turn for turn in turns if not turn.held_out])
        summary[f"{name}_held_out_pass"] = _passed([turn for turn in turns if turn.held_out])
        summary[f"{name}_first_sound_p50_ms"] = percentile(_known(turn.first_sound_ms for turn in turns), 50)
    figures(summary)


def _passed(turns: list[Turn]) -> float:
    return sum(turn.passed for turn in turns) / len(turns) if turns else float("nan")


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _dialogues() -> Iterator[tuple[str, bool, dict]]:
    files = [(path, folder == _HELD_OUT) for folder in (_GIVEN, _HELD_OUT) for path in sorted(folder.glob("*.yaml"))]
    for path, held_out in files[:1] if QUICK else files:
        script = yaml.safe_load(path.read_text(encoding="utf-8"))
        yield path.stem, held_out, {**script, "turns": script["turns"][:_QUICK_TURNS]} if QUICK else script


async def _played(strategy: str) -> list[Turn]:
    voice = Hibari()
    await voice.warm_up()
    async with AsyncExitStack() as stack:
        running = two_speeds() if strategy == "mixed" else language_model(Settings(quality=strategy), None)
        model = await stack.enter_async_context(running)
        return [
            await turn
            for name, held_out, script in _dialogues()
            for turn in _turns(model, voice, name, held_out, script)
        ]


def _turns(model: LanguageModel, voice: Hibari, name: str, held_out: bool, script: dict):
    context = Context(spoken_style(script["persona"]["system_prompt"]))
    return (_turn(model, voice, context, name, held_out, turn) for turn in script["turns"])


async def _turn(model: LanguageModel, voice: Hibari, context: Context, name: str, held_out: bool, turn: dict) -> Turn:
    question = turn["say"]
    await model.prefill(context.with_person(" ".join(question.split()[:-_UNREAD_WORDS])))
    context.add_person(question)
    splitter, reply = ClauseSplitter(), ""
    first_token_ms: float | None = None
    first_sound_ms: float | None = None
    asked = time.perf_counter()
    async for piece in model.stream(context.messages()):
        if first_token_ms is None:
            first_token_ms = 1000 * (time.perf_counter() - asked)
        reply += words_of(piece)
        for clause in splitter.feed(words_of(piece)):
            if first_sound_ms is None and await _sounds(voice, clause):
                first_sound_ms = 1000 * (time.perf_counter() - asked)
    if first_sound_ms is None and await _sounds(voice, reply):
        first_sound_ms = 1000 * (time.perf_counter() - asked)
    context.add_replica(" ".join(reply.split()))
    return Turn(name, held_out, question, reply, _passes(reply, turn), first_token_ms, first_sound_ms)


async def _sounds(voice: Hibari, clause: str) -> bool:
    """Speak the first piece of `clause`; whether there is any."""
    async for _ in voice.stream(clause):
        return True
    return False


def _passes(reply: str, turn: dict) -> bool:
    def found(patterns: list[str]) -> bool:
        return any(re.search(pattern, reply.strip(), re.IGNORECASE) for pattern in patterns)

    return found(turn["expect"]) and not found(turn.get("never", []))


if __name__ == "__main__":
    main()
