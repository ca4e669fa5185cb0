"""A vendor's address in the OpenAI protocols: how it is set and reached, and what its failures mean to people."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

import openai
from pydantic import SecretStr

from visavis.errors import EngineError
from visavis.layers.settings import LanguageModelSettings

LAYER = "language model"
_LONGEST_QUOTE = 200
_MEANING_OF_STATUS = {
    401: "refused the API key; check api_key",
    403: "does not allow this API key to use it; check api_key and model",
    404: "does not exist; check base_url and model",
    429: "takes no more requests for now: too many at once, or the account's credit is used up",
}
_ABOUT_THE_REQUEST = (400, 404, 413, 415, 422)
_ABOUT_COUNTING = ("stream_options", "include_usage")
_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)


class TemporaryError(EngineError):
    """The same request may succeed in a moment: too many at once, or the server failed on its side."""


class UnreachableError(TemporaryError):
    """Nobody answers at the address, or the connection broke in the middle of a reply."""


class _RejectedError(EngineError):
    """The server does not like the request itself."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(LAYER, message)
        self.said = said


class Endpoint:
    """One address. Owns its HTTP connections, which `aclose` ends."""

    def __init__(self, settings: LanguageModelSettings) -> None:
        self.settings = settings
        self.counts = True
        """It tells what a reply costs when asked to; False once it has refused to be asked."""
        self.sees = settings.vision
        """It takes pictures; False once it has refused one."""
        self.client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            default_headers=_revealed(settings.headers),
            default_query=_revealed(settings.default_query),
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=not is_this_machine(settings.base_url)),
        )
        self.client.organization = self.client.project = None  # else taken from the environment and sent to anybody
        self.name = f"{settings.model} at {urlsplit(settings.base_url).netloc}"

    async def aclose(self) -> None:
        """End all connections."""
        await self.client.close()

    async def opened(self, request: Callable[[], Awaitable[_Answer]], pace: "Pace", *, pictures: bool) -> _Answer:
        """Send what `request` makes, which may ask for the costs if it `counts` and show pictures if it `sees`.

        What the server does not take of that is left out from then on. Raises `EngineError`.
        """
        while True:
            try:
                return await self.in_time(request(), pace)
            except _RejectedError as error:
                if self.counts and any(name in error.said for name in _ABOUT_COUNTING):
                    self.counts = False
                elif self.sees and pictures:
                    self.sees = False
                    _log.warning("%s; it is shown no more pictures", error)
                else:
                    raise

    async def in_time(self, answer: Awaitable[_Answer], pace: "Pace") -> _Answer:
        """Await `answer` as long as `pace` allows; what goes wrong becomes an `EngineError` that people can read."""
        try:
            async with asyncio.timeout_at(pace.deadline):
                return await answer
        except EngineError:
            raise
        except TimeoutError:
            raise self.failure(pace.too_late) from None
        except openai.APIConnectionError:
            raise UnreachableError(
                LAYER,
                f"{self.name} cannot be reached or broke the connection off; check base_url and the network",
            ) from None
        except openai.OpenAIError as error:
            reason = self._explained(error)  # its own text may quote the key
            if isinstance(error, openai.APIStatusError) and (error.status_code == 429 or error.status_code >= 500):
                raise TemporaryError(LAYER, f"{self.name} {reason}") from None
            if isinstance(error, openai.APIStatusError) and error.status_code in _ABOUT_THE_REQUEST:
                raise _RejectedError(f"{self.name} {reason}", error.message) from None
            raise self.failure(reason) from None
        except Exception as error:  # what the client lets through from a reply that is not what it should be
            raise self.failure(f"sent a reply that cannot be read ({type(error).__name__})") from error

    def failure(self, reason: str) -> EngineError:
        """The error that tells what `reason` says of this model."""
        return EngineError(LAYER, f"{self.name} {reason}")

    def _explained(self, error: openai.OpenAIError) -> str:
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            meaning = _MEANING_OF_STATUS.get(status) or ("failed on its side" if status >= 500 else "")
            return f"{meaning or 'refused the request: ' + self._quoted(error)} (HTTP {status})"
        if isinstance(error, openai.APIError):
            return f"reported: {self._quoted(error)}"
        return f"could not be asked ({type(error).__name__})"

    def _quoted(self, error: openai.APIError) -> str:
        return self.without_secrets(error.message)

    def without_secrets(self, text: str) -> str:
        """The server's own words, shortened, without any secret that it may have sent back."""
        settings = self.settings
        for secret in (settings.api_key, *settings.headers.values(), *settings.default_query.values()):
            if secret is not None and secret.get_secret_value():
                text = text.replace(secret.get_secret_value(), "***")
        return text[:_LONGEST_QUOTE]


class Pace:
    """How long the next piece of a reply may take. Begins when it is made."""

    def __init__(self, settings: LanguageModelSettings) -> None:
        self._next_s = settings.next_token_timeout_s
        self.deadline = asyncio.get_running_loop().time() + settings.first_token_timeout_s
        """By the event loop's clock."""
        self.too_late = f"did not begin to answer within {settings.first_token_timeout_s:g} s"
        """What to say of it after that."""

    def went_on(self) -> None:
        """There was a piece."""
        self.deadline = asyncio.get_running_loop().time() + self._next_s
        self.too_late = f"fell silent for {self._next_s:g} s in the middle of its reply"


def _revealed(secrets: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}


def is_this_machine(url: str) -> bool:
    """Whether an address is on this machine, where a proxy of the environment must not be asked."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
