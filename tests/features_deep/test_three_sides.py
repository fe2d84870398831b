"""Networks of planes look at volumes from three sides, on weights without meaning."""

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.blocks.box import Box
from stroma.features.build import extractor
from stroma.features.pipeline import Pipeline
from stroma.pixel.predicting.run import predict_blocks


def volume():
    """Return a volume that is bright on one side, and strokes on two of its planes."""
    body = np.random.default_rng(0).normal(0, 0.5, (5, 14, 28)).astype(np.float32)
    body[..., 14:] += 2
    strokes = np.zeros(body.shape, np.uint8)
    for z in (1, 3):
        strokes[z, 4:10, 3:6], strokes[z, 4:10, 22:25] = 1, 2
    return body, strokes


@pytest.mark.parametrize("name", ["vgg16", "dinov2_vits14_reg"])
def test_a_network_sees_each_plane_through_a_voxel_as_if_it_were_alone(name):
    layers = ["features.0"] if name == "vgg16" else None
    made, flat = (extractor(kind, layers=layers) for kind in (f"orthogonal:{name}", name))
    step, halo = made.stride[0], made.halo[0] if made.halo else 0
    sides = [step * n + 2 * halo for n in (1, 2, 3)]
    block = np.random.default_rng(1).standard_normal((3, *sides), np.float32)
    for axis, found in enumerate(made(block), 1):
        inside = np.moveaxis(block, axis, 0)[halo : block.shape[axis] - halo]
        [alone] = flat(inside[0])
        first = found.values.take(0, axis)
        assert first.shape == alone.values.shape
        np.testing.assert_allclose(first, alone.values, atol=1e-4)


@pytest.mark.parametrize("name", ["vgg16", "dinov2_vits14_reg"])
def test_a_deep_model_from_three_sides_learns_a_volume(name):
    body, strokes = volume()
    model = ConvpaintModel(fe_name=f"orthogonal:{name}", clf_iterations=10)
    model.train(body, strokes)
    found = model.segment(body)
    assert (found[:, 4:10, 3:6] == 1).mean() > 0.9
    assert (found[:, 4:10, 22:25] == 2).mean() > 0.9


def test_deep_features_from_three_sides_do_not_depend_on_blocks(monkeypatch):
    body, strokes = volume()
    model = ConvpaintModel(fe_name="orthogonal:vgg16", clf="logistic")
    model.train(body, strokes)
    whole = model.predict_probas(body)
    monkeypatch.setattr(Pipeline, "block_sides", lambda self, planes: (2, 8, 8))
    model.cache.clear()
    np.testing.assert_allclose(model.predict_probas(body), whole, atol=1e-2)
    for block in predict_blocks(model, body, region=Box(3, 4, 10, 20, 2, 4)):
        np.testing.assert_array_equal(block.labels, whole.argmax(axis=0)[block.index] + 1)
