"""`visavis persona list|pull|push`: personas of a server as YAML files."""

from pathlib import Path
from typing import Annotated, Any

import jsonpatch
import typer
from rich.console import Console
from rich.table import Column, Table

from visavis.config import settings
from visavis.errors import BadInputError
from visavis.remote import persona_files
from visavis.remote.client import Remote, RemoteError

app = typer.Typer(no_args_is_help=True)
_out = Console(highlight=False)

Url = Annotated[str | None, typer.Option("--url", help="Server; default VISAVIS_URL, else http://127.0.0.1:8770.")]
Key = Annotated[str | None, typer.Option("--key", help="API key; better in VISAVIS_API_KEY, which nobody can see.")]


def _server(url: str | None, key: str | None) -> Remote:
    chosen = settings()
    given = key or (chosen.api_key.get_secret_value() if chosen.api_key else None)
    return Remote(url or chosen.url, given)


@app.command("list")
def list_personas(url: Url = None, key: Key = None) -> None:
    """Show the personas of a server."""
    columns = [Column(name, no_wrap=True, min_width=width) for name, width in (("id", 13), ("name", 4), ("of", 10))]
    table = Table(*columns, Column("prompt", no_wrap=True, overflow="ellipsis", max_width=50), box=None)
    with _server(url, key) as server:
        for persona, _ in server.pages("personas"):
            prompt = " ".join(str(persona.get("system_prompt") or "").split())
            whose = "the system" if persona.get("persona_type") == "system" else "you"
            table.add_row(str(persona.get("persona_id")), str(persona.get("persona_name")), whose, prompt[:200])
    _out.print(table)


@app.command()
def pull(
    persona_id: Annotated[str, typer.Argument(help="Such as ptutor; `visavis persona list` shows them.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default: the terminal.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Write a persona as YAML. Secrets are ******** in it and stay as they are when it is pushed again."""
    if out and out.exists() and not force:
        raise BadInputError("--out", out, "a file that does not exist yet, or --force to overwrite it")
    with _server(url, key) as server:
        text = persona_files.to_yaml(server.get(f"personas/{persona_id}"))
    if out:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {out}")
    else:
        typer.echo(text, nl=False)


@app.command()
def push(
    file: Annotated[Path, typer.Argument(help="YAML file with persona_name, system_prompt, ...")],
    new: Annotated[bool, typer.Option("--new", help="Make a new persona even if the file names one.")] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Bring a YAML file to a server: its persona_id is changed; without one, a new persona is made."""
    wanted = persona_files.read(file)
    persona_id = wanted.pop("persona_id", None)
    with _server(url, key) as server:
        if new or not persona_id:
            made = server.post("personas", wanted)
            typer.echo(f"created {made['persona_id']}; write persona_id: {made['persona_id']} into {file} to change it")
            _warn(made)
            return
        before = persona_files.own_fields(_existing(server, str(persona_id)))
        before.pop("persona_id", None)
        changed = server.patch(f"personas/{persona_id}", _difference(before, wanted))
        typer.echo(f"{'changed' if changed else 'nothing to change in'} {persona_id}")


def _existing(server: Remote, persona_id: str) -> dict[str, Any]:
    try:
        return server.get(f"personas/{persona_id}")
    except RemoteError as error:
        if error.status in (400, 404):
            raise BadInputError("persona_id", persona_id, f"a persona of {server.host}, or --new ({error})") from None
        raise


def _difference(before: dict[str, Any], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Operations from the stored document to the file, which leaves out fields that say nothing."""
    operations: list[dict[str, Any]] = jsonpatch.make_patch(before, persona_files.filled_up(wanted, before)).patch
    return operations


def _warn(made: dict[str, Any]) -> None:
    for line in made.get("warnings") or []:
        typer.echo(f"not yet: {line}")
