"""The extractor as models use it, with the weights that are shipped."""

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.errors import ShapeError
from stroma.features.normalise import fed_channels, normalise
from stroma.features.strokenet import learned
from stroma.features.strokenet.learned import FILE, StrokeNet


def block(channels, height=16, width=24, seed=0):
    halo = StrokeNet().halo
    shape = (channels, height + 2 * halo, width + 2 * halo)
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def test_the_weights_are_small_and_say_what_made_them():
    folder = files("stroma.features.strokenet")
    assert len(folder.joinpath(FILE).read_bytes()) < 2_000_000
    record = json.loads(folder.joinpath(FILE.replace(".npz", ".json")).read_text())
    assert record["command"].startswith("python -m stroma.training.strokes ")
    assert record["hours"] > 0
    assert record["validation"]["beside"] > 0


def test_names_tell_the_channels_apart():
    names = StrokeNet().names(["DAPI", "actin"])
    assert len(names) == 48
    assert names[0] == "learned_0"
    assert {"DAPI:own_0", "actin:own_3"} <= set(names)
    assert StrokeNet().names(["one"])[-1] == "own_3"


def test_a_block_without_a_core_is_refused():
    with pytest.raises(ShapeError, match="larger than its halo"):
        StrokeNet()(np.zeros((1, 50, 50), np.float32))


def test_threads_do_not_share_a_network():
    blocks = [block(1, seed=i) for i in range(6)]
    expected = [StrokeNet()(b)[0].values for b in blocks]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(StrokeNet(), blocks))
    for a, (b,) in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b.values)


def test_networks_that_are_kept_are_few():
    for width in range(16, 16 + 8 * (learned.KEPT + 3), 8):
        StrokeNet()(block(1, 8, width))
    assert len(learned._shelf) <= learned.KEPT


def test_the_weights_are_identified():
    facts = StrokeNet().provenance()
    assert set(facts) == {"name", "repository", "revision", "file", "digest"}
    assert len(facts["digest"]) == 64


def test_colours_are_fed_as_lightness_and_opponent_colours():
    names = fed_channels(("red", "green", "blue"), "lab", rgb=True)
    assert len(names) == 3
    assert fed_channels(("a", "b"), "lab", rgb=False) == ("a", "b")
    rgb = np.random.default_rng(0).uniform(0, 1, (3, 8, 8)).astype(np.float32)
    whole = normalise(rgb, None, "lab", rgb=True)
    np.testing.assert_array_equal(whole[:1], normalise(rgb, None, "lightness", rgb=True))
    np.testing.assert_array_equal(whole[1:], normalise(rgb, None, "color", rgb=True))


def test_a_model_on_it_tells_textures_apart_that_have_the_same_mean():
    rng = np.random.default_rng(0)
    image = rng.standard_normal((96, 128)).astype(np.float32)
    coarse = rng.standard_normal((24, 16)).astype(np.float32)
    image[:, 64:] = np.kron(coarse, np.ones((4, 4), np.float32))
    strokes = np.zeros(image.shape, np.uint8)
    strokes[20:70, 30:33], strokes[20:70, 95:98] = 1, 2
    model = ConvpaintModel(fe_name="strokenet", clf="ensemble")
    model.train(image, strokes)
    labels = np.asarray(model.segment(image))
    truth = np.where(np.arange(128) < 64, 1, 2)[None]
    assert (labels == truth).mean() > 0.9
