"""The layers that results are shown on."""

from __future__ import annotations

from typing import Any

from napari.layers import Image, Labels

from stroma.errors import StromaError
from stroma.napari.layers.arrays import PlaneArray


class Shown:
    """A layer whose values are those of the session, and of nobody else."""

    name: Any

    @property
    def data(self) -> Any:
        """What the session knows."""
        return super().data  # type: ignore[misc]

    @data.setter
    def data(self, values: Any) -> None:
        if not is_of_session(values):
            raise StromaError(
                f"The layer {self.name!r} shows results of Stroma and takes no other values. Add "
                "them as a layer of their own: viewer.add_labels(values), or viewer.add_image(...)."
            )
        super(Shown, type(self)).data.fset(self, values)  # type: ignore[misc]


class ShownLabels(Shown, Labels):  # type: ignore[misc]
    """A segmentation."""

    @property
    def _type_string(self) -> str:
        return "labels"  # for napari, its writers and icons, this is one of its labels layers


class ShownImage(Shown, Image):  # type: ignore[misc]
    """Uncertainty, or the probability of a class."""

    @property
    def _type_string(self) -> str:
        return "image"


def is_of_session(values: Any) -> bool:
    """Tell whether the values of a layer are read from the session."""
    levels = values if isinstance(values, list) else [values]
    return all(isinstance(level, PlaneArray) for level in levels)
