"""What a project holds of a model, where that can still be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.errors import StromaError, UnknownNameError
from stroma.features.build import part_names
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.param import Param
from stroma.session.core.disk.regular import require_regular

if TYPE_CHECKING:
    from stroma.training.model import Network

NETWORK = "network.safetensors"
"""Where a project keeps a network that was loaded."""


def unknown_features(param: Param) -> str:
    """Return what is wrong with the names of extractors; empty if all are known."""
    try:
        part_names(str(param.fe_name))
    except UnknownNameError as error:
        return str(error)
    return ""


def saved_network(folder: Path) -> tuple[Network | None, str]:
    """Return the network that was applied, or None and why it cannot be any more."""
    from stroma.workflow.applying.load import load

    try:
        require_regular(folder / NETWORK)
        found: Any = load(folder / NETWORK)
        return found, ""
    except FileNotFoundError:
        return None, f"The network {folder / NETWORK} is gone. Load the network again."
    except StromaError as error:
        return None, f"{error} Load the network again."


def saved_model(folder: Path) -> tuple[ConvpaintModel | None, str]:
    """Return the model, or None and what is wrong with it: it can be trained again."""
    path = folder / "model.pkl"
    if not path.exists():
        return None, ""
    try:
        require_regular(path)
        model = ConvpaintModel(model_path=path)
        if model.classifier is not None:
            model.trained()  # which says where its features came from other weights
        return model, ""
    except StromaError as error:
        return None, f"{error} The model is trained again from the strokes."
