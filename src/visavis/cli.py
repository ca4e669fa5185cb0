"""The command line: `visavis serve`, `visavis talk`, `visavis models`, `visavis replica` and more."""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal

import typer
import uvicorn
from rich.console import Console
from rich.logging import RichHandler

from visavis import __version__
from visavis.config import Settings, settings
from visavis.conversation import persona as personas
from visavis.errors import BadInputError, VisavisError
from visavis.layers.cli import app as layers_app
from visavis.models.cli import app as models_app
from visavis.remote.import_cli import import_
from visavis.remote.persona_cli import app as persona_app
from visavis.replica.cli import app as replica_app
from visavis.replica.voice.cli import app as voice_app
from visavis.store.cli import app as keys_app
from visavis.webhooks.cli import app as webhooks_app

app = typer.Typer(
    help="Live video conversations with a talking replica, on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models_app, name="models", help="Model files: pull, list, verify.")
app.add_typer(keys_app, name="keys", help="API keys: create, list, revoke.")
app.add_typer(layers_app, name="layers", help="Layers: list the engines, test those of a persona.")
app.add_typer(persona_app, name="persona", help="Personas of a server as YAML files: list, pull, push.")
app.command("import")(import_)
app.add_typer(replica_app, name="replica", help="Replicas: train, photo, preview, inspect, list.")
app.add_typer(voice_app, name="voice", help="Voices: train one, speak with one, list, detect.")
app.add_typer(webhooks_app, name="webhooks", help="Webhooks: list, show, replay, secret.")

_console = Console(stderr=True)

PersonaFile = Annotated[
    Path | None,
    typer.Option("--persona", help="YAML file with persona_name, system_prompt, context, greeting, layers."),
]
Quality = Annotated[
    Literal["auto", "fast", "quality", "tiny"] | None,
    typer.Option(
        help="Built-in language model: fast (0.5B), quality (1.5B, slower), tiny (135M, for tests); "
        "auto takes what suits the machine."
    ),
]


def main() -> None:
    """Run the command line; expected failures are one line of text, not a stack trace."""
    try:
        app()
    except VisavisError as error:
        _console.print(f"[red]visavis:[/red] {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")] = None,
    persona: PersonaFile = None,
    quality: Quality = None,
    dev: Annotated[bool, typer.Option("--dev", help="Ask for no API key; only on loopback.")] = False,
) -> None:
    """Start the server and print the link of a call."""
    from visavis.transport.ice import is_loopback

    chosen = _settings(host=host, port=port, quality=quality, dev=dev or None)
    _log_to_terminal(chosen)
    if chosen.dev and not is_loopback(chosen.host):
        raise BadInputError("--dev", chosen.host, "a loopback address (127.0.0.1), because it asks for no key")
    spoken_by = personas.load(persona) if persona else personas.DEMO
    listener = _listen(chosen)
    chosen = chosen.model_copy(update={"port": listener.getsockname()[1]})
    sys.setswitchinterval(0.001)  # media packets must not wait 5 ms for a thread that computes in Python
    asyncio.run(_serve(chosen, spoken_by, listener))


async def _serve(chosen: Settings, persona: personas.Persona, listener: socket.socket) -> None:
    from visavis.api.app import create_app
    from visavis.api.auth import Gatekeeper, make_first_key
    from visavis.api.system import STOCK_REPLICA_ID
    from visavis.background import background_work
    from visavis.hosting.serving import serving
    from visavis.hosting.telemetry import export_traces
    from visavis.store.configured import configured_store

    if chosen.tracing:
        export_traces()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(configured_store(chosen))
        gatekeeper = Gatekeeper(store.keys, chosen)
        await stack.enter_async_context(gatekeeper.watching())
        if key := await make_first_key(store.keys, chosen):
            typer.echo(f"Your first API key, which is not shown again: {key}", err=True)
        # Before the web server: a missing model is then one clear line, and nobody meets a server that is not ready.
        hosting = await stack.enter_async_context(serving(chosen, store, persona, STOCK_REPLICA_ID))
        background = await stack.enter_async_context(background_work(chosen, store))
        web_app = create_app(chosen, persona, store, gatekeeper, hosting, background)
        config = uvicorn.Config(
            web_app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
            ws="websockets-sansio",
            ws_max_size=_LONGEST_MESSAGE,
            lifespan="off",
        )
        server = _Server(config, f"{chosen.base_url}/demo", lambda: hosting.drain(chosen.drain_s))
        await server.serve(sockets=[listener])
    if not server.started:
        raise VisavisError("The server could not start; the lines above say why.")


_LONGEST_MESSAGE = 2 << 20
"""Of a WebSocket: the largest piece of sound as base64, and room. Longer ones end the connection."""


class _Server(uvicorn.Server):
    """Prints the link once the engines are warm and connections are taken; calls end before it does."""

    def __init__(self, config: uvicorn.Config, link: str, drain: Callable[[], Coroutine[Any, Any, None]]) -> None:
        super().__init__(config)
        self._link = link
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            # On standard output, so that a script can read it.
            typer.echo(f"Talk now: {self._link}")
            typer.echo(f"Studio:   {self._link.removesuffix('demo')}studio")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """At the first signal let calls come to their end, at the second stop at once."""
        if self._loop is None:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="drain")
            self._draining.add_done_callback(lambda _: self._stop())
        elif self.should_exit:
            self.force_exit = True
        else:
            self.should_exit = True


@app.command()
def talk(
    wav: Annotated[
        list[Path] | None, typer.Option(help="Speak this file instead of the microphone; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the replica's sound to this WAV file.")] = None,
    persona: PersonaFile = None,
    quality: Quality = None,
) -> None:
    """Have the same conversation in the terminal."""
    from visavis.talk import talk as run

    chosen = _settings(quality=quality)
    _log_to_terminal(chosen, level="warning")
    asyncio.run(run(chosen, personas.load(persona) if persona else personas.DEMO, wav or [], out))


def _settings(**overrides: object) -> Settings:
    return settings().model_copy(update={name: value for name, value in overrides.items() if value is not None})


def _listen(chosen: Settings) -> socket.socket:
    """Bind before anything is loaded: a taken port is then known at once."""
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((chosen.host, chosen.port))
    except OSError as error:
        listener.close()
        raise BadInputError(
            "--port" if error.errno == 98 else "--host",
            f"{chosen.host}:{chosen.port}",
            f"an address that is free on this machine ({error.strerror}); try --port 0 for any free port",
        ) from error
    return listener


def _log_to_terminal(chosen: Settings, level: str | None = None) -> None:
    # Libraries speak up only when something is wrong.
    logging.basicConfig(
        level="WARNING",
        format="%(message)s",
        handlers=[RichHandler(console=_console, show_path=False, markup=False)],
    )
    logging.getLogger("visavis").setLevel((level or chosen.log_level).upper())
