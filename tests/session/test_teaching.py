"""From the strokes of a session to a network, as a task."""

import numpy as np
import pytest
from tests.session.scene import SECONDS, paint_halves, settle

import stroma
from stroma import Image
from stroma.errors import Cancelled, MissingFileError, NotTrainedError, ParameterError
from stroma.session.events import TaskFinished

pytest.importorskip("torch")

QUICK = {
    "network_options": {"features": [4, 8]},
    "patch": [32, 32],
    "batch": 4,
    "steps": 60,
    "rate": 1e-2,
    "device": "cpu",
}


def test_a_network_learns_what_was_painted_and_can_take_the_place_of_the_model(
    session, heard, halves, tmp_path
):
    key = session.add_image(halves)
    other = session.add_image(halves[:, ::-1].copy())
    paint_halves(session, key)
    session.change_class(2, name="bright")
    settle(session)
    task = session.teach_network(tmp_path / "taught.safetensors", **QUICK)
    path = task.result(SECONDS)
    network = stroma.load(path)
    assert [c.name for c in network.classes if c.label == 2] == ["bright"]
    assert network.about.training["images"] == ["image 1", "image 2"]
    assert any(isinstance(event, TaskFinished) and event.task == task.number for event in heard)
    session.set_model(network)
    found = session.segment(other)
    assert (found[:, 8:40] == 2).mean() > 0.9
    assert (found[:, 56:88] == 1).mean() > 0.9


def test_channels_that_the_model_leaves_out_do_no_harm(session, halves, tmp_path):
    key = session.add_image(Image(np.stack([halves, halves[::-1]]), "cyx"))
    session.set_channels([0])
    paint_halves(session, key)
    settle(session)
    path = session.teach_network(tmp_path / "two.safetensors", **QUICK).result(SECONDS)
    assert stroma.load(path).about.channels == 2


def test_a_training_that_is_cancelled_writes_nothing(session, halves, tmp_path):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    many = {**QUICK, "steps": 1_000_000}
    task = session.teach_network(tmp_path / "never.safetensors", **many)
    session.undo()
    task.cancel()
    with pytest.raises(Cancelled):
        task.result(SECONDS)
    assert not list(tmp_path.glob("*.safetensors"))


def test_what_cannot_be_taught_is_told_at_once(session, halves, tmp_path):
    key = session.add_image(halves)
    with pytest.raises(NotTrainedError):
        session.teach_network(tmp_path / "taught.safetensors")
    paint_halves(session, key)
    settle(session)
    with pytest.raises(ParameterError, match=r"kept in a \.safetensors file, got '.*taught\.pkl'"):
        session.teach_network(tmp_path / "taught.pkl")
    with pytest.raises(MissingFileError, match="There is no folder"):
        session.teach_network(tmp_path / "none" / "taught.safetensors")
