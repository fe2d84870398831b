"""The tab of what few need, or need seldom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QLineEdit

from stroma.errors import ParameterError, StromaError
from stroma.napari.layers.placed import Placed
from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.pixel.model import ConvpaintModel
from stroma.session import events as ev
from stroma.session.events import Event
from stroma.workflow.unlabelled.unsupervised import cluster_image, component_image

TRAIN_ON = (
    ("all images", "all"),
    ("the image painted on last", "image"),
    ("those selected in Files", "chosen"),
)


class Advanced:
    """The tab.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    show_tips : callable
        Switches the tool tips of the whole widget on and off.
    chosen : callable
        Returns the keys of the images that are selected.
    """

    title = "Advanced"

    def __init__(
        self,
        studio: Studio,
        show_tips: Callable[[bool], object],
        chosen: Callable[[], Sequence[str]],
    ) -> None:
        self._studio, self._chosen = studio, chosen
        self.train_on = parts.choice("Whose annotations the model learns from", self._set_training)
        parts.offer(self.train_on, TRAIN_ON)
        self.channels = QLineEdit()
        self.channels.setPlaceholderText("all, or for example 0,2")
        self.channels.setToolTip("Channels of the image to use, counted from 0")
        self.channels.editingFinished.connect(self._set_channels)
        self.labelled = parts.note()
        self.components = parts.number("Components shown", lambda _: None, 1, 64, 3)
        self.stack = parts.check(
            "Of all planes",
            "Main components of the whole stack or movie, the same for all planes; takes as long "
            "as segmenting it, and as much memory as its components",
            lambda on: None,
        )
        self.clusters = parts.number("Groups of similar pixels", lambda _: None, 2, 64, 4)
        self.becomes = parts.number("The class that a group becomes", lambda _: None, 1, 65535, 1)
        self._groups: tuple[Any, str, dict[str, int]] | None = None
        self.tips = parts.check("Show these tips", "Explanations like this one", show_tips, on=True)
        self.auto = parts.check(
            "Paint on an image as soon as it is opened",
            "Otherwise choose the layer in the tab Home",
            lambda on: None,
            on=True,
        )
        self.widget = self._laid_out()
        studio.replaced.connect(self.show)
        studio.told.connect(self._on_told)

    def _laid_out(self) -> Any:
        return parts.page(
            parts.group(
                "Learning",
                parts.form(("Learn from", self.train_on), ("Channels", self.channels)),
                self.labelled,
                parts.button(
                    "Forget all annotations",
                    "Erase the annotations of all images; one undo per image brings them back",
                    self._clear,
                ),
            ),
            parts.group(
                "Region of interest",
                parts.row(
                    parts.button(
                        "Only what is in view", "Segment only the rectangle in view", self._restrict
                    ),
                    parts.button("Whole image", "Segment everything again", self._free),
                ),
            ),
            parts.group(
                "Features without strokes",
                parts.row(
                    parts.button(
                        "Main components",
                        "Show the principal components of the features of this plane",
                        self.show_components,
                    ),
                    self.components,
                ),
                self.stack,
                parts.row(
                    parts.button("Groups", "Show pixels with similar features", self.show_clusters),
                    self.clusters,
                ),
                parts.row(
                    parts.button(
                        "Take group as class",
                        "Paint the group chosen in the layer of groups (pick it with the pipette)",
                        self.take_group,
                    ),
                    self.becomes,
                ),
            ),
            parts.group(
                "Repeat without napari",
                parts.row(
                    parts.button("Copy as Python", "The session as a script", self._copy_code),
                    parts.button(
                        "Copy as command", "The session as a command line", self._copy_command
                    ),
                ),
            ),
            parts.group("Preferences", self.auto, self.tips),
        )

    # ------------------------------------------------------------------ learning

    def show(self) -> None:
        """Show the settings, and what is painted."""
        settings = self._studio.session.settings
        parts.show_value(self.train_on, settings.train_on)
        names = [one.name for one in self._studio.session.images if one.key in settings.chosen]
        self.train_on.setToolTip(
            "Whose annotations the model learns from" + "".join(f"\n{name}" for name in names)
        )
        chosen = settings.channels
        self.channels.setText("" if chosen is None else ",".join(map(str, chosen)))
        self._count()

    def _count(self) -> None:
        points = [self._studio.session.points(one.key) for one in self._studio.session.images]
        pixels = sum(len(p.label) for p in points)
        labels = set().union(*(np.unique(p.label).tolist() for p in points))
        painted = sum(1 for p in points if len(p.label))
        self.labelled.setText(
            f"{pixels:,} pixels of {len(labels)} classes in {painted} image{'s' * (painted != 1)}."
        )

    def _set_training(self, on: str) -> None:
        images = self._chosen() if on == "chosen" else ()
        session = self._studio.session
        self._studio.attempt(lambda: session.set_training(on, images))
        self.show()

    def _set_channels(self) -> None:
        self._studio.attempt(
            lambda: self._studio.session.set_channels(parsed_channels(self.channels.text()))
        )

    def _clear(self) -> None:
        for one in self._studio.session.images:
            self._studio.session.clear(one.key)

    def _restrict(self) -> None:
        bridge, session = self._studio.bridge, self._studio.session
        if bridge is not None and bridge.image is not None:
            image, box = bridge.image, bridge.gaze.view()
            self._studio.attempt(lambda: session.set_region(image, box))

    def _free(self) -> None:
        bridge, session = self._studio.bridge, self._studio.session
        if bridge is not None and bridge.image is not None:
            image = bridge.image
            self._studio.attempt(lambda: session.set_region(image, None))

    # ------------------------------------------------------------------ features

    def show_components(self) -> None:
        """Show the main components of the features of the plane in view, or of all planes."""
        count = self.components.value()
        self._of_plane(
            "Main components",
            lambda *given, **told: component_image(*given, components=count, **told),
            self._add_components,
            whole=self.stack.isChecked(),
        )

    def show_clusters(self) -> None:
        """Show groups of pixels with similar features in the plane in view."""
        count = self.clusters.value()
        self._of_plane(
            "Groups of features",
            lambda *given, **told: cluster_image(*given, clusters=count, **told),
            self._add_groups,
        )

    def _add_groups(self, values: Any, options: dict[str, Any]) -> None:
        bridge = self._studio.bridge
        layer = self._studio.viewer.add_labels(values, **options)
        if bridge is not None and bridge.image is not None:
            self._groups = layer, bridge.image, bridge.gaze.plane()

    def take_group(self) -> None:
        """Paint the group that is chosen in the layer of groups as a class."""
        if self._groups is None:
            self._studio.say(StromaError("Press 'Groups' first, and pick one in the new layer."))
            return
        (layer, image, plane), label = self._groups, self.becomes.value()
        self._studio.attempt(
            lambda: self._studio.session.take_group(
                image, np.asarray(layer.data), layer.selected_label, label=label, plane=plane
            )
        )

    def _of_plane(
        self,
        what: str,
        compute: Callable[..., Any],
        show: Callable[[Any, dict[str, Any]], object],
        *,
        whole: bool = False,
    ) -> None:
        bridge, session = self._studio.bridge, self._studio.session
        if bridge is None or bridge.image is None:
            self._studio.say(StromaError("Choose an image in the tab Home first."))
            return
        opened, settings = session.image(bridge.image), session.settings
        plane = {} if whole else bridge.gaze.plane()
        cut = opened.image.at(**plane)
        layers, ndim = bridge.layers(bridge.image), len(opened.outer) + 2 if whole else 2
        placed = Placed.like(layers[0], ndim).options() if layers else {}
        at = "".join(f" {axis}{i}" for axis, i in plane.items())
        options = {"name": f"{what.lower()} {opened.name}{at}", **placed}

        def work(progress: Any, cancelled: Any) -> Any:
            model = ConvpaintModel(param=settings.param)
            channels = settings.channels
            return compute(model, cut, channels=channels, progress=progress, cancel=cancelled)

        self._studio.do(lambda: session.start(what, work), lambda values: show(values, options))

    def _add_components(self, values: Any, options: dict[str, Any]) -> None:
        viewer = self._studio.viewer
        if len(values) == 3:
            flat = values.reshape(3, -1)
            low, high = np.percentile(flat, [1, 99], axis=1)
            spread = np.maximum(high - low, 1e-6)[:, None]
            scaled = ((flat - low[:, None]) / spread).clip(0, 1).reshape(values.shape)
            viewer.add_image(np.moveaxis(scaled, 0, -1), rgb=True, **options)
            return
        name = options.pop("name")
        for number, one in enumerate(values, 1):
            viewer.add_image(one, name=f"{name} · {number}", visible=number == 1, **options)

    # ------------------------------------------------------------------ repeating

    def _copy_code(self) -> None:
        self._copy(self._studio.attempt(lambda: self._studio.session.as_code()))

    def _copy_command(self) -> None:
        self._copy(self._studio.attempt(lambda: self._studio.session.as_command()))

    def _copy(self, text: str | None) -> None:
        if text:
            clipboard: Any = QGuiApplication.clipboard()
            clipboard.setText(text)
            self._studio.tell("Copied to the clipboard.")

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.SettingsChanged):
            self.show()
        elif isinstance(event, ev.RoundFinished) and self.widget.isVisible():
            self._count()


def parsed_channels(text: str) -> list[int] | None:
    """Return channels from text such as "0,2"; None, which means all, where there is none.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if not text.strip() or text.strip().lower() == "all":
        return None
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in found):
        raise ParameterError(f"Channels are numbers from 0, such as 0,2; got {text!r}.")
    return [int(part) for part in found]
