"""Whatever the plugin says goes through the words for people."""

import ast
from pathlib import Path

import numpy as np
import pytest

import stroma.napari
from napari_scene import until
from stroma.blocks.box import Box
from stroma.errors import ShapeError
from stroma.napari.studio.standing import in_words
from stroma.napari.tabs.exchange import _summed
from stroma.session.core.status import OnScreen
from stroma.session.words import CODE
from stroma.workflow.applying.segment import BatchResult, FileResult

PLUGIN = Path(stroma.napari.__file__).parent
TOLD_BY_THE_STUDIO = {"show_error", "show_info", "show_warning"}
ERROR = ShapeError("It has 3 channels. Pass in_channels, or numpy.moveaxis(image, 0, 2).")


def test_no_part_of_the_plugin_shows_an_error_or_a_message_past_the_words():
    for path in PLUGIN.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        errors = {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.name}
        for node in ast.walk(tree):
            where = f"{path.relative_to(PLUGIN)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.FormattedValue):
                assert getattr(node.value, "id", None) not in errors, where
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                assert name not in TOLD_BY_THE_STUDIO or path.name == "studio.py", where
                first = getattr(node.args[0], "id", None) if node.args else None
                assert (name, first in errors) != ("str", True), where


@pytest.mark.parametrize("state", ["absent", "older", "failed"])
def test_a_reason_has_no_words_of_python(state):
    text = in_words(OnScreen("strokes", "1", {}, Box(0, 0, 8, 8), state, str(ERROR)))
    assert "It has 3 channels." in text
    assert not CODE.search(text)


def test_files_that_failed_are_each_told_with_a_reason_for_people():
    files = tuple(FileResult(Path(f"{n}.tif"), "failed", error=ERROR) for n in "ab")
    text = _summed(BatchResult(files))
    assert text.splitlines()[1:] == [f"{n}.tif: It has 3 channels." for n in "ab"]


def test_mishaps_in_the_viewer_are_told_in_words(open_widget, tmp_path):
    from napari.utils.notifications import notification_manager

    widget = open_widget()
    studio = widget.panel.studio
    before = len(notification_manager.records)
    (tmp_path / "header.npy").write_bytes(b"\x93NUMPY\x01\x00\x04\x00hell")
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "flat.npy", np.zeros(8))
    widget.panel.files.add(sorted(tmp_path.iterdir()))
    studio.say(ERROR)
    until(lambda: len(notification_manager.records) >= before + 2 and not studio.working)
    told = [record.message for record in notification_manager.records[before:]]
    assert any("0 of 3 images opened." in text for text in told)
    for text in told:
        assert not CODE.search(text), text
