"""Pretrained networks are downloaded when the user agrees, and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtWidgets import QMessageBox, QWidget

from stroma.napari.studio.studio import Studio
from stroma.pixel.choices.catalogue import download, layers_to_download, to_download
from stroma.weights.catalogue import Entry

YES = QMessageBox.StandardButton.Yes


def when_here(
    name: str,
    then: Callable[[], object],
    studio: Studio,
    widget: QWidget,
    *,
    layers: Sequence[str] = (),
) -> None:
    """Call a function when the weights that a configuration needs are here.

    Parameters
    ----------
    name : str
        Alias, extractor or combination.
    then : callable
        Not called if the user does not agree to a download, or it fails.
    studio : Studio
        Whose session downloads.
    widget : QWidget
        Where the user is asked.
    layers : sequence of str
        Of the extractor, which are to be used; those that it begins with, unless given.
    """
    lacking = layers_to_download(name, layers) if layers else to_download(name)
    missing = [entry for entry in lacking if not entry.package]
    if not missing:
        then()
    elif QMessageBox.question(widget, f"Download {name}?", _words(missing)) == YES:
        start = partial(studio.session.start, "download", partial(download, name, layers=layers))
        studio.do(start, lambda _: then())


def _words(missing: list[Entry]) -> str:
    """Return what would be downloaded, with size and licence."""
    first = "Only the layers that are used are fetched, once."
    lines = (
        f"{entry.name}: up to {entry.megabytes} MB from {entry.repository}. "
        f"Licence: {entry.licence}."
        + (" It has to be accepted on the page of the repository first." if entry.gated else "")
        for entry in missing
    )
    return "\n".join([*lines, first])
