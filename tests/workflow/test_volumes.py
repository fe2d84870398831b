"""A model that looks at volumes segments files as volumes."""

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.errors import Cancelled
from stroma.io import read_image, write_image
from stroma.workflow import one_image
from stroma.workflow.outputs import Outputs
from stroma.workflow.segment import segment_files


@pytest.fixture
def volume():
    z, y, x = np.mgrid[:9, :40, :44]
    ball = (z - 4) ** 2 * 4 + (y - 20) ** 2 + (x - 22) ** 2 < 100
    noise = np.random.default_rng(0).normal(0, 0.4, ball.shape)
    return (ball + noise).astype(np.float32), ball


@pytest.fixture
def model(volume):
    image, ball = volume
    strokes = np.zeros(ball.shape, np.uint8)
    for z in (2, 5):
        strokes[z, ::3, ::3] = 1 + ball[z, ::3, ::3]
    made = ConvpaintModel(fe_name="ilastik_3d", fe_layers=["gaussian_s1.6", "hessian_s1.0"])
    made.train(image, strokes)
    return made


@pytest.fixture
def path(tmp_path, volume):
    spacing = {"z": 0.6, "y": 0.3, "x": 0.3}
    return write_image(tmp_path / "in.tif", volume[0], axes="zyx", spacing=spacing, unit="µm")


def test_a_file_is_segmented_as_the_volume_it_is(tmp_path, model, path):
    result = segment_files(model, [path], tmp_path / "out", outputs=Outputs(tables=True))
    assert not result.failed, str(result)
    found = read_image(result.files[0].outputs[0]).read()
    np.testing.assert_array_equal(found, model.segment(path))
    flat = np.stack([model.segment(read_image(path).at(z=z)) for z in range(9)])
    assert (found != flat).any()


def test_a_region_of_a_volume_is_segmented_with_what_lies_around(tmp_path, model, path, volume):
    mask = np.zeros(volume[1].shape, np.uint8)
    mask[3:5, 8:30, 9:33] = 1
    where = write_image(tmp_path / "mask.tif", mask, axes="zyx")
    result = segment_files(model, [path], tmp_path / "out", outputs=Outputs(mask=where))
    found = read_image(result.files[0].outputs[0]).read()
    np.testing.assert_array_equal(found, model.segment(path) * (mask > 0))


def test_a_large_volume_is_continued_where_it_stopped(tmp_path, model, path, monkeypatch):
    monkeypatch.setattr(one_image, "LARGE_BYTES", 0)
    monkeypatch.setattr(one_image, "CHUNK", 16)
    monkeypatch.setattr(
        "stroma.features.pipeline.Pipeline.block_sides", lambda self, depth: (min(depth, 4), 16, 16)
    )
    asked = []
    with pytest.raises(Cancelled):
        segment_files(
            model, [path], tmp_path / "out", cancel=lambda: asked.append(1) or len(asked) > 12
        )
    result = segment_files(model, [path], tmp_path / "out")
    found = read_image(result.files[0].outputs[0]).read()
    np.testing.assert_array_equal(found, model.segment(path))
