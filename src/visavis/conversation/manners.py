"""From a persona's settings to how the floor behaves."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from visavis.conversation import patience
from visavis.conversation.floor import Floor, FloorSettings, Onset
from visavis.conversation.patience import Patience, Sensitivity
from visavis.conversation.persona import Interruptibility, PersonaLayers

_INTERRUPTIBILITY: Mapping[Interruptibility, Onset] = MappingProxyType(
    {"low": Onset(128, 0.6), "medium": Onset(96), "high": Onset(64, 0.4)}
)
_INTERRUPT_SENSITIVITY: Mapping[Sensitivity, Onset] = MappingProxyType(
    {
        "superlow": Onset(640, 0.7),
        "verylow": Onset(320, 0.6),
        "low": _INTERRUPTIBILITY["low"],
        "medium": _INTERRUPTIBILITY["medium"],
        "high": _INTERRUPTIBILITY["high"],
        "auto": _INTERRUPTIBILITY["medium"],
    }
)
"""What it takes to come in while the replica speaks."""


def floor(layers: PersonaLayers) -> Floor:
    """The floor of a conversation with this persona."""
    flow, listening = layers.conversational_flow, layers.stt
    settings = FloorSettings(speaking=_INTERRUPTIBILITY[flow.replica_interruptibility])
    made = Floor(settings, Patience(patience.of_level(flow.turn_taking_patience)))
    change(made, listening.participant_pause_sensitivity, listening.participant_interrupt_sensitivity)
    return made


def change(floor: Floor, pause: Sensitivity | None, interrupt: Sensitivity | None) -> None:
    """Set the sensitivities that are given; from the next pause or overlap on."""
    if pause:
        floor.patience = Patience(patience.of_sensitivity(pause))
    if interrupt:
        floor.settings = replace(floor.settings, speaking=_INTERRUPT_SENSITIVITY[interrupt])
