"""Results that are written block by block, and continued after an interruption."""

import numpy as np
import pytest

from stroma import ConvpaintModel, Image
from stroma.errors import Cancelled, ParameterError
from stroma.features.pipeline import Pipeline
from stroma.io import read_image
from stroma.pixel.predicting import stored
from stroma.pixel.predicting.stored import write_result


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(Pipeline, "block_side", property(lambda self: 24))
    monkeypatch.setattr(stored, "TILE", 32)


@pytest.fixture
def model(disks):
    image, _, strokes = disks
    made = ConvpaintModel("gaussian")
    made.set_param("clf", "logistic")
    made.train(image, strokes)
    return made


@pytest.mark.parametrize("name", ["result.zarr", "result.tif", "result.ome.tif"])
def test_a_result_on_disk_is_the_result_in_memory(disks, model, tmp_path, name):
    image = disks[0]
    path = model.segment(image, out=tmp_path / name)
    assert path == tmp_path / name
    np.testing.assert_array_equal(read_image(path).read(), model.segment(image))


def test_probabilities_have_their_classes_as_channels(disks, model, tmp_path):
    path = model.predict_probas(disks[0], out=tmp_path / "p.zarr")
    written = read_image(path)
    assert written.kept_axes == "cyx"
    np.testing.assert_array_equal(written.read(), model.predict_probas(disks[0]))


def test_stacks_and_time_series_are_written_plane_by_plane(disks, model, tmp_path):
    image = disks[0]
    series = np.stack([[image, -image], [image * 2, image[::-1]], [-image, image]])
    whole = Image(series, "tzyx")
    model.train(whole, np.broadcast_to(disks[2], series.shape))
    labels = model.segment(whole, out=tmp_path / "l.zarr")
    np.testing.assert_array_equal(read_image(labels).read(), model.segment(whole))
    probabilities = read_image(model.predict_probas(whole, out=tmp_path / "p.zarr"))
    assert probabilities.kept_axes == "tczyx"
    expected = np.moveaxis(model.predict_probas(whole), 0, 1)
    np.testing.assert_array_equal(probabilities.read(), expected)


def test_an_interrupted_run_is_continued_and_repeats_nothing(disks, model, tmp_path, monkeypatch):
    image, path = disks[0], tmp_path / "r.zarr"
    seen = []

    def stop():
        return len(seen) > 9

    with pytest.raises(Cancelled):
        write_result(model, image, path, progress=lambda *p: seen.append(p), cancel=stop)
    assert not path.exists()
    computed = []
    compute = Pipeline.compute
    monkeypatch.setattr(Pipeline, "compute", lambda *a: computed.append(1) or compute(*a))
    write_result(model, image, path, progress=lambda *p: seen.append(p))
    total = seen[0][1]
    assert 0 < len(computed) < total
    assert seen[-1] == (total, total)
    np.testing.assert_array_equal(read_image(path).read(), model.segment(image))


def test_a_run_of_another_model_is_not_continued(disks, model, tmp_path):
    image, _, strokes = disks
    seen = []
    with pytest.raises(Cancelled):
        write_result(
            model,
            image,
            tmp_path / "r.zarr",
            progress=lambda *p: seen.append(p),
            cancel=lambda: len(seen) > 9,
        )
    model.train(image, np.where(strokes > 0, 3 - strokes, 0))
    with pytest.raises(ParameterError, match="other parameters"):
        write_result(model, image, tmp_path / "r.zarr")
    write_result(model, image, tmp_path / "r.zarr", resume=False)
    expected = model.segment(image)
    np.testing.assert_array_equal(read_image(tmp_path / "r.zarr").read(), expected)


def test_one_image_at_a_time_goes_to_a_file(disks, model, tmp_path):
    with pytest.raises(ParameterError, match="one image at a time"):
        model.segment([disks[0]], out=tmp_path / "r.zarr")


@pytest.mark.parametrize("factor", [-2, 3])
def test_blocks_that_are_not_whole_chunks_are_put_together(disks, model, tmp_path, factor):
    image, _, strokes = disks
    model.set_params(image_downsample=factor, seg_smoothening=3)
    model.train(image, strokes)
    path = model.segment(image, out=tmp_path / "r.zarr")
    np.testing.assert_array_equal(read_image(path).read(), model.segment(image))
