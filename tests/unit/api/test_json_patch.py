"""JSON Patch on documents: what the standard says, and nothing that could hurt the server."""

import copy
import json

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.api.json_patch import LARGEST_CHARS, PatchFormatError, patched
from visavis.errors import BadInputError, VisavisError

NAMES = st.sampled_from(["a", "b", "layers", "0"])
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, JSON, max_size=4)
POINTERS = st.lists(st.sampled_from(["a", "b", "layers", "0", "-", "~0"]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
            "path": POINTERS,
            "from": POINTERS,
        },
        optional={"value": JSON},
    ),
    max_size=4,
)


@given(DOCUMENTS, DOCUMENTS)
def test_patch_between_two_documents_leads_from_one_to_the_other(before, after):
    operations = json.loads(jsonpatch.make_patch(before, after).to_string())
    result = patched(before, operations)
    assert (before if result is None else result) == after


@given(DOCUMENTS, OPERATIONS)
def test_any_list_of_operations_gives_an_object_or_a_clear_error(before, operations):
    kept = copy.deepcopy(before)
    try:
        result = patched(before, operations)
    except VisavisError as error:
        assert isinstance(error, PatchFormatError | BadInputError)
        assert str(error)
    else:
        assert result is None or isinstance(result, dict)
    assert before == kept


@given(JSON)
def test_what_is_no_list_of_operations_is_called_so(body):
    if isinstance(body, list) and not body:
        assert patched({"a": 1}, body) is None
    else:
        with pytest.raises(PatchFormatError, match="Invalid JSON patch format"):
            patched({"a": 1}, body)


def test_true_and_one_are_not_the_same():
    assert patched({"a": True}, [{"op": "replace", "path": "/a", "value": 1}]) == {"a": 1}


def test_copying_into_itself_ends_before_memory_does():
    doubling = [{"op": "copy", "from": "", "path": f"/a{number}"} for number in range(60)]
    with pytest.raises(BadInputError, match=str(LARGEST_CHARS)):
        patched({"a": "x" * 100}, doubling)


def test_moving_a_part_into_itself_is_refused():
    with pytest.raises(BadInputError):
        patched({"a": {"b": {}}}, [{"op": "move", "from": "/a", "path": "/a/b/c"}])


def test_place_that_does_not_exist_is_named():
    with pytest.raises(BadInputError, match="replace /layers/tts"):
        patched({"layers": {}}, [{"op": "replace", "path": "/layers/tts", "value": {}}])
