"""Which trained network a model sees with: asked for."""

from __future__ import annotations

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLineEdit, QVBoxLayout, QWidget

from stroma.napari.tabs import parts

BUTTONS = QDialogButtonBox.StandardButton

ABOUT = (
    "What a network was trained to see becomes features, and your strokes say what they are to "
    "mean. Give the file of a network, or the id of a package of bioimage.io, which is fetched. "
    "Networks that come as programs (Python, TorchScript) are never run here."
)


class WhichNetwork(QDialog):
    """Asks for a file or an id, and whether features of ours stay beside those of the network.

    Parameters
    ----------
    parent : QWidget
        Above what it is shown.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("See with a network")
        self.source = QLineEdit()
        self.source.setPlaceholderText("package.zip, network.safetensors or affable-shark")
        self.source.setToolTip("File of a network, or id of a package of bioimage.io")
        self.own = parts.check(
            "Keep Stroma's own features beside it",
            "Edges, colours and textures go on to be seen too",
            lambda _: None,
            on=True,
        )
        buttons = QDialogButtonBox(BUTTONS.Ok | BUTTONS.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(parts.note(ABOUT))
        browse = parts.button("Browse…", "Choose the file of a network", self._browse)
        layout.addLayout(parts.row(self.source, browse))
        layout.addWidget(self.own)
        layout.addWidget(buttons)

    def _browse(self) -> None:
        kinds = "Networks (*.zip *.safetensors);;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self, "Network", "", kinds)
        if path:
            self.source.setText(path)


def ask_network(parent: QWidget) -> tuple[str, bool] | None:
    """Return a file or id, and whether features of ours stay; None where none is wanted."""
    dialog = WhichNetwork(parent)
    if dialog.exec() != QDialog.DialogCode.Accepted or not dialog.source.text().strip():
        return None
    return dialog.source.text().strip(), dialog.own.isChecked()
