"""`visavis layers list | test`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from visavis import models
from visavis.config import settings
from visavis.errors import VisavisError
from visavis.layers import livekit, plugins
from visavis.models import State

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
    ("tts", "kokoro", "Apache-2.0", "English", "no", ("kokoro-82m",)),
    ("tts", "openai", *_SERVERS, ()),
    ("sts", "openai", *_SERVERS, ()),
    ("sts", "gemini", "Google's", "the model's", "yes", ()),
)
"""Layer, engine, licence, languages, whether it costs money, model files."""


@app.command("list")
def list_engines() -> None:
    """Show every engine that a persona may name, and whether it is ready."""
    table = Table("layer", "engine", "licence", "languages", "costs", "state", box=None, pad_edge=False)
    states = models.status()
    for layer, name, licence, languages, cost, files in _BUILT_IN:
        if (lacking := _lacking(name)) is not None:
            table.add_row(layer, name, licence, languages, cost, escape(lacking))
            continue
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


def _lacking(engine: str) -> str | None:
    """What has to be done before an engine can be used; None where nothing is known to be missing."""
    from visavis.layers.realtime import gemini_live  # they load their libraries
    from visavis.layers.stt import faster_whisper
    from visavis.layers.tts import kokoro_files

    if engine == faster_whisper.NAME and not faster_whisper.is_installed():
        return "not installed: pip install visavis[faster-whisper]"
    if engine == "gemini":
        return "needs a key" if gemini_live.is_installed() else "not installed: pip install visavis[gemini]"
    if engine == kokoro_files.NAME and not any(kokoro_files.folder().glob("*.bin")):
        return "no voices: see docs/layers.md"
    return None


def _mcp_state() -> str:
    commands = ", ".join(settings().mcp_commands)
    return f"ready, over HTTP{f' and as programs: {commands}' if commands else ''}"


@app.command()
def test(persona: Annotated[Path, typer.Argument(help="A persona's YAML file.")]) -> None:
    """Ask a persona's language model a question, speak the answer, and recognise what was spoken."""
    from visavis.layers.trial import speak_through  # loads every engine's library

    try:
        asyncio.run(speak_through(persona, typer.echo))
    except VisavisError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
