"""A network in the place of a model: it is looked at, written and kept like one."""

import gc
import weakref

import numpy as np
import pytest
from tests.session.scene import SECONDS, paint_halves, settle

import stroma
from random_network import random_network
from stroma import Image
from stroma.blocks.box import Box
from stroma.errors import NotTrainedError, ParameterError, ShapeError
from stroma.io import read_image, write_image
from stroma.session import Session
from stroma.session.events import BlockReady


@pytest.fixture
def network():
    return random_network()


def test_a_network_is_looked_at_and_written_like_a_model(session, heard, halves, network, tmp_path):
    path = write_image(tmp_path / "a.tif", halves, axes="yx")
    key = session.add_image(path)
    session.set_model(network)
    session.look(key)
    settle(session)
    wanted = network.segment(halves)
    np.testing.assert_array_equal(session.result(key).values, wanted)
    assert session.standing(key).state == "current"
    assert session.network is network
    assert any(isinstance(event, BlockReady) for event in heard)
    assert "vein" in [c.name for c in session.classes]
    probability = session.result(key, layer="probability", label=3).values
    np.testing.assert_allclose(probability, network.predict_probas(halves)[2], atol=1 / 500)

    np.testing.assert_array_equal(session.segment(key), wanted)
    written = session.export_labels(key, tmp_path / "whole.tif").result(SECONDS)
    np.testing.assert_array_equal(read_image(written).read(), wanted)
    shares = session.export_labels(key, tmp_path / "p.tif", probabilities=True).result(SECONDS)
    np.testing.assert_allclose(read_image(shares).read(), network.predict_probas(halves), atol=1e-6)
    done = session.apply([path], tmp_path / "out").result(SECONDS)
    np.testing.assert_array_equal(read_image(done.files[0].outputs[0]).read(), wanted)
    with pytest.raises(NotTrainedError, match="network"):
        session.importance()


def test_strokes_take_the_place_of_a_network(session, halves, network):
    key = session.add_image(halves)
    session.set_model(network)
    session.look(key)
    settle(session)
    paint_halves(session, key)
    settle(session)
    assert session.network is None
    assert set(np.unique(session.result(key).values)) == {1, 2}


def test_a_network_that_does_not_fit_is_refused_and_nothing_changes(session, halves, network):
    key = session.add_image(Image(np.stack([halves] * 2), "cyx"))
    with pytest.raises(ShapeError, match=r"does not fit.*1 channel, this image has 2"):
        session.set_model(network)
    session.close_image(key)
    with pytest.raises(ParameterError, match="finds image"):
        session.set_model(random_network(target="denoise"))
    assert session.network is None


def test_a_closed_image_is_let_go_by_the_network(session, halves, network):
    image = Image(halves, "yx")
    key = session.add_image(image)
    session.set_model(network)
    session.look(key)
    settle(session)
    alive = weakref.ref(image)
    session.close_image(key)
    settle(session)
    del image
    gc.collect()
    assert alive() is None


def test_a_network_of_volumes_shows_every_plane_that_it_computed(session, halves):
    network, volume = random_network(ndim=3), np.stack([halves[:32, :32] + i for i in range(5)])
    key = session.add_image(Image(volume, "zyx"))
    session.set_model(network)
    session.look(key, plane={"z": 3})
    settle(session)
    wanted = network.segment(Image(volume, "zyx"))
    for z in range(5):
        np.testing.assert_array_equal(session.result(key, plane={"z": z}).values, wanted[z])


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_network_is_shown_on_planes_of_every_direction(session, halves, ndim):
    network, volume = random_network(ndim=ndim), np.stack([halves[:32, :32] + i for i in range(5)])
    movie = Image(np.stack([volume, volume[:, ::-1]]), "tzyx")
    key = session.add_image(movie)
    session.set_model(network)
    wanted = network.segment(movie)
    for plane, cut in (
        ({"t": 1, "y": 3}, wanted[1, :, 3]),
        ({"t": 0, "x": 30}, wanted[0, :, :, 30]),
    ):
        session.look(key, plane=plane)
        settle(session)
        np.testing.assert_array_equal(session.result(key, plane=plane).values, cut)
        assert session.standing(key, plane=plane).state == "current"
    part = Box(1, 4, 3, 20)
    session.set_model(random_network(ndim=ndim))  # what is known already is not asked again
    session.look(key, part, plane={"t": 1, "x": 2})
    settle(session)
    shown = session.result(key, part, plane={"t": 1, "x": 2}).values
    np.testing.assert_array_equal(shown, wanted[1, 1:3, 4:20, 2])


def test_a_project_keeps_the_network(tmp_path, halves, network):
    path = write_image(tmp_path / "a.tif", halves, axes="yx")
    with Session.create(tmp_path / "p.stroma", "gaussian") as session:
        key = session.add_image(path)
        session.set_model(network)
    with Session.open(tmp_path / "p.stroma") as session:
        session.look(key)
        settle(session)
        np.testing.assert_array_equal(session.result(key).values, network.segment(halves))
        scope = {}
        exec(session.as_code(), scope)
        np.testing.assert_array_equal(scope["labels"][0], network.segment(halves))
        kept = session.path / "network.safetensors"
        assert str(kept) in session.as_command()
    assert stroma.load(kept).fingerprint() == network.fingerprint()
    kept.unlink()
    with Session.open(tmp_path / "p.stroma") as session:
        assert session.network is None
        assert any("Load the network again" in notice.message for notice in session.notices)
