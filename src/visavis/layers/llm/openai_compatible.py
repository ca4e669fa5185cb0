"""Any language model behind the OpenAI chat-completions protocol: vendors, Ollama, vLLM, our own llama.cpp."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import openai
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from visavis.errors import EngineError
from visavis.layers.llm import Ending, Function, Message, ToolRequest
from visavis.layers.llm.chat_protocol import StreamedRequests, Words, as_json, function_as_json

_log = logging.getLogger(__name__)

LAYER = "language model"
_LONGEST_QUOTE = 200
_MEANING_OF_STATUS = {
    401: "refused the API key; check api_key",
    403: "does not allow this API key to use it; check api_key and model",
    404: "does not exist; check base_url and model",
    429: "takes no more requests for now: too many at once, or the account's credit is used up",
}
_Answer = TypeVar("_Answer")


def checked_address(url: str) -> str:
    """`url` if it can be the address of an API. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an address like https://host/v1")
    if parts.username or parts.password:
        raise ValueError("expected no name or password in the address; use api_key or headers")
    return url


class TemporaryError(EngineError):
    """The same request may succeed in a moment: too many at once, or the server failed on its side."""


class UnreachableError(TemporaryError):
    """Nobody answers at the address, or the connection broke in the middle of a reply."""


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

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return checked_address(url)


