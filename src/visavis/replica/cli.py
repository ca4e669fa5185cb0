"""`visavis replica`: look at and list replicas; how they are made is in `training_cli`."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from visavis.errors import BadInputError
from visavis.replica.training_cli import photo, train
from visavis.terminal import bar

if TYPE_CHECKING:
    from visavis.replica import Background
    from visavis.replica.bundle import Manifest

app = typer.Typer(
    help="Replicas: train one from a video, make one from a photo, preview, inspect, list.", no_args_is_help=True
)

app.command()(train)
app.command()(photo)


@app.command()
def preview(
    replica: Annotated[str, typer.Argument(help="A stock replica's name, or a .replica file.")] = "mira",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The video to write: .mp4 or .webm.")] = None,
    text: Annotated[str | None, typer.Option(help="What it says, in the built-in voice.")] = None,
    audio: Annotated[Path | None, typer.Option(help="A recording that it moves its lips to, instead of text.")] = None,
    background: Annotated[
        str | None, typer.Option(help="What is behind it: green, #rrggbb, or a picture's file name.")
    ] = None,
) -> None:
    """Write a video of a replica that says something, as `/v2/videos` does."""
    if (text is None) == (audio is None):
        raise BadInputError("--text", text, "text to say, or instead of it a recording with --audio")
    if out is None or out.suffix not in (".mp4", ".webm"):
        raise BadInputError("--out", out.name if out else None, "a name that ends in .mp4 or .webm")
    asyncio.run(_preview(out, text, audio, _found(replica), background))


@app.command()
def inspect(
    replica: Annotated[str, typer.Argument(help="A stock replica's name, or a .replica file.")],
    check: Annotated[bool, typer.Option("--check", help="Also read every part of it and draw one frame.")] = False,
) -> None:
    """Show who a replica is, who agreed, what draws it, and what its file holds."""
    from visavis.replica import Attitude
    from visavis.replica.bundle import open_bundle
    from visavis.replica.opening import open_replica
    from visavis.replica.voice.part import voice_of

    path = _found(replica)
    with open_bundle(path) as bundle:
        typer.echo(_described(path, bundle.manifest))
        own = voice_of(bundle)
        typer.echo(f"{'voice':10}  {f'its own, {own.about.name}' if own else 'the stock one'}")
        if check:
            for part in bundle.manifest.checksums:
                bundle.part(part)
    if check:
        open_replica(path).renderer().render(None, Attitude.IDLE)
        typer.echo(f"{'':10}  every part is as it was written, and it can be drawn")


@app.command("list")
def list_replicas(
    folder: Annotated[Path, typer.Argument(help="Where to look for .replica files.")] = Path(),
) -> None:
    """List the stock replicas and the .replica files of a folder."""
    from visavis.replica.bundle import BundleError, open_bundle
    from visavis.replica.stock import bundle_path, names

    table = Table(Column("replica", overflow="fold"), "name", "drawn by", "size", "made", "consent", box=None)
    for path in [*(bundle_path(name) for name in names()), *sorted(folder.glob("*.replica"))]:
        shown = path.stem if path.parent == bundle_path("mira").parent else path.name
        try:
            with open_bundle(path) as bundle:
                about = bundle.manifest
        except BundleError as error:
            table.add_row(shown, f"[red]{error}[/red]")
            continue
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        table.add_row(shown, about.name, about.renderer, size, f"{about.made_at:%Y-%m-%d}", about.consent.kind)
    Console().print(table)


async def _preview(out: Path, text: str | None, audio: Path | None, bundle: Path, behind: str | None) -> None:
    from visavis.layers.tts.hibari import Hibari
    from visavis.layers.tts.stock_voices import DEFAULT
    from visavis.replica.opening import open_replica
    from visavis.replica.voice.part import voice_in
    from visavis.videos.rendering import render_film
    from visavis.videos.sound import recorded, spoken

    renderer = open_replica(bundle).renderer(_background(behind) if behind else None)
    own = voice_in(bundle)
    speeches = [recorded(audio, "--audio")] if audio else await spoken(text or "", Hibari(voice=own or DEFAULT))
    with bar() as show:
        film = await render_film(speeches, renderer, out, lambda share: show(share, "Rendering"), previews=False)
    typer.echo(f"{out}: {film.duration_s:.1f} s")


def _background(wanted: str) -> Background:
    import cv2
    import numpy as np

    from visavis.replica import GREEN_SCREEN, Background

    if wanted == "green":
        return GREEN_SCREEN
    if found := re.fullmatch("#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", wanted):
        red, green, blue = (int(part, 16) for part in found.groups())
        return Background(colour=(blue, green, red))
    picture = cv2.imread(wanted, cv2.IMREAD_COLOR)
    if picture is None:
        raise BadInputError("--background", wanted, "green, a colour like #204060, or the file name of a picture")
    return Background(picture=np.asarray(picture, np.uint8))


def _found(replica: str) -> Path:
    from visavis.replica.stock import bundle_path

    return Path(replica) if replica.endswith(".replica") else bundle_path(replica)


def _described(path: Path, about: Manifest) -> str:
    said = about.consent
    lines = {
        "file": f"{path} ({path.stat().st_size / 1e6:.1f} MB, {len(about.checksums)} parts)",
        "name": f"{about.name}, version {about.version}",
        "made": f"{about.made_at:%Y-%m-%d %H:%M} UTC by {about.maker}",
        "licence": about.licence,
        "drawn by": f"{about.renderer}, {about.size[0]}x{about.size[1]}, {about.fps} frames a second",
        "consent": f"{said.kind} by {said.by}, {said.recorded_at:%Y-%m-%d}",
        "": f'"{said.text}"',
        "recording": f"SHA-256 {said.recording}" if said.recording else "none",
    }
    return "\n".join(f"{title:10}  {text}" for title, text in lines.items())
