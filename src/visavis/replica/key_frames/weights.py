"""Which mixture of key pictures shows an articulation."""

from visavis.replica.motion import Array
from visavis.replica.visemes import CLOSED, JAW, LABIODENTAL, ROUND, SPREAD, TONGUE


def key_weights(parameters: Array) -> dict[str, float]:
    """Weights of the mouth keys that show articulatory parameters float64[6]; at least 0, sum 1."""
    jaw, spread, rounded = parameters[JAW], parameters[SPREAD], parameters[ROUND]
    smiling = spread * min(1.0, jaw / 0.45)
    wide_open = jaw * (1 - spread)
    if smiling + wide_open > 1:
        smiling, wide_open = smiling / (smiling + wide_open), wide_open / (smiling + wide_open)
    opening = min(max((jaw - 0.15) / 0.40, 0.0), 1.0)
    weights = {
        "E": smiling * (1 - rounded),
        "aa": wide_open * (1 - rounded),
        "O": rounded * opening,
        "U": rounded * (1 - opening),
    }
    for key, amount in (
        ("L", 0.75 * parameters[TONGUE]),
        ("FF", parameters[LABIODENTAL]),
        ("PP", parameters[CLOSED]),
    ):
        weights = {name: weight * (1 - amount) for name, weight in weights.items()}
        weights[key] = amount
    pressed = 0.6 * weights["PP"]
    weights["PP"] = pressed
    weights["sil"] = max(0.0, 1.0 - sum(weights.values()))
    return {name: float(weight) for name, weight in weights.items()}
