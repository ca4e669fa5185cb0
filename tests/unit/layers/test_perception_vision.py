"""A vision model, asked over HTTP: the server is a stand-in that speaks the protocol."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from visavis.errors import EngineError
from visavis.layers.llm import Function, ToolRequest
from visavis.layers.perception import Observed
from visavis.layers.perception.vision import VisionModel
from visavis.layers.settings import LanguageModelSettings


class _Answers(BaseHTTPRequestHandler):
    asked: ClassVar[list[dict[str, Any]]] = []
    status: ClassVar[int] = 200
    message: ClassVar[dict[str, Any]] = {"content": "A grey square."}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).asked.append({"path": self.path, "key": self.headers["authorization"], **body})
        message = {"role": "assistant", **self.message}
        reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
        data = json.dumps({**reply, "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}).encode()
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Answers.asked, _Answers.status, _Answers.message = [], 200, {"content": "A grey square."}
    here = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=here.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{here.server_port}/v1"
    here.shutdown()
    here.server_close()


async def test_a_question_goes_out_with_the_picture_and_the_answer_comes_back(server: str) -> None:
    model = VisionModel(LanguageModelSettings(base_url=server, model="seer", api_key="secret"))
    picture = np.full((48, 64, 3), 128, np.uint8)
    assert await model.answer("What is this?", picture) == "A grey square."
    (asked,) = _Answers.asked
    text, image = asked["messages"][-1]["content"]
    assert (asked["path"], asked["key"], asked["model"]) == ("/v1/chat/completions", "Bearer secret", "seer")
    assert text["text"] == "What is this?"
    sent = base64.b64decode(image["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
    decoded = cv2.imdecode(np.frombuffer(sent, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(decoded.astype(int) - 128).max() < 4
    await model.aclose()


async def test_a_model_that_fails_is_an_error_that_names_it_and_not_the_key(server: str) -> None:
    _Answers.status = 500
    model = VisionModel(LanguageModelSettings(base_url=server, model="seer", api_key="secret"))
    with pytest.raises(EngineError, match="seer at 127") as failed:
        await model.answer("What is this?", np.zeros((8, 8, 3), np.uint8))
    assert "secret" not in str(failed.value)
    await model.aclose()


async def test_questions_and_tools_go_out_with_one_picture(server: str) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "ring", "arguments": '{"loud": true}'}}
    _Answers.message = {"content": "2. No map.\n1) A cup.", "tool_calls": [call]}
    model = VisionModel(LanguageModelSettings(base_url=server, model="seer"))
    tool = Function("ring", "when a cup is shown", {"type": "object", "properties": {"loud": {"type": "boolean"}}})
    seen = await model.observe(np.zeros((8, 8, 3), np.uint8), ["What is held?", "Is there a map?"], [tool], "Ring!")
    assert seen == Observed(("A cup.", "No map."), (ToolRequest("c1", "ring", '{"loud": true}'),))
    (asked,) = _Answers.asked
    assert asked["messages"][1]["content"][0]["text"] == "1. What is held?\n2. Is there a map?"
    assert asked["messages"][0]["content"].endswith("Ring!")
    assert asked["tools"][0]["function"]["name"] == "ring"
    _Answers.message = {"content": "Nothing special."}
    assert await model.observe(np.zeros((8, 8, 3), np.uint8), [], [tool], "") == Observed()
    await model.aclose()
