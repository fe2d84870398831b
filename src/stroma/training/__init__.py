"""Networks learn: what from (cases), how (objectives), how long (loop), and what comes out."""

from stroma.registry import Registry

OBJECTIVES = Registry(
    "objective",
    {
        "supervised": "stroma.training.ways.objectives:Supervised",
        "ladder": "stroma.training.ways.objectives:LadderObjective",
        "sequence": "stroma.training.ways.objectives:Sequence",
        "blind-spot": "stroma.training.ways.blind:BlindSpot",
        "neighbours": "stroma.training.ways.neighbours:Neighbours",
        "prompting": "stroma.training.ways.prompting:Prompting",
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
