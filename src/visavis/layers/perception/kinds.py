"""Names of things that can be told apart: the classes of COCO that a person in a call may show or sit among."""

HANDHELD = frozenset(
    "backpack umbrella handbag tie suitcase frisbee bottle cup fork knife spoon bowl banana apple sandwich orange"
    " broccoli carrot pizza donut cake remote keyboard mouse book clock vase scissors toothbrush cat dog bird".split()
) | {"wine glass", "cell phone", "hot dog", "teddy bear", "hair drier", "tennis racket", "sports ball"}
"""What somebody may hold up to be seen; the rest of COCO is furniture, traffic and large animals."""

KINDS = HANDHELD | {"chair", "couch", "bed", "laptop", "tv", "potted plant", "dining table", "bicycle", "car"}
"""What a question may ask about by name."""

OTHER_NAMES = {
    "mug": "cup",
    "phone": "cell phone",
    "smartphone": "cell phone",
    "glass": "wine glass",
    "sofa": "couch",
    "plant": "potted plant",
    "ball": "sports ball",
    "television": "tv",
    "bag": "handbag",
}
"""What people say, and what the network calls it."""
