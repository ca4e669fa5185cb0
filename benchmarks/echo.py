"""Does the replica interrupt itself when the person's loudspeakers are heard by their microphone?

The replica's real voice goes through Opus, a transport delay, a loudspeaker and a room (synthetic impulse response
with exponential decay), comes back 10 dB softer, without any help from a browser's echo cancellation, goes through
Opus again and into the voice activity, with and without `visavis.conversation.own_voice`. Then people speak over it,
0, 5 and 10 dB louder than the echo. Every call begins with nothing learnt; time is counted in samples, faster than
real.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import av
import numpy as np

from benchmarks.report import QUICK, figures, percentile, table
from tests.sentences import SENTENCES, sentence
from tests.speech import grid_clip, grid_names, grid_words
from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.conversation.own_voice import PACKET, OwnVoice
from visavis.layers.tts.hibari import Hibari
from visavis.layers.turn import VAD_FRAME
from visavis.layers.turn.silero import Silero
from visavis.transport.listening import Downsampler
from visavis.transport.opus import OpusEncoder

CALLS = 2 if QUICK else 10
CALL_S = 45 if QUICK else 60
ECHO_DB = -10
LOUDER_DB = (0, 5, 10)
FRAME_S = VAD_FRAME / LISTEN_RATE_HZ

VOICE, VOICED_FRAMES = 0.5, 4
"""What takes the floor from the replica: 128 ms of voice."""


@dataclass(frozen=True)
class Room:
    """Where the echo is made; `delays_ms` are from sending to hearing, transport and air together."""

    delays_ms: tuple[tuple[float, float], ...]
    """From which second of the call on, how many ms."""
    t60_s: float
    direct_db: float
    """The direct sound over the reverberation."""
    noise_db: float | None
    """Noise in the room, relative to the echo."""
    drift_ppm: float

    @property
    def kind(self) -> str:
        """For the table."""
        delay = "delay jumps" if len(self.delays_ms) > 1 else "steady delay"
        return f"{delay}, {'no noise' if self.noise_db is None else f'noise {self.noise_db:.0f} dB'}"


@dataclass(frozen=True)
class Remark:
    """What a person says over the replica."""

    start_s: float
    sound: Samples
    louder_db: int


def main() -> None:
    """Measure and report."""
    people, voice, vad = _people(), asyncio.run(_replica(CALLS * CALL_S)), Silero()
    results = [_call(number, voice, people, vad) for number in range(CALLS)]
    rows = []
    for kind in sorted({result.room.kind for result in results}):
        some = [result for result in results if result.room.kind == kind]
        rows.append((f"{kind} ({len(some)} x {CALL_S} s)", *_summary(some)))
    titles = ("echo at -10 dB", "self-int. without", "with guard", "found", "of", "extra p50 ms", "extra p95 ms")
    table("Own voice", titles, [*rows, ("all", *_summary(results))])
    delays = [(louder, delay) for result in results for louder, delay in result.extra_ms]
    for_each = {louder: [delay for at, delay in delays if at == louder] for louder in LOUDER_DB}
    table(
        "People who speak over the echo",
        ("louder than the echo", "found", "of", "extra p50 ms", "extra p95 ms"),
        [(f"{db} dB", *_found(some)) for db, some in for_each.items()],
    )
    unguarded, guarded, found, of, p50, p95 = _summary(results)
    figures(
        {
            "minutes": CALLS * CALL_S / 60,
            "self_interruptions": guarded,
            "self_interruptions_no_guard": unguarded,
            "interruptions_found": found / of if of else float("nan"),
            "interruptions": of,
            "extra_delay_p50_ms": p50,
            "extra_delay_p95_ms": p95,
            "guard_us_per_frame": percentile([result.guard_us for result in results], 50),
        }
    )


@dataclass(frozen=True)
class Result:
    """One call."""

    room: Room
    unguarded: int
    guarded: int
    extra_ms: list[tuple[int, float | None]]
    """For each remark how much louder than the echo it was, and how much later than in silence it was noticed."""
    guard_us: float


def _summary(results: Sequence[Result]) -> tuple[int, int, int, int, float, float]:
    found = _found([delay for result in results for _, delay in result.extra_ms])
    return sum(result.unguarded for result in results), sum(result.guarded for result in results), *found


def _found(delays: Sequence[float | None]) -> tuple[int, int, float, float]:
    known = [delay for delay in delays if delay is not None]
    return len(known), len(delays), percentile(known, 50), percentile(known, 95)


def _call(number: int, voice: Pcm, people: Sequence[Samples], vad: Silero) -> Result:
    rng = np.random.default_rng(1000 + number)
    room = _room(number, rng)
    played = voice[number * CALL_S * PLAYOUT_RATE_HZ :][: CALL_S * PLAYOUT_RATE_HZ]
    echo = _echo(played, room, rng)
    silence = rng.normal(0, 1e-4, len(echo)).astype(np.float32)
    remarks = _remarks(echo, people, number)
    alone, spoken = silence.copy(), echo.copy()
    for remark in remarks:
        start = round(remark.start_s * PLAYOUT_RATE_HZ)
        for track in (alone, spoken):
            track[start : start + len(remark.sound)] += remark.sound[: len(track) - start]
    only_echo, both, only_person = (_microphone(track) for track in (echo, spoken, alone))
    unguarded = _voice_activity(vad, only_echo)
    explained, guard_us = _explained(played, only_echo)
    explained_both, _ = _explained(played, both)
    heard = _voice_activity(vad, both) * (1 - explained_both)
    clean = _voice_activity(vad, only_person)
    return Result(
        room,
        _floor_taken(unguarded),
        _floor_taken(unguarded * (1 - explained)),
        [(remark.louder_db, _extra_ms(heard, clean, remark)) for remark in remarks],
        guard_us,
    )


def _room(number: int, rng: np.random.Generator) -> Room:
    """A room for each call; every third has a jitter buffer that moves every nine seconds."""
    starts = (0.0, *range(9, CALL_S, 9)) if number % 3 == 0 else (0.0,)
    transport_ms = rng.uniform(30, 350, len(starts))
    acoustic_ms = rng.uniform(30, 200)
    return Room(
        tuple((float(start), float(ms + acoustic_ms)) for start, ms in zip(starts, transport_ms, strict=True)),
        t60_s=float(rng.uniform(0.2, 0.7)),
        direct_db=float(rng.uniform(-3, 6)),
        noise_db=(None, -20.0, -10.0)[number // 2 % 3],
        drift_ppm=float(rng.uniform(-60, 60)),
    )


def _echo(played: Pcm, room: Room, rng: np.random.Generator) -> Samples:
    """What the microphone hears of what was played."""
    arrived = _through_opus(played)
    level = _speech_level(arrived) * 10 ** (ECHO_DB / 20)
    # Small loudspeakers are not linear.
    echo = _convolved(np.tanh(1.2 * arrived), _impulse_response(room, rng))
    at = np.arange(len(echo)) * (1 + room.drift_ppm * 1e-6)
    echo = np.interp(at, np.arange(len(echo)), echo)
    delayed = np.zeros_like(echo)
    for start_s, delay_ms in room.delays_ms:
        source = np.arange(round(start_s * PLAYOUT_RATE_HZ), len(echo)) - round(delay_ms * PLAYOUT_RATE_HZ / 1000)
        delayed[len(echo) - len(source) :] = np.where(source >= 0, echo[np.maximum(source, 0)], 0)
    delayed *= level / _speech_level(delayed)
    noise = rng.normal(0, 1e-4 if room.noise_db is None else level * 10 ** (room.noise_db / 20), len(echo))
    return np.asarray(delayed + noise, np.float32)


def _impulse_response(room: Room, rng: np.random.Generator) -> Samples:
    """A direct sound and an exponential decay, coloured by a small loudspeaker."""
    seconds = np.arange(round(room.t60_s * PLAYOUT_RATE_HZ)) / PLAYOUT_RATE_HZ
    tail = rng.normal(0, 1, len(seconds)) * 10 ** (-3 * seconds / room.t60_s) * (seconds > 0.002)
    response = tail * 10 ** (-room.direct_db / 20) / np.sqrt(np.sum(tail**2))
    response[0] = 1
    spectrum = np.fft.rfft(response, PLAYOUT_RATE_HZ)
    hz = np.fft.rfftfreq(PLAYOUT_RATE_HZ, 1 / PLAYOUT_RATE_HZ)
    colour_db = np.interp(hz, [0, 500, 1500, 3000, 6000, 24000], rng.normal(0, 4, 6))
    high_pass = 1 / np.sqrt(1 + (250 / np.maximum(hz, 1)) ** 4)
    coloured = np.fft.irfft(spectrum * high_pass * 10 ** (colour_db / 20))
    # The filter is as long before its sound as after it, so it is given 10 ms.
    return np.asarray(np.roll(coloured, PLAYOUT_RATE_HZ // 100), np.float32)


def _remarks(echo: Samples, people: Sequence[Samples], number: int) -> list[Remark]:
    """People who begin while the echo is loud, and two seconds later the next."""
    level = _speech_level(echo)
    piece = PLAYOUT_RATE_HZ // 10
    loud = np.sqrt((echo[: len(echo) // piece * piece].reshape(-1, piece) ** 2).mean(axis=1)) > 0.5 * level
    remarks: list[Remark] = []
    at = 30 + number
    while at < 10 * (CALL_S - 4):
        if loud[at : at + 6].mean() < 0.8:
            at += 1
            continue
        index = len(remarks) + number
        sound, louder_db = people[index % len(people)], LOUDER_DB[index % len(LOUDER_DB)]
        gain = level * 10 ** (louder_db / 20) / _speech_level(sound)
        remarks.append(Remark(at / 10, np.asarray(sound * gain, np.float32), louder_db))
        at += len(sound) // piece + 20
    return remarks


def _explained(played: Pcm, heard: Samples) -> tuple[np.ndarray, float]:
    """What the guard says of each frame, in the order in which a call would ask; and its time for a frame in us."""
    guard, values, took = OwnVoice(), [], []
    sent = 0
    for start in range(0, len(heard) - VAD_FRAME + 1, VAD_FRAME):
        while sent * LISTEN_RATE_HZ < (start + VAD_FRAME) * PLAYOUT_RATE_HZ and sent + PACKET <= len(played):
            guard.played(played[sent : sent + PACKET])
            sent += PACKET
        before = time.perf_counter()
        values.append(guard.explains(heard[start : start + VAD_FRAME]))
        took.append(1e6 * (time.perf_counter() - before))
    return np.array(values), float(np.median(took))


def _voice_activity(vad: Silero, heard: Samples) -> np.ndarray:
    stream = vad.listen()
    frames = range(0, len(heard) - VAD_FRAME + 1, VAD_FRAME)
    return np.array([stream.probability(heard[start : start + VAD_FRAME]) for start in frames])


def _floor_taken(voice: np.ndarray) -> int:
    """How often the replica is interrupted; it begins again a second later."""
    count = at = 0
    while (found := _first_voice(voice, at, len(voice))) is not None:
        count += 1
        at = found + round(1 / FRAME_S)
    return count


def _first_voice(voice: np.ndarray, start: int, stop: int) -> int | None:
    run = 0
    for frame in range(max(start, 0), min(stop, len(voice))):
        run = run + 1 if voice[frame] >= VOICE else 0
        if run == VOICED_FRAMES:
            return frame
    return None


def _extra_ms(heard: np.ndarray, clean: np.ndarray, remark: Remark) -> float | None:
    """How much later a remark is noticed over the echo than in silence; None if not before its end (or 1.5 s)."""
    begin = int(remark.start_s / FRAME_S)
    end = begin + int(min(len(remark.sound) / PLAYOUT_RATE_HZ, 1.5) / FRAME_S) + VOICED_FRAMES
    without = _first_voice(clean, begin - 1, end)
    found = _first_voice(heard, begin - 1, end)
    return None if found is None or without is None else 1000 * FRAME_S * (found - without)


def _microphone(sound: Samples) -> Samples:
    """48 kHz sound as the conversation hears it."""
    decoded, downsample = _through_opus((np.clip(sound, -1, 1) * 32767).astype(np.int16)), Downsampler()
    return np.concatenate([downsample(decoded[at : at + PACKET]) for at in range(0, len(decoded), PACKET)])


def _through_opus(pcm: Pcm) -> Samples:
    encoder, decoder = OpusEncoder(), av.CodecContext.create("libopus", "r")
    decoder.layout = "mono"
    decoder.sample_rate = PLAYOUT_RATE_HZ
    decoded = [
        frame.to_ndarray().reshape(-1)
        for at in range(0, len(pcm) - PACKET + 1, PACKET)
        for packet in encoder.encode(pcm[at : at + PACKET], at)
        for frame in decoder.decode(av.Packet(packet))
    ]
    return np.asarray(np.concatenate(decoded) / 32768, np.float32)


def _convolved(sound: Samples, response: Samples) -> Samples:
    size = 1 << (len(sound) + len(response) - 1).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(sound)], np.float32)


def _speech_level(sound: Samples) -> float:
    """Root mean square where there is sound."""
    pieces = np.sqrt((sound[: len(sound) // 480 * 480].reshape(-1, 480) ** 2).mean(axis=1))
    return float(np.sqrt(np.mean(pieces[pieces > 0.1 * pieces.max()] ** 2)))


async def _replica(seconds: float) -> Pcm:
    """So much of the replica's voice, with pauses between some sentences."""
    choose, voice = random.Random(3), Hibari()
    parts, samples = [np.zeros(PLAYOUT_RATE_HZ, np.int16)], PLAYOUT_RATE_HZ
    while samples < seconds * PLAYOUT_RATE_HZ:
        text = f"{choose.choice(_OPENERS)} {choose.choice(_THINGS)} {choose.choice(_FACTS)}, {choose.choice(_ENDS)}."
        pause = np.zeros(round(choose.choice([0, 0, 0.1, 0.3, 1.5]) * PLAYOUT_RATE_HZ), np.int16)
        spoken = [speech.pcm async for speech in voice.stream(text)]
        parts += [*spoken, pause]
        samples += sum(map(len, spoken)) + len(pause)
    return np.concatenate(parts)


