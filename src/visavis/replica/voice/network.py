"""hibari's network in torch, differentiable: phonemes, durations, pitch and energy to sound.

Weights are a plain dictionary by the names that the graph has (see `visavis.layers.tts.hibari_weights`). One utterance
at a time: tensors have no batch. Time is counted in units of 25 ms (durations) and frames of 12.5 ms (pitch, energy,
spectra), at 24 kHz. Needs torch, which speaking does not.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name in the field)

Tensor: TypeAlias = Any
"""torch.Tensor; torch is not installed where types are checked."""
Weights: TypeAlias = Mapping[str, Tensor]

RATE_HZ = 24_000
HOP, WINDOW = 300, 1200
BINS = WINDOW // 2 + 1
LOWEST_VOICED_HZ = 40.0
_HIGHEST_HARMONIC_HZ = 11_000.0
_HEADS = 2


def durations_of(weights: Weights, ids: Tensor) -> tuple[Tensor, Tensor]:
    """The text as the prosody network reads it, [L, 192], and log(1 + units) of each token, [L]."""
    text = _text(weights, "pn.text", ids, layers=6)
    hidden = F.gelu(_conv(weights, "pn.dur.0", text.T[None], padding=1))
    return text, _conv(weights, "pn.dur.2", hidden)[0, 0]


def prosody(weights: Weights, text: Tensor, units: Tensor) -> tuple[Tensor, Tensor]:
    """Pitch in Hz (below 40: unvoiced) and log energy of every frame, [2 * sum(units)] each."""
    x = _conv(weights, "pn.pro_in", text.repeat_interleave(units, 0).T[None])
    for number, dilation in enumerate((1, 2, 4, 8, 1, 2)):
        x = _block(weights, f"pn.pro.{number}", x, dilation)
    out = _conv(weights, "pn.pro_out", x)[0]
    pitch, energy = out.reshape(2, 2, -1).transpose(1, 2).reshape(2, -1)
    return pitch * 100, energy * 5


def spectra(weights: Weights, ids: Tensor, units: Tensor, pitch: Tensor, energy: Tensor) -> tuple[Tensor, ...]:
    """What the sound is made of, five times [601, frames]; see `sound`."""
    text = _text(weights, "m.text", ids, layers=4).repeat_interleave(units * 2, 0).T
    x = torch.cat([text, (torch.log(1 + F.relu(pitch)) / 5)[None], (energy / 5)[None]])[None]
    x = _conv(weights, "m.dec_in", x, padding=3)
    for number in range(8):
        x = _block(weights, f"m.dec.{number}", x)
    hidden = F.layer_norm(x[0].T, (x.shape[1],), weights["m.dec_norm.weight"], weights["m.dec_norm.bias"])
    return tuple(F.linear(hidden, weights["m.head.weight"], weights["m.head.bias"]).T.split(BINS))


def sound(parts: tuple[Tensor, ...], pitch: Tensor) -> Tensor:
    """float32[frames * 300]: harmonics of the pitch, noise, and a part with free phase, added up as spectra.

    The same as `hibari.dsp.synth`, which works on arrays.
    """
    harmonic, turn, noise, rest, phase = parts
    window = torch.hann_window(WINDOW)
    frames = harmonic.shape[1]
    pulses = _pulses(pitch)
    source = torch.stft(pulses, WINDOW, HOP, WINDOW, window, pad_mode="reflect", return_complex=True)[:, :frames]
    random = torch.complex(torch.randn(harmonic.shape), torch.randn(harmonic.shape))
    spectrum = torch.polar(_exp(harmonic), math.pi * torch.tanh(turn)) * (source / HOP)
    spectrum = spectrum + _exp(noise) * random + torch.polar(_exp(rest), phase)
    spectrum = torch.cat([spectrum, torch.zeros_like(spectrum[:, -1:])], 1)
    return torch.istft(spectrum, WINDOW, HOP, WINDOW, window, length=frames * HOP)


def as_tensors(weights: Mapping[str, np.ndarray[Any, Any]], trained: bool) -> dict[str, Tensor]:
    """Arrays to tensors, with gradients where they are to be `trained`."""
    return {name: torch.tensor(value, requires_grad=trained) for name, value in weights.items()}


def _exp(x: Tensor) -> Tensor:
    return torch.exp(x.clamp(max=7))


def _pulses(pitch: Tensor) -> Tensor:
    """A train of band-limited pulses, silent where the pitch is unvoiced."""
    hertz = F.interpolate(pitch[None, None], size=len(pitch) * HOP, mode="linear", align_corners=False)[0, 0]
    voiced = hertz > LOWEST_VOICED_HZ
    hertz = hertz.clamp(min=LOWEST_VOICED_HZ)
    angle = ((torch.cumsum(hertz.double() / RATE_HZ, 0) % 1) * 2 * math.pi).float()
    harmonics = torch.floor(_HIGHEST_HARMONIC_HZ / hertz) + 0.5
    below = 2 * torch.sin(angle / 2)
    near_zero = below.abs() <= 2e-3
    safe = torch.where(near_zero, torch.ones_like(below), below)
    pulses = torch.where(near_zero, harmonics, torch.sin(harmonics * angle) / safe) - 0.5
    return torch.where(voiced, pulses, torch.zeros_like(pulses))


def _conv(weights: Weights, name: str, x: Tensor, **how: int) -> Tensor:
    return F.conv1d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], **how)


def _block(weights: Weights, name: str, x: Tensor, dilation: int = 1) -> Tensor:
    """ConvNeXt: a convolution over time for each channel, then two layers over channels."""
    channels, width = x.shape[1], weights[f"{name}.dw.weight"].shape[2]
    y = _conv(weights, f"{name}.dw", x, padding=width // 2 * dilation, groups=channels, dilation=dilation)[0].T
    y = F.layer_norm(y, (channels,), weights[f"{name}.norm.weight"], weights[f"{name}.norm.bias"])
    y = F.gelu(F.linear(y, weights[f"{name}.pw1.weight"], weights[f"{name}.pw1.bias"]))
    y = F.linear(y, weights[f"{name}.pw2.weight"], weights[f"{name}.pw2.bias"])
    return x + (weights[f"{name}.gamma"] * y).T[None]


def _text(weights: Weights, name: str, ids: Tensor, layers: int) -> Tensor:
    """float32[L, d]: two convolutions and one attention layer that is gone through several times."""
    x = weights[f"{name}.emb.weight"][ids].T[None]
    for number in range(2):
        x = _block(weights, f"{name}.convs.{number}", x)
    x = x[0].T
    for _ in range(layers):
        x = _attention(weights, f"{name}.attn", x)
    return F.layer_norm(x, (x.shape[1],), weights[f"{name}.norm.weight"], weights[f"{name}.norm.bias"])


def _attention(weights: Weights, name: str, x: Tensor) -> Tensor:
    length, size = x.shape
    h = F.layer_norm(x, (size,), weights[f"{name}.norm1.weight"], weights[f"{name}.norm1.bias"])
    joint = F.linear(h, weights[f"{name}.self_attn.in_proj_weight"], weights[f"{name}.self_attn.in_proj_bias"])
    query, key, value = (part.reshape(length, _HEADS, -1).transpose(0, 1) for part in joint.chunk(3, 1))
    mixed = F.scaled_dot_product_attention(query, key, value).transpose(0, 1).reshape(length, size)
    out = f"{name}.self_attn.out_proj"
    x = x + F.linear(mixed, weights[f"{out}.weight"], weights[f"{out}.bias"])
    h = F.layer_norm(x, (size,), weights[f"{name}.norm2.weight"], weights[f"{name}.norm2.bias"])
    h = F.gelu(F.linear(h, weights[f"{name}.linear1.weight"], weights[f"{name}.linear1.bias"]))
    return x + F.linear(h, weights[f"{name}.linear2.weight"], weights[f"{name}.linear2.bias"])
