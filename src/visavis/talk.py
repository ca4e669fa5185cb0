"""`visavis talk`: the same conversation as in the browser, in the terminal."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from visavis.config import Settings
from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.conversation.persona import Persona
from visavis.layers.builtin import start_layers
from visavis.replica.audio_only import AudioOnly
from visavis.transport.terminal import SoundCard, TerminalCall, WavLoudspeaker, WavMicrophone, read_wav

_console = Console(highlight=False)


async def talk(settings: Settings, persona: Persona, wavs: list[Path], out: Path | None) -> None:
    """Talk until the files are answered, the input ends, or Ctrl-C.

    Raises `VisavisError` for unusable files, and where there is neither a file nor a sound card.
    """
    files = [read_wav(path) for path in wavs]
    async with AsyncExitStack() as stack:
        card = None if files else await stack.enter_async_context(SoundCard())
        with _console.status("Loading the models ..."):
            layers = await stack.enter_async_context(start_layers(settings, persona.layers.llm))
        microphone = WavMicrophone(files)
        loudspeaker = card.play if card else (lambda _pcm: None)
        if out:
            loudspeaker = recorder = WavLoudspeaker(out)
            stack.callback(recorder.close)

        def show(event: Mapping[str, Any]) -> None:
            microphone.follow(event)
            _print(persona.persona_name, event)

        call = TerminalCall(card or microphone, loudspeaker, show, _nothing_typed() if files else _typed())
        _console.print("[dim]Speak, or type a line and press Enter. Ctrl-C leaves.[/dim]" if card else "", end="\n")
        await Conversation("talk", persona, AudioOnly(), layers, LoopClock()).run(call)


def _print(name: str, event: Mapping[str, Any]) -> None:
    properties = event.get("properties", {})
    match event["event_type"]:
        case "conversation.utterance":
            who = "[bold]you[/bold]" if properties["role"] == "user" else f"[bold cyan]{name}[/bold cyan]"
            cut = " [dim](interrupted)[/dim]" if properties.get("interrupted") else ""
            _console.print(f"{who}: {properties['speech']}{cut}")
        case "conversation.latency" if properties["utterance_to_utterance_ms"] is not None:
            _console.print(f"[dim]answered after {properties['utterance_to_utterance_ms']:.0f} ms[/dim]")
        case "conversation.error":
            _console.print(f"[red]{properties['message']}[/red]")


async def _typed() -> AsyncIterator[Mapping[str, Any]]:
    """Lines typed into the terminal, as messages of a page."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if text := line.decode(errors="replace").strip():
            yield {"event_type": "conversation.respond", "properties": {"text": text}}


async def _nothing_typed() -> AsyncIterator[Mapping[str, Any]]:
    return
    yield
