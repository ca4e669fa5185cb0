"""Persona or pal, replica or face: the same things, whatever a client calls them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.api import vocabulary
from visavis.errors import BadInputError

VALUES = st.text(max_size=5) | st.integers() | st.none()
FIRST = sorted(set(vocabulary.FIELDS.values()))
FLAT = st.dictionaries(st.sampled_from([*FIRST, "colour", "system_prompt"]), VALUES)
DOCUMENTS = st.builds(
    lambda top, flow, tool: top | {"layers": {"conversational_flow": flow, "llm": tool}}, FLAT, FLAT, FLAT
)


def renamed(document: dict[str, object], names: set[str]) -> dict[str, object]:
    """`document` with some of its fields under their second name."""
    second = {first: name for name, first in vocabulary.FIELDS.items() if first in names}
    return {second.get(name, name): value for name, value in document.items()}


@given(DOCUMENTS)
def test_what_is_answered_can_be_sent_back(document):
    assert vocabulary.in_first(vocabulary.in_both(document)) == document


@given(DOCUMENTS, st.sets(st.sampled_from(FIRST)))
def test_either_name_means_the_same(document, names):
    spoken = renamed(document, names)
    spoken["layers"] = {
        "conversational_flow": renamed(document["layers"]["conversational_flow"], names),
        "llm": document["layers"]["llm"],
    }
    assert vocabulary.in_first(spoken) == document


@given(FLAT)
def test_names_inside_other_peoples_objects_are_left_alone(tool):
    document = {"layers": {"llm": {"extra_body": renamed(tool, set(FIRST))}}, "metadata": renamed(tool, set(FIRST))}
    assert vocabulary.in_first(document) == document
    assert vocabulary.in_both(document) == document


def test_contradiction_is_named():
    with pytest.raises(BadInputError, match=r"face_id: 'r2'.*'r1', as replica_id says"):
        vocabulary.in_first({"face_id": "r2", "replica_id": "r1"})
    assert vocabulary.in_first({"face_id": "r1", "replica_id": "r1"}) == {"replica_id": "r1"}
    assert vocabulary.in_first({"face_id": None, "replica_id": "r1"}) == {"replica_id": "r1"}
    assert vocabulary.in_first({"face_id": "r1", "replica_id": None}) == {"replica_id": "r1"}


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("/v2/pals", "/v2/personas"),
        ("/v2/pals/", "/v2/personas"),
        ("/v2/pals/p1/tools/", "/v2/personas/p1/tools"),
        ("/v2/faces/r1/name", "/v2/replicas/r1/name"),
        ("/v2/conversations/pals", "/v2/conversations/pals"),
        ("/pals/", "/pals/"),
        ("/", "/"),
        ("/v2/", "/v2"),
    ],
)
def test_paths_lead_to_the_same_place(path, first):
    assert vocabulary.path_in_first(path) == first


@pytest.mark.parametrize(
    ("pointer", "first"),
    [
        ("/pal_name", "/persona_name"),
        ("/layers/conversational_flow/face_interruptibility", "/layers/conversational_flow/replica_interruptibility"),
        ("/layers/llm/extra_body/face_id", "/layers/llm/extra_body/face_id"),
        ("", ""),
    ],
)
def test_pointers_lead_to_the_same_place(pointer, first):
    assert vocabulary.pointer_in_first(pointer) == first


def test_values_of_patches_are_in_the_first_vocabulary_where_they_go():
    flow = {"face_interruptibility": "low"}
    expected = {"replica_interruptibility": "low"}
    assert vocabulary.value_in_first("/layers/conversational_flow", flow) == expected
    assert vocabulary.value_in_first("/layers", {"conversational_flow": flow}) == {"conversational_flow": expected}
    assert vocabulary.value_in_first("", {"pal_name": "A", "layers": {"conversational_flow": flow}}) == {
        "persona_name": "A",
        "layers": {"conversational_flow": expected},
    }
    assert vocabulary.value_in_first("/metadata", {"pal_name": "A"}) == {"pal_name": "A"}
