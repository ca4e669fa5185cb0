"""What personas and the server's settings say of engines: where each is and how it is asked.

Apart from the engines, whose libraries take seconds to load.
"""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

GEMINI_URL = "https://generativelanguage.googleapis.com"

_HOOK_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def checked_address(url: str) -> str:
    """`url` if it can be the address of an API. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an address like https://host/v1")
    if parts.username or parts.password:
        raise ValueError("expected no name or password in the address; use api_key or headers")
    return url


class LanguageModelSettings(BaseModel):
    """Where a language model is and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(description="Address of the API, up to and including its version: https://host/v1.")
    model: str = Field(min_length=1, description="Name of the model at that address.")
    api_key: SecretStr | None = Field(None, description="Sent as a bearer token; None where none is asked for.")
    headers: Mapping[str, SecretStr] = Field(default_factory=dict, description="Further HTTP headers.")
    default_query: Mapping[str, SecretStr] = Field(default_factory=dict, description="Query of every request.")
    extra_body: Mapping[str, Any] = Field(
        default_factory=dict, repr=False, description="Further members of the JSON body, as the vendor defines them."
    )
    temperature: float | None = Field(None, ge=0, le=2, description="None leaves it to the server.")
    max_tokens: int | None = Field(None, ge=1, description="Longest reply; None leaves it to the server.")
    supports_prefill: bool = Field(
        False, description="The server reads a prompt into its cache when asked for 0 tokens; llama.cpp does."
    )
    speculative_inference: bool = Field(
        True, description="Begin a reply at pauses, before it is known whether the person goes on; it may be dropped."
    )
    first_token_timeout_s: float = Field(20.0, gt=0, description="Longest wait for a reply's first token.")
    retries: int = Field(1, ge=0, le=5, description="How often a request is repeated that the server is too busy for.")
    fallback: Literal["built_in"] | None = Field(
        None, description="built_in: when this model fails, the one of this server answers."
    )
    next_token_timeout_s: float = Field(10.0, gt=0, description="Longest wait between two tokens.")
    api: Literal["chat_completions", "responses"] = Field(
        "chat_completions", description="Which of OpenAI's protocols is spoken there."
    )
    vision: bool = Field(
        False, description="The model takes pictures: it is shown the person's screen or camera with their words."
    )

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return checked_address(url)


class SpeechSettings(BaseModel):
    """Where a voice is and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(description="Address of the API, up to and including its version: https://host/v1.")
    api_key: SecretStr | None = Field(None, description="Sent as a bearer token; None where none is asked for.")
    model: str = Field("tts-1", min_length=1, description="Name of the model at that address.")
    voice: str = Field("alloy", min_length=1, description="Name of the voice.")
    speed: float = Field(1.0, ge=0.25, le=4.0, description="1 is the voice's own speed.")
    instructions: str = Field("", max_length=4_000, description="How it shall speak, for models that take that.")
    sample_rate_hz: int = Field(24_000, ge=8_000, le=48_000, description="Of raw sound, where the server does not say.")
    first_sound_timeout_s: float = Field(5.0, gt=0, description="Longest wait for the first sound.")
    next_sound_timeout_s: float = Field(3.0, gt=0, description="Longest wait in the middle of it.")

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return checked_address(url)


class TranscriptionSettings(BaseModel):
    """Where a recogniser is and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(description="Address of the API, up to and including its version: https://host/v1.")
    api_key: SecretStr | None = Field(None, description="Sent as a bearer token; None where none is asked for.")
    model: str = Field("whisper-1", min_length=1, description="Name of the model at that address.")
    language: str = Field("en", max_length=20, description="ISO 639-1 code; empty lets the model find out.")
    hotwords: str = Field("", max_length=10_000, description="Names and words that are likely to be said.")
    timeout_s: float = Field(3.0, gt=0, le=30, description="Longest wait for a text.")

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return checked_address(url)


