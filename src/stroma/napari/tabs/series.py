"""Which images of a file: asked where it holds several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QListWidget, QVBoxLayout, QWidget

from stroma.errors import StromaError
from stroma.io import series_of
from stroma.io.series import Series
from stroma.napari.tabs import parts
from stroma.session.words import said

BUTTONS = QDialogButtonBox.StandardButton


@dataclass(frozen=True)
class Listed:
    """What a file holds.

    Parameters
    ----------
    path : Path
        The file.
    series : sequence of Series
        Its images.
    problem : str
        Why it cannot be read; empty if it can.
    """

    path: Path
    series: Sequence[Series] = ()
    problem: str = ""


def listed(path: Path) -> Listed:
    """Return what a file holds; does not raise, so that other files go on."""
    try:
        return Listed(path, series_of(path))
    except (StromaError, OSError) as error:
        return Listed(path, problem=said(error))


class WhichSeries(QDialog):
    """Asks which images of a file are wanted; all of them are, unless some are chosen.

    Parameters
    ----------
    parent : QWidget
        Above what it is shown.
    found : Listed
        The file, with several images.
    """

    def __init__(self, parent: QWidget, found: Listed) -> None:
        super().__init__(parent)
        self.setWindowTitle(found.path.name)
        self.list = QListWidget()
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.addItems([str(one) for one in found.series])
        self.list.selectAll()
        buttons = QDialogButtonBox(BUTTONS.Ok | BUTTONS.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        count = len(found.series)
        layout.addWidget(parts.note(f"{found.path.name} holds {count} images. Which to open?"))
        layout.addWidget(self.list)
        layout.addWidget(buttons)

    def chosen(self) -> list[int]:
        """Return the places of those that are selected."""
        return sorted(index.row() for index in self.list.selectedIndexes())


def ask_which(parent: QWidget, found: Listed) -> list[Series]:
    """Return the images of a file that are wanted; asks if there are several."""
    if len(found.series) < 2:
        return list(found.series)
    dialog = WhichSeries(parent, found)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return []
    return [found.series[place] for place in dialog.chosen()]
