import hashlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from visavis.replica.consent import STATEMENT, Consent, checksum, declared, synthetic
from visavis.replica.statement import agrees


@pytest.mark.parametrize(
    "text",
    [
        STATEMENT,
        "I, Jane Doe, am currently speaking and consent to Tavus to create an AI clone of me.",
        "Hello. My name is Ben and I agree that you use this video of me.",
        "I hereby give my permission to make a replica of me.",
        "well i do allow the making of a replica of me",
    ],
)
def test_agreement_is_heard_in_many_words(text: str) -> None:
    assert agrees(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bin blue at F two now.",
        "I do not agree that a replica of me is made.",
        "I don't consent to this.",
        "I will never give my consent.",
        "They said that consent is important.",
        "I agree with you, that was a very good soup.",
        "I like pepper soup. Whatever you agree on is fine with them.",
    ],
)
def test_anything_else_is_no_agreement(text: str) -> None:
    assert not agrees(text)


def test_declaration_names_the_person() -> None:
    consent = declared("Ines Okafor")
    assert (consent.kind, consent.by, consent.recording) == ("declaration", "Ines Okafor", None)
    assert "Ines Okafor agreed" in consent.text


def test_consent_survives_json() -> None:
    consent = synthetic("a script", "Made from nobody.")
    assert Consent.model_validate_json(consent.model_dump_json()) == consent


@pytest.mark.parametrize("changes", [{"kind": "rumour"}, {"by": ""}, {"recording": "abc"}, {"more": 1}])
def test_consent_of_another_shape_is_refused(changes: dict[str, object]) -> None:
    whole = declared("Ines").model_dump()
    with pytest.raises(ValidationError):
        Consent.model_validate(whole | changes)


def test_recording_is_known_by_its_checksum(tmp_path: Path) -> None:
    recording = tmp_path / "statement.wav"
    recording.write_bytes(b"x" * 3_000_000)
    assert checksum(recording) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
