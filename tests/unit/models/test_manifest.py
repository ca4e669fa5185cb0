import pytest
from pydantic import ValidationError

from tests.unit.models.package_index import manifest_of, model_of
from visavis import models
from visavis.errors import BadInputError
from visavis.models.manifest import Model

OPTIONAL = {"person-mask", "speaker-encoder", "whisper-tiny.en", "kokoro-82m"}


def test_every_model_that_the_product_names_is_there() -> None:
    names = {model.name for model in models.manifest().models}
    assert names == {
        "moonshine-base-en",
        "moonshine-tiny-en",
        "silero-vad",
        "smart-turn-v3.2",
        "qwen2.5-coder-0.5b",
        "qwen2.5-coder-1.5b",
        "smollm2-135m",
        "face-detector",
        "face-landmarker",
        "person-mask",
        "hand-gestures",
        "object-detector",
        "speaker-encoder",
        "whisper-tiny.en",
        "kokoro-82m",
        "hibari-heart",
    }
    assert set(models.needed_to_serve()) == names - OPTIONAL


def test_licences_are_permissive() -> None:
    assert {model.licence for model in models.manifest().models} <= {"MIT", "BSD-2-Clause", "Apache-2.0"}


def test_the_bundled_voice_is_the_one_in_the_manifest() -> None:
    assert models.store().verify("hibari-heart") == []


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(BadInputError, match="'moonshine' is not valid; expected one of moonshine-base-en"):
        models.path("moonshine")


def test_the_manifest_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        models.manifest().models[0].name = "other"  # type: ignore[misc]


def test_two_models_of_one_name_are_refused() -> None:
    model = model_of("ear", {"weights.bin": [("ear-model", "weights.bin", b"x")]})
    with pytest.raises(ValidationError, match="same name"):
        manifest_of(model, model)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "../ear"}, "plain file name"),
        ({"sha256": "abc"}, "sha256"),
        ({"size": 0}, "size"),
        ({"parts": ()}, "either parts or a bundled package"),
    ],
)
def test_a_file_that_cannot_be_checked_or_fetched_is_refused(change: dict[str, object], complaint: str) -> None:
    good = model_of("ear", {"weights.bin": [("ear-model", "weights.bin", b"x")]}).model_dump()
    Model.model_validate(good)
    bad = good | {"files": [good["files"][0] | change]}
    with pytest.raises(ValidationError, match=complaint):
        Model.model_validate(bad)
