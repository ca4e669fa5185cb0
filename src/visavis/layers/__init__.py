"""What a persona may swap: each folder is a Protocol and its engines."""

from collections.abc import Callable
from dataclasses import dataclass

from visavis.layers.llm import LanguageModel
from visavis.layers.perception import Perception
from visavis.layers.realtime import VoiceToVoice
from visavis.layers.stt import SpeechToText
from visavis.layers.tools import Tool
from visavis.layers.tts import TextToSpeech
from visavis.layers.turn import EndOfTurn, VoiceActivity, WordsJudge


@dataclass(frozen=True, slots=True)
class Layers:
    """The engines of a conversation."""

    voice_activity: Callable[[], VoiceActivity]
    """Makes one for each call, because it keeps state."""
    recogniser: SpeechToText
    end_of_turn: EndOfTurn
    language_model: LanguageModel
    voice: TextToSpeech
    perception: Perception | None = None
    """None is blind."""
    tools: tuple[Tool, ...] = ()
    """Those of the persona that this process does by itself."""
    voice_to_voice: VoiceToVoice | None = None
    """Hears and answers instead of recogniser, language model and voice."""
    words_judge: WordsJudge | None = None
    """Whom `end_of_turn` asks about words; without one it judges by the rest."""
