"""Moonshine's two recognisers as networks: sound in, text out, on the calling thread.

Moonshine: Jeffries et al. 2024, "Moonshine: Speech Recognition for Live Transcription and Voice Commands"
(arXiv 2410.15608): an encoder over raw 16 kHz sound and a decoder that writes one token after another.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.models.inference import session

BEGIN, END = 1, 2
TOKENS_PER_S = 6.5
"""More than anybody says; the limit that the authors' own code sets against endless repetition."""
SPARE_TOKENS = 3
_LOOPS = {1: 6, 2: 4, 3: 3, 4: 3, 5: 3, 6: 3, 7: 3, 8: 3}
"""Length of a phrase in tokens -> how often it must follow itself to be taken for a decoder that is stuck."""

Tensor = NDArray[Any]


class StoppedError(Exception):
    """Recognition was told to stop, because nobody wants its result any more."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, as text and as the tokens of it, which both networks share."""

    text: str
    tokens: tuple[int, ...]


class Network(Protocol):
    """A recogniser for stretches of up to about 20 s."""

    def transcribe(self, samples: Samples, stop: threading.Event, draft: Sequence[int] = ()) -> Transcript:
        """What is said in `samples` (float32[N], 16 kHz). Raises `StoppedError` soon after `stop` is set.

        `draft` are the tokens that are expected, for instance those of a partial text: what proves right of them is
        checked in one step instead of being written one by one. The result is the same but for the rounding of the
        quantised networks: of 67 clips one came out with other punctuation, and five unclear ones with other words.
        """
        ...


class _Decoder(Protocol):
    """The half of a recogniser that writes, after the encoder has heard. Keeps what has been written."""

    def advance(self, tokens: Sequence[int]) -> Sequence[int]:
        """Write `tokens`; the likeliest next token after each of them."""
        ...

    def retract(self, count: int) -> None:
        """Take the last `count` tokens back."""
        ...


class MoonshineTiny:
    """Moonshine tiny-en as it ships: an encoder and a decoder that holds two networks."""

    def __init__(self, folder: Path) -> None:
        self._encoder = session(folder / "encoder_model.ort")
        self._decoder = session(folder / "decoder_model_merged.ort")
        self._vocabulary = Vocabulary(folder / "tokenizer.bin")
        self._pasts = {i.name: i.shape for i in self._decoder.get_inputs() if i.name.startswith("past_key_values")}
        self._results = [_past(output.name) for output in self._decoder.get_outputs()]

    def transcribe(self, samples: Samples, stop: threading.Event, draft: Sequence[int] = ()) -> Transcript:
        """What is said in `samples` (float32[N], 16 kHz); see `Network`."""
        mask = np.ones((1, len(samples)), np.int64)
        encoded = self._encoder.run(None, {"input_values": samples[None], "attention_mask": mask})[0]
        state: dict[str, Tensor] = {"encoder_hidden_states": encoded, "encoder_attention_mask": mask}
        state |= {name: np.zeros((1, heads, 0, size), np.float32) for name, (_, heads, _, size) in self._pasts.items()}
        state["use_cache_branch"] = np.array([False])
        decoder = _TinyDecoder(self._decoder, self._results, state)
        return self._vocabulary.transcript(greedy(decoder, token_limit(samples), stop, draft))


class _TinyDecoder:
    def __init__(self, network: Any, results: Sequence[str], state: dict[str, Tensor]) -> None:
        self._network, self._results, self._state = network, results, state

    def advance(self, tokens: Sequence[int]) -> Sequence[int]:
        results = dict(zip(self._results, self._network.run(None, self._state | _ids(tokens)), strict=True))
        logits = results.pop("logits")
        if self._state["use_cache_branch"]:  # the cross-attention of the first step holds for all
            results = {name: value for name, value in results.items() if ".encoder." not in name}
        self._state.update(results, use_cache_branch=np.array([True]))
        return _likeliest(logits)

    def retract(self, count: int) -> None:
        _shorten(self._state, count)


