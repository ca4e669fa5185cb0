"""Every setting of visavis, and the only place that reads the environment (`VISAVIS_*`)."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of one process. `VISAVIS_PORT=8080` sets `port`, and so on."""

    model_config = SettingsConfigDict(env_prefix="VISAVIS_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8770, ge=0, le=65535, description="Port that the server listens on; 0 picks a free one.")
    public_url: str | None = Field(None, description="How people reach the server, when not http://host:port.")
    model_cache: Path = Field(
        default_factory=lambda: Path.home() / ".cache" / "visavis" / "models",
        description="Folder that model files are kept in.",
    )
    quality: Literal["fast", "quality", "tiny"] = Field(
        "fast", description="Built-in language model: 0.5B (fast), 1.5B (quality), 135M (tiny, for tests)."
    )
    ice_servers: list[str] = Field(
        default_factory=list, description='STUN/TURN URLs as a JSON list: ["turn:user:secret@host:3478"].'
    )
    max_conversations: int = Field(1, ge=1, description="Calls that may run at once.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
