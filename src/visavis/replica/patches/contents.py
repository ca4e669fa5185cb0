"""The parts of a `.replica` file that shows a filmed person.

patches.json           geometry and counts (`Layout`)
loop/frames.bin        the idle loop, JPEG pictures of the frame one after the other; loop/ends.npy int64[L]
loop/placement.npy     float32[L, 2, 3]: canonical to frame
loop/pose.npy          float32[L, 2]; loop/lips.npy float32[L, K]; loop/controls.npy float32[L, P, 2], frame pixels
loop/rim.npy           float32[L, R, 3]: colours of the skin around the mouth
mouths/pictures.bin    the mouth region of many moments, JPEG; mouths/ends.npy int64[N]
mouths/lips.npy        float32[N, K]; mouths/controls.npy float32[N, P, 2], pixels of the region
mouths/look.npy        float32[N, D]: how it looks between the lips, as components
mouths/rim.npy         float32[N, R, 3]; mouths/follows.npy bool[N]: is the moment after the one before in the list
lips/mean.npy          float32[P, 2]; lips/by_pose.npy float32[2, P, 2]; lips/components.npy float32[K, P, 2]
lips/rest.npy          float32[K]: lips at rest
rim.npy                float32[R, 2]: where the rim's colours are taken, canonical
hearing/sound_I.npy, hearing/sound_I_bias.npy             layers from sound to lips
hearing/articulation_I.npy, hearing/articulation_I_bias.npy  layers from articulation to lips
head.npy               float32[P_head, 2]: the head's own points at rest, canonical, for turning it

Canonical coordinates are frame pixels of the person's usual head in its usual place.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from visavis.replica.bundle import Bundle, BundleWriter
from visavis.replica.patches.hearing import ARTICULATION_FEATURES, Layer, LipNetwork, feature_count
from visavis.replica.patches.jpegs import Jpegs
from visavis.replica.patches.points import CONTROLS
from visavis.replica.sound_mouth import version

LAYOUT = "patches.json"
HEAD_POINTS = 478

Floats = NDArray[np.float32]


class Layout(BaseModel):
    """Geometry and counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: tuple[float, float, Annotated[int, Field(ge=16, le=1024)], Annotated[int, Field(ge=16, le=1024)]]
    """Left, top, width and height of the mouth region, canonical pixels."""
    components: Annotated[int, Field(ge=1, le=64)]
    rim: Annotated[int, Field(ge=3, le=128)]
    loop: Annotated[int, Field(ge=2, le=2_000)]
    mouths: Annotated[int, Field(ge=8, le=20_000)]
    sound_layers: Annotated[int, Field(ge=1, le=6)]
    articulation_layers: Annotated[int, Field(ge=1, le=6)]
    hears: str
    """`sound_mouth.version` of the network that the layers from sound were learnt on."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Calm moments that play for ever; the last is followed by the first."""

    frames: Jpegs
    placement: Floats
    pose: Floats
    lips: Floats
    controls: Floats
    rim: Floats


@dataclass(frozen=True, slots=True)
class Mouths:
    """The mouth region at many moments of speech."""

    pictures: Jpegs
    lips: Floats
    controls: Floats
    look: Floats
    rim: Floats
    follows: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lips:
    """How control points move."""

    mean: Floats
    by_pose: Floats
    components: Floats
    rest: Floats


@dataclass(frozen=True, slots=True)
class Contents:
    """All that the renderer shows; see this module's text for the arrays."""

    layout: Layout
    loop: Loop
    mouths: Mouths
    lips: Lips
    rim: Floats
    head: Floats
    sound: LipNetwork
    articulation: LipNetwork


