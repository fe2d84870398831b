"""What to do, and which keys there are, in a window of its own."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QLabel, QScrollArea, QVBoxLayout

STEPS = (
    "Open an image: drag it into the viewer, or use the tab Files.",
    "Paint a few strokes of each class on the layer \u201cannotations\u201d. The segmentation "
    "follows what you paint; paint more where it is wrong.",
    "Objects: in the tab Objects, click them, or take the parts of a class. Label a few of each "
    "kind; all are classed.",
    "Files: keep a project, where every stroke is saved; write label images and tables.",
)
KEYS = (
    (
        "On the layer \u201cannotations\u201d",
        (
            ("1 to 9", "paint this class"),
            ("M", "paint a new class"),
            ("E, P, F, L, Z", "erase, paint, fill, pick a label, move the image"),
            ("[ and ]", "smaller, larger brush"),
            ("Ctrl+Z, Ctrl+Shift+Z", "undo, redo"),
        ),
    ),
    (
        "Everywhere",
        (
            ("Shift+A, Shift+F", "show or hide annotations, segmentation"),
            ("Shift+S, Shift+D", "train now, segment what is in view"),
            ("Shift+X", "go to where a stroke helps most"),
        ),
    ),
    (
        "On the layer \u201cobjects\u201d",
        (
            ("A, L, Q", "click objects, give them a class, select them"),
            ("C, D, G", "cut along a line, draw one, give what is drawn around"),
            ("1 to 9", "choose a class, and give it to those selected"),
            ("M, F, Del", "merge, fill holes, delete those selected"),
            ("J", "go to the object to label next"),
            ("Space", "held: move the image"),
        ),
    ),
    (
        "While objects are clicked",
        (
            ("C, S or Enter", "commit what is proposed"),
            ("Esc or Shift+C", "drop it; Backspace takes back the last click"),
            ("Right button, Alt or T", "say what is not of it"),
            ("W", "another meaning of the click"),
            ("N", "next image"),
            ("Shift+S", "carry the object to other planes or frames"),
        ),
    ),
)


def text() -> str:
    """Return all of it as rich text."""
    steps = "".join(f"<li>{step}</li>" for step in STEPS)
    keys = "".join(
        f"<h4>{title}</h4><table cellspacing=6>"
        + "".join(f"<tr><td><b>{key}</b></td><td>{what}</td></tr>" for key, what in rows)
        + "</table>"
        for title, rows in KEYS
    )
    return f"<ol>{steps}</ol>{keys}"


def show_help(parent: Any) -> QDialog:
    """Show it beside what is done, until it is closed."""
    made = QDialog(parent)
    made.setWindowTitle("Stroma: help")
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    shown = QLabel(text())
    shown.setWordWrap(True)
    shown.setMargin(12)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(shown)
    QVBoxLayout(made).addWidget(area)
    made.resize(460, 620)
    made.show()
    return made
