"""Tools that another server does: one HTTP request with the arguments filled in."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from visavis.layers.tools import Tool, ToolError
from visavis.layers.tools.description import (
    PLACEHOLDER,
    ApiDelivery,
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    HmacAuth,
    OAuth2Auth,
    ToolDescription,
)
from visavis.outbound import Outbound, OutboundError

MAX_ANSWER = 8_000
"""Of an answer, bytes; a language model could not read more within a call."""

_TOKEN_MARGIN_S = 30.0
_WITHOUT_BODY = ("GET", "HEAD")


def http_tool(described: ToolDescription, outbound: Outbound) -> Tool:
    """The tool that `described` with delivery `api` stands for."""
    assert described.delivery.api
    endpoint = Endpoint(described.delivery.api, outbound)
    return Tool(
        described.name,
        described.description,
        described.parameters,
        endpoint.ask,
        on_call=described.on_call,
        on_resolve=described.on_resolve or "generate_response",
        static_filler=described.static_filler,
        timeout_s=described.delivery.api.timeout,
    )


class Endpoint:
    """One address and how it is asked. Owner of its OAuth token."""

    def __init__(self, api: ApiDelivery, outbound: Outbound) -> None:
        self._api = api
        self._outbound = outbound
        self._token = ""
        self._token_until = 0.0

    async def ask(self, arguments: Mapping[str, Any]) -> str:
        """The answer's text. Raises `ToolError`."""
        api = self._api
        body = b"" if api.method in _WITHOUT_BODY else filled_body(api, arguments)
        headers = {name: value.get_secret_value() for name, value in api.headers.items()}
        if body:
            headers.setdefault("content-type", api.content_type)
        query = filled_query(api.query_params, arguments)
        match api.auth:
            case BearerAuth(token=token):
                headers["authorization"] = f"Bearer {token.get_secret_value()}"
            case BasicAuth(username=name, password=password):
                pair = f"{name}:{password.get_secret_value()}".encode()
                headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            case ApiKeyAuth(location="query"):
                query[api.auth.name] = api.auth.value.get_secret_value()
            case ApiKeyAuth():
                headers[api.auth.name] = api.auth.value.get_secret_value()
            case HmacAuth(secret=secret):
                signed = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256)
                headers["x-tavus-signature"] = signed.hexdigest()
            case OAuth2Auth():
                headers["authorization"] = f"Bearer {await self._fetched_token(api.auth)}"
        url = httpx.URL(filled_url(api.url, arguments))
        if query:
            url = url.copy_merge_params(query)
        try:
            answer = await self._outbound.request(
                api.method, str(url), body, headers, timeout_s=api.timeout, max_answer=MAX_ANSWER
            )
        except OutboundError as error:
            raise ToolError(str(error)) from None
        text = answer.body.decode(errors="replace").strip()
        if not 200 <= answer.status < 300:
            self._token_until = 0.0
            raise ToolError(f"it answered with HTTP status {answer.status}: {text[:300]}")
        return text or "Done."

    async def _fetched_token(self, auth: OAuth2Auth) -> str:
        if self._token and time.monotonic() < self._token_until:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_id": auth.client_id,
            "client_secret": auth.client_secret.get_secret_value(),
        } | ({"scope": auth.scope} if auth.scope else {})
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        try:
            answer = await self._outbound.post(auth.token_url, urlencode(form).encode(), headers)
            found = json.loads(answer.body)
            self._token = str(found["access_token"])
        except OutboundError as error:
            raise ToolError(f"its token could not be fetched: {error}") from None
        except (ValueError, KeyError, TypeError):
            raise ToolError(f"its token could not be fetched: HTTP status {answer.status}") from None
        lasts_s = found.get("expires_in")
        self._token_until = time.monotonic() + (lasts_s if isinstance(lasts_s, int | float) else 300) - _TOKEN_MARGIN_S
        return self._token


def filled_url(url: str, arguments: Mapping[str, Any]) -> str:
    """`url` with its placeholders filled, so that no argument can change anything but its own place."""
    return PLACEHOLDER.sub(lambda found: quote(_plain(arguments.get(found[1])), safe=""), url)


def filled_query(query: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, str]:
    """Values with their placeholders filled; one whose only argument was not given is left out."""
    filled = {}
    for name, value in query.items():
        text = _plain(value)
        if (only := PLACEHOLDER.fullmatch(text)) and arguments.get(only[1]) is None:
            continue
        filled[name] = PLACEHOLDER.sub(lambda found: _plain(arguments.get(found[1])), text)
    return filled


def filled_body(api: ApiDelivery, arguments: Mapping[str, Any]) -> bytes:
    """The body: the template with its placeholders filled, or all arguments as JSON."""
    template = api.body_template
    if template is None:
        return json.dumps(arguments).encode()
    if isinstance(template, Mapping):
        return json.dumps(_filled_object(template, arguments)).encode()
    if "json" not in api.content_type:
        form = "form-urlencoded" in api.content_type
        return PLACEHOLDER.sub(
            lambda found: quote(_plain(arguments.get(found[1]))) if form else _plain(arguments.get(found[1])), template
        ).encode()
    whole = _quoted_filled(template, arguments)
    return PLACEHOLDER.sub(lambda found: _inside_json(arguments.get(found[1])), whole).encode()


def _quoted_filled(template: str, arguments: Mapping[str, Any]) -> str:
    """A JSON template in which `"{name}"`, quotation marks included, has become the argument as JSON text."""
    parts = []
    at = 0
    for found in PLACEHOLDER.finditer(template):
        start, end = found.span()
        if template[start - 1 : start] == '"' and template[end : end + 1] == '"':
            value = arguments.get(found[1])
            parts += [template[at : start - 1], json.dumps(None if value is None else _plain(value))]
            at = end + 1
    return "".join(parts) + template[at:]


def _inside_json(value: Any) -> str:
    return json.dumps(value)[1:-1] if isinstance(value, str) else json.dumps(value)


def _filled_object(template: Any, arguments: Mapping[str, Any]) -> Any:
    match template:
        case Mapping():
            return {name: _filled_object(value, arguments) for name, value in template.items()}
        case list():
            return [_filled_object(value, arguments) for value in template]
        case str():
            if only := PLACEHOLDER.fullmatch(template):
                return arguments.get(only[1])
            return PLACEHOLDER.sub(lambda found: _plain(arguments.get(found[1])), template)
        case _:
            return template


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
