"""`visavis layers list | test`."""

import asyncio
import time
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from visavis import models
from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ
from visavis.config import settings
from visavis.conversation import persona as personas
from visavis.errors import VisavisError
from visavis.hosting.engines import SharedEngines
from visavis.hosting.faces import Faces
from visavis.hosting.plan import Plan
from visavis.layers import livekit, plugins
from visavis.layers.builtin import start_layers
from visavis.layers.llm import Message, words_of
from visavis.layers.llm.prompt import spoken_style
from visavis.models import State
from visavis.outbound import outbound_of

app = typer.Typer(help="Layers: list the engines, test those of a persona.", no_args_is_help=True)

_SERVERS = ("the server's", "the model's", "the server's")
_BUILT_IN = (
    ("stt", "visavis", "MIT", "English", "no", ("moonshine-base-en", "moonshine-tiny-en")),
    ("turn", "visavis", "MIT, BSD-2-Clause", "English", "no", ("silero-vad", "smart-turn-v3.2")),
    ("llm", "visavis", "Apache-2.0", "English best", "no", ("qwen2.5-coder-0.5b",)),
    ("tts", "visavis", "Apache-2.0", "English", "no", ("hibari-heart",)),
    ("perception", "visavis", "Apache-2.0", "any", "no", ("face-detector", "face-landmarker")),
    ("stt", "faster-whisper", "MIT", "English; others with larger models", "no", ("whisper-tiny.en",)),
    ("stt", "openai", *_SERVERS, ()),
    ("turn", "hook", *_SERVERS, ()),
    ("llm", "base_url", *_SERVERS, ()),
    ("tts", "openai", *_SERVERS, ()),
    ("sts", "openai", *_SERVERS, ()),
    ("sts", "gemini", "Google's", "the model's", "yes", ()),
)
"""Layer, engine, licence, languages, whether it costs money, model files."""

_QUESTION = "Please say in one sentence who you are."


@app.command("list")
def list_engines() -> None:
    """Show every engine that a persona may name, and whether it is ready."""
    table = Table("layer", "engine", "licence", "languages", "costs", "state", box=None, pad_edge=False)
    states = models.status()
    for layer, name, licence, languages, cost, files in _BUILT_IN:
        missing = [file for file in files if states.get(file) not in (State.READY, None)]
        state = f"missing {', '.join(missing)}: run `visavis models pull`" if missing else "ready"
        table.add_row(layer, name, licence, languages, cost, state if files else "needs an address")
    for kind in plugins.LAYERS:
        for name, point in plugins.installed(kind).items():
            told = plugins.about(point)
            package = f"ready, from {point.dist.name if point.dist else 'a package'}"
            row = (str(told.get(one, "?")) for one in ("licence", "languages", "cost"))
            table.add_row(kind, name, *row, str(told.get("problem") or package))
    for found in livekit.installed():
        table.add_row(found.layer, found.engine, found.licence, *_SERVERS[1:], found.state)
    table.add_row("tools", "mcp", "the server's", "any", "the server's", _mcp_state())
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(table)


def _mcp_state() -> str:
    commands = ", ".join(settings().mcp_commands)
    return f"ready, over HTTP{f' and as programs: {commands}' if commands else ''}"


@app.command()
def test(persona: Annotated[Path, typer.Argument(help="A persona's YAML file.")]) -> None:
    """Ask a persona's language model a question, speak the answer, and recognise what was spoken."""
    try:
        asyncio.run(_tested(persona))
    except VisavisError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


async def _tested(file: Path) -> None:
    wanted = personas.load(file)
    plan = Plan(conversation_id="test", persona=wanted, replica_id="")
    async with start_layers(settings(), None) as shared:
        engines = SharedEngines(shared, Faces(), outbound_of(settings()), settings().mcp_commands)
        async with engines.layers(plan) as layers:
            began, first_s, text = time.monotonic(), None, ""
            asked = [Message("system", spoken_style(wanted.system_prompt)), Message("user", _QUESTION)]
            async with aclosing(layers.language_model.stream(asked)) as reply:  # type: ignore[type-var]
                async for piece in reply:
                    first_s = first_s or time.monotonic() - began
                    text += words_of(piece)
            typer.echo(f"llm: {text.strip()!r}; first word after {1000 * (first_s or 0):.0f} ms")
            began, first_s, sound = time.monotonic(), None, []
            async for speech in layers.voice.stream(text):
                first_s = first_s or time.monotonic() - began
                sound.append(speech.pcm)
            spoken = np.concatenate(sound) if sound else np.zeros(0, np.int16)
            lasts_s = len(spoken) / PLAYOUT_RATE_HZ
            typer.echo(f"tts: {lasts_s:.1f} s of sound; first of it after {1000 * (first_s or 0):.0f} ms")
            utterance = layers.recogniser.utterance()
            utterance.feed((spoken[:: PLAYOUT_RATE_HZ // LISTEN_RATE_HZ] / 32768).astype(np.float32))
            began = time.monotonic()
            heard = await utterance.final()
            typer.echo(f"stt: {heard!r}; after {1000 * (time.monotonic() - began):.0f} ms")
