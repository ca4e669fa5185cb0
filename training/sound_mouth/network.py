"""The network of `visavis.replica.sound_mouth` as torch learns it."""

from pathlib import Path

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from visavis.replica.sound_mouth import AROUND, BANDS, FIRST_TAPS, STRIDE, TAPS
from visavis.replica.visemes import PARAMETERS

WIDTHS = (128, 160, 224)
"""Channels of the three layers that make a code."""
PHONETIC = 64
"""Numbers in which the recogniser's encoder is told."""


class SoundNetwork(nn.Module):
    """Articulation before its sigmoid, then phonetic numbers, [B, PARAMETERS + PHONETIC, T], of spectra
    [B, BANDS, 4 (T + CODES - 1) + CODE_ROWS].
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.coding = nn.ModuleList(
            [
                nn.Conv1d(BANDS, first, FIRST_TAPS),
                nn.Conv1d(first, second, TAPS, STRIDE),
                nn.Conv1d(second, third, TAPS, STRIDE),
            ]
        )
        self.gathering = nn.ModuleList(
            [nn.Conv1d(third, third, len(frames), dilation=frames[1] - frames[0]) for frames in AROUND]
        )
        self.saying = nn.Conv1d(third, PARAMETERS + PHONETIC, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, spectra: Tensor) -> Tensor:
        """See the class."""
        values = spectra
        for layer in self.coding:
            values = functional.relu(layer(values))
        for frames, layer in zip(AROUND, self.gathering, strict=True):
            gathered = functional.relu(layer(self.dropout(values)))
            values = values[..., -frames[0] :][..., : gathered.shape[-1]] + gathered
        found: Tensor = self.saying(values)
        return found

    def save(self, path: Path) -> None:
        """Write the weights as `visavis.replica.sound_mouth` reads them; half precision, biases single."""
        arrays = {}
        for number, layer in enumerate([*self.coding, *self.gathering, self.saying]):
            weights = layer.weight.detach().numpy()  # [outputs, inputs, taps]
            rows = weights.transpose(2, 1, 0).reshape(-1, len(weights))
            arrays |= {f"w{number}": rows.astype(np.float16), f"b{number}": layer.bias.detach().numpy()}
        np.savez_compressed(path, **arrays)
