"""The guarded client's rules for libraries that bring their own HTTP client: only addresses that were checked."""

import httpx2

from visavis.outbound import CONNECT_S, Outbound, OutboundError


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends each request to an address that users may reach, and to no proxy. Owns its connections."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it to the first allowed address that accepts a connection. Raises `httpx2.ConnectError`."""
        try:
            addresses = await self._outbound.addresses(str(request.url))
        except OutboundError as error:
            raise httpx2.ConnectError(str(error), request=request) from None
        timeouts = {**request.extensions.get("timeout", {})}
        timeouts["connect"] = min(timeouts.get("connect") or CONNECT_S, CONNECT_S)
        for address in addresses:
            guarded = httpx2.Request(
                request.method,
                request.url.copy_with(host=str(address)),
                headers=request.headers,  # with the name that was asked for
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host, "timeout": timeouts},
            )
            try:
                return await self._inner.handle_async_request(guarded)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if address is addresses[-1]:
                    raise
        raise AssertionError  # there is at least one address

    async def aclose(self) -> None:
        """End all connections."""
        await self._inner.aclose()


def guarded_client(outbound: Outbound) -> httpx2.AsyncClient:
    """What the `openai` package sends its requests with, under the same rules."""
    import openai  # takes a second

    return openai.DefaultAsyncHttpxClient(transport=GuardedTransport(outbound), trust_env=False)


def refusal(error: BaseException) -> str:
    """Why a request was not sent, where the rules are the reason; else empty."""
    cause = error.__cause__
    return str(cause) if isinstance(cause, httpx2.ConnectError) and "VISAVIS_ALLOW_PRIVATE_URLS" in str(cause) else ""
