"""What the sensors can tell about a question, and which tool is meant for what somebody did.

Without a vision-language model free questions are answered from what is measured: the question's words are matched
with presence, gaze, expression, gestures, things and the sound of the voice. What no sensor sees is said so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from visavis.layers.perception import Behaviour, Face, Noticed, Scene
from visavis.layers.perception.kinds import KINDS, OTHER_NAMES

UNSEEN = re.compile(
    r"\b(?:wear\w*|cloth\w*|outfits?|attire|shirts?|dress\w*|hats?|colou?rs?|hair|beard|glasses|sunglasses|ages?|old|young|gender|man|"
    r"woman|race|ethnic\w*|names?|identity|rooms?|background|place|location|weather|read|text|written|document|"
    r"passport|licen[cs]e|id card|tattoo\w*|jewel\w*)\b",
    re.IGNORECASE,
)
"""Words for what no sensor of ours can see."""

CANNOT_SEE = "clothes, colours, hair, the room or who somebody is"

_FEELING = re.compile(
    r"\b(?:feel\w*|emotion\w*|mood|happy|happiness|sad\w*|angry|anger|anxious|nervous|stress\w*|bored|boredom|upset|"
    r"distress\w*|excit\w*|frustrat\w*|sentiment|confus\w*)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sensed:
    """What is known at a moment."""

    scene: Scene | None
    """None while the camera is off."""
    recent: Sequence[Noticed] = ()
    """What the person did lately, newest last, seen or heard."""


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})", re.IGNORECASE)


_WORDS: Mapping[Behaviour, re.Pattern[str]] = {
    behaviour: _pattern(words)
    for behaviour, words in {
        Behaviour.CAME: r"arriv|appear|com(?:e|es|ing) (?:in|back|into)|return|enter|joins? ",
        Behaviour.LEFT: r"leav|left (?:the|their)|walk\w* (?:away|off)|absen|gone|disappear|out of (?:view|frame)|"
        r"not (?:in view|present|there)",
        Behaviour.COMPANY: r"another person|(?:second|other) (?:person|face)|some(?:body|one) else|more than one|"
        r"multiple people|several people|not alone|bystander|two people|people",
        Behaviour.ALONE: r"alone again",
        Behaviour.NODDED: r"nod|agree|affirm",
        Behaviour.SHOOK_HEAD: r"shak\w* (?:\w+ )?heads?|head ?shak|disagree",
        Behaviour.SMILED: r"smil|grin|happy|happiness",
        Behaviour.RAISED_BROWS: r"(?:rais\w*|lift\w*) (?:\w+ )?(?:eye ?)?brow|eyebrows? (?:rais|up)",
        Behaviour.SURPRISED: r"surpris|astonish|shock|amaz|startl",
        Behaviour.FROWNED: r"frown|brows? (?:down|together|furrow)|furrow|confus|puzzl|concern",
        Behaviour.SNEERED: r"disgust|sneer|wrinkl\w* (?:\w+ )?nose|nose wrinkl",
        Behaviour.LOOKED_AWAY: r"look\w* (?:away|off|aside|down|elsewhere)|distract|eye contact|(?:not|stops?) "
        r"(?:\w+ )?(?:look|attent|pay)|inattent|avert",
        Behaviour.LOOKED_BACK: r"look\w* back|eye contact again",
        Behaviour.LEANED_IN: r"lean\w* (?:in|forward|closer|towards)|(?:come|move)\w* closer",
        Behaviour.LEANED_BACK: r"lean\w* (?:back|away)|(?:move|step)\w* back",
        Behaviour.CLOSED_EYES: r"clos\w* (?:\w+ )?eyes|eyes (?:are |were )?(?:closed|shut)|sleep|asleep|drows|doz",
        Behaviour.THUMB_UP: r"thumbs?[- ]?up|approv|like sign",
        Behaviour.THUMB_DOWN: r"thumbs?[- ]?down|disapprov|dislike sign",
        Behaviour.OPEN_PALM: r"(?:open )?palm|stop (?:sign|gesture)|rais\w* (?:\w+ )?hand|hand (?:is )?(?:up|rais)",
        Behaviour.VICTORY: r"victory|peace sign",
        Behaviour.POINTED_UP: r"point\w* (?:up|a finger)|index finger",
        Behaviour.FIST: r"fists?\b",
        Behaviour.LOVE: r"i-?love-?you|love sign",
        Behaviour.WAVED: r"wav(?:e|es|ed|ing)\b|greet|goodbye gesture",
        Behaviour.DARK: r"(?:too )?dark\b|light(?:ing)? (?:is )?(?:bad|poor|low)|(?:bad|poor|low) light",
        Behaviour.COVERED: r"camera (?:is |was )?(?:covered|blocked)|cover\w* (?:\w+ )?camera|block\w* (?:\w+ )?camera",
        Behaviour.FROZEN: r"fr[eo]ez|frozen",
        Behaviour.LAUGHED: r"laugh|chuckl|giggl|amus",
        Behaviour.SIGHED: r"sigh|exhal",
        Behaviour.HESITATED: r"hesitat|filler|\bum+\b|\buh+\b|unsure|uncertain",
        Behaviour.LOUD: r"loud|shout|yell|rais\w* (?:\w+ )?voice|volume|scream",
        Behaviour.QUIET: r"quiet|soft(?:ly|er)?\b|whisper|low voice|volume|mumbl",
        Behaviour.FAST: r"fast|quick|hurr|rush|speaking rate|pace|speed",
        Behaviour.SLOW: r"slow|speaking rate|pace|speed",
        Behaviour.HIGH: r"pitch|high(?:er)? voice|tone of voice|tone\b",
        Behaviour.LOW: r"pitch|low(?:er)?\b.*voice|deep(?:er)? voice|tone of voice|tone\b",
        Behaviour.LIVELY: r"lively|animat|expressive|enthusias|energetic|intonation|tone\b",
        Behaviour.FLAT: r"monoton|flat|intonation|tone\b",
    }.items()
}
_SHOWING = _pattern(r"hold|held|objects?\b|items?\b|things?\b|products?\b|pick\w* up")
_PEOPLE = _pattern(
    r"alone|any(?:one|body)|how many|people|person|present|in (?:the )?(?:frame|view|picture|room)|there\b"
)
_GAZE = _pattern(r"look|gaz|attent|attend|eye contact|distract|focus|engag|watch")
_NEARNESS = _pattern(r"close\b|closer|near|far\b|distance|lean")
_LIGHT = _pattern(r"light|dark|camera|visible|bright(?:ness)?\b")
_HANDS = _pattern(r"hands?\b|gestur|finger|palm|thumb")
_TALKING = _pattern(r"talk|speak\b|speaking\b|mouth|lips")
_EXPRESSION = _pattern(r"expression|face\b|facial|smil|frown|brow|surpris|react")
_VIEWS = {
    "dark": "the picture is too dark",
    "covered": "the camera is covered",
    "frozen": "the picture is frozen",
    "clear": "the picture is clear",
}


def answer(question: str, sensed: Sensed) -> str | None:
    """What the sensors know about `question`, as short facts about "they"; None when no sensor can tell."""
    heard_or_done = _done(question, sensed.recent)
    if sensed.scene is None:
        return heard_or_done
    about_feelings = bool(_FEELING.search(question))
    if UNSEEN.search(question) and not _kinds_named(question):
        return None
    facts = _scene_facts(question, sensed.scene, expression=about_feelings)
    if heard_or_done:
        facts.append(heard_or_done)
    if not facts:
        return None
    if about_feelings:
        facts.append("what they feel is not inferred")
    return "; ".join(dict.fromkeys(facts))


def can_tell(question: str) -> bool:
    """Whether some sensor may ever know something about `question`."""
    if UNSEEN.search(question) and not _kinds_named(question):
        return False
    topics = (_PEOPLE, _GAZE, _NEARNESS, _LIGHT, _HANDS, _TALKING, _EXPRESSION, _SHOWING, _FEELING, *_WORDS.values())
    return bool(_kinds_named(question)) or any(topic.search(question) for topic in topics)


def _kinds_named(question: str) -> list[str]:
    words = question.lower()
    other = [kind for name, kind in OTHER_NAMES.items() if re.search(rf"\b{name}s?\b", words)]
    own = [kind for kind in sorted(KINDS) if re.search(rf"\b{kind}(?:e?s)?\b", words)]
    return list(dict.fromkeys(own + other))


def _done(question: str, recent: Sequence[Noticed]) -> str | None:
    phrases = [one.phrase for one in recent if _is_about(question, one)]
    return f"lately they {', '.join(dict.fromkeys(phrases))}" if phrases else None


def _is_about(text: str, noticed: Noticed) -> bool:
    if noticed.behaviour is Behaviour.HELD_UP:
        kinds = _kinds_named(text)
        return any(noticed.thing.endswith(kind) for kind in kinds) if kinds else bool(_SHOWING.search(text))
    words = _WORDS.get(noticed.behaviour)
    return words is not None and bool(words.search(text))


def _scene_facts(question: str, scene: Scene, *, expression: bool) -> list[str]:
    facts: list[str] = []
    if scene.view != "clear" or _LIGHT.search(question):
        facts.append(_VIEWS[scene.view])
    for kind in _kinds_named(question):
        facts.append(f"{_with_article(kind)} is in view" if kind in scene.things else f"no {kind} is in view")
    if _SHOWING.search(question) and not _kinds_named(question):
        facts.append(f"in view: {', '.join(scene.things)}" if scene.things else "no known thing is held up")
    if _PEOPLE.search(question):
        facts.append({0: "nobody is in view", 1: "one person is in view"}.get(scene.people, f"{scene.people} people"))
    if _HANDS.search(question):
        facts.append(f"a hand shows {', '.join(scene.gestures)}" if scene.gestures else "no gesture at the moment")
    if scene.face:
        facts += _face_facts(question, scene.face, expression=expression)
    return facts


def _face_facts(question: str, face: Face, *, expression: bool) -> list[str]:
    facts = []
    if _GAZE.search(question):
        facts.append("they look at the screen" if face.looking else "they look away")
    if _NEARNESS.search(question):
        facts.append("they are very near" if face.height > 0.45 else "they sit at a usual distance or farther")
    if _TALKING.search(question) and face.speaking is not None:
        facts.append("their mouth moves" if face.speaking else "their mouth is still")
    if expression or _EXPRESSION.search(question):
        facts.append(
            f"their face shows {face.expression}" if face.expression else "nothing certain shows on their face"
        )
    return facts


def _with_article(thing: str) -> str:
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def is_meant_for(description: str, noticed: Noticed) -> bool:
    """Whether a tool, described in these words, is to be called when somebody did this."""
    if UNSEEN.search(description) and not _kinds_named(description):
        return False
    return _is_about(description, noticed)


_COUNT = re.compile(r"count|number|people|how_many", re.IGNORECASE)
_SURENESS = re.compile(r"confiden|certain|probab|score", re.IGNORECASE)
_THING = re.compile(r"object|item|thing|product", re.IGNORECASE)


def arguments(parameters: Mapping[str, Any], noticed: Noticed, people: int) -> dict[str, Any] | None:
    """Arguments of a tool (JSON schema `parameters`) for what somebody did; None when a required one is not known.

    Text gets the behaviour in words, the name of a thing, or the value of an enumeration that occurs in them.
    """
    properties = parameters.get("properties") or {}
    found = {name: _argument(name, schema, noticed, people) for name, schema in properties.items()}
    if any(found.get(name) is None for name in parameters.get("required") or ()):
        return None
    return {name: value for name, value in found.items() if value is not None}


def _argument(name: str, schema: Any, noticed: Noticed, people: int) -> str | float | bool | None:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if kind == "string":
        if choices := schema.get("enum"):
            return next((one for one in choices if _occurs(str(one), noticed)), None)
        return noticed.thing if _THING.search(name) and noticed.thing else noticed.phrase
    if kind == "boolean":
        return True
    if kind in ("number", "integer") and _COUNT.search(name):
        return people
    if kind == "number" and _SURENESS.search(name):
        return round(noticed.certainty, 2)
    return None


def _occurs(choice: str, noticed: Noticed) -> bool:
    said = choice.replace("_", " ").replace("-", " ").lower()
    return said in noticed.phrase.lower() or _is_about(said, noticed)
