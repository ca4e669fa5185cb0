"""Stored personas become what conversations run; templates are written for small models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.api.conversation_document import ConversationBody
from visavis.api.persona_document import PersonaBody, with_defaults
from visavis.api.runnable import merge, runnable, warnings
from visavis.api.system import templates

GUIDE = {"persona_name": "Ines", "system_prompt": "You are Ines."}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("persona_id", sorted(templates()))
def test_template_runs_and_is_short_enough_to_be_read_before_the_first_reply(persona_id):
    document = templates()[persona_id]
    persona = runnable(document)
    assert warnings({name: value for name, value in document.items() if value}) == []
    assert document["description"]
    assert bool(persona.greeting) == (persona.pipeline_mode == "full")
    assert len(persona.system_prompt) < 1_600
    assert len(persona.greeting) < 160
    # Nothing that is read and not said: lists, symbols, figures.
    assert not set("*#_<>{}|[]0123456789") & set(persona.system_prompt + persona.greeting)


def test_settings_reach_the_conversation():
    document = with_defaults(
        GUIDE
        | {
            "context": "Hall three is closed.",
            "greeting": "Hello.",
            "layers": {
                "conversational_flow": {"turn_taking_patience": "high", "wake_phrase": "hey ines", "new": 1},
                "stt": {"participant_pause_sensitivity": "low", "stt_engine": "tavus-auto"},
                "llm": {"base_url": "https://host/v1", "model": "m", "extra_body": {"temperature": 0}, "new": 1},
            },
        }
    )
    persona = runnable(document)
    assert (persona.context, persona.greeting) == ("Hall three is closed.", "Hello.")
    flow = persona.layers.conversational_flow
    assert (flow.turn_taking_patience, flow.wake_phrase) == ("high", "hey ines")
    assert persona.layers.stt.participant_pause_sensitivity == "low"
    assert persona.layers.llm and persona.layers.llm.extra_body == {"temperature": 0}


def test_hosted_models_without_an_address_mean_the_one_of_this_server():
    document = with_defaults(GUIDE | {"layers": {"llm": {"model": "tavus-gpt-oss"}}})
    assert runnable(document).layers.llm is None


def test_echo_persona_runs_without_a_prompt():
    assert runnable(with_defaults({"pipeline_mode": "echo"})).pipeline_mode == "echo"


@given(st.dictionaries(TEXT, JSON), st.dictionaries(TEXT, JSON))
def test_overrides_are_a_merge_patch(document, changes):
    merged = merge(document, changes)
    for name, value in changes.items():
        if value is None:
            assert name not in merged
        elif not isinstance(value, dict):
            assert merged[name] == value
    for name, value in document.items():
        if name not in changes:
            assert merged[name] == value
    assert merge(merged, changes) == merged


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_fields_that_nobody_knows_are_kept(extra):
    unknown = {
        name: value for name, value in extra.items() if name not in PersonaBody.model_fields and value is not None
    }
    assert PersonaBody.checked(GUIDE | unknown).given() == GUIDE | unknown
    assert ConversationBody.checked(unknown).given() == unknown
