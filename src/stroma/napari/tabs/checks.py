"""How well the model does: accuracy, other configurations, and what it rests on."""

from __future__ import annotations

from typing import Any

from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.napari.tabs.survey import Survey, survey


class Checks:
    """A part of the tab of the model.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.compared = parts.table(
            "Accuracy on strokes that were left out, and time",
            ("Model", "Accuracy", "Train", "Per Mpx"),
        )
        self.important = parts.table("What the model rests on", ("Feature", "Share"))
        self.accuracy = parts.note()
        self.compared.hide()
        self.important.hide()
        self.accuracy.hide()
        self.widget = parts.group(
            "How well it does",
            parts.row(
                parts.button(
                    "Accuracy",
                    "Leave out strokes, one part after the other, and predict them",
                    self.validate,
                ),
                parts.button("Compare models", "Try the other configurations", self.compare),
                parts.button("What counts", "The features the model rests on", self.rank),
            ),
            self.accuracy,
            self.compared,
            self.important,
        )

    def validate(self) -> None:
        """Estimate the accuracy."""
        self._studio.do(lambda: self._studio.session.validate(), self._show_accuracy)

    def _show_accuracy(self, found: Any) -> None:
        names = {c.label: c.name for c in self._studio.session.classes}
        each = ", ".join(
            f"{names.get(label, label)} {share:.0%}"
            if share == share
            else f"{names.get(label, label)}: paint a second stroke"
            for label, share in zip(found.labels, found.recall, strict=True)
        )
        self.accuracy.show()
        self.accuracy.setText(f"Accuracy {found.accuracy:.0%} ({each}).")

    def compare(self) -> None:
        """Try the other configurations that are installed here."""

        def ready(known: Survey) -> None:
            here = [e for e in known.entries if e.kind == "alias" and not e.missing]
            names = [e.name for e in here if e.weights != "missing"]
            self._studio.do(lambda: self._studio.session.compare(names), self._show_compared)

        self._studio.call("Looking up models", survey, ready)

    def _show_compared(self, found: Any) -> None:
        ranked = sorted(found, key=lambda c: -c.accuracy if c.accuracy == c.accuracy else 1)
        self.compared.show()
        parts.fill(
            self.compared,
            [
                (c.alias, f"{c.accuracy:.0%}", f"{c.training:.1f} s", f"{c.segmenting:.1f} s")
                if not c.problem
                else (c.alias, c.problem, "", "")
                for c in ranked
            ],
        )

    def rank(self) -> None:
        """List what the model rests on."""
        found = self._studio.attempt(lambda: self._studio.session.importance(20))
        self.important.setVisible(bool(found))
        parts.fill(self.important, [(name, f"{share:.1%}") for name, share in found or ()])
