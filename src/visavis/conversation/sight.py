"""Watching the person during a call: looks at a pace that the machine can bear, and does what follows from it.

Owner of the looks of one call. A look never delays anything: it runs on a thread of its own, and while a reply is
being made the next look waits.
"""

import asyncio
import logging

from visavis.conversation import events
from visavis.conversation.awareness import Awareness
from visavis.conversation.clock import Clock
from visavis.conversation.floor import Doing, Floor
from visavis.conversation.observations import Observations
from visavis.conversation.turns import Turns
from visavis.errors import VisavisError
from visavis.layers.perception import Behaviour, Eyes, Face, Perception, Scene
from visavis.replica import Rapport, Renderer
from visavis.transport import VideoCall

_log = logging.getLogger(__name__)

THINKING_PAUSE_S = 0.4
"""Between looks while a reply is being made."""

NOBODY_PAUSE_S = 0.4
"""Between looks while nobody is there."""

VOICE_FIRST_S = 0.35
"""So long a nod waits for a voice that says the same."""

ANSWERS = {
    Behaviour.NODDED: "(nods) Yes.",
    Behaviour.THUMB_UP: "(thumbs up) Yes.",
    Behaviour.SHOOK_HEAD: "(shakes head) No.",
    Behaviour.THUMB_DOWN: "(thumbs down) No.",
}
"""What a gesture means after a question, as it is written into the conversation."""

_LEAST_SMILE = 0.2

ELSEWHERE = 0.7
"""Share of the looks during a turn that must show the person turned away, or their lips still, to take it for one to
somebody else; only while there is somebody else."""
ELSEWHERE_LOOKS = 4


class Watcher:
    """Watches one person."""

    def __init__(
        self,
        call: VideoCall,
        perception: Perception,
        observations: Observations,
        awareness: Awareness,
        turns: Turns,
        floor: Floor,
        renderer: Renderer[object],
        stream: events.EventStream,
        clock: Clock,
    ) -> None:
        self._call = call
        self._perception = perception
        self._observations = observations
        self._awareness = awareness
        self._turns = turns
        self._floor = floor
        self._renderer = renderer
        self._events = stream
        self._clock = clock
        self._told: events.Seeing | None = None
        self._rapport = Rapport()
        self._turn_looks: list[bool] = []
        """For each look during the person's present turn: it shows them talking to somebody else, or not at all."""

    async def run(self) -> None:
        """Watch until cancelled. What goes wrong with the eyes makes the replica blind, not deaf."""
        try:
            await self._watch(self._perception.eyes())
        except VisavisError as error:
            _log.error("the replica sees nothing: %s", error)
        except Exception:
            _log.exception("the replica sees nothing")
        self._tell(None)

    async def _watch(self, eyes: Eyes) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                began = self._clock.now()
                if (sight := self._call.sight("camera")) is None:
                    self._tell(None)
                    await self._clock.sleep_until(began + NOBODY_PAUSE_S)
                    continue
                scene = await eyes.look(sight, began)
                self._take(scene, tasks)
                await self._clock.sleep_until(began + self._pause_s(scene, self._clock.now() - began))

    def _pause_s(self, scene: Scene, took_s: float) -> float:
        """From the start of this look to the start of the next."""
        pause_s = max(1 / self._perception.rate_hz, scene.cost_s / self._perception.budget)
        if took_s > 5 * scene.cost_s + 0.1:
            pause_s *= 2  # others need the processor
        if self._floor.replica is Doing.THINKING:
            pause_s = max(pause_s, THINKING_PAUSE_S)
        return max(pause_s, NOBODY_PAUSE_S) if scene.people == 0 else pause_s

    def _take(self, scene: Scene, tasks: asyncio.TaskGroup) -> None:
        self._observations.take(scene)
        self._awareness.notice(scene.noticed, self._call.sight("camera"))
        self._tell(scene)
        self._mirror(scene.face)
        self._turns.alone = scene.people == 0
        self._floor.see_mouth(scene.fresh and scene.face is not None and scene.face.mouth_moves)
        self._follow_turn(scene)
        for noticed in scene.noticed:
            _log.debug("the person %s", noticed.phrase)
            if answer := ANSWERS.get(noticed.behaviour):
                tasks.create_task(self._answer(answer))
            elif noticed.behaviour is Behaviour.OPEN_PALM and self._floor.replica is Doing.SPEAKING:
                self._turns.interrupt()

    def _follow_turn(self, scene: Scene) -> None:
        """Whom the person talks to, while they do."""
        if not self._floor.person_speaks:
            self._turn_looks.clear()
            return
        if not self._turn_looks:
            self._turns.elsewhere = False
        face = scene.face
        aside = face is not None and (not face.looking or face.speaking is False)
        self._turn_looks.append(scene.people > 1 and aside)
        share = sum(self._turn_looks) / len(self._turn_looks)
        self._turns.elsewhere = len(self._turn_looks) >= ELSEWHERE_LOOKS and share >= ELSEWHERE

    async def _answer(self, text: str) -> None:
        asked = self._turns.question_is_open()
        await self._clock.sleep_until(self._clock.now() + VOICE_FIRST_S)
        if asked and self._turns.question_is_open():
            self._turns.respond(text)

    def _mirror(self, face: Face | None) -> None:
        rapport = _rapport(face, talking=self._floor.person_speaks)
        if rapport != self._rapport:
            self._rapport = rapport
            self._renderer.mirror(rapport)

    def _tell(self, scene: Scene | None) -> None:
        """Say what is seen when that has changed."""
        if scene is None:
            self._observations.blind()
            self._mirror(None)
            self._turns.alone = self._turns.elsewhere = False
            self._floor.see_mouth(False)
        seeing = events.Seeing(camera=scene.view if scene else "off", people=scene.people if scene else 0)
        if seeing != self._told:
            if scene is not None or self._told is not None:
                self._events.emit(seeing)
            self._told = seeing


def _rapport(face: Face | None, *, talking: bool) -> Rapport:
    """A smile is answered at once; brows and concern only to somebody who tells something."""
    if face is None:
        return Rapport()
    smile = round(min(face.smile, 1.0), 1) if face.smile >= _LEAST_SMILE else 0.0
    brows = round(min(face.brows_up, 1.0), 1) if talking else 0.0
    concern = round(min(max(face.frown - 0.3, 0.0) * 1.5, 1.0), 1) if talking and not smile else 0.0
    return Rapport(smile, brows, concern)
