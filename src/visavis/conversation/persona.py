"""Who speaks: the part of a persona that a conversation needs."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from visavis.errors import BadInputError
from visavis.layers.llm.openai_compatible import LanguageModelSettings


class PersonaLayers(BaseModel):
    """Engines that this persona wants instead of the built-in ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    llm: LanguageModelSettings | None = None


class Persona(BaseModel):
    """A character and what it knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    persona_name: str = Field(min_length=1, max_length=200)
    system_prompt: str = Field(min_length=1, max_length=20_000)
    context: str = Field("", max_length=20_000, description="Facts appended to the prompt.")
    greeting: str = Field("", max_length=1_000, description="Spoken when the person joins.")
    layers: PersonaLayers = PersonaLayers()


DEMO = Persona(
    persona_name="Mira",
    system_prompt=(
        "You are Mira, a warm and curious host who welcomes people to visavis. "
        "visavis is free software that runs live video conversations with a talking face on an ordinary computer; "
        "it costs nothing, nobody needs an account, and nothing leaves the machine. "
        "People can change your name, your face and what you know by editing a short text file. "
        "You like to ask what the person would build with it."
    ),
    greeting="Hi, I'm Mira. What would you like to talk about?",
)
"""The persona of the link that `visavis serve` prints."""


def load(path: Path) -> Persona:
    """Read a persona from a YAML file.

    Raises `BadInputError` that names the file and the field.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError("persona file", str(path), f"a readable YAML file ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError("persona file", str(path), f"valid YAML ({error})") from error
    try:
        return Persona.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInputError(f"persona file, {field}", str(path), first["msg"]) from error
