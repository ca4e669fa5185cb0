"""Questions and tools that a persona ties to what is seen and heard of the person.

With a vision model the newest picture is put to it every few seconds, with all questions and tools at once. Without
one, what the sensors notice is matched with the tools' descriptions. Owner of which tool was called with what.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from visavis.conversation import events
from visavis.conversation.clock import Clock
from visavis.conversation.looking import newest_picture
from visavis.conversation.observations import Observations
from visavis.conversation.persona import Perceiving, Persona
from visavis.errors import EngineError
from visavis.layers.llm import Function
from visavis.layers.perception import HEARD, Noticed, Vision
from visavis.layers.perception.sensed import arguments, is_meant_for
from visavis.layers.tools import Tool, ToolError
from visavis.layers.tools.arguments import read_arguments
from visavis.replica import Frame
from visavis.transport import Sight

_log = logging.getLogger(__name__)

VISION_EVERY_S = 6.0
"""Between two pictures that go to the vision model."""

CHANGED = 4.0
"""Mean change of the brightness (0 to 255, at 32 x 24 pixels) that makes a picture worth asking about again."""

AGAIN_AFTER_S = 20.0
"""A tool is called again with the same arguments only after this time."""

FRAME_SIDE = 480
"""Longest side of a picture that goes with a call; its JPEG has some 25 kB."""

_JPEG_QUALITY = 70

Modality = Literal["vision", "audio"]


@dataclass(frozen=True, slots=True)
class PerceptionTool:
    """A tool that perception calls, not the language model."""

    name: str
    described: str
    """All words that say when to use it."""
    parameters: Mapping[str, Any]
    modality: Modality
    tool: Tool | None = None
    """What this process does by itself; None asks the client in the call."""


def perception_tools(persona: Persona, done_here: Sequence[Tool]) -> list[PerceptionTool]:
    """Those of the perception layer, and those of the persona whose origin is vision or audio."""
    layer = persona.layers.perception
    here = {tool.name: tool for tool in done_here}
    own: list[tuple[Any, Modality, str]] = [(one, "vision", layer.visual_tool_prompt) for one in layer.visual_tools]
    own += [(one, "audio", layer.audio_tool_prompt) for one in layer.audio_tools]
    for one in persona.tools:
        if one.origin != "llm" and one.trigger_type == "in_call":
            prompt = layer.visual_tool_prompt if one.origin == "vision" else layer.audio_tool_prompt
            own.append((one, one.origin, prompt))
    return [
        PerceptionTool(
            one.name,
            " ".join((one.name.replace("_", " "), one.description, *_sentences_about(one.name, prompt))),
            one.parameters,
            modality,
            here.get(one.name),
        )
        for one, modality, prompt in own
    ]


def _sentences_about(name: str, prompt: str) -> list[str]:
    """Of a prompt for several tools, what is said of this one."""
    return [sentence for sentence in prompt.replace("\n", ". ").split(". ") if name in sentence]


class Awareness:
    """Answers and calls in one call."""

    def __init__(
        self,
        layer: Perceiving,
        tools: Sequence[PerceptionTool],
        vision: Vision | None,
        observations: Observations,
        stream: events.EventStream,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._layer = layer
        self._tools = tools
        self._vision = vision
        self._observations = observations
        self._events = stream
        self._clock = clock
        self._tasks = tasks
        self._called_at: dict[tuple[str, str], float] = {}

    def notice(self, noticed: Sequence[Noticed], sight: Sight | None = None) -> None:
        """Call the tools that are meant for this. Pictures are left to the vision model where there is one."""
        scene = self._observations.scene
        people = scene.people if scene else 0
        for one in noticed:
            modality: Modality = "audio" if one.behaviour in HEARD else "vision"
            if modality == "vision" and self._vision:
                continue
            for tool in self._tools:
                if tool.modality != modality or not is_meant_for(tool.described, one):
                    continue
                if (given := arguments(tool.parameters, one, people)) is not None and self._is_news(tool, given):
                    self._tasks.create_task(self._call(tool, given, sight))

    async def watch(self, camera: Callable[[], Sight | None]) -> None:
        """Put pictures to the vision model until cancelled; returns at once where there is nothing to ask it."""
        visual = {tool.name: tool for tool in self._tools if tool.modality == "vision"}
        if self._vision is None or not (visual or self._layer.visual_awareness_queries):
            return
        before: Frame | None = None
        while True:
            began = self._clock.now()
            sight = camera()
            picture = await newest_picture(sight, FRAME_SIDE) if sight else None
            if picture and _has_changed(picture.pixels, before):
                before = picture.pixels
                try:
                    await self._ask(self._vision, picture.pixels, visual)
                except EngineError as error:
                    _log.error("%s", error)
                except Exception:  # a vendor's answer may be anything; the call goes on without it
                    _log.exception("the vision model's answer cannot be used")
            await self._clock.sleep_until(began + VISION_EVERY_S)

    async def _ask(self, vision: Vision, picture: Frame, visual: Mapping[str, PerceptionTool]) -> None:
        queries = self._layer.visual_awareness_queries
        functions = [Function(tool.name, tool.described, tool.parameters) for tool in visual.values()]
        seen = await vision.observe(picture, queries, functions, self._layer.visual_tool_prompt)
        self._observations.learn(dict(zip(queries, seen.answers, strict=False)))
        for request in seen.requests:
            if (tool := visual.get(request.name)) is None:
                _log.error("the vision model wants a tool %r, which there is not", request.name)
                continue
            try:
                given = read_arguments(request.arguments, tool.parameters)
            except ToolError as error:
                _log.error("the vision model's arguments of %s: %s", tool.name, error)
                continue
            if self._is_news(tool, given):
                await self._call(tool, given, None, picture)

    def _is_news(self, tool: PerceptionTool, given: Mapping[str, Any]) -> bool:
        key, now = (tool.name, json.dumps(given, sort_keys=True)), self._clock.now()
        if now - self._called_at.get(key, float("-inf")) < AGAIN_AFTER_S:
            return False
        self._called_at[key] = now
        return True

    async def _call(
        self, tool: PerceptionTool, given: Mapping[str, Any], sight: Sight | None, seen: Frame | None = None
    ) -> None:
        if tool.tool is not None:
            try:
                async with asyncio.timeout(tool.tool.timeout_s):
                    await tool.tool.run(given)
            except (ToolError, TimeoutError) as error:
                _log.error("perception tool %s: %s", tool.name, error or "no result in time")
            except Exception:
                _log.exception("perception tool %s", tool.name)
            return
        if seen is None and sight is not None and tool.modality == "vision":
            picture = await newest_picture(sight, FRAME_SIDE)
            seen = picture.pixels if picture else None
        frames = (await asyncio.to_thread(_as_json, seen),) if seen is not None else None
        call = events.PerceptionToolCall(
            modality=tool.modality, name=tool.name, arguments=json.dumps(given), frames=frames
        )
        self._events.emit(call)


def _as_json(picture: Frame) -> dict[str, str]:
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    return {"data": base64.b64encode(jpeg).decode(), "mime_type": "image/jpeg"}


def _has_changed(picture: Frame, before: Frame | None) -> bool:
    if before is None or before.shape != picture.shape:
        return True
    small = [cv2.resize(one, (32, 24), interpolation=cv2.INTER_AREA).astype(np.float32) for one in (picture, before)]
    return float(np.abs(small[0] - small[1]).mean()) > CHANGED
