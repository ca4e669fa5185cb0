"""End of turn by a small language model of its own, which reads along while the person speaks.

It is not the model that answers: that one is larger, busy with the reply, or a vendor's. Of this one only the next
token is wanted, after a short prompt, so its verdict comes soon after the words.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
from pydantic import BaseModel

from visavis import models
from visavis.errors import EngineError
from visavis.layers.llm import LanguageModel
from visavis.layers.llm.built_in import BuiltInModel, ModelServer
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.turn import Ending
from visavis.models import ModelMissingError

_log = logging.getLogger(__name__)

MODEL = "smollm2-135m"

_INSTRUCTION = "You are a helpful assistant on the phone."
_END = "<|im_end|>"
_CANDIDATES = 1000
"""Next tokens that are looked at; what is not among them is as good as impossible."""
_IMPOSSIBLE = -14.0
"""Log probability of what is not among them."""

_STOPS = (".", "?", "!")
_TRAILING = " \t\n.,;:!?…-–—"

_LONGEST_ASKED = 200
_LONGEST_TEXT = 600
"""Characters that are read. Of longer texts the beginning is left out, `_LEFT_OUT` at a time, so that most words stay
where the cache has them."""
_LEFT_OUT = 300

_CONTEXT_TOKENS = 512
TIMEOUT_S = 1.0
"""By then silence decides."""


class _Candidate(BaseModel):
    token: str
    logprob: float


class SmallModelJudge:
    """A `visavis.layers.turn.WordsJudge` on a llama.cpp server, which it follows through restarts."""

    def __init__(self, server: ModelServer, timeout_s: float = TIMEOUT_S) -> None:
        self.server = server
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None
        self._client_url = ""
        self._asking = asyncio.Lock()

    async def read(self, asked: str, text: str) -> None:
        """Let the server read the words so far; see `visavis.layers.turn.WordsJudge`."""
        if self._asking.locked() or not (words := _bare(text)):
            return  # words that wait are soon old
        try:
            await self._complete({"prompt": prompt(asked, words), "n_predict": 0})
        except (EngineError, TimeoutError, httpx.HTTPError) as error:
            _log.debug("words could not be read: %r", error)

    async def ending(self, asked: str, text: str) -> Ending | None:
        """How likely the person has finished; see `visavis.layers.turn.WordsJudge`."""
        # The recogniser ends everything with a full stop; whether one belongs there is the question.
        if not (words := _bare(text)):
            return None
        try:
            answer = await self._complete({"prompt": prompt(asked, words), "n_predict": 1, "n_probs": _CANDIDATES})
            candidates = [_Candidate(**each) for each in answer["completion_probabilities"][0]["top_logprobs"]]
        except (EngineError, TimeoutError, httpx.HTTPError, LookupError, ValueError) as error:
            _log.debug("the end of a turn could not be judged: %r", error)
            return None
        return Ending(
            of_turn=_log_sum(c.logprob for c in candidates if c.token == _END or "\n" in c.token),
            of_sentence=_log_sum(c.logprob for c in candidates if c.token.strip().startswith(_STOPS)),
        )

    async def aclose(self) -> None:
        """End the connections to the server, which itself goes on."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _complete(self, request: dict[str, Any]) -> dict[str, Any]:
        self.server.wake()
        async with asyncio.timeout(self._timeout_s):
            base_url = await self.server.ready()
            if self._client is None or base_url != self._client_url:
                await self.aclose()
                self._client, self._client_url = self._connected(base_url), base_url
            async with self._asking:
                response = await self._client.post("/completion", json={**request, "cache_prompt": True})
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer

    def _connected(self, base_url: str) -> httpx.AsyncClient:
        key = self.server.api_key.get_secret_value()
        return httpx.AsyncClient(
            base_url=base_url.removesuffix("/v1"),
            headers={"authorization": f"Bearer {key}"},
            timeout=self._timeout_s,
            trust_env=False,
        )


@asynccontextmanager
async def words_judge(
    answering: LanguageModel | None = None, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[SmallModelJudge | None]:
    """The built-in judge and its server, which goes on starting after this is entered; None without its model file.

    Where the same model is the one that is `answering`, they share its server. After `timeout_s` it cannot tell.
    """
    try:
        file = next(models.path(MODEL).glob("*.gguf"))
    except ModelMissingError as error:
        _log.warning("ends of turns are judged without a language model: %s", error)
        yield None
        return
    if isinstance(answering, BuiltInModel) and answering.server.model.name == file.name:
        async with aclosing(SmallModelJudge(answering.server, timeout_s)) as judge:
            yield judge
        return
    async with (
        LlamaServer(file, threads=1, context_tokens=_CONTEXT_TOKENS) as server,
        aclosing(SmallModelJudge(server, timeout_s)) as judge,
    ):
        yield judge


def prompt(asked: str, words: str) -> str:
    """What the judge reads (ChatML): a call in which somebody says `words`, and nothing after them."""
    before = _turn("assistant", _shortened(asked, _LONGEST_ASKED)) if asked else ""
    return f"{_turn('system', _INSTRUCTION)}{before}<|im_start|>user\n{_shortened(words, _LONGEST_TEXT)}"


def _turn(role: str, words: str) -> str:
    return f"<|im_start|>{role}\n{words}{_END}\n"


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    left_out = math.ceil((len(text) - longest) / _LEFT_OUT) * _LEFT_OUT
    return text[left_out:].partition(" ")[2]


def _bare(text: str) -> str:
    return text.rstrip(_TRAILING)


def _log_sum(logprobs: Iterable[float]) -> float:
    return math.log(sum(map(math.exp, logprobs)) + math.exp(_IMPOSSIBLE))
