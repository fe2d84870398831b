"""Projects whose images lie on web servers: these are asked only if the user agrees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QMessageBox, QWidget

from stroma.napari.studio.studio import Studio
from stroma.session import Session
from stroma.session.recent import is_known, remember

YES = QMessageBox.StandardButton.Yes

Waiting = tuple[str, str, str]
"""Key, name and address of an image."""


def open_project(studio: Studio, folder: Path) -> None:
    """Go on with a project in place of the session that is there.

    A project of somebody else may name any server, and a server learns from whom it is asked. So
    those of a project that was not opened here before are not asked yet: see `ask`.
    """
    known = is_known(folder)
    studio.begin(lambda: Session.open(folder, servers=known), f"Opening {folder.name}")


def ask(studio: Studio, widget: QWidget) -> None:
    """Ask whether the servers of a project that is new here may be asked, and open what is there.

    Parameters
    ----------
    studio : Studio
        Of whose session the images are.
    widget : QWidget
        Where the user is asked.
    """
    bridge = studio.bridge
    if bridge is None or bridge.session.path is None or is_known(bridge.session.path):
        return
    waiting = _waiting(bridge.session)
    if not waiting or QMessageBox.question(widget, "Ask web servers?", _words(waiting)) != YES:
        return
    remember(bridge.session.path)
    for key, name, _ in waiting:
        fetch(studio, key, name)


def fetch(studio: Studio, key: str, name: str) -> None:
    """Open an image where its project says that it lies, and show it."""
    session = studio.session

    def shown(_: None) -> None:
        if studio.bridge is not None and studio.bridge.session is session:
            studio.bridge.show_again(key)

    studio.call(f"Opening {name}", lambda: session.fetch(key), shown)


def _waiting(session: Session) -> list[Waiting]:
    names = {one.key: one.name for one in session.images}
    return [(key, names[key], address) for key, address in session.unasked().items()]


def _words(waiting: Sequence[Waiting]) -> str:
    """Return what would be asked, and of whom."""
    first = (
        "This project was not opened here before. Its images lie on web servers, which learn from "
        "whom they are asked. Ask them?"
    )
    return "\n".join([first, *(f"{name}: {address}" for _, name, address in waiting)])
