"""visavis as a client of the Realtime protocol speaks to visavis as its server: both sides of a real connection."""

import asyncio
from pathlib import Path

import numpy as np

from tests.conversation.simulation import CountingFace, LevelActivity, SimulatedCall, silence, speech
from tests.unit.realtime.test_endpoint import running
from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.conversation.persona import Persona
from visavis.layers import Layers
from visavis.layers.realtime.openai_realtime import OpenAIRealtime
from visavis.outbound import Outbound, PrivateAddresses


async def test_call_whose_middle_is_another_visavis(tmp_path: Path):
    async with running(tmp_path) as place:
        place.engines.model.replies = ["Hello, I am Tim.", [("current_time", "{}")], "It is ten."]
        sts = {"base_url": place.url, "model": "any"}
        persona = Persona.model_validate(
            {
                "persona_name": "Tim",
                "system_prompt": "You are Tim.",
                "greeting": "Hello.",
                "pipeline_mode": "speech-to-speech",
                "layers": {"sts": sts},
                "system_tools": ["current_time"],
            }
        )
        assert persona.layers.sts
        model = OpenAIRealtime(persona.layers.sts, Outbound(PrivateAddresses(every=True)))
        layers = Layers(LevelActivity, *(None,) * 4, voice_to_voice=model)  # type: ignore[arg-type]
        call = SimulatedCall()
        conversation = Conversation("c", persona, CountingFace(), layers, LoopClock())
        talking = asyncio.create_task(conversation.run(call))
        async with asyncio.timeout(30):
            await _said(call, 1)
            call.speak(speech(0.8), silence(0.5))
            await _said(call, 3)
            await call.close()
            await talking
    utterances = [event["properties"] for event in call.said("conversation.utterance")]
    assert [(one["role"], one["speech"]) for one in utterances] == [
        ("replica", "Hello, I am Tim."),
        ("user", "What time is it?"),
        ("replica", "It is ten."),
    ]
    (outcome,) = call.said("conversation.tool_outcome")
    assert outcome["properties"]["status"] == "success"
    assert place.engines.model.asked[0][0].content.startswith("Say exactly this")
    assert place.engines.model.asked[2][-1].role == "tool"
    assert np.diff(call.sounding()).max() > 0.5


async def _said(call: SimulatedCall, count: int) -> None:
    while len(call.said("conversation.utterance")) < count:  # noqa: ASYNC110 - a call has no event for it
        await asyncio.sleep(0.05)
