"""Pixels without data: NaN in images of floats."""

import logging

import numpy as np
import pytest
import zarr

from stroma import ConvpaintModel, Image
from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import ImageError, LabelError, for_people
from stroma.features.pipeline import Pipeline
from stroma.pixel.predicting.run import predict_blocks


def made(alias="gaussian", **params):
    model = ConvpaintModel(alias)
    model.set_params(clf="logistic", **params)
    return model


@pytest.fixture
def masked(disks):
    """An image with a corner and a hole without data, strokes that reach into both, and where."""
    image, _, strokes = disks
    lacking = np.zeros(image.shape, bool)
    lacking[:9, :40] = lacking[30:50, 44:52] = True
    return np.where(lacking, np.float32(np.nan), image), strokes, lacking


@pytest.mark.parametrize(
    "params",
    [
        {"normalize": 1},
        {"normalize": 3},
        {"norm_from": "training"},
        {"image_downsample": 2},
        {"seg_smoothening": 3},
        {"edge_smoothing": 4},
    ],
    ids=str,
)
def test_no_data_gets_no_class_and_the_rest_is_found(masked, disks, params):
    image, strokes, lacking = masked
    model = made(**params)
    model.train(image, strokes)
    labels, shares = model.segment(image), model.predict_probas(image)
    assert (labels[lacking] == 0).all()
    assert (labels[~lacking] > 0).all()
    assert (shares[:, lacking] == 0).all()
    assert shares[:, ~lacking].sum(axis=0) == pytest.approx(1, abs=1e-5)
    assert (labels == disks[1])[~lacking].mean() > 0.9


@pytest.mark.parametrize("alias", ["gaussian", "stroma"])
def test_tiled_results_equal_the_whole(masked, monkeypatch, alias, tmp_path):
    image, strokes, _ = masked
    model = made(alias, seg_smoothening=3)
    model.train(image, strokes)
    whole = model.segment(image), model.predict_probas(image)
    monkeypatch.setattr(Pipeline, "block_side", property(lambda self: 16))
    lazy = zarr.create_array(tmp_path / "a.zarr", data=image, chunks=(20, 24))
    for given in (image, Image(lazy, "yx")):
        tiled = made(alias, seg_smoothening=3)
        tiled.train(given, strokes)
        np.testing.assert_array_equal(tiled.segment(given), whole[0])
        np.testing.assert_allclose(tiled.predict_probas(given), whole[1], atol=2e-3)
        part = list(predict_blocks(tiled, given, region=Box(20, 30, 60, 70)))
        assert all((b.labels == whole[0][b.index]).all() for b in part)


def test_a_pixel_that_lacks_one_channel_has_no_data(masked):
    image, strokes, lacking = masked
    other = np.random.default_rng(0).random(image.shape).astype(np.float32)
    model = made(channel_mode="multi")
    both = np.stack([other, image])
    model.train(both, strokes)
    assert ((model.segment(both) == 0) == lacking).all()
    chosen = made(channel_mode="multi")
    chosen.train(both, strokes, in_channels=[0])
    assert (chosen.segment(both, in_channels=[0]) > 0).all()


def test_strokes_on_no_data_change_nothing(masked):
    image, strokes, lacking = masked
    with_them, without = made(), made()
    with_them.train(image, strokes)
    without.train(image, np.where(lacking, 0, strokes))
    np.testing.assert_array_equal(with_them.predict_probas(image), without.predict_probas(image))


def test_a_class_painted_on_no_data_alone_is_told(disks):
    image, _, strokes = disks
    with pytest.raises(LabelError, match=r"strokes of \[2\] lie on pixels that hold no data"):
        made().train(np.where(strokes == 2, np.nan, image), strokes)
    with pytest.raises(LabelError, match=r"strokes of \[1, 2\] lie on pixels that hold no data"):
        made().train(np.full_like(image, np.nan), strokes)
    named = made()
    named.classes = (Class(2, "vessel"),)
    with pytest.raises(LabelError) as caught:
        named.train(np.where(strokes == 2, np.nan, image), strokes)
    assert for_people(caught.value).startswith("The strokes of vessel lie where the image has no")


def test_a_plane_without_data_gets_no_class(disks):
    image, _, strokes = disks
    stack = np.stack([image, np.full_like(image, np.nan)])
    model = made(normalize=3)
    model.train(stack, np.stack([strokes, strokes]))
    labels = model.segment(stack)
    assert (labels[0] > 0).all()
    assert (labels[1] == 0).all()


def test_a_coarse_look_leaves_no_data_out(masked):
    image, strokes, lacking = masked
    model = made()
    model.train(image, strokes)
    for block in predict_blocks(model, image, coarse=4):
        middle = lacking[block.y, block.x][2::4, 2::4]
        rows, columns = middle.shape
        assert ((block.labels == 0)[:rows, :columns] == middle).all()


def test_no_data_is_said_once(masked, caplog):
    image, strokes, _ = masked
    shown = Image(image, "yx", source="cells.tif")
    with caplog.at_level(logging.WARNING, "stroma"):
        model = made()
        model.train(shown, strokes)
        model.segment(shown)
    assert [r.getMessage() for r in caplog.records] == [
        "Some pixels of cells.tif hold no data (NaN). They are left out of statistics and "
        "training, and get no class (label 0)."
    ]


def test_infinite_values_beside_no_data_are_refused(masked):
    image, strokes, _ = masked
    image = image.copy()
    image[60, 60] = -np.inf
    with pytest.raises(ImageError, match="1 values that are infinite"):
        made().train(image, strokes)


def test_groups_are_found_where_there_is_data(masked):
    image, _, lacking = masked
    model = made()
    model.cluster(image, classes=2)
    assert ((model.segment(image) == 0) == lacking).all()
    with pytest.raises(ImageError, match="no data"):
        made().cluster(np.full_like(image, np.nan), classes=2)
