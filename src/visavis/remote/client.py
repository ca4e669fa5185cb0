"""A client of the REST API, of this server's or of a hosted one's, for commands."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from visavis import __version__
from visavis.errors import BadInputError, VisavisError

_PAGE = 100
_MOST_PAGES = 10_000
_TIMEOUT_S = 30.0


class RemoteError(VisavisError):
    """A server cannot be reached or said no; the text says what it answered."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class Remote:
    """One server. Use as a context manager."""

    def __init__(self, url: str, key: str | None, transport: httpx.BaseTransport | None = None) -> None:
        """`url` with or without `/v2` at the end. Raises `BadInputError`."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInputError("--url", url, "an address like https://host or http://127.0.0.1:8770")
        self.host = parts.netloc.rpartition("@")[2]
        self._client = httpx.Client(
            base_url=url.rstrip("/").removesuffix("/v2") + "/v2/",
            headers={"user-agent": f"visavis/{__version__}"} | ({"x-api-key": key} if key else {}),
            timeout=_TIMEOUT_S,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """A JSON object. Raises `RemoteError`, as all that follow."""
        return self._object(self._ask("GET", path, params=query))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that a POST answers."""
        return self._object(self._ask("POST", path, json=body))

    def patch(self, path: str, operations: list[dict[str, Any]]) -> bool:
        """Apply a JSON Patch; False when it changed nothing."""
        return self._ask("PATCH", path, json=operations).status_code != 304

    def pages(self, path: str, **query: str | int) -> Iterator[tuple[dict[str, Any], int]]:
        """The objects of a list, each with the length of the whole list."""
        seen = 0
        for number in range(1, _MOST_PAGES):
            found = self.get(path, **query, limit=_PAGE, page=number)
            data, total = found.get("data"), found.get("total_count")
            if not isinstance(data, list) or not data:
                return
            for one in data:
                yield one, int(total or len(data))
            seen += len(data)
            if isinstance(total, int) and seen >= total:
                return

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            response = self._client.request(method, path, **how)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise RemoteError(f"{self.host} cannot be reached: {reason}") from error
        if response.status_code >= 400 or response.has_redirect_location:
            raise RemoteError(f"{self.host} answered {response.status_code}: {_reason(response)}", response.status_code)
        return response

    def _object(self, response: httpx.Response) -> dict[str, Any]:
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise RemoteError(f"{self.host} did not answer with a JSON object; is {response.url} the right address?")
        return body


def _reason(response: httpx.Response) -> str:
    if response.status_code == 401:
        return "the API key is not valid there (give one with --key or VISAVIS_API_KEY)"
    try:
        body = response.json()
        return str(body.get("error") or body.get("message"))[:500]
    except (ValueError, AttributeError):
        return response.reason_phrase or "no reason given"
