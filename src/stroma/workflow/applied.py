"""What can be applied to files: models of strokes, and networks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from stroma.errors import ParameterError

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from stroma.pixel.model import ConvpaintModel
    from stroma.training.model import Network

    Model = ConvpaintModel | Network


def is_network(model: Model) -> TypeIs[Network]:
    """Tell whether a model is a network, without importing what networks need.

    Raises
    ------
    ParameterError
        If it is a network whose results are not classes, which is applied in another way.
    """
    loaded: Any = sys.modules.get("stroma.training.model")
    if loaded is None or not isinstance(model, loaded.Network):
        return False
    if model.target.result != "classes":
        raise ParameterError(
            f"This network learned {model.about.target!r}, whose results are "
            f"{model.target.result}, not classes. Call its segment(image) instead."
        )
    return True
