"""What all learned links tell of themselves in a file, whatever learned them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stroma.errors import FormatError
from stroma.tracking.annotated import WIDEST, LearnedLinks
from stroma.tracking.pairs import pair_names

MOST_MEASURES = 200


def told(learner: str, model: LearnedLinks) -> dict[str, Any]:
    """Return what is told of fitted links, as plain values."""
    return {
        "learner": learner,
        "measures": list(model.measures_),
        "columns": list(pair_names(model.measures_)),
        "scores": dict(model.scores_),
        "wider": float(model.wider),
    }


def read_told(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``measures_``, ``wider`` and ``scores_``, every value checked.

    Raises
    ------
    FormatError
        If something is missing or damaged, or of a version with other measures of pairs.
    """
    try:
        measures, scores = tuple(state["measures"]), dict(state["scores"])
        wider, columns = float(state["wider"]), list(state["columns"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(str(error)) from error
    if not all(isinstance(m, str) for m in measures) or len(measures) > MOST_MEASURES:
        raise damaged("measures are no list of names")
    if not 1 <= wider <= WIDEST:
        raise damaged(f"objects get {wider} times as far")
    if not all(isinstance(v, float) for v in scores.values()):
        raise damaged("scores are no numbers")
    if columns != list(pair_names(measures)):
        raise outdated()
    return {"measures_": measures, "wider": wider, "scores_": scores}


def damaged(how: str) -> FormatError:
    """Return what is raised where a file was not written like this."""
    return FormatError(f"The learned links are damaged: {how}.")


def outdated() -> FormatError:
    """Return what is raised where pairs were measured otherwise."""
    return FormatError(
        "The learned links look at other measures of pairs than this version has. Learn them again."
    )
