"""What the mouth does for each phoneme of the misaki alphabet (IPA with capitals for English diphthongs).

Targets are articulatory, not pictures: how far the jaw is open, how far the lips are spread, rounded, pressed together
or held against the teeth, and how far the tongue tip is up. The figures are set by eye against the stock replica.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

JAW, SPREAD, ROUND, CLOSED, LABIODENTAL, TONGUE = range(6)
PARAMETERS: Final = 6

Target = NDArray[np.float64]
"""float64[6], each 0 to 1, indexed by the names above."""


@dataclass(frozen=True, slots=True)
class Viseme:
    """Target of one gesture, and how firmly it insists on each parameter against its neighbours (0: not at all)."""

    target: Target
    insists: Target


def gestures(symbol: str) -> tuple[Viseme, ...]:
    """Gestures of one phoneme, in order, sharing its time equally; empty for marks that are not sounds."""
    return _GESTURES.get(symbol, ())


def is_pause(symbol: str) -> bool:
    """Whether the symbol is a space or punctuation, during which nothing is said."""
    return symbol.isspace() or symbol in _PAUSES


def _vowel(jaw: float, spread: float = 0.0, rounded: float = 0.0, firm: float = 1.0) -> Viseme:
    return Viseme(
        np.array([jaw, spread, rounded, 0, 0, 0]),
        np.array([1.5 * firm, firm, firm * (2.4 if rounded > 0.5 else 0.6), 0, 0, 0.6]),
    )


def _consonant(
    jaw: float,
    jaw_firm: float,
    spread: float = 0.0,
    spread_firm: float = 0.2,
    rounded: float = 0.0,
    round_firm: float = 0.15,
    tongue: float = 0.0,
) -> Viseme:
    return Viseme(
        np.array([jaw, spread, rounded, 0, 0, tongue]),
        np.array([jaw_firm, spread_firm, round_firm, 0, 0, 1.2 if tongue else 0.4]),
    )


CLOSURE: Final = Viseme(np.array([0.10, 0, 0, 0, 0, 0]), np.array([0.6, 0.15, 0.15, 0, 0, 0.4]))
"""m, b, p. The contact itself is laid over the blend exactly, see `motion`; here it only steers the jaw."""

REST: Final = Viseme(np.zeros(PARAMETERS), np.array([0.7, 0.7, 0.7, 0, 0, 0.7]))
"""The mouth in silence."""

_A, _E, _I = _vowel(0.80), _vowel(0.45, 0.60), _vowel(0.24, 0.65)
_SCHWA, _O, _U, _OPEN_O = _vowel(0.28, 0.15, firm=0.5), _vowel(0.48, 0, 0.85), _vowel(0.2, 0, 0.85), _vowel(0.6, 0, 0.7)

_VOWELS: Final[dict[str, tuple[Viseme, ...]]] = {
    "ɑ": (_vowel(0.90),), "a": (_A,), "ɒ": (_vowel(0.80, 0, 0.25),), "æ": (_vowel(0.72, 0.40),),
    "ʌ": (_vowel(0.55, 0.10),), "ɐ": (_vowel(0.50, 0.10),), "ə": (_SCHWA,), "ᵊ": (_vowel(0.18, 0.1, firm=0.3),),
    "ɜ": (_vowel(0.32, 0, 0.35),), "ɚ": (_vowel(0.28, 0, 0.35),), "ɛ": (_vowel(0.50, 0.50),), "e": (_E,),
    "ɪ": (_vowel(0.28, 0.50),), "i": (_vowel(0.22, 0.90),), "ᵻ": (_vowel(0.22, 0.40, firm=0.6),),
    "ɨ": (_vowel(0.22, 0.40),), "ɔ": (_OPEN_O,), "o": (_O,), "ʊ": (_vowel(0.24, 0, 0.70),), "u": (_vowel(0.15, 0, 1),),
    "y": (_vowel(0.15, 0, 0.95),), "ø": (_vowel(0.35, 0, 0.85),), "œ": (_vowel(0.5, 0, 0.7),),
    "ɯ": (_vowel(0.2, 0.5),), "ɤ": (_vowel(0.4, 0.2),),
    "A": (_E, _I), "I": (_A, _I), "O": (_O, _U), "Q": (_SCHWA, _U), "W": (_A, _U), "Y": (_OPEN_O, _I),
}  # fmt: skip

_SIBILANT = _consonant(0.14, 1.0, spread=0.55, spread_firm=0.6, round_firm=0.3)
_HUSH = _consonant(0.18, 0.9, rounded=0.60, round_firm=1.0)
_TIP = _consonant(0.22, 0.6, spread=0.2, tongue=0.55)
_DENTAL = _consonant(0.25, 0.7, tongue=0.95)
_BACK = _consonant(0.26, 0.35)
_LIP_TEETH = _consonant(0.10, 0.9)
_BUNCHED = _consonant(0.22, 0.5, rounded=0.50, round_firm=0.8)

_CONSONANTS: Final[dict[str, Viseme]] = (
    dict.fromkeys("mbpɸβ", CLOSURE)
    | dict.fromkeys("fvʋ", _LIP_TEETH)
    | dict.fromkeys("szʦʣɕʥʨ", _SIBILANT)
    | dict.fromkeys("ʃʒʧʤʂ", _HUSH)
    | dict.fromkeys("tdnɾʈɖɳɽT", _TIP)
    | dict.fromkeys("θð", _DENTAL)
    | dict.fromkeys("lʎ", _consonant(0.30, 0.6, tongue=0.85))
    | dict.fromkeys("kɡgŋcɟqɴxɣχçʝɰʁS", _BACK)
    | dict.fromkeys("ɹrɻ", _BUNCHED)
    | dict.fromkeys("wɥᵝ", _consonant(0.10, 0.9, rounded=1.0, round_firm=4.5))
    | {
        "h": _consonant(0.30, 0.12, round_firm=0.03, spread_firm=0.03),
        "j": _consonant(0.18, 0.6, spread=0.6, spread_firm=0.7),
        "ɲ": _consonant(0.20, 0.5, spread=0.5, spread_firm=0.5, tongue=0.4),
        "ʔ": _consonant(0.20, 0.05, round_firm=0.02, spread_firm=0.02),
    }
)

_GESTURES: Final = _VOWELS | {symbol: (viseme,) for symbol, viseme in _CONSONANTS.items()}
_PAUSES: Final = frozenset(';:,.!?—…"()“”')

LIPS_TOGETHER: Final = frozenset("mbp")
"""Phonemes during which the lips touch all the way across."""

LIP_TO_TEETH: Final = frozenset("fv")
"""Phonemes during which the lower lip touches the upper teeth."""

STOPS: Final = frozenset("bp")
"""Of these, the ones that burst open before they end."""