def write(writer: BundleWriter, contents: Contents) -> None:
    """Add all parts to a bundle."""
    loop, mouths, lips = contents.loop, contents.mouths, contents.lips
    writer.json(LAYOUT, contents.layout)
    writer.part("loop/frames.bin", loop.frames.data)
    writer.part("mouths/pictures.bin", mouths.pictures.data)
    arrays: dict[str, NDArray[Any]] = {
        "loop/ends": loop.frames.ends,
        "loop/placement": loop.placement,
        "loop/pose": loop.pose,
        "loop/lips": loop.lips,
        "loop/controls": loop.controls,
        "loop/rim": loop.rim,
        "mouths/ends": mouths.pictures.ends,
        "mouths/lips": mouths.lips,
        "mouths/controls": mouths.controls.astype(np.float16),
        "mouths/look": mouths.look,
        "mouths/rim": mouths.rim.astype(np.float16),
        "mouths/follows": mouths.follows,
        "lips/mean": lips.mean,
        "lips/by_pose": lips.by_pose,
        "lips/components": lips.components,
        "lips/rest": lips.rest,
        "rim": contents.rim,
        "head": contents.head,
    }
    for name, array in arrays.items():
        writer.array(f"{name}.npy", array)
    for name, network in (("sound", contents.sound), ("articulation", contents.articulation)):
        for number, layer in enumerate(network.layers):
            writer.array(f"hearing/{name}_{number}.npy", layer.weights.astype(np.float16))
            writer.array(f"hearing/{name}_{number}_bias.npy", layer.bias)


def read(bundle: Bundle) -> Contents:
    """Read and check all parts. Raises `BundleError`."""
    layout = bundle.json(LAYOUT, Layout)
    if layout.hears != version():
        raise bundle.error(LAYOUT, "its lips follow what another version of visavis hears; train the replica again")
    _, _, width, height = layout.region
    count, frames, mouths, rim = layout.components, layout.loop, layout.mouths, layout.rim
    size = bundle.manifest.size
    mouth = Mouths(
        _jpegs(bundle, "mouths/pictures.bin", "mouths/ends.npy", mouths, (height, width)),
        bundle.array("mouths/lips.npy", (mouths, count)),
        bundle.array("mouths/controls.npy", (mouths, CONTROLS, 2)),
        bundle.array("mouths/look.npy", (mouths, None)),
        bundle.array("mouths/rim.npy", (mouths, rim, 3)),
        bundle.array("mouths/follows.npy", (mouths,), np.bool_),
    )
    loop = Loop(
        _jpegs(bundle, "loop/frames.bin", "loop/ends.npy", frames, (size[1], size[0])),
        bundle.array("loop/placement.npy", (frames, 2, 3)),
        bundle.array("loop/pose.npy", (frames, 2)),
        bundle.array("loop/lips.npy", (frames, count)),
        bundle.array("loop/controls.npy", (frames, CONTROLS, 2)),
        bundle.array("loop/rim.npy", (frames, rim, 3)),
    )
    lips = Lips(
        bundle.array("lips/mean.npy", (CONTROLS, 2)),
        bundle.array("lips/by_pose.npy", (2, CONTROLS, 2)),
        bundle.array("lips/components.npy", (count, CONTROLS, 2)),
        bundle.array("lips/rest.npy", (count,)),
    )
    return Contents(
        layout,
        loop,
        mouth,
        lips,
        bundle.array("rim.npy", (rim, 2)),
        bundle.array("head.npy", (HEAD_POINTS, 2)),
        _network(bundle, "sound", layout.sound_layers, feature_count(), count),
        _network(bundle, "articulation", layout.articulation_layers, ARTICULATION_FEATURES, count),
    )


def _jpegs(bundle: Bundle, name: str, ends: str, count: int, shape: tuple[int, int]) -> Jpegs:
    pictures = Jpegs(bundle.part(name), bundle.array(ends, (count,), np.int64))
    try:
        pictures.check(shape)
    except ValueError as error:
        raise bundle.error(name, str(error)) from None
    return pictures


def _network(bundle: Bundle, name: str, layers: int, inputs: int, outputs: int) -> LipNetwork:
    found = []
    for number in range(layers):
        last = number == layers - 1
        weights = bundle.array(f"hearing/{name}_{number}.npy", (inputs, outputs if last else None))
        inputs = weights.shape[1]
        found.append(Layer(weights, bundle.array(f"hearing/{name}_{number}_bias.npy", (inputs,))))
    return LipNetwork(tuple(found))
