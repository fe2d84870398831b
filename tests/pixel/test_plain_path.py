"""Blocks, maps and kernels give what one row of features per pixel gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma import ConvpaintModel
from stroma.blocks.box import Box
from stroma.blocks.working import WorkingGrid
from stroma.features.pipeline import Pipeline

FEATURES = {
    "gaussian_features": [(1,), (1, 2), (2,), (4, 1)],
    "texture_2d": [(1,), (1, 2)],
    "gaussian_features+texture_2d": [((1, 3), (1,))],
}
kinds = st.sampled_from([(name, s) for name, scalings in FEATURES.items() for s in scalings])


def by_rows(model, image, factor):
    """Return probabilities from a dense array of the features of all working pixels."""
    grid = WorkingGrid(image.shape[1:], factor)
    [stack] = model.get_feature_image(image, restore_input_form=False)
    rows = np.ascontiguousarray(stack.reshape(len(stack), -1).T)
    step = -(-grid.shape[1] // stack.shape[2])
    probabilities = model.classifier.predict_proba(rows).T.reshape(-1, *stack.shape[2:])
    probabilities = probabilities.repeat(step, 1).repeat(step, 2)
    kept = probabilities[:, None, : grid.shape[1], : grid.shape[2]]
    return grid.restore(kept, Box.of(grid.shape), Box.of(image.shape[1:]))[:, 0]


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(12, 60), st.integers(12, 60)),
    channels=st.integers(1, 3),
    factor=st.sampled_from([-2, 1, 2, 3]),
    kind=kinds,
    order=st.sampled_from([0, 1]),
    clf=st.sampled_from(["catboost", "forest", "logistic", "ensemble", "families"]),
    side=st.sampled_from([8, 16, 24, 64]),
)
def test_probabilities_block_by_block_are_those_of_dense_rows(
    shape, channels, factor, kind, order, clf, side
):
    name, scalings = kind
    image = np.random.default_rng(0).normal(size=(channels, *shape)).astype(np.float32).cumsum(-1)
    strokes = np.zeros(shape, np.uint8)
    strokes[:3], strokes[-3:], strokes[5:7, :6] = 1, 2, 3
    model = ConvpaintModel(fe_name=name, channel_mode="multi", image_downsample=factor, clf=clf)
    model.set_params(fe_scalings=scalings, fe_order=order, unpatch_order=0, clf_iterations=10)
    model.train(image, strokes)
    expected = by_rows(model, image, factor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pipeline, "block_side", property(lambda self: side))
        probabilities, labels = model.predict_probas(image), model.segment(image)
    np.testing.assert_allclose(probabilities, expected, atol=2e-5)
    np.testing.assert_array_equal(labels, model.classes_[probabilities.argmax(axis=0)])
