"""Whether the built-in language models choose the right tool, with the right arguments: three ways of asking them.

`tests/data/tools/prompts.yaml` has 36 turns with three personas, of which 15 ask for no tool. `protocol` offers the
tools as vendors' models take them; `free` looks for JSON in the words of the same reply; `schema` is what visavis does:
a question of its own whose answer can only be a tool that exists (`visavis.layers.llm.router`).

Names on the command line choose models: `python -m benchmarks.tools fast quality`.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import yaml

from benchmarks.report import QUICK, figures, percentile, table
from visavis import models
from visavis.layers.llm import Function, Message, ToolRequest, words_of
from visavis.layers.llm.built_in import BuiltInModel, built_in_settings
from visavis.layers.llm.choice import LANGUAGE_MODELS
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.llm.openai_compatible import OpenAICompatible
from visavis.layers.llm.prompt import for_small_model, spoken_style

_PROMPTS = Path(__file__).parents[1] / "tests" / "data" / "tools" / "prompts.yaml"
_QUICK_TURNS = 4
_BEFORE_JSON = re.compile(r"^\s*(<tool_call>|```(?:json)?)?\s*")


def main() -> None:
    """Measure and report."""
    names = sys.argv[1:] or (["fast"] if QUICK else ["fast", "quality"])
    found: dict[str, float] = {}
    rows = []
    for name in names:
        for way, (right, turns, times) in asyncio.run(_measured(name)).items():
            rows.append((name, way, f"{right} of {turns}", percentile(times, 50), percentile(times, 95)))
            found |= {f"{name}_{way}_right": right, f"{name}_{way}_p50_ms": percentile(times, 50)}
    table("the right tool", ("model", "asked by", "right", "p50 ms", "p95 ms"), rows)
    figures(found)


async def _measured(name: str) -> dict[str, tuple[int, int, list[float]]]:
    file = next(models.path(LANGUAGE_MODELS[name]).glob("*.gguf"))  # type: ignore[index]
    right = dict.fromkeys(("protocol", "free", "schema"), 0)
    times: dict[str, list[float]] = {way: [] for way in right}
    async with LlamaServer(file) as server:
        base_url = await server.ready()
        settings = built_in_settings(server, base_url).model_copy(update={"extra_body": {}})
        async with aclosing(OpenAICompatible(settings)) as vendor, aclosing(BuiltInModel(server)) as built_in:
            for scene in yaml.safe_load(_PROMPTS.read_text()):
                tools = [Function(one["name"], one["description"], one["parameters"]) for one in scene["tools"]]
                prompt = spoken_style(scene["persona"])
                for turn in scene["turns"][: _QUICK_TURNS if QUICK else None]:
                    asked = [Message("system", for_small_model(prompt)), Message("user", turn["says"])]
                    request, words, took_ms = await _first(vendor.stream(asked, tools))
                    right["protocol"] += _fits(request, turn)
                    right["free"] += _fits(request or _in_words(words, tools), turn)
                    times["protocol"].append(took_ms)
                    times["free"].append(took_ms)
                    # Only the choice is timed: the words after it are made in any case.
                    asked = [Message("system", prompt), Message("user", turn["says"])]
                    began = time.perf_counter()
                    request = await built_in.tool_for(asked, tools)
                    times["schema"].append(1000 * (time.perf_counter() - began))
                    right["schema"] += _fits(request, turn)
    return {way: (right[way], len(times[way]), times[way]) for way in right}


async def _first(reply: Any) -> tuple[ToolRequest | None, str, float]:
    """The first request of a reply, its words, and how long all of it took."""
    began, request, words = time.perf_counter(), None, ""
    async for piece in reply:
        if isinstance(piece, ToolRequest):
            request = request or piece
        else:
            words += words_of(piece)
    return request, words, 1000 * (time.perf_counter() - began)


def _in_words(words: str, tools: list[Function]) -> ToolRequest | None:
    try:
        found, _ = json.JSONDecoder().raw_decode(_BEFORE_JSON.sub("", words))
        name, arguments = found["name"], found.get("arguments") or {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return ToolRequest("", name, json.dumps(arguments)) if name in [tool.name for tool in tools] else None


def _fits(request: ToolRequest | None, turn: Mapping[str, Any]) -> bool:
    if request is None or turn["tool"] is None:
        return request is None and turn["tool"] is None
    try:
        given = json.loads(request.arguments)
    except ValueError:
        return False
    wanted = turn.get("arguments") or {}
    right = isinstance(given, dict) and all(str(given.get(n)).lower() == str(v).lower() for n, v in wanted.items())
    return request.name == turn["tool"] and right


if __name__ == "__main__":
    main()
