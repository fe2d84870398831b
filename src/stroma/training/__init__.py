"""Networks learn: what from (cases), how (objectives), how long (loop), and what comes out."""

from stroma.registry import Registry

OBJECTIVES = Registry(
    "objective",
    {
        "supervised": "stroma.training.objectives:Supervised",
        "ladder": "stroma.training.objectives:LadderObjective",
        "sequence": "stroma.training.objectives:Sequence",
        "blind-spot": "stroma.training.blind:BlindSpot",
        "neighbours": "stroma.training.neighbours:Neighbours",
        "prompting": "stroma.training.prompting:Prompting",
        "few-stroke": "stroma.training.strokes.objective:FewStrokes",
    },
    group="stroma.objectives",
    extras={
        **dict.fromkeys(
            ("supervised", "ladder", "sequence", "blind-spot", "neighbours", "prompting"), "train"
        ),
        "few-stroke": "deep",
    },
)
"""Name -> class of an objective; see :class:`stroma.training.contract.Objective`."""
