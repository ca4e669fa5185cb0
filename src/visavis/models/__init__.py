"""Model files: what they are, where they come from, where they lie. Interface:

    path(name)        folder of a model that has been pulled, else a `ModelMissingError` that names the command
    pull(names)       download, check, convert; with progress

Names: `moonshine-base-en`, `moonshine-tiny-en`, `silero-vad`, `smart-turn-v3.2`, `qwen2.5-coder-0.5b`,
`qwen2.5-coder-1.5b`, `smollm2-135m`, `hibari-heart`.
"""
