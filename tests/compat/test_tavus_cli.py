"""`tavus-cli`, a command line for the hosted service: all its commands against visavis."""

import dataclasses
import json
import shlex

import pytest

from tests.compat.checking import check
from tests.compat.clients import Clients, Ran

pytestmark = pytest.mark.slow

PROMPT = "You are Ines, a guide at the Harbour Museum."


def works(ran: Ran) -> Ran:
    """Assert that a command did what it should, with nothing but answers that the reference has."""
    assert ran.code == 0, ran.out + ran.err
    assert "Traceback" not in ran.out + ran.err
    check(ran.exchanges)
    return ran


def new_pal(clients: Clients, *options: str) -> str:
    return str(works(clients.tavus("pal", "create", "--system-prompt", PROMPT, *options)).json["pal_id"])


def get(clients: Clients, pal_id: str) -> dict:
    return works(clients.tavus("pal", "get", pal_id)).json


def test_doctor_finds_the_server_in_order(clients: Clients):
    ran = works(clients.tavus("doctor"))
    assert "Network check passed." in ran.out
    assert [str(exchange) for exchange in ran.exchanges] == [
        "GET /v2/pals {'limit': '1'} -> 200",
        "GET /v2/faces {'limit': '1'} -> 200",
    ]
    assert ran.exchanges[0].headers["x-tavus-client-source"] == "cli"


def test_doctor_with_a_wrong_key_ends_with_the_status(clients: Clients):
    ran = dataclasses.replace(clients, key="wrong").tavus("doctor")
    assert ran.code == 1 and "failed with 401" in ran.out
    assert "Traceback" not in ran.out + ran.err
    check(ran.exchanges)


def test_quickstart_makes_a_pal_with_a_stock_face(clients: Clients):
    made = works(clients.tavus("quickstart", "--system-prompt", PROMPT, "--name", "Ines")).json
    assert made["face_id"] == "rmira"
    found = get(clients, made["pal"]["pal_id"])
    assert (found["pal_name"], found["system_prompt"], found["default_face_id"]) == ("Ines", PROMPT, "rmira")


def test_pal_keeps_everything_that_its_creation_says(clients: Clients):
    layers = {
        "conversational_flow": {"turn_taking_patience": "high", "face_interruptibility": "low"},
        "tts": {"tts_engine": "cartesia", "api_key": "secret", "voice_settings": {"speed": "slow"}},
        "conferencing": {"username": "ines"},
    }
    (clients.folder / "layers.json").write_text(json.dumps(layers))
    options = """--name Ines --face-id rmira --greeting Hello! --context "Hall three is closed."
        --layers-file layers.json --memory "Likes boats." --objectives-id o1 --guardrail-id g1 --guardrail-tag safe
        --document-id d1 --document-tag boats --tool-id t1 --template"""
    found = get(clients, new_pal(clients, *shlex.split(options)))
    assert (found["greeting"], found["context"]) == ("Hello!", "Hall three is closed.")
    assert (found["memories"], found["objectives_id"], found["tool_ids"]) == (["Likes boats."], "o1", ["t1"])
    assert (found["guardrail_ids"], found["guardrail_tags"]) == (["g1"], ["safe"])
    assert (found["document_ids"], found["document_tags"], found["is_template"]) == (["d1"], ["boats"], True)
    kept = found["layers"]
    assert kept["conversational_flow"]["face_interruptibility"] == "low"
    assert kept["tts"] == layers["tts"] | {"api_key": "********"}
    assert kept["conferencing"] == {"username": "ines"}
    # What the client adds by itself.
    assert kept["llm"] == {"model": "tavus-gemma-4", "speculative_inference": True}


def test_tools_are_made_changed_given_to_a_pal_and_deleted(clients: Clients):
    example = works(clients.tavus("tool", "example")).out
    (clients.folder / "example.json").write_text(example[example.index("{") : example.rindex("}") + 1])
    made = works(clients.tavus("tool", "create", "--file", "example.json")).json
    tool_id = made["tool_id"]
    assert made["name"] == json.loads((clients.folder / "example.json").read_text())["name"]
    (clients.folder / "part.json").write_text(json.dumps({"description": "When the museum is open."}))
    works(clients.tavus("tool", "patch", tool_id, "--file", "part.json"))
    assert works(clients.tavus("tool", "get", tool_id)).json["description"] == "When the museum is open."
    assert [one["tool_id"] for one in works(clients.tavus("tool", "list", "--json")).json["data"]] == [tool_id]
    pal_id = new_pal(clients)
    works(clients.tavus("pal", "tools", "attach", pal_id, tool_id))
    assert tool_id in works(clients.tavus("pal", "tools", "list", pal_id)).out
    works(clients.tavus("pal", "tools", "detach", pal_id, tool_id))
    assert get(clients, pal_id)["tool_ids"] == []
    works(clients.tavus("tool", "delete", tool_id))
    assert works(clients.tavus("tool", "list", "--json")).json["data"] == []


