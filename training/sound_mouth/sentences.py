"""What the built-in voice is made to say: common words and rare ones, so that sounds come in every company."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hibari.tts import ASSETS

_COMMON = (
    "the a of and to in is you that it he was for on are with as I his they be at one have this from or had by but "
    "what some we can out other were all your when up use how said an each she which do their time if will way "
    "about many then them would write like so these her long make thing see him two has look more day could go come "
    "did my no most who over know than call first people may down been now find any new work part take get place "
    "made live where after back little only round man year came show every good me give our under name very through "
    "just form much great think say help low line before turn cause same mean differ move right boy old too does "
    "tell sentence set three want air well also play small end put home read hand port large spell add even land "
    "here must big high such follow act why ask men change went light kind off need house picture try us again "
    "animal point mother world near build self earth father head stand own page should country found answer school "
    "grow study still learn plant cover food sun four thought let keep eye never last door between city tree cross "
    "since hard start might story saw far sea draw left late run while press close night real life few stop open "
    "seem together next white children begin got walk example ease paper often always music those both mark book "
    "letter until mile river car feet care second group maybe baby puppy paper pepper bubble simple family "
    "favourite very over never five voice of off if phone film "
).split()


def sentences(count: int, seed: int) -> Iterator[str]:
    """`count` of them; always the same for a seed."""
    rng = np.random.default_rng(seed)
    with gzip.open(Path(ASSETS) / "lexicon_us_gold.json.gz", "rt", encoding="utf-8") as lexicon:
        known = json.load(lexicon)
    rare = sorted(word for word in known if word.isalpha() and word.islower() and 3 <= len(word) <= 9)
    for _ in range(count):
        words = [
            str(rng.choice(_COMMON)) if rng.random() < 0.7 else str(rng.choice(rare))
            for _ in range(int(rng.integers(3, 12)))
        ]
        if len(words) > 5 and rng.random() < 0.5:
            at = int(rng.integers(2, len(words) - 2))
            words[at] += ","
        yield " ".join(words).capitalize() + str(rng.choice([".", ".", ".", "?", "!"]))
