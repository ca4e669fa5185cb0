"""What the words judge thinks of the end of each example's words, computed once and kept in the cache."""

import asyncio
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import astuple

from training.end_of_turn.pauses import Example
from training.end_of_turn.sources import CACHE
from visavis.layers.turn import Ending
from visavis.layers.turn.words_judge import MODEL, prompt, words_judge

_NOTHING = Ending(-14.0, -14.0)


def endings(examples: Sequence[Example]) -> list[Ending]:
    """One for each example, as in a call. The first time this takes some two minutes of a core."""
    asked_how = hashlib.sha256(prompt("asked", "words").encode()).hexdigest()[:8]
    path = CACHE / f"endings-{MODEL}-{asked_how}.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    known = {(asked, text): Ending(*both) for asked, text, *both in rows}
    missing = list(dict.fromkeys(_words(e) for e in examples if e.pause.text and _words(e) not in known))
    if missing:
        print(f"{MODEL}: reading {len(missing)} texts", file=sys.stderr)
        found = asyncio.run(_read(missing))
        known |= dict(zip(missing, found, strict=True))
        rows = [[*words, *astuple(ending)] for words, ending in known.items()]
        path.write_text(json.dumps(rows), encoding="utf-8")
    return [known.get(_words(example), _NOTHING) for example in examples]


async def _read(texts: Sequence[tuple[str, str]]) -> list[Ending]:
    async with words_judge(timeout_s=60) as judge:
        if judge is None:
            sys.exit(f"there is no {MODEL}; run `visavis models pull {MODEL}`")
        await judge.server.ready()
        return [await judge.ending(asked, text) or _NOTHING for asked, text in texts]


def _words(example: Example) -> tuple[str, str]:
    return example.pause.asked, example.pause.text
