"""Every setting of visavis, and the only place that reads the environment (`VISAVIS_*`)."""

import secrets
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from visavis.errors import BadInputError
from visavis.layers.settings import LanguageModelSettings
from visavis.priority import LONG_WORK


class Settings(BaseSettings):
    """Settings of one process. `VISAVIS_PORT=8080` sets `port`, and so on."""

    model_config = SettingsConfigDict(env_prefix="VISAVIS_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8770, ge=0, le=65535, description="Port that the server listens on; 0 picks a free one.")
    server_name: str | None = Field(
        None,
        description="Tells servers that share a database apart, so that one that is started again ends only its own "
        "calls; without it, the machine's name and the port.",
    )
    public_url: str | None = Field(None, description="How people reach the server, when not http://host:port.")
    data: Path = Field(
        default_factory=lambda: Path.home() / ".local" / "share" / "visavis",
        description="Folder of everything that is stored: database, files, secret key.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="Another database than the SQLite file in the data folder: postgresql://user:password@host/name.",
    )
    blobs_url: str | None = Field(None, description="Another place for files than the data folder: s3://bucket/prefix.")
    secret_key: SecretStr | None = Field(
        None,
        description="What secrets are encrypted with, instead of the file secret.key in the data folder; "
        "several with commas between, the newest first.",
    )
    dev: bool = Field(False, description="Ask for no API key; only on loopback.")
    url: str = Field(
        "http://127.0.0.1:8770", description="Server that commands such as `visavis persona` talk to, with `api_key`."
    )
    model_cache: Path = Field(
        default_factory=lambda: Path.home() / ".cache" / "visavis" / "models",
        description="Folder that model files are kept in.",
    )
    quality: Literal["auto", "fast", "quality", "tiny"] = Field(
        "auto",
        description="Built-in language model: 0.5B (fast), 1.5B (quality), 135M (tiny, for tests), "
        "or the larger one that this machine is fast enough for (auto).",
    )
    api_key: SecretStr | None = Field(
        None, description="An API key that may do everything, besides those that `visavis keys` makes."
    )
    llm: LanguageModelSettings | None = Field(
        None,
        description="A language model instead of the built-in one: "
        'VISAVIS_LLM=\'{"base_url": "https://host/v1", "model": "name", "api_key": "..."}\'.',
    )
    vision: LanguageModelSettings | None = Field(
        None,
        description="A vision-language model that answers what is asked about the person's picture, written like "
        "VISAVIS_LLM; without one, pictures never leave this machine.",
    )
    perception_budget: float = Field(
        0.15, gt=0, le=1, description="Share of one core that looking at people may take, all calls of a process."
    )
    ice_servers: list[str] = Field(
        default_factory=list, description='STUN/TURN URLs as a JSON list: ["turn:user:secret@host:3478"].'
    )
    ice_addresses: list[str] = Field(
        default_factory=list, description="Own addresses that calls may come to; none means all of the machine's."
    )
    max_conversations: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        1, description="Calls that may run at once; auto is what this machine seems to be fast enough for."
    )
    in_process_conversations: int = Field(
        1, ge=0, description="Of these, calls that run in the server's own process; further ones run in workers."
    )
    conversations_per_worker: int = Field(1, ge=1, description="Calls in each worker process.")
    drain_s: float = Field(
        30.0, ge=0, description="How long running calls may go on when the server is stopped, before a spoken goodbye."
    )
    allowed_origins: list[str] = Field(
        default_factory=list,
        description='Other sites whose pages may call the API from a browser, as a JSON list: ["https://example.org"].',
    )
    frame_origins: list[str] | None = Field(
        None, description="Other sites that may show calls in a frame, as a JSON list; without it, all may."
    )
    max_request_mb: int = Field(4, ge=1, description="Largest body of a request, MiB.")
    max_upload_mb: int = Field(200, ge=1, description="Largest upload of a file, MiB.")
    max_jobs: int = Field(1, ge=1, description="Videos that may be made at once.")
    job_niceness: int = Field(
        LONG_WORK, ge=0, le=19, description="How far videos and training stand back behind calls and other programs."
    )
    webhook_attempts: int = Field(
        10, ge=1, le=30, description="How often a webhook message is sent before it is given up."
    )
    allow_private_urls: str = Field(
        "false",
        description="Whether callbacks and downloads that users ask for may go to private addresses: true, false, or "
        "host names and networks like 10.1.0.0/16, separated by commas.",
    )
    mcp_commands: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Programs that personas may have started as MCP servers, by name: "
        'VISAVIS_MCP_COMMANDS=\'{"files": ["mcp-files", "/srv/shared"]}\'.',
    )
    tracing: bool = Field(
        False, description="Send an OpenTelemetry trace of every turn to where OTEL_EXPORTER_OTLP_ENDPOINT says."
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def base_url(self) -> str:
        """How people reach the server, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    def key_matches(self, key: str) -> bool:
        """Whether `key` is the server's; never without one."""
        return self.api_key is not None and secrets.compare_digest(self.api_key.get_secret_value(), key)


@cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises `BadInputError` that names the variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        # The value itself is not shown: it may be a secret.
        first = error.errors(include_url=False, include_input=False)[0]
        name = "VISAVIS_" + ".".join(str(part) for part in first["loc"]).upper()
        raise BadInputError(name, "the environment's value", first["msg"]) from None