@pytest.mark.parametrize("mode", ["echo", "speech-to-speech"])
def test_pal_without_a_prompt(clients: Clients, mode: str):
    made = works(clients.tavus("pal", "create", "--pipeline-mode", mode, "--name", "Parrot")).json
    assert get(clients, made["pal_id"])["pipeline_mode"] == mode


def test_pals_are_listed_as_json_and_as_a_table(clients: Clients):
    pal_id = new_pal(clients, "--name", "Listed")
    listed = works(clients.tavus("pal", "list", "--json", "--pal-type", "user")).json
    assert listed["data"][0]["pal_id"] == pal_id
    assert {one["pal_type"] for one in listed["data"]} == {"user"}
    table = works(clients.tavus("pal", "list", "--limit", "3"))
    assert pal_id in table.out and "Listed" in table.out
    assert works(clients.tavus("pal", "get", pal_id, "--include-settings")).json["pal_name"] == "Listed"


def test_pal_is_changed_by_patches(clients: Clients):
    pal_id = new_pal(clients, "--name", "Before")
    patched = works(clients.tavus("pal", "patch", pal_id, "--path", "/pal_name", "--value", "After")).json
    assert patched["pal_name"] == patched["persona_name"] == "After"
    operations = [
        {"op": "replace", "path": "/default_face_id", "value": "rmira"},
        {"op": "add", "path": "/layers/conversational_flow/face_interruptibility", "value": "high"},
        {"op": "add", "path": "/layers/llm/extra_body", "value": {"temperature": 0.1}},
        {"op": "copy", "from": "/pal_name", "path": "/greeting"},
    ]
    (clients.folder / "patch.json").write_text(json.dumps(operations))
    works(clients.tavus("pal", "patch", pal_id, "--path", "/", "--patch-file", "patch.json"))
    found = get(clients, pal_id)
    assert (found["default_face_id"], found["greeting"]) == ("rmira", "After")
    assert found["layers"]["conversational_flow"]["replica_interruptibility"] == "high"
    assert found["layers"]["llm"]["extra_body"] == {"temperature": 0.1}
    unchanged = works(clients.tavus("pal", "patch", pal_id, "--path", "/pal_name", "--value", "After"))
    assert [exchange.status for exchange in unchanged.exchanges] == [304]


def test_every_path_that_the_client_would_patch_can_be_patched(clients: Clients):
    pal_id = new_pal(clients)
    values = {"pal_name": "Ines", "system_prompt": PROMPT, "default_face_id": "rmira", "pipeline_mode": "full"}
    values |= {
        name: [name] for name in ("document_ids", "document_tags", "guardrail_ids", "guardrail_tags", "memories")
    }
    paths = set(works(clients.tavus("pal", "paths")).json)
    assert {f"/{name}" for name in values} < paths
    operations = [{"op": "add", "path": f"/{name}", "value": value} for name, value in values.items()]
    # Maps and objects as wholes; their parts are patched elsewhere.
    operations += [
        {"op": "add", "path": path, "value": {}}
        for path in sorted(paths)
        if path.count("/") == 2 and path.startswith("/layers/") and path[-2:] not in ("/-", "/0")
    ]
    (clients.folder / "patch.json").write_text(json.dumps(operations))
    works(clients.tavus("pal", "patch", pal_id, "--path", "/", "--patch-file", "patch.json"))


def test_preview_and_delete(clients: Clients):
    pal_id = new_pal(clients)
    assert pal_id in works(clients.tavus("pal", "preview", pal_id)).out
    deleted = works(clients.tavus("pal", "delete", pal_id))
    assert [exchange.status for exchange in deleted.exchanges] == [204]
    gone = clients.tavus("pal", "get", pal_id)
    assert gone.code == 1 and "failed with 400" in gone.out
    check(gone.exchanges)


def test_knowledge_of_a_pal_is_kept_although_there_are_no_documents_yet(clients: Clients):
    pal_id = new_pal(clients)
    works(clients.tavus("pal", "knowledge", "replace", pal_id, "--document-id", "d1", "--document-tag", "boats"))
    listed = clients.tavus("pal", "knowledge", "list", pal_id)
    assert listed.code == 0
    assert (listed.json["missing_document_ids"], listed.json["document_tags"]) == (["d1"], ["boats"])
    works(clients.tavus("pal", "knowledge", "settings", pal_id, "--rag-n-chunks", "4"))
    assert get(clients, pal_id)["layers"]["knowledge_base"] == {"rag_n_chunks": 4}
    assert clients.tavus("pal", "knowledge", "remove", pal_id, "--document-id", "d1").code == 0
    assert clients.tavus("pal", "knowledge", "add", pal_id, "--document-tag", "storms").code == 0
    assert get(clients, pal_id)["document_tags"] == ["boats", "storms"]


