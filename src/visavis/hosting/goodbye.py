"""What a replica says when its server has to stop."""

_BY_LANGUAGE = {
    "english": "I have to go now. Thank you for talking with me. Goodbye!",
    "spanish": "Ahora tengo que irme. Gracias por hablar conmigo. ¡Adiós!",
    "french": "Je dois vous quitter maintenant. Merci d'avoir parlé avec moi. Au revoir !",
    "german": "Ich muss jetzt gehen. Danke für das Gespräch. Auf Wiederhören!",
    "italian": "Adesso devo andare. Grazie per aver parlato con me. Arrivederci!",
    "portuguese": "Tenho que ir agora. Obrigada por falar comigo. Até logo!",
    "dutch": "Ik moet nu gaan. Bedankt voor het gesprek. Tot ziens!",
}


def goodbye(language: str) -> str:
    """The last words in `language` (its full English name), in English where there are none."""
    return _BY_LANGUAGE.get(language.strip().lower(), _BY_LANGUAGE["english"])
