"""Questions about a picture, answered by a vision-language model behind the OpenAI chat-completions protocol.

The only place of visavis from which a picture of the person leaves the machine; there is none unless one is configured.
"""

import base64
from urllib.parse import urlsplit

import cv2
import openai

from visavis.errors import EngineError
from visavis.layers.llm.openai_compatible import LanguageModelSettings
from visavis.replica import Frame

LAYER = "vision"
TIMEOUT_S = 8.0
MOST_TOKENS = 120
QUALITY = 80
"""Of the JPEG, 0 to 100."""

_PROMPT = "Answer in one or two plain sentences from this picture of a video call. Say so when it cannot be seen."


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
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        where = urlsplit(self._settings.base_url).netloc
        try:
            made = await self._client.chat.completions.create(
                model=self._settings.model,
                max_tokens=self._settings.max_tokens or MOST_TOKENS,
                messages=[
                    {"role": "system", "content": _PROMPT},
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": question},
                            {"type": "image_url", "image_url": {"url": url}},
                        ],
                    },
                ],
            )
        except openai.APIError as error:
            raise EngineError(LAYER, f"{self._settings.model} at {where} did not answer: {error.message}") from error
        text = (made.choices[0].message.content or "").strip() if made.choices else ""
        if not text:
            raise EngineError(LAYER, f"{self._settings.model} at {where} gave an empty answer")
        return text

    async def aclose(self) -> None:
        """End all connections."""
        await self._client.close()