class FasterWhisperSettings(BaseModel):
    """Which Whisper listens, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        "tiny.en", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100, description="A size, or a folder's name."
    )
    language: str = Field(
        "", max_length=20, description="ISO 639-1 code; empty: English for .en models, else found out."
    )
    hotwords: str = Field("", max_length=10_000, description="Names and words that are likely to be said.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where it computes.")
    compute_type: str = Field("auto", pattern=r"^[a-z0-9_]+$", description="As in CTranslate2: int8, float16, ...")
    beam_size: int = Field(1, ge=1, le=10, description="More is slower and a little better.")
    timeout_s: float = Field(5.0, gt=0, le=60, description="Longest wait for a text.")


class RealtimeSettings(BaseModel):
    """Where a voice-to-voice model is and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(description="Address of the API, up to and including its version: https://host/v1.")
    model: str = Field(min_length=1, max_length=200, description="Name of the model at that address.")
    api_key: SecretStr | None = Field(None, description="Sent as a bearer token; None where none is asked for.")
    headers: Mapping[str, SecretStr] = Field(default_factory=dict, description="Further HTTP headers.")
    default_query: Mapping[str, SecretStr] = Field(default_factory=dict, description="Further query of the address.")
    voice: str = Field("", max_length=200, description="Name of its voice; empty leaves it to the server.")
    speed: float | None = Field(None, ge=0.25, le=1.5, description="1 is the voice's own speed.")
    turn_detection: Literal["server_vad", "semantic_vad"] | None = Field(
        None, description="How it finds the end of the person's turn; None leaves it to the server."
    )
    transcription_model: str = Field(
        "gpt-4o-mini-transcribe", max_length=200, description="What writes down the person's words; empty: nothing."
    )
    language: str = Field("", max_length=20, description="Of the person, as ISO 639-1, for the transcription.")
    session: Mapping[str, Any] = Field(
        default_factory=dict, repr=False, description="Further members of the session, as the vendor defines them."
    )
    connect_timeout_s: float = Field(10.0, gt=0, description="Longest wait for the connection.")
    answer_timeout_s: float = Field(15.0, gt=0, description="Longest wait for the first sound of an answer.")

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return checked_address(url)


class GeminiLiveSettings(BaseModel):
    """Which of Google's voice-to-voice models talks, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(GEMINI_URL, description="Address of the API, without its version.")
    api_version: str = Field("v1", pattern=r"^v[0-9a-z]+$", description="As in Google's documentation.")
    model: str = Field(min_length=1, max_length=200, description="Name of a model that takes live sound.")
    api_key: SecretStr | None = Field(None, description="A key of Google AI Studio.")
    headers: Mapping[str, SecretStr] = Field(default_factory=dict, description="Further HTTP headers.")
    voice: str = Field("", max_length=200, description="Name of its voice; empty leaves it to the model.")
    language: str = Field("", max_length=20, description="In which it speaks, such as en-US; empty: its own choice.")
    session: Mapping[str, Any] = Field(
        default_factory=dict, repr=False, description="Further members of the protocol's setup."
    )
    connect_timeout_s: float = Field(10.0, gt=0, description="Longest wait for the connection.")
    answer_timeout_s: float = Field(15.0, gt=0, description="Longest wait for the first sound of an answer.")

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return checked_address(url)


class KokoroSettings(BaseModel):
    """Which of Kokoro's voices speaks, and how fast."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    voice: str = Field(
        "af_heart", pattern=r"^[a-z][a-z0-9_]*$", max_length=100, description="A file of the server's, without .bin."
    )
    speed: float = Field(1.0, ge=0.5, le=2.0, description="1 is the voice's own speed.")


class TurnHookSettings(BaseModel):
    """Where a turn detector is and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(
        max_length=2_000, description="http:// or https:// is asked by POST, ws:// or wss:// over one connection."
    )
    api_key: SecretStr | None = Field(None, description="Sent as a bearer token; None where none is asked for.")
    headers: Mapping[str, SecretStr] = Field(default_factory=dict, description="Further HTTP headers.")
    timeout_ms: int = Field(300, ge=20, le=5_000, description="Longest wait, from when the words are known.")
    with_sound: bool = Field(True, description="Whether the person's sound is sent, or their words alone.")

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in _HOOK_SCHEMES or not parts.hostname:
            raise ValueError("an address that begins with http://, https://, ws:// or wss://")
        if parts.username or parts.password:
            raise ValueError("no name or password in the address; use api_key or headers")
        return url

    @property
    def http_url(self) -> str:
        """The address as the guarded client knows it."""
        scheme, rest = self.base_url.split(":", 1)
        return f"{_HOOK_SCHEMES[scheme.lower()]}:{rest}"