def test_perception_of_a_pal(clients: Clients):
    pal_id = new_pal(clients)
    question = "Is there a map in the picture?"
    works(clients.tavus("pal", "capabilities", "attach", pal_id, "perception", "--visual-query", question))
    works(clients.tavus("pal", "capabilities", "patch", pal_id, "perception", "--visual-tool-prompt", "Look."))
    assert get(clients, pal_id)["layers"]["perception"] == {"visual_tool_prompt": "Look."}
    works(clients.tavus("pal", "capabilities", "detach", pal_id, "perception"))
    assert get(clients, pal_id)["layers"]["perception"] == {"perception_model": "off"}


def test_faces_are_listed(clients: Clients):
    assert "rmira" in works(clients.tavus("face", "list")).out
    stock = works(clients.tavus("face", "list", "--stock", "--json")).json
    assert [one["face_id"] for one in stock["data"]] == ["rmira"]


def test_voices_are_listed(clients: Clients):
    assert works(clients.tavus("resource", "list", "voices")).json["data"]


def test_conversation_begins_and_ends(clients: Clients):
    pal_id = new_pal(clients)
    command = ("conversation", "create", "--pal-id", pal_id, "--face-id", "rmira", "--name", "Tour")
    made = works(clients.tavus(*command)).json
    assert (made["status"], made["conversation_name"]) == ("active", "Tour")
    assert (made["pal_id"], made["face_id"]) == (pal_id, "rmira")
    for _ in range(2):  # whoever hangs up twice means the same
        works(clients.tavus("conversation", "end", made["conversation_id"]))
    embedded = works(clients.tavus("embed", "--conversation-url", made["conversation_url"])).out
    assert made["conversation_id"] in embedded


def test_chat_begins_and_ends_and_its_turns_need_a_daily_room(clients: Clients):
    command = ("chat", "start", "--pal-id", new_pal(clients), "--greeting", "Hi.", "--name", "Chat")
    conversation_id = works(clients.tavus(*command)).json["conversation_id"]
    turn = clients.tavus("chat", "turn", conversation_id, "--message", "Hello")
    check(turn.exchanges)
    assert turn.code == 1 and "daily-python" in turn.out and "Traceback" not in turn.out + turn.err
    works(clients.tavus("chat", "end", conversation_id))


def test_pronunciation_dictionaries(clients: Clients):
    words = {"name": "boats", "rules": [{"text": "gaff", "pronunciation": "gahf", "type": "alias"}]}
    (clients.folder / "words.json").write_text(json.dumps(words))
    (clients.folder / "patch.json").write_text(json.dumps({"name": "ships"}))
    command = "pronunciation-dictionary"
    made = works(clients.tavus(command, "create", "--file", "words.json")).json["pronunciation_dictionary_id"]
    works(clients.tavus(command, "patch", made, "--file", "patch.json"))
    assert [one["name"] for one in works(clients.tavus(command, "list", "--json")).json["data"]] == ["ships"]


NOT_HERE_YET = """
    document list
    document create --url https://example.com/guide.pdf
    guardrail list
    guardrail create --name polite --prompt Stay.
    objective list
    objective create --file objective.json
    skill list
    builder create --name Ines
    builder list
    deployment create --pal-id pguide --channel embed --shared-memory --any-origin
    pal options pguide
    pal build --prompt "A museum guide." --json
    pal skills list pguide
    pal capabilities list pguide
"""


@pytest.mark.parametrize("command", [line.strip() for line in NOT_HERE_YET.strip().splitlines()])
def test_commands_of_resources_that_do_not_exist_yet_end_with_404(clients: Clients, command: str):
    files = {
        "objective": {"name": "tour", "data": [{"objective_name": "greet", "objective_prompt": "Greet the visitor."}]},
    }
    for name, content in files.items():
        (clients.folder / f"{name}.json").write_text(json.dumps(content))
    ran = clients.tavus(*shlex.split(command))
    assert ran.code == 1, ran.out + ran.err
    assert "failed with 404" in ran.out and "Traceback" not in ran.out + ran.err
    missing = [exchange for exchange in ran.exchanges if exchange.status == 404]
    assert missing
    for exchange in missing:
        assert exchange.answered["error"] == exchange.answered["message"]
        assert exchange.answered["error"].endswith("not available in this version of visavis.")
    check(exchange for exchange in ran.exchanges if exchange.status != 404)