class MoonshineBase:
    """Moonshine base-en as `visavis.models.moonshine_conversion` leaves it."""

    def __init__(self, folder: Path) -> None:
        self._encoder = session(folder / "onnx" / "encoder.onnx")
        self._cross_kv = session(folder / "onnx" / "cross_kv.onnx")
        self._step = session(folder / "onnx" / "step.onnx")
        self._vocabulary = Vocabulary(folder / "tokenizer.bin")
        self._inputs = {i.name: i.shape for i in self._step.get_inputs()}
        self._results = [_past(output.name) for output in self._step.get_outputs()]
        self._cross_results = [_past(output.name) for output in self._cross_kv.get_outputs()]

    def transcribe(self, samples: Samples, stop: threading.Event, draft: Sequence[int] = ()) -> Transcript:
        """What is said in `samples` (float32[N], 16 kHz); see `Network`."""
        encoded = self._encoder.run(None, {"input_values": samples[None]})[0]
        cross = self._cross_kv.run(None, {"encoder_hidden_states": encoded})
        state: dict[str, Tensor] = dict(zip(self._cross_results, cross, strict=True))
        for name, shape in self._inputs.items():
            if ".decoder." in name:
                state[name] = np.zeros((1, shape[1], 0, shape[3]), np.float32)
        decoder = _BaseDecoder(self._step, self._results, state)
        return self._vocabulary.transcript(greedy(decoder, token_limit(samples), stop, draft))


class _BaseDecoder:
    def __init__(self, network: Any, results: Sequence[str], state: dict[str, Tensor]) -> None:
        self._network, self._results, self._state = network, results, state

    def advance(self, tokens: Sequence[int]) -> Sequence[int]:
        results = dict(zip(self._results, self._network.run(None, self._state | _ids(tokens)), strict=True))
        logits = results.pop("logits")
        self._state.update(results)
        return _likeliest(logits)

    def retract(self, count: int) -> None:
        _shorten(self._state, count)


class Vocabulary:
    """Tokens of Moonshine's `tokenizer.bin`: each as its length and its bytes.

    A length of 128 and more takes two bytes, the low seven bits first. Token 0 and others may be empty.
    """

    def __init__(self, path: Path) -> None:
        self._tokens = list(_token_table(path.read_bytes()))

    def transcript(self, tokens: Sequence[int]) -> Transcript:
        """`tokens` with the text that they spell."""
        return Transcript(self.text(tokens), tuple(tokens))

    def text(self, tokens: Sequence[int]) -> str:
        """The text that `tokens` spell."""
        spelled = b"".join(self._tokens[token] for token in tokens)
        spelled = re.sub(rb"<0x([0-9A-F]{2})>", lambda match: bytes.fromhex(match[1].decode()), spelled)
        return spelled.decode(errors="replace").replace("▁", " ").strip()


def greedy(decoder: _Decoder, limit: int, stop: threading.Event, draft: Sequence[int] = ()) -> list[int]:
    """Follow the likeliest token from `BEGIN` to `END`; a phrase that repeats endlessly is kept once.

    As far as `draft` is what would have been written anyway, it is written at once (Leviathan et al. 2023, "Fast
    inference from transformers via speculative decoding").
    """
    tokens: list[int] = []
    guess = list(draft[:limit])
    writing = [BEGIN, *guess]
    while len(tokens) < limit:
        if stop.is_set():
            raise StoppedError
        likeliest = decoder.advance(writing)
        right = next((i for i, token in enumerate(guess) if likeliest[i] != token), len(guess))
        if right < len(guess):
            decoder.retract(len(guess) - right)
        tokens += guess[:right]
        token = likeliest[right]
        if token == END or len(tokens) >= limit:
            break
        tokens.append(token)
        if (phrase := _looping_phrase(tokens)) is not None:
            return tokens[: len(tokens) - phrase * (_LOOPS[phrase] - 1)]
        guess, writing = [], [token]
    return tokens


def token_limit(samples: Samples) -> int:
    """How many tokens a stretch of sound can hold."""
    return int(len(samples) / LISTEN_RATE_HZ * TOKENS_PER_S) + SPARE_TOKENS


def _looping_phrase(tokens: list[int]) -> int | None:
    """Length of the phrase that `tokens` end in over and over."""
    for length, times in _LOOPS.items():
        tail = tokens[-length * times :]
        if len(tail) == length * times and tail == tail[:length] * times:
            return length
    return None


def _token_table(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            length += 128 * (data[at] - 1)
            at += 1
        yield data[at : at + length]
        at += length


def _ids(tokens: Sequence[int]) -> dict[str, Tensor]:
    return {"input_ids": np.array([tokens], np.int64)}


def _likeliest(logits: Tensor) -> list[int]:
    return [int(token) for token in logits[0].argmax(axis=-1)]


def _shorten(state: dict[str, Tensor], count: int) -> None:
    """Take the last `count` tokens out of the decoder's own attention."""
    state.update({name: value[:, :, :-count] for name, value in state.items() if ".decoder." in name})


def _past(output: str) -> str:
    """What an output of one step is called as an input of the next."""
    return output.replace("present", "past_key_values")
