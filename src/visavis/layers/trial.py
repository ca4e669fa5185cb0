"""One question to a persona's engines, to see whether they work and how long they take."""

import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ
from visavis.config import settings
from visavis.conversation import persona as personas
from visavis.hosting.engines import SharedEngines
from visavis.hosting.faces import Faces
from visavis.hosting.plan import Plan
from visavis.layers.builtin import start_layers
from visavis.layers.llm import Message, words_of
from visavis.layers.llm.prompt import spoken_style
from visavis.outbound import outbound_of

_QUESTION = "Please say in one sentence who you are."


async def speak_through(file: Path, tell: Callable[[str], None]) -> None:
    """Ask the language model of a persona's file a question, speak the answer and recognise it; `tell` the times.

    Raises `VisavisError`.
    """
    wanted = personas.load(file)
    plan = Plan(conversation_id="test", persona=wanted, replica_id="")
    async with start_layers(settings(), None) as shared:
        engines = SharedEngines(shared, Faces(), outbound_of(settings()), settings().mcp_commands)
        async with engines.layers(plan) as layers:
            began, first_s, text = time.monotonic(), None, ""
            asked = [Message("system", spoken_style(wanted.system_prompt)), Message("user", _QUESTION)]
            async with aclosing(layers.language_model.stream(asked)) as reply:  # type: ignore[type-var]
                async for piece in reply:
                    first_s = first_s or time.monotonic() - began
                    text += words_of(piece)
            tell(f"llm: {text.strip()!r}; first word after {1000 * (first_s or 0):.0f} ms")
            began, first_s, sound = time.monotonic(), None, []
            async for speech in layers.voice.stream(text):
                first_s = first_s or time.monotonic() - began
                sound.append(speech.pcm)
            spoken = np.concatenate(sound) if sound else np.zeros(0, np.int16)
            lasts_s = len(spoken) / PLAYOUT_RATE_HZ
            tell(f"tts: {lasts_s:.1f} s of sound; first of it after {1000 * (first_s or 0):.0f} ms")
            utterance = layers.recogniser.utterance()
            utterance.feed((spoken[:: PLAYOUT_RATE_HZ // LISTEN_RATE_HZ] / 32768).astype(np.float32))
            began = time.monotonic()
            heard = await utterance.final()
            tell(f"stt: {heard!r}; after {1000 * (time.monotonic() - began):.0f} ms")
