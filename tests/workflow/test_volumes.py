"""A model that looks at volumes segments files as volumes."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from stroma import ConvpaintModel
from stroma.errors import Cancelled
from stroma.io import read_image, write_image
from stroma.workflow.applying import one_image
from stroma.workflow.applying.components import solids
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files
from stroma.workflow.applying.volume_tables import BOX


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
    with result.summary.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["volume_vx"]) for row in rows] == [(found == k).sum() for k in (1, 2)]
    assert float(rows[1]["volume_um3"]) == pytest.approx((found == 2).sum() * 0.054, rel=1e-4)
    assert "area_px" not in rows[0]
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


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 7), st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 99),
    cut=st.integers(1, 4),
)
def test_components_of_a_volume_are_those_of_scipy_however_it_is_cut(shape, seed, cut):
    labels = np.random.default_rng(seed).choice(3, shape, p=[0.6, 0.2, 0.2]).astype(np.uint8)
    found = solids(labels[z : z + cut] for z in range(0, shape[0], cut))
    expected = []
    for label in (1, 2):
        ids, _ = ndi.label(labels == label, np.ones((3, 3, 3)))
        for k, box in enumerate(ndi.find_objects(ids), 1):
            centre = ndi.center_of_mass(ids == k)
            ends = [b.start for b in box] + [b.stop for b in box]
            expected.append((label, int((ids == k).sum()), *np.round(centre, 6), *ends))
    made = [
        (s.label, s.area, *np.round((s.z, s.y, s.x), 6), *(getattr(s, side) for side in BOX))
        for s in found
    ]
    assert sorted(made) == sorted(expected)
