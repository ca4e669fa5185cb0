"""A tool as clients describe it: in OpenAI's format or the hosted service's, with how it is delivered."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from visavis.layers.tools import TIMEOUT_S, OnCall, OnResolve
from visavis.layers.tools.arguments import check_schema

NAME = r"^[A-Za-z_]\w{0,63}$"
LONGEST = 10_000
"""Of a description and its parameters together, characters."""

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class NoAuth(_Part):
    """Whoever calls is welcome."""

    type: Literal["none"] = "none"


class BearerAuth(_Part):
    """A token in the Authorization header."""

    type: Literal["bearer"]
    token: SecretStr


class BasicAuth(_Part):
    """Name and password in the Authorization header."""

    type: Literal["basic"]
    username: str
    password: SecretStr


class ApiKeyAuth(_Part):
    """A key in a header or in the query."""

    type: Literal["api_key"]
    name: str = Field(min_length=1, max_length=200)
    value: SecretStr
    location: Literal["header", "query"] = "header"


class HmacAuth(_Part):
    """The body's HMAC-SHA256, hexadecimal, in the header `X-Tavus-Signature`."""

    type: Literal["hmac"]
    secret: SecretStr


class OAuth2Auth(_Part):
    """A token fetched with a client's credentials (RFC 6749, section 4.4)."""

    type: Literal["oauth2_client_credentials"]
    token_url: str = Field(max_length=2_000)
    client_id: str
    client_secret: SecretStr
    scope: str = ""


Auth = Annotated[
    NoAuth | BearerAuth | BasicAuth | ApiKeyAuth | HmacAuth | OAuth2Auth, Field(discriminator="type", default=NoAuth())
]


class ApiDelivery(_Part):
    """The server asks another one. `{name}` in address, query and body stands for an argument."""

    url: str = Field(max_length=2_000)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "POST"
    timeout: float = Field(TIMEOUT_S, gt=0, le=60)
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    query_params: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    body_template: str | Mapping[str, Any] | None = None
    """None sends the arguments as JSON, where the method has a body."""
    content_type: str = Field("application/json", max_length=200)
    auth: Auth = NoAuth()

    @field_validator("url")
    @classmethod
    def _names_a_host(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an address like https://host/path")
        if PLACEHOLDER.search(parts.netloc):
            raise ValueError("an address whose host has no {placeholder}")
        return url


class Delivery(_Part):
    """Who does it: the client in the call, or a server; exactly one."""

    app_message: bool = False
    api: ApiDelivery | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if self.app_message == (self.api is not None):
            raise ValueError('exactly one of {"app_message": true} and {"api": {...}}')
        return self


class ToolDescription(_Part):
    """A tool of a persona."""

    name: str = Field(pattern=NAME)
    description: str = ""
    parameters: Mapping[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    delivery: Delivery = Delivery(app_message=True)
    origin: Literal["llm", "vision", "audio"] = "llm"
    on_call: OnCall = "generate_filler"
    on_resolve: OnResolve | None = None
    """None: a client in the call may answer soon or never, so that the reply waits a moment only."""
    static_filler: str = Field("", max_length=500)
    trigger_type: Literal["in_call", "post_call"] = "in_call"
    timeout: float = Field(TIMEOUT_S, gt=0, le=60)
    """For a client in the call."""

    @model_validator(mode="before")
    @classmethod
    def _in_openai_format(cls, given: Any) -> Any:
        """`{"type": "function", "function": {...}}` as well as the same without the wrapper."""
        if not isinstance(given, Mapping):
            return given
        function = given.get("function")
        flat = {**given, **function} if isinstance(function, Mapping) else dict(given)
        return {name: value for name, value in flat.items() if value is not None}

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name.lower().startswith("tavus_"):
            raise ValueError("a name that does not begin with tavus_")
        return name

    @field_validator("parameters")
    @classmethod
    def _is_schema(cls, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        check_schema(parameters)
        return parameters

    @model_validator(mode="after")
    def _short_enough(self) -> Self:
        length = len(self.description) + len(str(dict(self.parameters)))
        if length > LONGEST:
            raise ValueError(f"a description and parameters of at most {LONGEST} characters together, not {length}")
        return self
