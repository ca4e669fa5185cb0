"""A language model of somebody's own choice, in the protocol that its settings name."""

from visavis.layers.llm.openai_compatible import OpenAICompatible
from visavis.layers.llm.openai_responses import OpenAIResponses
from visavis.layers.settings import LanguageModelSettings

VendorModel = OpenAICompatible | OpenAIResponses


def vendor_model(settings: LanguageModelSettings) -> VendorModel:
    """The model; `aclose` ends its connections."""
    return OpenAIResponses(settings) if settings.api == "responses" else OpenAICompatible(settings)
