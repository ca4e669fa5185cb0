"""`visavis replica train` and `photo`: replicas of people who agreed."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from visavis.errors import BadInputError
from visavis.terminal import bar

if TYPE_CHECKING:
    from visavis.replica.consent import Consent
    from visavis.replica.train import Trained

_console = Console(stderr=True)

NameOption = Annotated[str | None, typer.Option("--name", help="What the replica is called; by default as the file.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="The .replica file to write; by default NAME.replica.")
]
ConsentOption = Annotated[
    Path | None,
    typer.Option(
        "--consent",
        help="A recording or video in which the person says that they agree; may be the training video itself.",
    ),
]
DeclaredOption = Annotated[
    str | None,
    typer.Option(
        "--i-have-consent",
        metavar="NAME",
        help="Instead of a recording: the full name of the person shown, who agreed; you declare that they did.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Replace a file that is there already.")]
FolderOption = Annotated[
    Path | None,
    typer.Option("--work", help="Folder for unfinished work, kept when interrupted; by default next to the new file."),
]


def train(
    video: Annotated[Path, typer.Argument(help="A video of one person who talks to the camera, best 2 to 5 minutes.")],
    name: NameOption = None,
    out: OutOption = None,
    consent: ConsentOption = None,
    i_have_consent: DeclaredOption = None,
    work: FolderOption = None,
    force: ForceOption = False,
    voice: Annotated[bool, typer.Option(help="Also learn the person's voice, with the extra visavis[train].")] = True,
) -> None:
    """Make a replica from a video of a person who agreed to it.

    Takes minutes; interrupted, the same command goes on where it was. Tells first what is wrong with the video.
    """
    from visavis.replica.train import train_video
    from visavis.replica.voice.step import train_face_and_voice

    _make(
        "VIDEO", video, train_face_and_voice if voice else train_video, name, out, consent, i_have_consent, work, force
    )


def photo(
    picture: Annotated[Path, typer.Argument(help="A picture of one person who looks at the camera.")],
    name: NameOption = None,
    out: OutOption = None,
    consent: ConsentOption = None,
    i_have_consent: DeclaredOption = None,
    work: FolderOption = None,
    force: ForceOption = False,
) -> None:
    """Make a replica from one photo of a person who agreed to it. Less lively than one from a video."""
    from visavis.replica.train import train_photo

    _make("PICTURE", picture, train_photo, name, out, consent, i_have_consent, work, force)


def _make(
    field: str,
    source: Path,
    train: Callable[..., Trained],
    name: str | None,
    out: Path | None,
    consent: Path | None,
    declared_by: str | None,
    work: Path | None,
    force: bool,
) -> None:
    import cv2

    cv2.setNumThreads(1)
    if not source.is_file():
        raise BadInputError(field, source, "a file that is there")
    called = name or source.stem
    target = out or Path(f"{re.sub(r'[^a-z0-9]+', '-', called.lower()).strip('-') or 'replica'}.replica")
    if target.suffix != ".replica":
        raise BadInputError("--out", target.name, "a name that ends in .replica")
    if target.exists() and not force:
        raise BadInputError("--out", target, "a new file, or --force to replace this one")
    if consent and not consent.is_file():
        raise BadInputError("--consent", consent, "a file that is there")
    agreed = asyncio.run(consented(consent, declared_by, called))
    folder = work or target.with_suffix(".unfinished")
    folder.mkdir(parents=True, exist_ok=True)
    # Beside the target until it has its film, so that a file under the wanted name is always complete.
    unnamed = target.with_name(f".{target.name}")
    try:
        with bar() as show:
            trained = train(
                source,
                folder,
                unnamed,
                name=called,
                consent=agreed,
                report=lambda progress: show(0.95 * progress.share, progress.stage),
            )
            skipped = asyncio.run(_add_preview(unnamed, folder, lambda share: show(0.95 + 0.05 * share, "Filming it")))
        unnamed.replace(target)
    except KeyboardInterrupt:
        _console.print("Interrupted. The same command goes on where it was.")
        raise
    finally:
        unnamed.unlink(missing_ok=True)
    if work is None:  # a folder that somebody chose may hold more than ours
        shutil.rmtree(folder)
    for warning in (*trained.warnings, *skipped):
        _console.print(f"[yellow]note:[/yellow] {warning}", highlight=False, soft_wrap=True)
    for figure, value in trained.figures.items():
        typer.echo(f"{figure}: {value:.3g}")
    typer.echo(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


async def consented(recording: Path | None, declared_by: str | None, person: str) -> Consent:
    from visavis.replica.consent import STATEMENT, declared
    from visavis.replica.statement import spoken_consent

    if (recording is None) == (declared_by is None):
        raise BadInputError(
            "--consent",
            None if recording is None else str(recording),
            "exactly one proof that the person agreed: --consent with a recording in which they say so, for example "
            f"'{STATEMENT}', or --i-have-consent \"Their Name\" if they agreed otherwise",
        )
    if declared_by is not None:
        if not declared_by.strip():
            raise BadInputError("--i-have-consent", declared_by, "the name of the person shown")
        return declared(declared_by.strip())
    assert recording
    with _console.status("Listening to the statement"):
        return await spoken_consent(recording, person, "--consent")


async def _add_preview(path: Path, folder: Path, report: Callable[[float], None]) -> tuple[str, ...]:
    """Notes for people; without a voice there is no film, and the replica is none the worse."""
    from visavis.models import ModelMissingError
    from visavis.replica.preview import preview_of

    try:
        await preview_of(path, folder, report)
    except ModelMissingError as error:
        return (f"no preview was put into the file: {error}",)
    return ()
