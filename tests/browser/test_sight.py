"""The replica sees a real browser's camera: a file that Chromium plays instead of one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.heads import TurnedHead, clips, frames, nodding, write_camera
from tests.server import RunningServer, running_server
from tests.visitor import Visitor, visitor

pytestmark = [pytest.mark.browser, pytest.mark.models]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server("--quality", "tiny") as running:
        yield running


@pytest.fixture(scope="module")
def nodding_camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody who nods for two seconds of every six, for as long as the call lasts."""
    head = TurnedHead(frames(clips()[0])[5])
    return write_camera(tmp_path_factory.mktemp("camera") / "nods.mjpeg", nodding(head, 6, 9))


def said_by_user(person: Visitor) -> list[str]:
    found: list[dict[str, Any]] = [event["properties"] for event in person.events("conversation.utterance")]
    return [str(properties["speech"]) for properties in found if properties["role"] == "user"]


def test_a_nod_into_the_camera_answers_the_greeting_question_with_yes(
    server: RunningServer, nodding_camera: Path
) -> None:
    with visitor(f"--use-file-for-fake-video-capture={nodding_camera}", size=(480, 640)) as person:
        person.join(server.demo_url)
        seen = person.wait_for(lambda: person.events("conversation.seeing"), "being seen")
        assert seen[0]["properties"]["camera"] == "clear"
        person.wait_for(lambda: said_by_user(person), "the nod", 40)
        assert said_by_user(person)[0] == "(nods) Yes."