_OPENERS = ["You know,", "Well,", "As far as I can tell,", "To be honest,", "In the first room", "On a clear morning"]
_THINGS = ["the old lighthouse", "your roof", "the second painting", "our battery", "every visitor", "a small museum"]
_FACTS = ["needs a bit of patience", "was built by three sisters", "costs less than you think", "faces the harbour"]
_ENDS = ["and nobody regrets it", "which surprises most people", "so let us begin there", "because the light is soft"]


def _people() -> list[Samples]:
    """Recorded people at 48 kHz, from the first to the last word."""
    women = [sentence(name, PLAYOUT_RATE_HZ) for name in list(SENTENCES)[::2]]
    men = [_man(name) for name in grid_names()[::10]]
    return [sound for pair in zip_longest(women, men) for sound in pair if sound is not None]


def _man(name: str) -> Samples:
    sound, words = grid_clip(name)[0], grid_words(name)
    spoken = sound[round(words[0][1] * LISTEN_RATE_HZ) : round(words[-1][2] * LISTEN_RATE_HZ)]
    size = len(spoken) * PLAYOUT_RATE_HZ // LISTEN_RATE_HZ
    return np.asarray(np.fft.irfft(np.fft.rfft(spoken), size) * size / len(spoken), np.float32)


if __name__ == "__main__":
    main()
