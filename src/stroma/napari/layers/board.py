"""The layers that show one image of a session in a viewer: strokes and results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Shapes
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data import cut
from stroma.data.classes import Class
from stroma.napari.layers import colors
from stroma.napari.layers.arrays import PlaneArray
from stroma.napari.layers.placed import Placed
from stroma.napari.layers.results_layer import ShownImage, ShownLabels
from stroma.napari.layers.strokes_layer import Strokes
from stroma.napari.layers.views import (
    WHOLE,
    Pen,
    Window,
    covers,
    label_type,
    result_arrays,
    strokes_array,
    window_for,
)
from stroma.session import Session
from stroma.session.events import Position

STROKES, SEGMENTATION, UNCERTAINTY, PROBABILITY = (
    "strokes",
    "segmentation",
    "uncertainty",
    "probability",
)
FRAME = "frame"
NEXT = "paint here next"
NAMES = {
    FRAME: NEXT,
    STROKES: "annotations",
    SEGMENTATION: "segmentation",
    UNCERTAINTY: "uncertainty",
    PROBABILITY: "probability",
}
MARK = "stroma"
"""Key of layers' metadata under which they say what they show."""


class Board:
    """Layers over one image.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where they are shown.
    session : Session
        What they show.
    image : str
        Key of the image.
    sizes : dict of str to int
        Those of the layers (`pictures.overlay_sizes`).
    placed : Placed
        Where the image lies.
    """

    def __init__(
        self, viewer: Any, session: Session, image: str, sizes: dict[str, int], placed: Placed
    ) -> None:
        self.viewer = viewer
        self.session = session
        self.image = image
        self.sizes = sizes
        self.placed = placed
        self.pen = Pen(session, image)
        self.dtype = label_type(session.classes)
        self.plane = Box(0, 0, sizes["y"], sizes["x"])
        self.window = Window(self.plane)
        if self.windowed:
            self.window = window_for(self.plane, self.plane)
        self._layers: dict[str, Layer] = {}

    def whole(self, across: str) -> Box:
        """Return all pixels of a plane across an axis."""
        rows, columns = list(cut.ROWS_AND_COLUMNS[across])
        return Box(0, 0, self.sizes[rows], self.sizes[columns])

    @property
    def windowed(self) -> bool:
        """Whether strokes are shown only as far as they are in view."""
        return self.plane.area > WHOLE

    def layer(self, role: str) -> Layer | None:
        """Return the layer of a role; None if it is not there, or the user removed it."""
        return self._layers.get(role)

    def forget(self, layer: Layer) -> None:
        """Take note that a layer was removed."""
        self._layers = {r: found for r, found in self._layers.items() if found is not layer}

    def point_out(self, box: Box, title: str = NEXT, *, plane: Position | None = None) -> None:
        """Frame a place of a plane, until something is painted."""
        edges = np.array([box.top, box.left, box.bottom, box.right]) - 0.5
        corners = edges[[[0, 1], [0, 3], [2, 3], [2, 1]]]
        if cut.across(plane or {}) != "z":
            corners = self._in_volume(corners, plane or {})
        layer: Any = self._layers.get(FRAME)
        if layer is not None and layer.ndim != corners.shape[1]:
            self.drop(FRAME)
            layer = None
        if layer is None:
            layer = Shapes(
                [corners],
                shape_type="polygon",
                face_color="transparent",
                edge_color="#ffee00",
                **self.placed.last(corners.shape[1]).options(),
            )
            self._layers[FRAME] = self._insert(FRAME, layer)
        else:
            layer.data = [corners]
        layer.edge_width = [max(1.0, max(box.shape) / 40)]
        layer.name = title

    def _in_volume(self, corners: NDArray[np.float64], plane: Position) -> NDArray[np.float64]:
        """Return corners (row, column) on a plane across y or x along all axes."""
        at = np.zeros((len(corners), len(self.sizes)))
        for i, axis in enumerate(self.sizes):
            own = cut.ROWS_AND_COLUMNS[cut.across(plane)].find(axis)
            at[:, i] = corners[:, own] if own >= 0 else plane.get(axis, 0)
        return at

    def drop(self, role: str) -> None:
        """Remove a layer, if it is there."""
        layer = self._layers.pop(role, None)
        if layer is not None and layer in self.viewer.layers:
            self.viewer.layers.remove(layer)

    def take_over(self, other: Board) -> None:
        """Show this image on the layers of another, as far as they fit; remove the rest.

        Removing a layer and making another takes napari some tenths of a second.
        """
        for role in sorted(other._layers, key=lambda role: role == STROKES):  # these on top
            layer = other._layers[role]
            if role == FRAME or not self._fits(role, layer):
                other.drop(role)
                continue
            layer.data = self._arrays(role, layer.metadata[MARK]["label"])[0]
            layer.metadata[MARK]["image"] = self.image
            if role == STROKES:
                layer.pen, layer.whole = self.pen, self._whole()
            self._layers[role] = layer
            self.viewer.layers.move(self.viewer.layers.index(layer), len(self.viewer.layers))
        other._layers.clear()
        self.place(self.placed)

    def _fits(self, role: str, layer: Layer) -> bool:
        _, multiscale = self._arrays(role, layer.metadata[MARK]["label"])
        same: bool = layer.ndim == len(self.sizes) and layer.multiscale == multiscale
        return same

    def take_down(self) -> None:
        """Remove all layers."""
        for layer in list(self._layers.values()):
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self._layers.clear()

    # ------------------------------------------------------------------ showing

    def show(self, role: str, *, label: int | None = None) -> Layer:
        """Show a layer; it is made where it is not there."""
        layer = self._layers.get(role)
        if layer is None:
            made = self._strokes() if role == STROKES else self._result(role, label)
            layer = self._layers[role] = self._insert(role, made)
        elif role == PROBABILITY and label != layer.metadata[MARK]["label"]:
            self._point_at(layer, label)
        layer.visible = True
        return layer

    def hide(self, role: str) -> None:
        """Hide a layer."""
        if role in self._layers:
            self._layers[role].visible = False

    def refresh(self, *, strokes: bool = False, results: bool = False) -> None:
        """Read what is in view again."""
        for role, layer in self._layers.items():
            if strokes if role == STROKES else results and role != FRAME:
                layer.refresh(extent=False, highlight=False, thumbnail=False)

    def keep(self, labels: Any, name: str, *, visible: bool = True) -> Labels:
        """Add the labels of the whole image, axes t, z, y, x, as a layer that keeps them.

        It lies below what is painted on, which stays selected.
        """
        classes = self.session.classes
        return self._keep(
            labels,
            name=name,
            visible=visible,
            colormap=colors.label_colors(classes),
            features=colors.class_features(classes),
        )

    def keep_objects(self, labels: Any, name: str) -> Labels:
        """Add numbers of objects, axes t, z, y, x, as a layer that keeps them."""
        return self._keep(labels, name=name)

    def keep_probabilities(self, values: NDArray[np.float32], name: str) -> Layer:
        """Add the probabilities of all classes, axes class, t, z, y, x, as a layer."""
        if "c" in self.sizes:
            at = 1 + list(self.sizes).index("c")
            values = np.expand_dims(values, at)
            values = np.broadcast_to(values, (len(values), *self.sizes.values()))
        active = self.viewer.layers.selection.active
        made = self.viewer.add_image(
            values, name=name, contrast_limits=(0, 1), **self.placed.behind("class")
        )
        made.metadata["classes"] = [c.name for c in self.session.classes]
        self.viewer.layers.selection.active = active
        return made

    def _keep(self, labels: Any, **options: Any) -> Labels:
        if "c" in self.sizes:  # the same all along channels, so that axes stay aligned
            labels = np.expand_dims(labels, list(self.sizes).index("c"))
            labels = np.broadcast_to(labels, tuple(self.sizes.values()))
        layers = self.viewer.layers
        active = layers.selection.active
        made = self.viewer.add_labels(labels, opacity=0.5, **options, **self.placed.options())
        own = [layers.index(layer) for layer in self._layers.values() if layer in layers]
        layers.move(layers.index(made), min(own, default=len(layers)))
        layers.selection.active = active
        return made

    def recolor(self, classes: Iterable[Class]) -> None:
        """Show classes in their colours, by their names."""
        listed = tuple(classes)
        if label_type(listed) != self.dtype:
            self.dtype = label_type(listed)
            for role in {STROKES, SEGMENTATION} & self._layers.keys():
                layer = self._layers[role]
                layer.data = self._arrays(role, None)[0]
        for role, layer in self._layers.items():
            if isinstance(layer, Labels):
                selected = layer.selected_label
                layer.colormap = colors.label_colors(listed)
                layer.features = colors.class_features(listed)
                layer.selected_label = selected
            elif role == PROBABILITY:
                layer.colormap = self._ramp(layer.metadata[MARK]["label"])

    def place(self, placed: Placed) -> None:
        """Move the layers to where the image is now."""
        self.placed = placed
        for role, layer in self._layers.items():
            if role == FRAME:
                continue
            options = placed.through(self.window) if role == STROKES else placed.options()
            for name, value in options.items():
                if not np.array_equal(getattr(layer, name), value):  # each makes napari draw anew
                    setattr(layer, name, value)

    def look_through(self, box: Box) -> None:
        """Cover what is in view with the layer of strokes, where it covers only a part."""
        layer: Any = self._layers.get(STROKES)
        if not self.windowed or layer is None or not box.area:
            return
        if covers(self.window, box):
            return
        self.window = window_for(box, self.plane)
        moved = self.placed.through(self.window)
        layer.look_through(self._arrays(STROKES, None)[0], moved["scale"], moved["translate"])

    # ------------------------------------------------------------------ making layers

    def _strokes(self) -> Layer:
        classes = self.session.classes
        made = Strokes(
            self._arrays(STROKES, None)[0],
            pen=self.pen,
            whole=self._whole(),
            opacity=0.8,
            colormap=colors.label_colors(classes),
            features=colors.class_features(classes),
            **self.placed.through(self.window),
        )
        made.brush_size = 9
        return made

    def _result(self, role: str, label: int | None) -> Layer:
        data, multiscale = self._arrays(role, label)
        options = {**self.placed.options(), "multiscale": multiscale}
        classes = self.session.classes
        if role == SEGMENTATION:
            made = ShownLabels(
                data,
                opacity=0.45,
                colormap=colors.label_colors(classes),
                features=colors.class_features(classes),
                **options,
            )
            made.editable = False
            return made
        ramp = colors.uncertainty_colors() if role == UNCERTAINTY else self._ramp(label)
        return ShownImage(
            data,
            opacity=0.7,
            colormap=ramp,
            contrast_limits=(0, 1),
            blending="translucent",
            rgb=False,
            **options,
        )

    def _point_at(self, layer: Layer, label: int | None) -> None:
        """Show another class on the layer of probabilities."""
        layer.data = self._arrays(PROBABILITY, label)[0]
        layer.metadata[MARK]["label"] = label
        layer.colormap = self._ramp(label)

    def _whole(self) -> PlaneArray:
        """Return what is painted on all pixels."""
        return strokes_array(self.pen, self.sizes, Window(self.plane))

    def _arrays(self, role: str, label: int | None) -> tuple[Any, bool]:
        if role == STROKES:
            return strokes_array(self.pen, self.sizes, self.window, self.dtype), False
        kind: Any = "labels" if role == SEGMENTATION else role
        dtype = self.dtype if role == SEGMENTATION else np.float32
        levels = result_arrays(
            self.session, self.image, self.sizes, layer=kind, label=label, dtype=dtype
        )
        return (levels, True) if len(levels) > 1 else (levels[0], False)

    def _ramp(self, label: int | None) -> Any:
        found = next((c for c in self.session.classes if c.label == label), None)
        return colors.probability_colors(found or Class(label or 1))

    def _insert(self, role: str, made: Layer) -> Layer:
        """Add a layer: strokes on top, results below them."""
        made.name = NAMES[role]
        made.metadata[MARK] = {"image": self.image, "role": role, "label": None}
        strokes = self._layers.get(STROKES)
        if strokes is not None and strokes in self.viewer.layers:
            active = self.viewer.layers.selection.active
            self.viewer.layers.insert(self.viewer.layers.index(strokes), made)
            self.viewer.layers.selection.active = active
            return made
        self.viewer.layers.append(made)
        return made
