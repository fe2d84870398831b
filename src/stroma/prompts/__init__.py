"""Seeds in, an object out: a click, a box or a stroke says which object is meant."""

from stroma.registry import Registry

ENGINES = Registry(
    "prompt engine",
    {"graph": "stroma.prompts.graph:Graph"},
    group="stroma.prompts",
)
"""Classes that keep `stroma.prompts.contract.PromptedSegmenter`, made without arguments."""
