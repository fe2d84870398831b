"""What can be applied to files: models of strokes, and networks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from stroma.errors import ParameterError

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from stroma.pixel.model import ConvpaintModel
    from stroma.training.model import Network

    Model: TypeAlias = ConvpaintModel | Network


TABLES = ("points", "category", "object classes")
"""Results that are tables."""


def is_network(model: Model) -> TypeIs[Network]:
    """Tell whether a model is a network, without importing what networks need."""
    loaded: Any = sys.modules.get("stroma.training.model")
    return loaded is not None and isinstance(model, loaded.Network)


def result_of(model: Model) -> str:
    """Return what a model makes of an image: classes, instances, points or an image.

    Of a network that tells classes of objects apart, "object classes".
    """
    if is_network(model) and model.of_objects:
        return "object classes"
    return model.target.result if is_network(model) else "classes"


def is_table(model: Model) -> bool:
    """Tell whether what a model makes of an image is a table, not an image again."""
    return result_of(model) in TABLES and not (is_network(model) and model.heads)


def sized(model: Model, diameter: float | None) -> Model:
    """Return a model for objects of another size; as it is where none is given.

    Raises
    ------
    ParameterError
        If the size of objects does not matter to it.
    """
    if diameter is None:
        return model
    if not is_network(model):
        raise ParameterError(
            "A model of strokes does not ask for the diameter of objects. Leave the diameter out."
        )
    return model.sized(diameter)
