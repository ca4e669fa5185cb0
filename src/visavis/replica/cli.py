"""`visavis replica preview`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from visavis.errors import BadInputError

app = typer.Typer(help="Replicas: preview.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Keeps `preview` a command of its own, although it is the only one."""


@app.command()
def preview(
    out: Annotated[Path, typer.Option("--out", "-o", help="The video to write: .mp4 or .webm.")],
    text: Annotated[str | None, typer.Option(help="What it says, in the built-in voice.")] = None,
    audio: Annotated[Path | None, typer.Option(help="A recording that it moves its lips to, instead of text.")] = None,
    replica: Annotated[str, typer.Option(help="A stock replica's name, or a .replica file.")] = "mira",
) -> None:
    """Write a video of a replica that says something, as `/v2/videos` does."""
    if (text is None) == (audio is None):
        raise BadInputError("--text", text, "text to say, or instead of it a recording with --audio")
    if out.suffix not in (".mp4", ".webm"):
        raise BadInputError("--out", out.name, "a name that ends in .mp4 or .webm")
    asyncio.run(_preview(out, text, audio, replica))


async def _preview(out: Path, text: str | None, audio: Path | None, replica: str) -> None:
    from visavis.layers.tts.hibari import Hibari
    from visavis.replica.opening import open_replica
    from visavis.replica.stock import bundle_path
    from visavis.videos.rendering import render_film
    from visavis.videos.sound import recorded, spoken

    bundle = Path(replica) if replica.endswith(".replica") else bundle_path(replica)
    face = open_replica(bundle)
    speeches = [recorded(audio, "--audio")] if audio else await spoken(text or "", Hibari())
    with Progress(transient=True) as shown:
        task = shown.add_task("Rendering", total=1.0)
        film = await render_film(
            speeches, face.renderer(), out, lambda share: shown.update(task, completed=share), previews=False
        )
    typer.echo(f"{out}: {film.duration_s:.1f} s")
