"""Questions about a picture, answered by a vision-language model behind the OpenAI chat-completions protocol.

One of two places of visavis from which a picture of the person leaves the machine, if one is configured; the other is a
language model that takes pictures (`visavis.conversation.showing`).
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import cv2
import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from visavis.errors import EngineError
from visavis.layers.llm import Function, ToolRequest
from visavis.layers.llm.chat_protocol import function_as_json
from visavis.layers.perception import Observed
from visavis.layers.settings import LanguageModelSettings
from visavis.replica import Frame

LAYER = "vision"
TIMEOUT_S = 8.0
MOST_TOKENS = 120
QUALITY = 80
"""Of the JPEG, 0 to 100."""

_PROMPT = "Answer in one or two plain sentences from this picture of a video call. Say so when it cannot be seen."
_OBSERVE = (
    "You watch a video call. Answer each numbered question from this picture, in a few words on a line of its own that "
    "begins with its number. Say so when it cannot be seen. Use a tool only when what you see asks for it."
)
_WATCH = "You watch a video call. Use a tool only when what you see asks for it."


class VisionModel:
    """Sees one picture at a time."""

    def __init__(self, settings: LanguageModelSettings) -> None:
        self._settings = settings
        key = settings.api_key.get_secret_value() if settings.api_key else "none"
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=key,
            default_headers={name: value.get_secret_value() for name, value in settings.headers.items()},
            max_retries=0,
            timeout=TIMEOUT_S,
        )
        self._client.organization = self._client.project = None  # else taken from the environment

    async def answer(self, question: str, picture: Frame) -> str:
        """What the model says to `question` about uint8[H, W, 3] BGR. Raises `EngineError`."""
        said = await self._ask(_PROMPT, question, picture, MOST_TOKENS)
        text = (said.content or "").strip()
        if not text:
            raise EngineError(LAYER, f"{self._settings.model} at {self._where} gave an empty answer")
        return text

    async def observe(
        self, picture: Frame, questions: Sequence[str], tools: Sequence[Function], prompt: str
    ) -> Observed:
        """See `visavis.layers.perception.Vision`: one request for all of it."""
        numbered = "\n".join(f"{number}. {question}" for number, question in enumerate(questions, 1))
        system = "\n".join(filter(None, (_OBSERVE if questions else _WATCH, prompt)))
        most = MOST_TOKENS + 40 * len(questions)
        more = {"tools": [function_as_json(tool) for tool in tools]} if tools else {}
        said = await self._ask(system, numbered or "What do you see?", picture, most, more)
        requests = tuple(
            ToolRequest(call.id, call.function.name, call.function.arguments)
            for call in said.tool_calls or ()
            if call.type == "function"
        )
        return Observed(_numbered(said.content or "", len(questions)), requests)

    @property
    def _where(self) -> str:
        return urlsplit(self._settings.base_url).netloc

    async def _ask(
        self, system: str, text: str, picture: Frame, most_tokens: int, more: Mapping[str, Any] | None = None
    ) -> ChatCompletionMessage:
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        shown = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
        messages: Any = [{"role": "system", "content": system}, {"role": "user", "content": shown}]
        try:
            made: ChatCompletion = await self._client.chat.completions.create(
                model=self._settings.model,
                max_tokens=self._settings.max_tokens or most_tokens,
                messages=messages,
                stream=False,
                **(more or {}),
            )
        except openai.APIError as error:
            model, where = self._settings.model, self._where
            raise EngineError(LAYER, f"{model} at {where} did not answer: {error.message}") from error
        if not made.choices:
            raise EngineError(LAYER, f"{self._settings.model} at {self._where} gave an empty answer")
        return made.choices[0].message

    async def aclose(self) -> None:
        """End all connections."""
        await self._client.close()


def _numbered(text: str, count: int) -> tuple[str, ...]:
    """The lines that begin with a number, in its place; a single question needs none."""
    found = {int(number): line.strip() for number, line in re.findall(r"(?m)^\s*(\d+)[.):]\s*(.+)$", text)}
    if count == 1 and not found:
        return (text.strip(),)
    return tuple(found.get(number, "") for number in range(1, count + 1))
