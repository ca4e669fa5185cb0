"""Model files: what they are, where they come from, where they lie.

    path(name)        folder of a model that is ready, else a `ModelMissingError` that names the command to run
    pull(names)       download, check, unpack, convert; with progress
    status()          how every model lies in the cache, judged by sizes
    verify(names)     hash every file again

Names: `moonshine-base-en`, `moonshine-tiny-en`, `silero-vad`, `smart-turn-v3.2`, `qwen2.5-coder-0.5b`,
`qwen2.5-coder-1.5b`, `smollm2-135m`, `face-detector`, `face-landmarker`, `person-mask`, `hand-gestures`,
`object-detector`, `speaker-encoder`, `whisper-tiny.en`, `kokoro-82m`, `hibari-heart`; `manifest.yaml` says what
each is. All functions work on the folder `visavis.config.Settings.model_cache`.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from visavis.config import settings
from visavis.models import pulling
from visavis.models.errors import (
    DiskFullError,
    ModelMissingError,
    NoNetworkError,
    PullError,
    WrongHashError,
)
from visavis.models.manifest import Manifest, Model, manifest
from visavis.models.pulling import Progress, Step
from visavis.models.store import Damage, ModelStore, State

__all__ = [
    "Damage",
    "DiskFullError",
    "Manifest",
    "Model",
    "ModelMissingError",
    "ModelStore",
    "NoNetworkError",
    "Progress",
    "PullError",
    "State",
    "Step",
    "WrongHashError",
    "manifest",
    "needed_to_serve",
    "path",
    "pull",
    "status",
    "store",
    "verify",
]


def store() -> ModelStore:
    """The models of this process: the manifest that ships with visavis, in the cache folder of the settings."""
    return ModelStore(manifest(), settings().model_cache)


def path(name: str) -> Path:
    """Folder of a model that is ready. Raises `ModelMissingError`, or `BadInputError` for an unknown name."""
    return store().path(name)


def needed_to_serve() -> tuple[str, ...]:
    """Names of the models that `visavis serve` needs or, with quality `auto`, may choose."""
    return tuple(model.name for model in manifest().models if model.needed_to_serve)


def pull(names: Sequence[str], progress: Callable[[Progress], None] = lambda _: None, *, rehash: bool = False) -> None:
    """Make the models `names` ready; blocks, and may be interrupted at any moment. Raises `PullError`.

    Files that are here are judged by their sizes; `rehash` checks them in full and replaces those that are damaged.
    `progress` is called often, on this thread. Not to be called where an event loop runs: await
    `visavis.models.pulling.pull` there.
    """
    asyncio.run(pulling.pull(store(), names, progress, rehash=rehash))


def status() -> dict[str, State]:
    """State of every model of the manifest, by the names and sizes of its files."""
    cache = store()
    return {model.name: cache.state(model.name) for model in cache.manifest.models}


def verify(names: Sequence[str]) -> dict[str, list[Damage]]:
    """Hash every file of the models `names` again; gives the damages of each, none when it is sound."""
    cache = store()
    return {name: cache.verify(name) for name in names}
