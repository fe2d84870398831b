"""Networks learn: what from (cases), how (objectives), how long (loop), and what comes out."""

from stroma.registry import Registry

OBJECTIVES = Registry(
    "objective",
    {
        "supervised": "stroma.training.objectives:Supervised",
        "few-stroke": "stroma.training.strokes.objective:FewStrokes",
    },
    group="stroma.objectives",
    extras={"supervised": "train", "few-stroke": "deep"},
)
"""Name -> class of an objective; see :class:`stroma.training.contract.Objective`."""
