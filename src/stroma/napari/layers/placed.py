"""Where layers lie in the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Layer, Points
from numpy.typing import NDArray

from stroma.napari.layers.views import Window


@dataclass(frozen=True, eq=False)
class Placed:
    """Where a layer lies in the world, for layers that are to lie over it.

    Parameters
    ----------
    scale, translate, rotate, shear, affine, units, axis_labels
        As napari takes them.
    """

    scale: NDArray[Any]
    translate: NDArray[Any]
    rotate: NDArray[Any]
    shear: NDArray[Any]
    affine: Any
    units: tuple[Any, ...]
    axis_labels: tuple[str, ...]

    @classmethod
    def like(cls, layer: Layer, ndim: int) -> Placed:
        """Return the place of the last axes of a layer."""
        kept = list(range(layer.ndim - ndim, layer.ndim))
        turned = layer.rotate[-ndim:, -ndim:]
        shear = np.eye(layer.ndim)
        shear[np.triu_indices(layer.ndim, 1)] = layer.shear
        sheared = shear[-ndim:, -ndim:][np.triu_indices(ndim, 1)]
        affine = layer.affine.set_slice(kept)
        return cls(
            layer.scale[-ndim:],
            layer.translate[-ndim:],
            turned,
            sheared,
            affine,
            layer.units[-ndim:],
            layer.axis_labels[-ndim:],
        )

    def options(self) -> dict[str, Any]:
        """Return the place as options of a layer."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def behind(self, axis: str) -> dict[str, Any]:
        """Return the place as options of a layer that has one axis more, before the others."""
        ndim = len(self.scale) + 1
        rotate, shear = np.eye(ndim), np.eye(ndim)
        rotate[1:, 1:] = self.rotate
        inner = np.eye(ndim - 1)
        inner[np.triu_indices(ndim - 1, 1)] = self.shear
        shear[1:, 1:] = inner
        return {
            "scale": np.array([1.0, *self.scale]),
            "translate": np.array([0.0, *self.translate]),
            "rotate": rotate,
            "shear": shear[np.triu_indices(ndim, 1)],
            "affine": self.affine.expand_dims([0]),
            "units": ("pixel", *self.units),
            "axis_labels": (axis, *self.axis_labels),
        }

    def last(self, ndim: int) -> Placed:
        """Return the place of the last axes."""
        return Placed.like(Points([np.zeros(len(self.scale))], **self.options()), ndim)

    def world(self, y: float, x: float) -> NDArray[Any]:
        """Return where a pixel of the first plane lies; whole numbers are centres of pixels."""
        at = np.zeros(len(self.scale))
        at[-2:] = y, x
        return self.point(at)

    def point(self, at: NDArray[Any]) -> NDArray[Any]:
        """Return where a place lies, given along all axes in pixels; whole numbers are centres."""
        found: NDArray[Any] = self.affine.func(self.rotate @ (at * self.scale) + self.translate)
        return found

    def through(self, window: Window) -> dict[str, Any]:
        """Return the place of a window of the layer."""
        scale = self.scale.copy()
        scale[-2:] *= window.step
        offset = np.zeros(len(scale))
        offset[-2:] = np.array([window.box.top, window.box.left]) + (window.step - 1) / 2
        moved = self.translate + self.rotate @ (offset * self.scale)
        return {**self.options(), "scale": scale, "translate": moved}
