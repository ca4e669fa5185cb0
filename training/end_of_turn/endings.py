"""What the built-in language models think of the end of each example's words, computed once and kept in the cache."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import astuple

from training.end_of_turn.pauses import Example
from training.end_of_turn.sources import CACHE
from visavis import models
from visavis.conversation.persona import DEMO
from visavis.layers.llm import Ending, Message
from visavis.layers.llm.built_in import BuiltInModel
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.llm.prompt import spoken_style

MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
"""Those that calls are held with; one set of weights serves both."""

_NOTHING = Ending(-14.0, -14.0)


def endings(examples: Sequence[Example], model: str) -> list[Ending]:
    """One for each example, as in a call with the demo persona. The first time this takes some five minutes."""
    path = CACHE / f"endings-{model}.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    known = {(asked, text): Ending(*both) for asked, text, *both in rows}
    missing = list(dict.fromkeys(_words(e) for e in examples if e.pause.text and _words(e) not in known))
    if missing:
        print(f"{model}: reading {len(missing)} texts", file=sys.stderr)
        found = asyncio.run(_read(missing, model))
        known |= dict(zip(missing, found, strict=True))
        rows = [[*words, *astuple(ending)] for words, ending in known.items()]
        path.write_text(json.dumps(rows), encoding="utf-8")
    return [known.get(_words(example), _NOTHING) for example in examples]


async def _read(texts: Sequence[tuple[str, str]], model: str) -> list[Ending]:
    file = next(models.path(model).glob("**/*.gguf"))
    system = Message("system", spoken_style(DEMO.system_prompt))
    async with LlamaServer(file) as server:
        built_in = BuiltInModel(server)
        found = []
        for asked, text in texts:
            said = [Message("assistant", asked)] if asked else []
            found.append(await built_in.ending([system, *said, Message("user", text)]) or _NOTHING)
        await built_in.aclose()
    return found


def _words(example: Example) -> tuple[str, str]:
    return example.pause.asked, example.pause.text
