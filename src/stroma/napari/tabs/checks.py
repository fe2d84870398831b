"""How well the model does: accuracy, other configurations, and what it rests on."""

from __future__ import annotations

from typing import Any

from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.napari.tabs.survey import Survey, survey
from stroma.session.words import plain


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
            f"{names.get(label, label)} {share:.0%} ({low:.0%} to {high:.0%})"
            if share == share
            else f"{names.get(label, label)}: too few strokes to tell"
            for label, share, (low, high) in zip(
                found.labels, found.recall, found.ranges, strict=True
            )
        )
        self.accuracy.show()
        low, high = found.range
        self.accuracy.setText(
            f"Of strokes that were set aside, {found.accuracy:.0%} was recognised. In three of "
            f"four images we tried, the share of the whole image was in such a range: {low:.0%} "
            f"to {high:.0%} ({each})."
        )

    def compare(self) -> None:
        """Try the other configurations that are installed here."""

        def ready(known: Survey) -> None:
            here = [e for e in known.entries if e.kind == "alias" and not e.missing]
            names = [e.name for e in here if e.weights in ("here", "not needed")]
            self._studio.do(lambda: self._studio.session.compare(names), self._show_compared)

        self._studio.call("Looking up models", survey, ready)

    def _show_compared(self, found: Any) -> None:
        self.compared.show()
        parts.fill(self.compared, [self._row(one) for one in found])

    @staticmethod
    def _row(one: Any) -> tuple[str, str, str, str]:
        if one.problem:
            return one.alias, plain(one.problem), "", ""
        share = f"{one.accuracy:.0%}" + (", as good" if one.tied else "")
        return one.alias, share, f"{one.training:.1f} s", f"{one.segmenting:.1f} s"

    def rank(self) -> None:
        """List what the model rests on."""
        found = self._studio.attempt(lambda: self._studio.session.importance(20))
        self.important.setVisible(bool(found))
        parts.fill(self.important, [(name, f"{share:.1%}") for name, share in found or ()])
