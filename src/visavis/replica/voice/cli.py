"""`visavis voice`: learn a voice, speak with one, tell whether a recording was spoken by one."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from visavis.errors import BadInputError
from visavis.replica.training_cli import ConsentOption, DeclaredOption, FolderOption, ForceOption, consented
from visavis.terminal import bar

if TYPE_CHECKING:
    from visavis.layers.tts.manner import Manner
    from visavis.layers.tts.voice_file import Voice

app = typer.Typer(help="Voices: train one, speak with one, list, detect.", no_args_is_help=True)

_console = Console(stderr=True)
SUFFIX = ".voice"


@app.command()
def train(
    source: Annotated[Path, typer.Argument(help="A recording or video of one person speaking, best 2 to 5 minutes.")],
    name: Annotated[
        str | None, typer.Option("--name", help="What the voice is called; by default as the file.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The .voice file to write, or a .replica file to put it into.")
    ] = None,
    consent: ConsentOption = None,
    i_have_consent: DeclaredOption = None,
    work: FolderOption = None,
    force: ForceOption = False,
) -> None:
    """Learn the voice of a person who agreed to it. Takes minutes; interrupted, the same command goes on."""
    from visavis.replica.voice import train_voice
    from visavis.replica.voice.part import put_into

    if not source.is_file():
        raise BadInputError("SOURCE", source, "a file that is there")
    called = name or source.stem
    target = out or Path(f"{re.sub(r'[^a-z0-9]+', '-', called.lower()).strip('-') or 'voice'}{SUFFIX}")
    into_replica = target.suffix == ".replica"
    if target.suffix == "":
        target = target.with_suffix(SUFFIX)
    if target.suffix not in (SUFFIX, ".replica"):
        raise BadInputError("--out", target.name, "a name that ends in .voice, or a .replica file")
    if into_replica and not target.is_file():
        raise BadInputError("--out", target, "a .replica file that is there, or a name that ends in .voice")
    if target.exists() and not force and not into_replica:
        raise BadInputError("--out", target, "a new file, or --force to replace this one")
    agreed = asyncio.run(consented(consent, i_have_consent, called))
    folder = work or target.with_suffix(".unfinished-voice")
    try:
        with bar() as show:
            voice, warnings = train_voice(
                source,
                folder,
                name=called,
                consent=agreed,
                report=lambda now: show(now.share, now.stage),
                statement=None if consent == source else consent,
            )
    except KeyboardInterrupt:
        _console.print("Interrupted. The same command goes on where it was.")
        raise
    if into_replica:
        put_into(target, voice)
    else:
        voice.write(target)
    if work is None:
        shutil.rmtree(folder)
    for warning in warnings:
        _console.print(f"[yellow]note:[/yellow] {warning}", highlight=False, soft_wrap=True)
    for figure, value in voice.about.figures.items():
        typer.echo(f"{figure}: {value:.4g}")
    typer.echo(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    voice: Annotated[
        str, typer.Option("--voice", help="A stock voice's name, a .voice file, or a .replica file with a voice.")
    ] = "heart",
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write: .wav or .mp3.")] = Path("speech.wav"),
    speed: Annotated[float, typer.Option(min=0.5, max=2.0, help="1.25 is a quarter faster.")] = 1.0,
    emotion: Annotated[str, typer.Option(help="happiness, sadness, anger, ... as far as pitch and pace say it.")] = (
        "neutral"
    ),
    watermark: Annotated[bool, typer.Option(help="Mark the speech inaudibly as made by a machine.")] = True,
) -> None:
    """Say a text in a voice, into a file."""
    from visavis.layers.tts.hibari import Hibari
    from visavis.layers.tts.manner import Manner
    from visavis.videos.files import write_sound
    from visavis.videos.rendering import sound_of
    from visavis.videos.sound import spoken

    if out.suffix not in (".wav", ".mp3"):
        raise BadInputError("--out", out.name, "a name that ends in .wav or .mp3")
    how = Manner(speed=speed).then(_emotion(emotion))
    speeches = asyncio.run(spoken(text, Hibari(voice=_voice(voice), manner=how, watermark=watermark)))
    pcm = sound_of(speeches)
    write_sound(out, pcm)
    typer.echo(f"{out}: {len(pcm) / 48_000:.1f} s")


@app.command("list")
def list_voices(folder: Annotated[Path, typer.Argument(help="Where to look for .voice files.")] = Path()) -> None:
    """List the stock voices and the .voice files of a folder."""
    from visavis.layers.tts.stock_voices import STOCK_VOICES
    from visavis.layers.tts.voice_file import open_voice

    table = Table("voice", "what it is", "consent", box=None)
    for stock in STOCK_VOICES:
        table.add_row(stock.name, f"{stock.gender}, {stock.described}", "stock")
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            about = open_voice(path).about
            table.add_row(path.name, about.name, f"{about.consent.kind} by {about.consent.by}")
        except BadInputError as error:
            table.add_row(path.name, f"[red]{error}[/red]", "")
    Console().print(table)


@app.command()
def detect(recording: Annotated[Path, typer.Argument(help="A recording or video, two seconds or longer.")]) -> None:
    """Tell whether a recording carries the mark that visavis puts into what it says. Exit code 3: it does not."""
    import numpy as np

    from visavis.layers.tts import watermark
    from visavis.videos.sound import beginning

    pcm = beginning(recording, "RECORDING", 600.0, watermark.RATE_HZ)
    found = watermark.detect(pcm.astype(np.float32) / np.float32(32768))
    shown = f"score {found.score:.1f}, found from {watermark.DETECTED_FROM:g} on"
    if found.found:
        typer.echo(f"spoken by a machine: the mark was found ({shown})")
        return
    typer.echo(f"no mark was found ({shown})")
    raise typer.Exit(3)


def _voice(wanted: str) -> Voice | str:
    from visavis.layers.tts.stock_voices import stock_voice
    from visavis.layers.tts.voice_file import open_voice
    from visavis.replica.bundle import open_bundle
    from visavis.replica.voice.part import voice_of

    if wanted.endswith(SUFFIX):
        return open_voice(Path(wanted))
    if wanted.endswith(".replica"):
        with open_bundle(Path(wanted)) as bundle:
            if (found := voice_of(bundle)) is None:
                raise BadInputError("--voice", wanted, "a replica with a voice of its own; this one has none")
            return found
    return stock_voice(wanted, "--voice").name


def _emotion(wanted: str) -> Manner:
    from visavis.layers.tts.manner import EMOTIONS

    if wanted not in EMOTIONS:
        raise BadInputError("--emotion", wanted, "one of " + ", ".join(EMOTIONS))
    return EMOTIONS[wanted]
