"""A live conversation: call, layers and playout wired together."""

import asyncio
from concurrent.futures import Executor

from visavis.conversation import events, manners
from visavis.conversation.clock import Clock
from visavis.conversation.context import Context
from visavis.conversation.ear import Ear
from visavis.conversation.floor import Floor
from visavis.conversation.own_voice import OwnVoice
from visavis.conversation.persona import Persona
from visavis.conversation.playout import Playout
from visavis.conversation.turns import Turns
from visavis.errors import BadInputError
from visavis.layers import Layers
from visavis.layers.llm.prompt import spoken_style
from visavis.replica import Replica
from visavis.transport import Call


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
    ) -> None:
        """`executor` runs the renderer; None is the event loop's own."""
        self.persona = persona
        self.replica = replica
        self.events = events.EventStream(conversation_id, clock)
        self.left = False
        """The person said goodbye, rather than being lost."""
        prompt = f"{persona.system_prompt}\n\n{persona.context}" if persona.context else persona.system_prompt
        self._context = Context(spoken_style(prompt))
        self._layers = layers
        self._clock = clock
        self._executor = executor
        self._greeted = False
        self._turns: Turns | None = None

    async def prepare(self) -> None:
        """Let the language model read the prompt, which takes a small one seconds, before it is needed."""
        await self._layers.language_model.prefill(self._context.messages())

    async def farewell(self, text: str) -> None:
        """Say `text` as the last words, whatever the person does; returns when they were heard or nobody is there."""
        if self._turns:
            await self._turns.farewell(text)

    async def run(self, call: Call) -> None:
        """Talk until the person is gone or this is cancelled; the call is hung up in any case."""
        self.left = False
        layers = self._layers
        floor = manners.floor(self.persona.layers)
        own_voice = OwnVoice()
        ear = Ear(
            layers.voice_activity(),
            layers.recogniser,
            layers.end_of_turn,
            floor,
            self._clock,
            own_voice,
            self._context.last_of_replica,
        )
        renderer = self.replica.renderer()
        playout = Playout(call, renderer, self._clock, self._executor, own_voice.played)
        turns: Turns | None = None
        with self.events.heard_by(call.send_event):
            try:
                if not await call.connected():
                    return
                async with asyncio.TaskGroup() as tasks:
                    turns = self._turns = Turns(
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
                        speculative=self.persona.layers.speculative,
                    )
                    tasks.create_task(playout.run())
                    tasks.create_task(self._obey(call, turns, floor))
                    tasks.create_task(self.prepare())
                    tasks.create_task(turns.prepare())
                    tasks.create_task(turns.keep_company())
                    self.events.emit(events.ReplicaPresent())
                    if not self._greeted and self.persona.greeting:
                        flow = self.persona.layers.conversational_flow
                        turns.say(self.persona.greeting, interruptible=flow.greeting_interruptible)
                    self._greeted = True
                    async for heard in ear.listen(call.hear()):
                        turns.heard(heard)
                    raise _PersonGone
            except* _PersonGone:
                pass
            finally:
                self._turns = None
                if turns:
                    turns.interrupt()
                await call.close()

    async def _obey(self, call: Call, turns: Turns, floor: Floor) -> None:
        async for message in call.messages():
            try:
                interaction = events.parse_interaction(message)
            except BadInputError as error:
                self.events.emit(events.ConversationError(message=str(error)))
                continue
            match interaction:
                case events.Respond():
                    turns.respond(interaction.properties.text)
                case events.Echo():
                    turns.interrupt()
                    turns.say(interaction.properties.text)
                case events.Interrupt():
                    turns.interrupt()
                case events.OverwriteContext():
                    self._context.overwrite_system(interaction.properties.context)
                case events.AppendContext():
                    self._context.append_system(interaction.properties.context)
                case events.SetSensitivity(properties=wanted):
                    manners.change(
                        floor, wanted.participant_pause_sensitivity, wanted.participant_interrupt_sensitivity
                    )
                case events.Leave():
                    self.left = True
                    await call.close()


class _PersonGone(Exception):  # noqa: N818 - not a failure
    """Ends the tasks of a call."""
