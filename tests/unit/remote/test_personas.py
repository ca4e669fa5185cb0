"""`visavis persona` against a running server."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner, Result

from tests.unit.api.server import served
from visavis.cli import app
from visavis.errors import VisavisError


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("remote"), dev=False, api_key="test-key") as url:
        yield url


def visavis(url: str, *arguments: str, key: str = "test-key") -> Result:
    result = CliRunner().invoke(app, ["persona", *arguments, "--url", url, "--key", key])
    if isinstance(result.exception, VisavisError):
        raise result.exception
    return result


def stored(url: str, persona_id: str) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"{url}/v2/personas/{persona_id}", headers={"x-api-key": "test-key"}).json()
    return found


def test_pulled_template_becomes_ones_own_and_can_be_changed(url: str, tmp_path: Path):
    file = tmp_path / "tutor.yaml"
    visavis(url, "pull", "ptutor", "--out", str(file))
    with pytest.raises(VisavisError, match="persona of the system"):
        file.write_text(file.read_text().replace("Tutor", "Ines"))
        visavis(url, "push", str(file))
    created = visavis(url, "push", str(file), "--new").stdout.split()[1].rstrip(";")
    written = yaml.safe_load(file.read_text()) | {"persona_id": created}
    file.write_text(yaml.safe_dump(written))
    assert "nothing to change" in visavis(url, "push", str(file)).stdout
    file.write_text(yaml.safe_dump(written | {"greeting": "Hi."}))
    assert "changed" in visavis(url, "push", str(file)).stdout
    assert (stored(url, created)["greeting"], stored(url, created)["persona_name"]) == ("Hi.", "Ines")
    assert created in visavis(url, "list").stdout


def test_pulled_file_is_for_people(url: str):
    text = visavis(url, "pull", "pguide").stdout
    assert text.startswith("persona_id: pguide\npersona_name: Museum guide\n")
    for word in ("pal_name", "created_at", "face", "null", "{}", "[]"):
        assert word not in text


def test_secret_survives_being_pulled_and_pushed(url: str, tmp_path: Path):
    file = tmp_path / "own.yaml"
    llm = {"base_url": "https://host/v1", "model": "m", "api_key": "sk-secret"}
    file.write_text(yaml.safe_dump({"persona_name": "A", "system_prompt": "You are A.", "layers": {"llm": llm}}))
    persona_id = visavis(url, "push", str(file)).stdout.split()[1].rstrip(";")
    visavis(url, "pull", persona_id, "-o", str(file), "--force")
    assert "sk-secret" not in file.read_text() and "********" in file.read_text()
    file.write_text(file.read_text().replace("You are A.", "You are B."))
    assert "changed" in visavis(url, "push", str(file)).stdout
    assert stored(url, persona_id)["system_prompt"] == "You are B."
    assert stored(url, persona_id)["layers"]["llm"]["api_key"] == "********"  # type: ignore[index]


def test_mistakes_are_named(url: str, tmp_path: Path):
    file = tmp_path / "bad.yaml"
    with pytest.raises(VisavisError, match="API key is not valid"):
        visavis(url, "list", key="wrong")
    with pytest.raises(VisavisError, match=r"persona file.*bad\.yaml"):
        visavis(url, "push", str(file))
    file.write_text("- a list")
    with pytest.raises(VisavisError, match="persona_name"):
        visavis(url, "push", str(file))
    file.write_text("persona_name: A\nsystem_prompt: 7\n")
    with pytest.raises(VisavisError, match="system_prompt: 7"):
        visavis(url, "push", str(file))
    file.write_text("persona_id: pgone\nsystem_prompt: A\n")
    with pytest.raises(VisavisError, match="pgone"):
        visavis(url, "push", str(file))
    with pytest.raises(VisavisError, match="--force"):
        visavis(url, "pull", "ptutor", "-o", str(file))
    with pytest.raises(VisavisError, match="cannot be reached"):
        visavis("http://127.0.0.1:9", "list")
    with pytest.raises(VisavisError, match="--url"):
        visavis("localhost", "list")
