"""The replica sees a real browser's camera: a file that Chromium plays instead of one."""

from pathlib import Path

import pytest

from tests.heads import TurnedHead, clips, frames, nodding, write_camera
from tests.server import RunningServer
from tests.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.models]


def test_the_person_in_front_of_the_camera_is_seen_and_a_nod_answers_the_greeting(
    server: RunningServer, tmp_path: Path
) -> None:
    head = TurnedHead(frames(clips()[0])[5])
    camera = write_camera(tmp_path / "camera.mjpeg", nodding(head, 4.5, 11, 1.5))
    with visitor(f"--use-file-for-fake-video-capture={camera}", size=(480, 640)) as person:
        person.join(server.demo_url)

        def seen() -> list[int]:
            told = [event["properties"] for event in person.events("conversation.seeing")]
            return [properties["people"] for properties in told if properties["camera"] == "clear"]

        person.wait_for(lambda: 1 in seen(), "being seen", 40)

        def said_by_user() -> list[str]:
            said = [event["properties"] for event in person.events("conversation.utterance")]
            return [properties["speech"] for properties in said if properties["role"] == "user"]

        person.wait_for(said_by_user, "the nod", 20)
        assert said_by_user()[0] == "(nods) Yes."
