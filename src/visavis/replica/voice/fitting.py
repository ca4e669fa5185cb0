"""Fine-tuning hibari's network to one speaker. Needs torch.

The sound that the network makes of the recorded durations, pitch and energy is compared with the recording, as mel
spectra at three resolutions and as a linear spectrum, all logarithmic. Durations, pitch and energy are learnt beside
it. Above the band that the recording has, the network stays as it was, which is what extends narrow recordings.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name in the field)
from numpy.typing import NDArray

from visavis.replica.voice import network
from visavis.replica.voice.alignment import align
from visavis.replica.voice.material import Utterance
from visavis.replica.voice.network import Tensor
from visavis.replica.voice.spectra import mel_filters

SPEECH_HEARD_S = 1_600.0
"""Seconds of speech that the network learns from in all, whether new or heard before."""
SHORTEST_RUN, LONGEST_RUN = 60, 1_200
"""Steps."""
UTTERANCES_PER_STEP = 2
FASTEST_SOUND, FASTEST_PROSODY = 4e-4, 1.5e-4
"""Learning rates at the top of the schedule: warm-up over 20 steps, then a cosine down to a twentieth."""
WARM_UP = 20
REALIGN_AT = (0.15, 0.4)
"""Shares of the run after which the recordings are aligned anew, by the voice as it is then."""
WORST_MISMATCH = 92
"""Percentile: utterances whose alignment fits worse are left out."""
KEEP_EVERY = 20

_RESOLUTIONS = ((512, 128, 40), (1200, 300, 80), (2048, 512, 120))
"""Window, hop and mel bands."""
_LINEAR = (2048, 512)
_HOLD_HIGH_BAND = 0.1
_USUAL_PITCH_ERROR_HZ = 60.0

Arrays = Mapping[str, NDArray[np.float32]]
Told = Callable[[float], None]


@dataclass(slots=True)
class _State:
    """What a run has so far; the whole of it is kept, so that it goes on as if nothing had happened."""

    step: int
    weights: dict[str, Tensor]
    optimiser: Any
    units: list[NDArray[np.int64]]
    realigned: int


def fit(
    base: Arrays,
    utterances: Sequence[Utterance],
    band_hz: float,
    kept: Path,
    told: Told,
    steps: int | None = None,
) -> dict[str, NDArray[np.float32]]:
    """The weights `base` adapted to the utterances, whose sound reaches up to `band_hz`.

    Goes on from the file `kept`, if it is there. `told` is called with the share that is done.
    """
    torch.set_num_threads(1)
    steps = steps or run_length(utterances)
    before = network.as_tensors(base, trained=False)
    state = _begun(base, utterances, kept)
    chosen = _well_aligned(utterances)
    while state.step < steps:
        if state.realigned < len(REALIGN_AT) and state.step >= REALIGN_AT[state.realigned] * steps:
            _realign(state, utterances)
            state.realigned += 1
        _step(state, utterances, _chosen_now(chosen, state.step), steps, before, band_hz)
        state.step += 1
        if state.step % KEEP_EVERY == 0 or state.step == steps:
            _keep(state, kept)
        told(state.step / steps)
    return {name: value.detach().numpy().copy() for name, value in state.weights.items()}


def run_length(utterances: Sequence[Utterance]) -> int:
    """Steps of a run over these utterances."""
    mean_s = sum(one.seconds for one in utterances) / len(utterances)
    return int(np.clip(SPEECH_HEARD_S / (mean_s * UTTERANCES_PER_STEP), SHORTEST_RUN, LONGEST_RUN))


def _begun(base: Arrays, utterances: Sequence[Utterance], kept: Path) -> _State:
    weights = network.as_tensors(base, trained=True)
    sound = [value for name, value in weights.items() if name.startswith("m.")]
    prosody = [value for name, value in weights.items() if name.startswith("pn.")]
    optimiser = torch.optim.AdamW(
        [{"params": sound, "top": FASTEST_SOUND}, {"params": prosody, "top": FASTEST_PROSODY}],
        betas=(0.8, 0.95),
        weight_decay=0.01,
    )
    state = _State(0, weights, optimiser, [one.units for one in utterances], 0)
    if kept.is_file():
        found = torch.load(kept, weights_only=True)
        with torch.no_grad():
            for name, value in found["weights"].items():
                weights[name].copy_(value)
        optimiser.load_state_dict(found["optimiser"])
        state.step, state.realigned = found["step"], found["realigned"]
        state.units = [one.numpy() for one in found["units"]]
    return state


def _keep(state: _State, kept: Path) -> None:
    unfinished = kept.with_suffix(".partial")
    torch.save(
        {
            "step": state.step,
            "realigned": state.realigned,
            "weights": {name: value.detach() for name, value in state.weights.items()},
            "optimiser": state.optimiser.state_dict(),
            "units": [torch.tensor(one) for one in state.units],
        },
        unfinished,
    )
    unfinished.replace(kept)


def _well_aligned(utterances: Sequence[Utterance]) -> list[int]:
    limit = np.percentile([one.mismatch for one in utterances], WORST_MISMATCH)
    return [number for number, one in enumerate(utterances) if one.mismatch <= limit]


def _chosen_now(numbers: Sequence[int], step: int) -> list[int]:
    """The utterances of a step; each is heard once before any is heard again. The same for every run."""
    chosen = []
    for position in range(step * UTTERANCES_PER_STEP, (step + 1) * UTTERANCES_PER_STEP):
        round_, place = divmod(position, len(numbers))
        chosen.append(numbers[int(np.random.default_rng(round_).permutation(len(numbers))[place])])
    return chosen


def _step(
    state: _State,
    utterances: Sequence[Utterance],
    numbers: Sequence[int],
    steps: int,
    before: Mapping[str, Tensor],
    band_hz: float,
) -> None:
    torch.manual_seed(state.step)
    falling = 0.05 + 0.95 * (0.5 + 0.5 * math.cos(math.pi * state.step / steps))
    for group in state.optimiser.param_groups:
        group["lr"] = group["top"] * min(1.0, (state.step + 1) / WARM_UP) * falling
    state.optimiser.zero_grad()
    for number in numbers:
        one = replace(utterances[number], units=state.units[number])
        loss = _sound_loss(state.weights, one, before, band_hz) + _prosody_loss(state.weights, one)
        (loss / len(numbers)).backward()
    torch.nn.utils.clip_grad_norm_(state.weights.values(), 1.0)
    state.optimiser.step()


def _sound_loss(weights: Mapping[str, Tensor], one: Utterance, before: Mapping[str, Tensor], band_hz: float) -> Tensor:
    ids, units = torch.tensor(one.tokens), torch.tensor(one.units)
    pitch, energy = torch.tensor(one.pitch), torch.tensor(one.energy)
    parts = network.spectra(weights, ids, units, pitch, energy)
    made, wanted = network.sound(parts, pitch), torch.tensor(one.samples)
    loss = _spectral_distance(made, wanted, band_hz)
    first = int(band_hz / (network.RATE_HZ / 2) * (network.BINS - 1))
    if first < network.BINS - network.BINS // 10:
        with torch.no_grad():
            usual = network.spectra(before, ids, units, pitch, energy)
        held = sum((parts[i][first:] - usual[i][first:]).abs().mean() for i in (0, 2, 3))
        loss = loss + _HOLD_HIGH_BAND * held
    return loss


def _spectral_distance(made: Tensor, wanted: Tensor, band_hz: float) -> Tensor:
    distance = torch.zeros(())
    for size, hop, bands in _RESOLUTIONS:
        filters = torch.tensor(mel_filters(size, bands, highest_hz=band_hz))
        bands_made, bands_wanted = (filters @ _magnitudes(one, size, hop) for one in (made, wanted))
        distance = distance + _difference(bands_made, bands_wanted, 1e-4) / len(_RESOLUTIONS)
    size, hop = _LINEAR
    highest = int(band_hz / network.RATE_HZ * size)
    bins_made, bins_wanted = (_magnitudes(one, size, hop)[:highest] for one in (made, wanted))
    return distance + 0.5 * _difference(bins_made, bins_wanted, 1e-3)


def _difference(made: Tensor, wanted: Tensor, floor: float) -> Tensor:
    return (torch.log(made + floor) - torch.log(wanted + floor)).abs().mean()


def _magnitudes(samples: Tensor, size: int, hop: int) -> Tensor:
    spectrum = torch.stft(samples, size, hop, size, torch.hann_window(size), return_complex=True)
    return torch.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-9)


def _prosody_loss(weights: Mapping[str, Tensor], one: Utterance) -> Tensor:
    units, pitch, energy = torch.tensor(one.units), torch.tensor(one.pitch), torch.tensor(one.energy)
    text, log_units = network.durations_of(weights, torch.tensor(one.tokens))
    said_pitch, said_energy = network.prosody(weights, text, units)
    voiced = (pitch > network.LOWEST_VOICED_HZ).float()
    loss = F.l1_loss(log_units, torch.log(units.float() + 1)) + F.l1_loss(said_energy, energy) / 5
    loss = loss + ((said_pitch - pitch).abs() * voiced).sum() / (voiced.sum() + 1) / _USUAL_PITCH_ERROR_HZ
    said_voiced = torch.sigmoid((said_pitch - network.LOWEST_VOICED_HZ) / 10)
    return loss + 0.3 * ((said_voiced - voiced) ** 2).mean()


def _realign(state: _State, utterances: Sequence[Utterance]) -> None:
    for number, one in enumerate(utterances):
        ids = torch.tensor(one.tokens)
        with torch.no_grad():
            text, log_units = network.durations_of(state.weights, ids)
            units = torch.clamp(torch.round(torch.exp(log_units) - 1), min=1).long()
            pitch, energy = network.prosody(state.weights, text, units)
            made = network.sound(network.spectra(state.weights, ids, units, pitch, energy), pitch)
        state.units[number], _ = align(made.numpy(), units.tolist(), one.samples)