class OpenAICompatible:
    """A `visavis.layers.llm.LanguageModel`. Owns its HTTP connections, which `aclose` ends."""

    shares_processor = False

    def __init__(self, settings: LanguageModelSettings) -> None:
        self._settings = settings
        self._name = f"{settings.model} at {urlsplit(settings.base_url).netloc}"
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            default_headers=_revealed(settings.headers),
            default_query=_revealed(settings.default_query),
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=not is_this_machine(settings.base_url)),
        )
        self._client.organization = self._client.project = None  # else taken from the environment and sent to anybody
        self._prefill: asyncio.Task[None] | None = None

    async def aclose(self) -> None:
        """End all connections; the model cannot be used any more."""
        self.cancel_prefill()
        await self._client.close()

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Function] = (), more: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[str | ToolRequest, None]:
        """Yield the reply piece by piece; see `visavis.layers.llm.LanguageModel`.

        `more` are further members of this request's body; None takes one out that every request has.

        Closing the iterator or cancelling its reader closes the connection, which makes servers stop decoding.
        """
        self.cancel_prefill()
        now = asyncio.get_running_loop().time
        limit_s = self._settings.first_token_timeout_s
        too_late = f"did not begin to answer within {limit_s:g} s"
        deadline = now() + limit_s
        body = self._request(messages, tools)
        if more:
            members = {**body["extra_body"], **more}
            body["extra_body"] = {name: value for name, value in members.items() if value is not None}
        request = self._client.chat.completions.create(**body, stream=True)
        response: openai.AsyncStream[ChatCompletionChunk] = await self._in_time(request, deadline, too_late)
        try:
            is_chat = False
            requests, words = StreamedRequests(), Words()
            while (read := await self._in_time(_next_piece(response, words, requests), deadline, too_late)) is not None:
                is_chat = True
                piece, goes_on = read
                if piece:
                    yield piece
                if goes_on:
                    limit_s = self._settings.next_token_timeout_s
                    too_late = f"fell silent for {limit_s:g} s in the middle of its reply"
                    deadline = now() + limit_s
            if not is_chat:
                raise self._failure("answered with something that is not a streamed chat completion; check base_url")
            if rest := words.rest():
                yield rest
            for wanted in requests.all():
                yield wanted
        finally:
            await response.close()

    async def ending(self, messages: Sequence[Message]) -> Ending | None:
        """None: the protocol does not tell."""
        return None

    def rest(self, seconds: float) -> None:
        """Nothing: the work is done elsewhere."""

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        """Let the server read `messages` into its cache; see `visavis.layers.llm.LanguageModel`.

        Only the newest prefill counts: it cancels one that is still running, and `stream` cancels both, so that
        they never queue up in front of a reply.
        """
        if not self._settings.supports_prefill:
            return
        self.cancel_prefill()
        prefill = self._prefill = asyncio.create_task(self._read_into_cache(messages, tools))
        try:
            await asyncio.wait({prefill})
        finally:
            prefill.cancel()

    async def _read_into_cache(self, messages: Sequence[Message], tools: Sequence[Function]) -> None:
        try:
            request = self._request(messages, tools) | {"max_tokens": 0}
            async with await self._client.chat.completions.create(**request, stream=True) as response:
                async for _ in response:
                    pass
        except Exception as error:  # a hint may fail in any way, also by an answer that cannot be read
            _log.debug("prefill failed: %s", type(error).__name__)

    def cancel_prefill(self) -> None:
        """Stop a prefill that is still running."""
        if self._prefill is not None:
            self._prefill.cancel()
            self._prefill = None

    def _request(self, messages: Sequence[Message], tools: Sequence[Function]) -> dict[str, Any]:
        settings = self._settings
        options = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
        return {
            "model": settings.model,
            "messages": [as_json(message) for message in messages],
            "extra_body": dict(settings.extra_body),
            **({"tools": [function_as_json(tool) for tool in tools]} if tools else {}),
            **{name: value for name, value in options.items() if value is not None},
        }

    async def _in_time(self, answer: Awaitable[_Answer], deadline: float, too_late: str) -> _Answer:
        """Await `answer`; whatever goes wrong becomes an `EngineError` that people can read."""
        try:
            async with asyncio.timeout_at(deadline):
                return await answer
        except TimeoutError:
            raise self._failure(too_late) from None
        except openai.APIConnectionError:
            raise UnreachableError(
                LAYER,
                f"{self._name} cannot be reached or broke the connection off; check base_url and the network",
            ) from None
        except openai.OpenAIError as error:
            reason = self._explained(error)  # its own text may quote the key
            if isinstance(error, openai.APIStatusError) and (error.status_code == 429 or error.status_code >= 500):
                raise TemporaryError(LAYER, f"{self._name} {reason}") from None
            raise self._failure(reason) from None
        except Exception as error:  # what the client lets through from a reply that is not what it should be
            raise self._failure(f"sent a reply that cannot be read ({type(error).__name__})") from error

    def _failure(self, reason: str) -> EngineError:
        return EngineError(LAYER, f"{self._name} {reason}")

    def _explained(self, error: openai.OpenAIError) -> str:
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            meaning = _MEANING_OF_STATUS.get(status) or ("failed on its side" if status >= 500 else "")
            return f"{meaning or 'refused the request: ' + self._quoted(error)} (HTTP {status})"
        if isinstance(error, openai.APIError):
            return f"reported: {self._quoted(error)}"
        return f"could not be asked ({type(error).__name__})"

    def _quoted(self, error: openai.APIError) -> str:
        """The server's own words, without any secret that it may have sent back."""
        text = error.message
        settings = self._settings
        for secret in (settings.api_key, *settings.headers.values(), *settings.default_query.values()):
            if secret is not None and secret.get_secret_value():
                text = text.replace(secret.get_secret_value(), "***")
        return text[:_LONGEST_QUOTE]


async def _next_piece(
    response: openai.AsyncStream[ChatCompletionChunk], words: Words, requests: StreamedRequests
) -> tuple[str, bool] | None:
    """What can be spoken of the next chunk, and whether it carried anything of the reply; None after the last one."""
    chunk = await anext(response, None)
    if chunk is None:
        return None
    piece, wanted = words.read(chunk), requests.read(chunk)
    return piece, wanted or bool(piece)


def _revealed(secrets: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}


def is_this_machine(url: str) -> bool:
    """Whether an address is on this machine, where a proxy of the environment must not be asked."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
