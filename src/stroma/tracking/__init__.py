"""Linking over time: costs of pairs of detections, and solvers that choose among them."""

from stroma.registry import Registry

COSTS = Registry(
    "linking cost",
    {
        "distance": "stroma.tracking.costs:distance",
        "overlap": "stroma.tracking.costs:overlap",
        "size": "stroma.tracking.costs:size",
        "intensity": "stroma.tracking.costs:intensity",
    },
    group="stroma.linking_costs",
)
"""Functions of a `stroma.tracking.candidates.Candidates` to (m,) costs, 0 for a sure link."""

SOLVERS = Registry(
    "linking solver",
    {
        "lap": "stroma.tracking.lap:solve",
        "greedy": "stroma.tracking.greedy:solve",
        "ilp": "stroma.tracking.ilp:solve",
        "hypotheses": "stroma.tracking.hypotheses:solve",
    },
    group="stroma.linking_solvers",
)
"""Functions of a `stroma.tracking.problem.Problem` to the (k,) candidates that are links."""

LEARNERS = Registry(
    "learner of links",
    {
        "trees": "stroma.tracking.learned:LinkModel",
        "transformer": "stroma.tracking.transformer:LinkTransformer",
    },
    group="stroma.link_learners",
    extras={"transformer": "deep"},
)
"""Classes whose ``fit`` takes annotated movies, and which are costs once they are fitted."""
