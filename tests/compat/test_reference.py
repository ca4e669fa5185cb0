"""Every operation of the hosted service's API that exists here answers as its reference says, in both vocabularies."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.compat.asks import ASKS, send
from tests.compat.checking import check, check_body
from tests.compat.conftest import Serving
from tests.compat.recorder import Exchange
from tests.compat.shapes import NOT_HERE_YET, OPERATIONS, Operation, operation

_ANSWERS = [
    pytest.param(one, status, id=f"{one} {status}") for one in OPERATIONS for status in (*one.answers, *one.ours)
]


@pytest.fixture
def client(serving: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.recorder.url, headers={"x-api-key": serving.key}, timeout=30) as client:
        yield client


@pytest.mark.parametrize("second", [False, True], ids=["persona", "pal"])
@pytest.mark.parametrize(("asked", "status"), _ANSWERS)
def test_answer_is_as_the_reference_says(
    client: httpx.Client, serving: Serving, asked: Operation, status: int, second: bool
):
    serving.recorder.take()
    if status == 401:
        path = asked.path.replace("{", "").replace("}", "")
        client.request(asked.method, path, headers={"x-api-key": "wrong"})
    else:
        send(client, str(asked), ASKS[str(asked)][status], second)
    *before, exchange = serving.recorder.take()
    assert operation(exchange.method, exchange.path) is asked
    assert exchange.status == status, exchange.answered
    check([*before, exchange])


@pytest.mark.parametrize("asked", NOT_HERE_YET)
def test_resources_that_do_not_exist_yet_are_404_and_say_so(client: httpx.Client, asked: str):
    method, path = asked.split(" ")
    response = client.request(method, path, json={} if method in ("POST", "PUT", "PATCH") else None)
    assert response.status_code == 404, response.text
    said = response.json()
    assert said["error"] == said["message"]
    assert said["error"].endswith("not available in this version of visavis.")


@pytest.mark.parametrize("path", ["personas", "pals", "replicas", "faces", "conversations", "voices"])
def test_these_lists_begin_with_page_1_and_clients_that_begin_with_0_see_the_same(client: httpx.Client, path: str):
    first, same = (client.get(f"/v2/{path}", params={"limit": 1, "page": page}).json() for page in (1, 0))
    assert first["data"] == same["data"]


def test_videos_begin_with_page_0(client: httpx.Client):
    made = [send(client, "POST /v2/videos", ASKS["POST /v2/videos"][200]).json()["video_id"] for _ in range(2)]
    pages = [client.get("/v2/videos", params={"limit": 1, "page": page}).json()["data"] for page in (0, 1)]
    assert [one["video_id"] for (one,) in pages] == made[::-1]


def test_collections_have_a_slash_at_the_end_or_none(client: httpx.Client):
    assert client.get("/v2/pals/?limit=1").json() == client.get("/v2/pals?limit=1").json()


_PERSONA = {
    "persona_id": "p1",
    "pal_id": "p1",
    "persona_name": "Ines",
    "pal_name": "Ines",
    "created_at": "2026-11-01T10:00:00Z",
}


def _without(name: str) -> Callable[[dict[str, object]], dict[str, object]]:
    return lambda body: {other: value for other, value in body.items() if other != name}


@pytest.mark.parametrize(
    "spoil",
    [
        _without("created_at"),
        _without("pal_name"),
        lambda body: body | {"pal_id": "p2"},
        lambda body: body | {"persona_id": 1, "pal_id": 1},
        lambda body: body | {"persona_id": "c1", "pal_id": "c1"},
        lambda body: body | {"created_at": "yesterday"},
    ],
)
def test_these_checks_notice_what_differs(spoil: Callable[[dict[str, object]], dict[str, object]]):
    shape = OPERATIONS[0].answers[200]
    check_body(Exchange("POST", "/v2/personas", {}, {}, None, 200, _PERSONA), shape)
    with pytest.raises(AssertionError):
        check_body(Exchange("POST", "/v2/personas", {}, {}, None, 200, spoil(dict(_PERSONA))), shape)


def test_these_checks_notice_statuses_and_operations_that_the_reference_does_not_have():
    with pytest.raises(AssertionError, match="the reference has"):
        check([Exchange("POST", "/v2/personas", {}, {}, None, 201, _PERSONA)])
    with pytest.raises(AssertionError, match="no operation"):
        check([Exchange("POST", "/v2/persona", {}, {}, None, 200, _PERSONA)])
