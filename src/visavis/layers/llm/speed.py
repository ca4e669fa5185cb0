"""How long a built-in language model takes on this machine, measured once and then remembered beside the models."""

import json
import logging
import platform
from collections.abc import Callable, Mapping
from contextlib import aclosing
from pathlib import Path

import psutil

from visavis.layers.llm import LanguageModel, Message

_log = logging.getLogger(__name__)

MEMORY_FILE = "speed.json"
"""In the model cache: seconds to a first clause, by model and processor."""

_PROMPT = "You are Ada, who sells tea in a small shop. Green tea costs four euros. The shop opens at nine."
_QUESTIONS = (
    "I would like to have some green tea, how much do you want for it?",
    "My neighbour told me about your shop, when does it open in the morning?",
)
_UNREAD_WORDS = 2
"""Words that come after the last that was read while the person spoke, as in a call."""

_CLAUSE_TOKENS = 6
"""The first clause of most replies of `benchmarks/dialogue.py` has no more."""


async def first_clause_s(model: LanguageModel, now: Callable[[], float]) -> float:
    """Seconds from a question to the first six tokens of its answer, the faster of two, as the clock `now` counts.

    Raises `visavis.errors.EngineError`.
    """
    return min([await _answered_after_s(model, question, now) for question in _QUESTIONS])


async def _answered_after_s(model: LanguageModel, question: str, now: Callable[[], float]) -> float:
    def asked(words: str) -> list[Message]:
        return [Message("system", _PROMPT), Message("user", words)]

    await model.prefill(asked(" ".join(question.split()[:-_UNREAD_WORDS])))
    begun, pieces = now(), 0
    async with aclosing(model.stream(asked(question))) as reply:  # type: ignore[type-var]
        async for _ in reply:
            pieces += 1
            if pieces == _CLAUSE_TOKENS:
                break
    return now() - begun


class SpeedMemory:
    """What was measured on this machine before. Owner of `MEMORY_FILE` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / MEMORY_FILE

    def recall(self, model_sha256: str) -> float | None:
        """Seconds to a first clause of the model whose file hashes so; None if never measured on such a processor."""
        seconds = self._all().get(_key(model_sha256))
        return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None

    def remember(self, model_sha256: str, seconds: float) -> None:
        """Keep a measurement; a folder that cannot be written to only costs the next start the same time again."""
        known = {**self._all(), _key(model_sha256): round(seconds, 3)}
        unfinished = self._file.with_suffix(".partial")
        try:
            unfinished.write_text(json.dumps(known, indent=1), encoding="utf-8")
            unfinished.replace(self._file)
        except OSError as error:
            _log.debug("the measured speed cannot be kept: %s", error)

    def _all(self) -> Mapping[str, object]:
        try:
            known = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def _key(model_sha256: str) -> str:
    return f"{model_sha256[:16]}, {_processor_name()}, {psutil.cpu_count()} cores"


def _processor_name() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
