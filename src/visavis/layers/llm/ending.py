"""What a llama.cpp server thinks comes after somebody's words: the end of their turn, of a sentence, or more words."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr

from visavis.layers.llm import Ending, Message

_CANDIDATES = 2000
"""Next tokens that are looked at; what is not among them is as good as impossible."""

_IMPOSSIBLE = -14.0
"""Log probability of what is not among them."""

_STOPS = (".", "?", "!")
_TRAILING = " \t\n.,;:!?…-–—"
_TIMEOUT_S = 2.0


class _Candidate(BaseModel):
    id: int
    token: str
    logprob: float


class EndingReader:
    """Asks one server. The prompt is read into the same cache as a reply's, so it costs little to ask before one."""

    def __init__(self, base_url: str, api_key: SecretStr) -> None:
        """`base_url` as for the OpenAI protocol, with /v1."""
        self._client = httpx.AsyncClient(
            base_url=base_url.removesuffix("/v1"),
            headers={"authorization": f"Bearer {api_key.get_secret_value()}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )
        self._end: int | None = None

    async def aclose(self) -> None:
        """End the connections."""
        await self._client.aclose()

    async def ending(self, messages: Sequence[Message]) -> Ending | None:
        """See `visavis.layers.llm.LanguageModel`. Raises `httpx.HTTPError` and `ValueError`."""
        # The recogniser ends everything with a full stop; whether one belongs there is the question.
        words = messages[-1].content.rstrip(_TRAILING)
        if not words:
            return None
        asked = [*({"role": m.role, "content": m.content} for m in messages[:-1]), {"role": "user", "content": words}]
        prompt = (await self._post("/apply-template", {"messages": asked}))["prompt"]
        before, found, after = prompt.rpartition(words)
        if not found:
            return None
        if self._end is None:
            self._end = (await self._post("/tokenize", {"content": after}))["tokens"][0]
        request = {"prompt": before + words, "n_predict": 1, "n_probs": _CANDIDATES, "cache_prompt": True}
        answer = await self._post("/completion", request)
        candidates = [_Candidate(**each) for each in answer["completion_probabilities"][0]["top_logprobs"]]
        return Ending(
            of_turn=_log_sum(c.logprob for c in candidates if c.id == self._end),
            of_sentence=_log_sum(c.logprob for c in candidates if c.token.strip().startswith(_STOPS)),
        )

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self._client.post(path, json=body)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer


def _log_sum(logprobs: Iterable[float]) -> float:
    return math.log(sum(map(math.exp, logprobs)) + math.exp(_IMPOSSIBLE))
