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
from visavis.layers.llm.openai_compatible import LanguageModelSettings
from visavis.layers.perception.vision import VisionModel


class _Answers(BaseHTTPRequestHandler):
    asked: ClassVar[list[dict[str, Any]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).asked.append({"path": self.path, "key": self.headers["authorization"], **body})
        message = {"role": "assistant", "content": "A grey square."}
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
    _Answers.asked, _Answers.status = [], 200
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
