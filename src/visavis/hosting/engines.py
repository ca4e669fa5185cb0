"""What the conversations of one process are made of: shared engines, the server's language model, faces."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from types import MappingProxyType

from visavis.conversation.persona import PersonaLayers, Speaking
from visavis.hosting.faces import Faces
from visavis.hosting.plan import Plan
from visavis.hosting.voices import Voices
from visavis.layers import Layers, plugins
from visavis.layers.llm import Function, LanguageModel, Message, Piece, takes_pictures
from visavis.layers.llm.fallback import FallbackModel
from visavis.layers.llm.vendor import vendor_model
from visavis.layers.perception import WithVision
from visavis.layers.realtime import VoiceToVoice
from visavis.layers.realtime.gemini_live import GeminiLive
from visavis.layers.realtime.openai_realtime import OpenAIRealtime
from visavis.layers.stt.faster_whisper import FasterWhisper
from visavis.layers.stt.openai_transcription import OpenAITranscription
from visavis.layers.tools.http import http_tool
from visavis.layers.tools.mcp import Commands, mcp_tools
from visavis.layers.tts.dictionary import PronouncingVoice, rules_of
from visavis.layers.tts.fallback import FallbackVoice
from visavis.layers.tts.kokoro import Kokoro
from visavis.layers.tts.openai_speech import OpenAISpeech
from visavis.layers.turn import TurnDetector
from visavis.layers.turn.detected import LATE_S, DetectedEndOfTurn
from visavis.layers.turn.hook import turn_hook
from visavis.outbound import Outbound
from visavis.replica import Replica


class HouseModel:
    """The language model of this server, a `visavis.layers.llm.LanguageModel` that starts when it is first needed.

    Most servers start it at once (`current`); one whose own persona brings a model of its own may never need it.
    """

    def __init__(self, open_model: Callable[[], AbstractAsyncContextManager[LanguageModel]]) -> None:
        self._open = open_model
        self._stack = AsyncExitStack()
        self._model: LanguageModel | None = None
        self._opening = asyncio.Lock()

    async def current(self) -> LanguageModel:
        """The running model. Raises `visavis.errors.VisavisError` when it cannot be started."""
        async with self._opening:
            if self._model is None:
                self._model = await self._stack.enter_async_context(self._open())
            return self._model

    async def aclose(self) -> None:
        """Stop it."""
        await self._stack.aclose()

    async def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncGenerator[Piece, None]:
        """See `visavis.layers.llm.LanguageModel`, as for all that follow."""
        model = self._model or await self.current()
        async with aclosing(model.stream(messages, tools)) as reply:  # type: ignore[type-var]
            async for piece in reply:
                yield piece

    @property
    def shares_processor(self) -> bool:
        return self._model is not None and self._model.shares_processor

    @property
    def takes_pictures(self) -> bool:
        return self._model is not None and takes_pictures(self._model)

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        if self._model:
            await self._model.prefill(messages, tools)

    def rest(self, seconds: float) -> None:
        if self._model:
            self._model.rest(seconds)


class SharedEngines:
    """The `visavis.hosting.calls.Engines` of a process."""

    def __init__(
        self,
        layers: Layers,
        faces: Faces,
        outbound: Outbound | None = None,
        mcp_commands: Commands = MappingProxyType({}),
    ) -> None:
        """`outbound` reaches the servers that users name; `mcp_commands` are programs that offer tools."""
        self._layers = layers
        self._faces = faces
        self._outbound = outbound or Outbound()
        self._mcp_commands = mcp_commands
        self._voices = Voices()

    @asynccontextmanager
    async def layers(self, plan: Plan) -> AsyncIterator[Layers]:
        """The shared engines, with the replica's own voice, and what the persona brings itself."""
        persona = plan.persona
        wanted = [one for one in persona.tools if one.delivery.api and one.trigger_type == "in_call"]
        layers = dataclasses.replace(self._layers, tools=tuple(http_tool(one, self._outbound) for one in wanted))
        if persona.pipeline_mode == "speech-to-speech":
            layers = dataclasses.replace(layers, voice_to_voice=self._voice_to_voice(persona.layers))
        if own_voice := await self._voices.voice(plan):
            layers = dataclasses.replace(layers, voice=own_voice)
        async with AsyncExitStack() as own:
            if persona.mcp_servers:
                offered = await own.enter_async_context(
                    mcp_tools(persona.mcp_servers, self._outbound, self._mcp_commands)
                )
                layers = dataclasses.replace(layers, tools=(*layers.tools, *offered))
            if persona.layers.llm is not None:
                wanted_model = persona.layers.llm
                first = await own.enter_async_context(aclosing(vendor_model(wanted_model)))
                house = layers.language_model if wanted_model.fallback else None
                model = FallbackModel(first, house, retries=wanted_model.retries)
                layers = dataclasses.replace(layers, language_model=model)
            if persona.pipeline_mode == "speech-to-speech" and (plugin := persona.layers.sts_plugin) is not None:
                talking = await own.enter_async_context(plugins.opened("realtime", plugin, self._outbound))
                layers = dataclasses.replace(layers, voice_to_voice=talking)
            if (plugin := persona.layers.llm_plugin) is not None:
                answering = await own.enter_async_context(plugins.opened("llm", plugin, self._outbound))
                layers = dataclasses.replace(layers, language_model=FallbackModel(answering, None, retries=1))
            if (recogniser := persona.layers.stt.openai) is not None:
                transcribing = OpenAITranscription(recogniser, layers.recogniser, self._outbound)
                hearing = await own.enter_async_context(aclosing(transcribing))
                layers = dataclasses.replace(layers, recogniser=hearing)
            if (whisper := persona.layers.stt.whisper) is not None:
                whispering = FasterWhisper(whisper, layers.recogniser)
                whispering.warm_up()
                layers = dataclasses.replace(layers, recogniser=whispering)
            if (plugin := persona.layers.stt.plugin) is not None:
                layers = dataclasses.replace(
                    layers, recogniser=await own.enter_async_context(plugins.opened("stt", plugin, self._outbound))
                )
            layers = await self._speaking(layers, persona.layers.tts, own)
            yield await self._attentive(layers, persona.layers, own)

    def _voice_to_voice(self, wanted: PersonaLayers) -> VoiceToVoice | None:
        if wanted.sts_gemini is not None:
            return GeminiLive(wanted.sts_gemini, self._outbound)
        return OpenAIRealtime(wanted.sts, self._outbound) if wanted.sts is not None else None

    async def _speaking(self, layers: Layers, wanted: Speaking, own: AsyncExitStack) -> Layers:
        """With the voice that the persona brings; `own` ends it."""
        if (kokoro := wanted.kokoro) is not None:
            layers = dataclasses.replace(layers, voice=FallbackVoice(Kokoro(kokoro), layers.voice))
        if (plugin := wanted.plugin) is not None:
            voice = await own.enter_async_context(plugins.opened("tts", plugin, self._outbound))
            layers = dataclasses.replace(layers, voice=FallbackVoice(voice, layers.voice))
        if (vendor := wanted.openai) is not None:
            speaking = await own.enter_async_context(aclosing(OpenAISpeech(vendor, self._outbound)))
            layers = dataclasses.replace(layers, voice=FallbackVoice(speaking, layers.voice))
        if rules := [*rules_of(wanted.pronunciations), *wanted.pronunciation_rules]:
            layers = dataclasses.replace(layers, voice=PronouncingVoice(layers.voice, rules))
        return layers

    async def _attentive(self, layers: Layers, wanted: PersonaLayers, own: AsyncExitStack) -> Layers:
        """With whatever the persona brings for turn-taking and for its eyes; `own` ends them."""
        detector: TurnDetector | None = None
        late_s = LATE_S
        if (hook := wanted.conversational_flow.turn_hook) is not None:
            detector = await own.enter_async_context(aclosing(turn_hook(hook, self._outbound)))
            late_s = hook.timeout_ms / 1000
        if (plugin := wanted.conversational_flow.turn_plugin) is not None:
            detector = await own.enter_async_context(plugins.opened("turn", plugin, self._outbound))
        if detector is not None:
            judging = DetectedEndOfTurn(detector, layers.end_of_turn, late_s)
            layers = dataclasses.replace(layers, end_of_turn=judging)
        if (plugin := wanted.perception.plugin) is not None:
            seeing = await own.enter_async_context(plugins.opened("perception", plugin, self._outbound))
            house = layers.perception.vision if layers.perception else None
            layers = dataclasses.replace(layers, perception=WithVision(seeing, house))
        return layers

    async def replica(self, plan: Plan) -> Replica:
        """The plan's face."""
        return await self._faces.face(plan)
