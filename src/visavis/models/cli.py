"""`visavis models pull | list | verify`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from visavis import models
from visavis.errors import VisavisError
from visavis.models import Progress, State, Step
from visavis.models.pulling import OnProgress

app = typer.Typer(help="Model files: download, list, check.", no_args_is_help=True)
_PLAIN_LINE_EVERY = 0.25
"""Share of a download after which a line is printed where there is no terminal."""


@app.command()
def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Models, hashed again if here; by default all that `visavis serve` needs."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every model there is.")] = False,
) -> None:
    """Download models into the cache, check and convert them. May be stopped and run again at any time."""
    wanted = [model.name for model in models.manifest().models] if everything else names or models.needed_to_serve()
    started = time.monotonic()
    try:
        with _shown_progress() as on_progress:
            models.pull(wanted, on_progress, rehash=bool(names))
    except VisavisError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        typer.echo("stopped; run the same command again to go on", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"{len(wanted)} models are ready in {models.store().folder} ({time.monotonic() - started:.0f} s)")


@app.command("list")
def list_models() -> None:
    """Show every model, where it comes from and whether it is here."""
    table = Table("model", "package", "size", "licence", "serves", "state", box=None, pad_edge=False)
    states = models.status()
    for model in models.manifest().models:
        state = states[model.name]
        colour = "green" if state is State.READY else "red" if state is State.DAMAGED else "yellow"
        size = f"{model.size / 1e6:,.1f} MB"
        table.add_row(model.name, model.source, size, model.licence, model.serves, f"[{colour}]{state}[/]")
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(table)


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Models; by default all that are here.")] = None,
) -> None:
    """Hash the files of models again; the exit status is 1 if one is damaged, missing or not converted."""
    states = models.status()
    wanted = names or [name for name, state in states.items() if state is not State.MISSING]
    bad = []
    try:
        for name in wanted:
            damages = models.verify([name])[name]
            typer.echo(f"{name}: {'sound' if not damages else 'damaged'}")
            for damage in damages:
                typer.echo(f"  {damage.path} {damage.problem}")
            bad += [name] if damages else []
    except VisavisError as error:
        _fail(str(error))
    if bad:
        _fail("repair with: visavis models pull " + " ".join(bad))
    if not wanted:
        typer.echo("no model is here yet; run: visavis models pull")


def _fail(message: str) -> NoReturn:
    typer.secho(message, fg=typer.colors.RED, err=True)
    raise typer.Exit(1)


@contextmanager
def _shown_progress() -> Iterator[OnProgress]:
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    columns = (
        TextColumn("{task.fields[model]:20}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[step]}"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        yield _Bars(bars).show


class _Bars:
    """A bar per model, on a terminal."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def show(self, progress: Progress) -> None:
        if progress.model not in self._tasks:
            self._tasks[progress.model] = self._bars.add_task("", model=progress.model, step="")
        self._bars.update(
            self._tasks[progress.model],
            completed=progress.done_bytes,
            total=progress.total_bytes or 1,
            step=str(progress.step),
        )
        if progress.step is Step.DONE and not progress.total_bytes:
            self._bars.update(self._tasks[progress.model], completed=1)


class _Lines:
    """A line per step and quarter of a download, where nobody watches a bar."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[Step, int]] = {}

    def show(self, progress: Progress) -> None:
        share = progress.done_bytes / progress.total_bytes if progress.total_bytes else 1.0
        now = (progress.step, int(share / _PLAIN_LINE_EVERY) if progress.step is Step.DOWNLOAD else 0)
        if self._shown.get(progress.model) == now:
            return
        self._shown[progress.model] = now
        detail = f" {progress.done_bytes / 1e6:.0f} of {progress.total_bytes / 1e6:.0f} MB"
        typer.echo(f"{progress.model}: {progress.step}{detail if progress.step is Step.DOWNLOAD else ''}", err=True)
