"""Objects to files: tables, label images, outlines, and their classes for other files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtWidgets import QFileDialog

from stroma.errors import StromaError
from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.tabs import parts

FORMATS = {
    "csv": ("Table (CSV)", "A row for each object, with all measures and classes"),
    "tif": ("Label image (TIFF)", "The number of its object in every pixel"),
    "geojson": ("QuPath (GeoJSON)", "Outlines with their classes and measurements"),
    "zip": ("ImageJ ROIs (zip)", "Outlines for the ROI Manager"),
}
MODEL = "object_classes.pkl"


class Writing:
    """A part of the tab of objects.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    """

    def __init__(self, desk: ObjectDesk) -> None:
        self._desk, self._studio = desk, desk.studio
        self.formats = {
            name: parts.check(title, tip, lambda on: None, on=name == "csv")
            for name, (title, tip) in FORMATS.items()
        }
        self.model = parts.check(
            "Classes, for other files (.pkl)",
            "What was learnt of classes: stroma objects OTHER --model object_classes.pkl",
            lambda on: None,
        )
        boxes = list(self.formats.values())
        self.widget = parts.group(
            "Export",
            parts.row(*boxes[:2]),
            parts.row(*boxes[2:]),
            self.model,
            parts.row(
                parts.button("Write files…", "Into a folder", self._ask_folder),
                parts.button(
                    "Copy to layer",
                    "Copy the objects of all planes, as far as they are known, into a labels layer",
                    self.copy,
                ),
            ),
        )

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self.widget, "Folder for the objects")
        if folder:
            self.write(Path(folder))

    def write(self, folder: Path) -> None:
        """Write the objects of the image in the chosen formats into a folder."""
        formats = [name for name, box in self.formats.items() if box.isChecked()]
        session, model = self._studio.session, self.model.isChecked()
        if not formats and not model:
            self._studio.say(StromaError("Choose at least one kind of file."))
            return

        def written(paths: tuple[Path, ...]) -> None:
            names = ", ".join(path.name for path in paths)
            self._studio.tell(f"Written into {folder}: {names}")

        def with_model(paths: tuple[Path, ...]) -> None:
            self._studio.call(
                f"Writing {MODEL}",
                lambda: (*paths, session.save_object_model(folder / MODEL)),
                written,
            )

        then = with_model if model else written
        if not formats:
            then(())
            return
        self._studio.do(
            lambda: session.export_objects(self._desk.place[0], folder, formats=formats), then
        )

    def copy(self) -> None:
        """Copy the objects of all planes, as far as they are known, into a labels layer."""
        bridge = self._studio.bridge
        if bridge is None or bridge.board is None:
            self._studio.say(StromaError("Choose an image in the tab Home first."))
            return
        board, image, session = bridge.board, bridge.board.image, self._studio.session
        outer = [n for axis, n in board.sizes.items() if axis in "tz"]
        plane, count = bridge.gaze.plane(), board.sizes.get("t", 1)

        def copied() -> Any:
            at = [{**plane, "t": t} if "t" in plane else plane for t in range(count)]
            frames = [session.objects(image, plane=one).found for one in at]
            shape = session.image(image).shape
            depth = board.sizes.get("z", 1)
            blank = np.zeros((depth, *shape), np.int32)
            labels = np.stack([blank if one is None else one.labels for one in frames])
            return labels.reshape(*outer, *shape)

        self._studio.call(
            "Copying objects",
            copied,
            lambda labels: board.keep_objects(labels, f"{session.image(image).name} objects"),
        )
