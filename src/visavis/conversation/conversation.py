"""A live conversation: call, layers and playout wired together."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial
from typing import Any

from visavis.audio import Samples
from visavis.conversation import events, manners
from visavis.conversation.awareness import Awareness, perception_tools
from visavis.conversation.clock import Clock
from visavis.conversation.context import Context
from visavis.conversation.controls import Controls, change_context
from visavis.conversation.ear import Ear
from visavis.conversation.echoes import Echoes
from visavis.conversation.floor import Floor
from visavis.conversation.interactions import AppendContext, Leave, Media, OverwriteContext, parse_interaction
from visavis.conversation.looking import look
from visavis.conversation.observations import SEEING_PROMPT, Observations
from visavis.conversation.own_voice import OwnVoice
from visavis.conversation.person_voice import PersonVoice, report_voice
from visavis.conversation.persona import Persona
from visavis.conversation.playout import Playout
from visavis.conversation.showing import Showing
from visavis.conversation.sight import Watcher
from visavis.conversation.tone import Tone
from visavis.conversation.toolbox import Toolbox
from visavis.conversation.turns import Turns
from visavis.conversation.voice_turns import VoiceTurns
from visavis.errors import BadInputError, VisavisError
from visavis.layers import Layers
from visavis.layers.llm import Function, Message, words_of
from visavis.layers.llm.prompt import spoken_style
from visavis.layers.perception import Noticed
from visavis.layers.perception.sensed import can_tell
from visavis.layers.tools import Tool
from visavis.layers.tools.built_in import CURRENT_TIME, END_CALL, LOOK, LOOK_AT, NOTHING, SYSTEM_TOOLS, current_time
from visavis.layers.tools.description import ToolDescription
from visavis.layers.tts.emotion import PROMPT as EMOTION_PROMPT
from visavis.replica import Replica
from visavis.transport import Call, VideoCall

_ANALYSIS_S = 3.0
"""For the answer to one question about what was seen, when a conversation is over."""

_HOST_ENDS_S = 2.0
"""A host that hears of the wish ends the conversation itself; without one, the call is hung up after this time."""


class NobodyInCallError(VisavisError):
    """A conversation was asked for something that needs a person in the call, and nobody is."""

    def __init__(self, event_type: str) -> None:
        super().__init__(
            f"Nobody is in this call, so {event_type} has nobody to reach; send it when somebody has joined."
        )


class Conversation:
    """One conversation with one person, who may reconnect: the context lives on between calls."""

    def __init__(
        self,
        conversation_id: str,
        persona: Persona,
        replica: Replica,
        layers: Layers,
        clock: Clock,
        executor: Executor | None = None,
        *,
        replica_id: str | None = None,
    ) -> None:
        """`executor` runs the renderer; None is the event loop's own. `replica_id` is told in events."""
        self.persona = persona
        self.replica = replica
        self.events = events.EventStream(conversation_id, clock)
        self.left = False
        """The person said goodbye, rather than being lost."""
        prompt = f"{persona.system_prompt}\n\n{persona.context}" if persona.context else persona.system_prompt
        self._layers = layers
        self._clock = clock
        asked = persona.layers.perception
        self.observations = Observations(clock, asked.visual_awareness_queries, asked.audio_awareness_queries)
        """What was noticed of the person in all calls."""
        if persona.layers.tts.tts_emotion_control:
            prompt = f"{prompt}\n\n{EMOTION_PROMPT}"
        self._context = Context(spoken_style(f"{prompt}\n\n{SEEING_PROMPT}" if self.sees else prompt))
        if self.notices:
            self._context.notes = self.observations
        self._executor = executor
        self._replica_id = replica_id
        self._greeted = False
        self._call: Call | None = None
        self._turns: Turns | None = None
        self._controls: Controls | None = None
        self._toolbox: Toolbox | None = None

    @property
    def echoes(self) -> bool:
        """It says only what a client sends."""
        return self.persona.pipeline_mode == "echo"

    @property
    def sees(self) -> bool:
        """It looks at the person's camera, where there is one."""
        return self._layers.perception is not None and self.notices

    @property
    def notices(self) -> bool:
        """It pays attention to how the person sounds, and to what it sees if it can."""
        return self.persona.layers.perception.wanted and not self.echoes

    async def prepare(self) -> None:
        """Let the language model read the prompt, which takes a small one seconds, before it is needed."""
        if not self.echoes and self._layers.voice_to_voice is None:
            own = [tool.function for tool in (*self._own_tools, *self._system_tools())]
            asked = [Function(tool.name, tool.description, tool.parameters) for tool in self._asked_of_client]
            await self._layers.language_model.prefill(self._context.messages(), (*own, *asked))

    @property
    def _asked_of_client(self) -> list[ToolDescription]:
        mine = [one for one in self.persona.tools if one.origin == "llm" and one.trigger_type == "in_call"]
        return [one for one in mine if one.delivery.app_message]

    @property
    def _own_tools(self) -> list[Tool]:
        """Those that this process does for the language model."""
        perceptual = {one.name for one in self.persona.tools if one.origin != "llm"}
        return [tool for tool in self._layers.tools if tool.name not in perceptual]

    async def interact(self, message: Mapping[str, Any]) -> None:
        """Do what a message of the interactions protocol asks for, wherever it came from.

        Raises `BadInputError` that names the field, and `NobodyInCallError`.
        """
        wanted = parse_interaction(message)
        if isinstance(wanted, Leave):
            self.left = True
            if self._call:
                await self._call.close()
        elif isinstance(wanted, Media):
            self._assign(wanted)
        elif self._controls:
            self._controls.obey(wanted)
        elif isinstance(wanted, OverwriteContext | AppendContext):
            change_context(self._context, wanted)
        else:
            raise NobodyInCallError(wanted.event_type)

    def _assign(self, wanted: Media) -> None:
        call: object = self._call
        if isinstance(call, VideoCall):
            call.assign(wanted.properties.camera_mid, wanted.properties.screen_mid)

    async def perception_analysis(self) -> str:
        """What was seen in all calls, and the answers to the persona's questions about it; empty without a camera.

        The language model answers from the words of the summary; no picture exists any more.
        """
        summary = self.observations.summary()
        queries = self.persona.layers.perception.perception_analysis_queries
        if not summary or not queries:
            return summary
        lines = [summary]
        perception = self._layers.perception
        for query in queries:
            if not (perception and perception.vision) and not can_tell(query):
                lines.append(f"- {query} No sensor here can tell that.")
                continue
            asked = [
                Message("system", "Answer in one sentence from these notes only, or say that it was not observed."),
                Message("user", f"What camera and microphone noted of a caller:\n{summary}\n\n{query}"),
            ]
            try:
                async with asyncio.timeout(_ANALYSIS_S), aclosing(self._layers.language_model.stream(asked)) as reply:  # type: ignore[type-var]
                    lines.append(f"- {query} {''.join([words_of(piece) async for piece in reply]).strip()}")
            except (TimeoutError, VisavisError):
                lines.append(f"- {query} (The language model did not answer.)")
        return "\n".join(lines)

    async def farewell(self, text: str) -> None:
        """Say `text` as the last words, whatever the person does; returns when they were heard or nobody is there."""
        if self._turns:
            await self._turns.farewell(text)

    async def run(self, call: Call) -> None:
        """Talk until the person is gone or this is cancelled; the call is hung up in any case."""
        self.left = False
        self._call = call
        with self.events.heard_by(call.send_event):
            try:
                if not await call.connected():
                    return
                self.events.emit(events.Joined())
                try:
                    await self._talk(call)
                finally:
                    self.events.emit(events.Left())
            except* _PersonGone:
                pass
            finally:
                self._call = None
                await call.close()

    async def _talk(self, call: Call) -> None:
        layers = self._layers
        floor = manners.floor(self.persona.layers)
        own_voice = OwnVoice()
        renderer = self.replica.renderer()
        playout = Playout(call, renderer, self._clock, self._executor, own_voice.played)
        async with asyncio.TaskGroup() as tasks:
            toolbox = Toolbox([*self._own_tools, *self._system_tools()], self.events, self._clock, tasks)
            self._toolbox = toolbox
            for described in self._asked_of_client:
                toolbox.add(described)
            kind = VoiceTurns if layers.voice_to_voice else Turns
            turns = self._turns = kind(
                self.persona.layers.conversational_flow,
                self._context,
                layers.language_model,
                layers.voice,
                renderer,
                playout,
                floor,
                self.events,
                self._clock,
                tasks,
                toolbox,
                speculative=self.persona.layers.speculative,
                showing=Showing(call) if self.persona.layers.perception.wanted else None,
            )
            toolbox.tell_late_results(turns.learn)
            echoes = Echoes(turns, renderer, self._clock)
            self._controls = Controls(
                self.persona.pipeline_mode, self._context, turns, echoes, floor, renderer, toolbox
            )
            try:
                tasks.create_task(playout.run())
                tasks.create_task(echoes.run())
                tasks.create_task(self._obey(call))
                self._announce_replica()
                self._greet(turns)
                if self.echoes:
                    voice = PersonVoice(layers.voice_activity(), floor, own_voice)
                    await report_voice(voice.listen(call.hear()), self.events, playout)
                else:
                    tasks.create_task(self.prepare())
                    tasks.create_task(turns.prepare())
                    tasks.create_task(turns.keep_company())
                    awareness = self._awareness(tasks)
                    if (perception := layers.perception) and self.sees and isinstance(call, VideoCall):
                        seen = (self.observations, awareness, turns, floor, renderer, self.events, self._clock)
                        tasks.create_task(Watcher(call, perception, *seen).run())
                        tasks.create_task(awareness.watch(partial(call.sight, "camera")))
                    sound = call.hear()
                    if self.notices:
                        sound = Tone(floor, self._clock, tasks, partial(self._noticed, awareness)).follow(sound)
                    if isinstance(turns, VoiceTurns) and (model := layers.voice_to_voice):
                        voice = PersonVoice(layers.voice_activity(), floor, own_voice)
                        await turns.converse(model, sound, voice)
                    else:
                        await self._listen(sound, turns, floor, own_voice)
                raise _PersonGone
            finally:
                self._turns = self._controls = None
                turns.interrupt()

    def _awareness(self, tasks: asyncio.TaskGroup) -> Awareness:
        perception = self._layers.perception
        return Awareness(
            self.persona.layers.perception,
            perception_tools(self.persona, self._layers.tools),
            perception.vision if perception and self.sees else None,
            self.observations,
            self.events,
            self._clock,
            tasks,
        )

    def _noticed(self, awareness: Awareness, noticed: Sequence[Noticed]) -> None:
        self.observations.notice(noticed)
        awareness.notice(noticed)

    def _system_tools(self) -> list[Tool]:
        """The tools of visavis itself that this persona wants."""
        end_call = Tool(END_CALL, SYSTEM_TOOLS[END_CALL], NOTHING, self._say_goodbye, on_call="silent", timeout_s=1.0)
        known = {END_CALL: end_call, CURRENT_TIME: current_time()}
        if self.sees:
            known[LOOK] = Tool(LOOK, SYSTEM_TOOLS[LOOK], LOOK_AT, self._look, has_side_effects=False, timeout_s=15.0)
        return [known[name] for name in self.persona.system_tools if name in known]

    async def _look(self, arguments: Mapping[str, Any]) -> str:
        call: object = self._call
        perception = self._layers.perception
        if perception and isinstance(call, VideoCall):
            return await look(str(arguments.get("question", "")), call, perception, self.observations)
        return "The caller's camera is off, so nothing can be seen."

    async def _say_goodbye(self, arguments: Mapping[str, Any]) -> str:
        if self._toolbox:
            self._toolbox.go_on(self._end_when_said())
        return "The call ends as soon as you have said goodbye. Say a short goodbye."

    async def _end_when_said(self) -> None:
        """End the call after the goodbye, unless the person objects."""
        if self._turns and await self._turns.said():
            self.events.emit(events.EndRequested())
            await self._clock.sleep_until(self._clock.now() + _HOST_ENDS_S)
            self.left = True
            if self._call:
                await self._call.close()

    async def _listen(self, sound: AsyncIterator[Samples], turns: Turns, floor: Floor, own_voice: OwnVoice) -> None:
        layers = self._layers
        ear = Ear(
            layers.voice_activity(),
            layers.recogniser,
            layers.end_of_turn,
            floor,
            self._clock,
            own_voice,
            self._context.last_of_replica,
            layers.words_judge,
        )
        async for heard in ear.listen(sound):
            turns.heard(heard)

    def _announce_replica(self) -> None:
        for about_replica in (events.ReplicaJoined, events.ReplicaPresent):
            self.events.emit(about_replica(replica_id=self._replica_id))
        for about_pal in (events.PalJoined, events.PalPresent):
            self.events.emit(about_pal(face_id=self._replica_id))

    def _greet(self, turns: Turns) -> None:
        if not self._greeted and self.persona.greeting:
            flow = self.persona.layers.conversational_flow
            turns.say(self.persona.greeting, interruptible=flow.greeting_interruptible)
        self._greeted = True

    async def _obey(self, call: Call) -> None:
        async for message in call.messages():
            try:
                if isinstance(message, BadInputError):
                    raise message
                await self.interact(message)
            except BadInputError as error:
                self.events.emit(events.ConversationError.of(error))


class _PersonGone(Exception):  # noqa: N818 - not a failure
    """Ends the tasks of a call."""
