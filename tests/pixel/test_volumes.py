"""What holds for planes holds for volumes: blocks, crops, memory, files, dask, tables of planes."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma import ConvpaintModel, Image
from stroma.blocks.box import Box
from stroma.errors import Cancelled, ParameterError
from stroma.features.pipeline import Pipeline
from stroma.pixel.predicting.run import blocks_of, predict_blocks
from stroma.pixel.predicting.stored import write_result

LAYERS = ["gaussian_s0.7", "hessian_s1.0", "gaussian_s1.6_2d"]


def cut_into(patch, sides):
    """Let blocks of volumes have such sides, and those of planes be one plane deep."""
    depth, height, width = sides
    patch.setattr(Pipeline, "block_sides", lambda self, planes: (min(depth, planes), height, width))


def volume_of(shape, seed=0):
    """Return a volume that is smooth and noisy, and strokes on two of its planes."""
    random = np.random.default_rng(seed)
    volume = random.normal(size=shape).astype(np.float32).cumsum(-1).cumsum(-3)
    strokes = np.zeros(shape, np.uint8)
    strokes[0, :3], strokes[-1, -3:], strokes[-1, :2] = 1, 2, 3
    return volume, strokes


def trained(volume, strokes, **values):
    model = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS, clf="logistic")
    model.set_params(**values)
    model.train(volume, strokes)
    return model


shapes = st.tuples(st.integers(2, 12), st.integers(9, 40), st.integers(9, 40))
sides = st.tuples(st.integers(1, 6), st.integers(4, 20), st.integers(4, 20))


@settings(max_examples=8, deadline=None)
@given(
    shape=shapes,
    sides=sides,
    factor=st.sampled_from([1, 2, [1, 2, 2], [3, 1, 2], [2, -2, 1], -2]),
    smoothing=st.sampled_from([0, 2]),
    edges=st.sampled_from([0, 2]),
    scalings=st.sampled_from([[1], [1, 2]]),
    order=st.sampled_from([0, 1]),
)
def test_a_volume_in_blocks_equals_the_whole(
    shape, sides, factor, smoothing, edges, scalings, order
):
    volume, strokes = volume_of(shape)
    model = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS, clf="logistic")
    model.set_params(image_downsample=factor, seg_smoothening=smoothing, edge_smoothing=edges)
    model.set_params(fe_scalings=scalings, fe_order=order)
    strokes[:, :2], strokes[:, -2:] = 1, 2
    with pytest.MonkeyPatch.context() as patch:
        cut_into(patch, (1000, 1000, 1000))
        model.train(volume, strokes)
        expected, labels = model.predict_probas(volume), model.segment(volume)
        cut_into(patch, sides)
        model.cache.clear()
        again = ConvpaintModel(param=model.get_params())
        again.train(volume, strokes)
        np.testing.assert_allclose(again.predict_probas(volume), expected, atol=1e-4)
        close = np.sort(expected, axis=0)
        clear = close[-1] - close[-2] > 1e-3
        found = again.segment(volume)
    if not smoothing:
        np.testing.assert_array_equal(found[clear], labels[clear])
    assert (found == labels).mean() > 0.99


@settings(max_examples=8, deadline=None)
@given(shape=st.tuples(st.integers(12, 20), st.integers(20, 40), st.integers(20, 40)), sides=sides)
def test_a_crop_with_its_margin_equals_the_crop_of_the_whole(shape, sides):
    volume, strokes = volume_of(shape)
    image = Image(volume, "zyx")
    model = trained(image, strokes)
    whole = model.predict_probas(image)
    start = [1, 2, 3]
    with pytest.MonkeyPatch.context() as patch:
        cut_into(patch, sides)
        cut = image.at(**{a: slice(s, None) for a, s in zip("zyx", start, strict=True)})
        part = model.predict_probas(cut)
    reach = 6
    inner = (slice(None), *(slice(reach, None) for _ in start))
    expected = whole[:, 1:, 2:, 3:]
    np.testing.assert_allclose(part[inner], expected[inner], atol=1e-5)


def test_a_plane_is_a_volume_of_depth_one():
    volume, strokes = volume_of((1, 30, 34))
    strokes[0, :3], strokes[0, -3:] = 1, 2
    model = trained(volume, strokes)
    flat = trained(volume[0], strokes[0])
    np.testing.assert_array_equal(
        model.predict_probas(volume)[:, 0], flat.predict_probas(volume[0])
    )


def test_volumes_at_several_times_are_told_apart():
    first, strokes = volume_of((4, 20, 24))
    second, _ = volume_of((4, 20, 24), seed=1)
    both = Image(np.stack([first, second]), "tzyx")
    labels = np.stack([strokes, np.zeros_like(strokes)])
    model = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS, norm_from="training")
    model.train(both, labels)
    result = model.segment(both)
    assert result.shape == (2, 4, 20, 24)
    np.testing.assert_array_equal(result[1], model.segment(second))
    np.testing.assert_array_equal(result[0], model.segment(first))


@pytest.mark.parametrize("planes", [2, 12])
def test_training_is_the_same_in_blocks_of_any_depth(planes, monkeypatch):
    volume, strokes = volume_of((12, 30, 30))
    strokes[:planes, 5:8], strokes[:planes, 20:23] = 1, 2
    few = trained(volume, strokes)
    monkeypatch.setattr("stroma.pixel.training.learn.MOST_SLICES", 0 if planes == 2 else 99)
    many = trained(volume, strokes)
    np.testing.assert_array_equal(few.predict_probas(volume), many.predict_probas(volume))


def test_a_plane_of_a_volume_is_predicted_with_its_neighbours():
    volume, strokes = volume_of((9, 30, 34))
    model = trained(volume, strokes, seg_smoothening=2)
    whole = model.segment(volume)
    source, ready = model.open(volume), model.trained()
    for z in (0, 4, 8):
        result = np.zeros((30, 34), np.uint8)
        for block in blocks_of(source, ready, model.cache, positions=[{"z": z}]):
            assert block.plane == {"z": z}
            result[block.y, block.x] = block.labels
        np.testing.assert_array_equal(result, whole[z])


def test_of_planes_that_are_reduced_together_only_those_asked_for_are_given():
    volume, strokes = volume_of((9, 30, 34))
    strokes[:, :4], strokes[:, -4:] = 1, 2
    model = trained(volume, strokes, image_downsample=[3, 1, 1])
    blocks = list(blocks_of(model.open(volume), model.trained(), model.cache, positions=[{"z": 4}]))
    assert {block.plane["z"] for block in blocks} == {4}
    whole = model.segment(volume)
    for block in blocks:
        np.testing.assert_array_equal(block.labels, whole[block.index])


def test_a_region_of_a_volume_is_that_part_of_the_whole():
    volume, strokes = volume_of((9, 40, 44))
    model = trained(volume, strokes)
    whole, seen = model.segment(volume), set()
    for block in predict_blocks(model, volume, region=Box(5, 6, 20, 30, 2, 5)):
        np.testing.assert_array_equal(block.labels, whole[block.index])
        seen.add(block.plane["z"])
    assert {2, 3, 4} <= seen


def test_memory_mode_remembers_volumes():
    first, strokes = volume_of((4, 20, 24))
    second, other = volume_of((5, 22, 26), seed=1)
    model = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS)
    model.train(first, strokes, memory_mode=True, img_ids="a")
    model.train(second, other, memory_mode=True, img_ids="b")
    at_once = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS)
    at_once.train([first, second], [strokes, other])
    np.testing.assert_array_equal(model.segment(second), at_once.segment(second))


def test_anisotropic_volumes_are_filtered_as_they_are_in_the_sample():
    volume, strokes = volume_of((6, 30, 34))
    flat = {"spacing": {"z": 3.0, "y": 1.0, "x": 1.0}, "unit": "µm"}
    known = trained(Image(volume, "zyx", **flat), strokes)
    told = trained(volume, strokes, voxel_size=[3, 1, 1])
    cubes = trained(volume, strokes)
    found = known.predict_probas(Image(volume, "zyx", **flat))
    np.testing.assert_array_equal(found, told.predict_probas(volume))
    assert np.abs(found - cubes.predict_probas(volume)).max() > 0.01


def test_extractors_of_planes_join_those_of_volumes():
    volume, strokes = volume_of((5, 30, 34))
    model = ConvpaintModel(fe_name="gaussian_features+ilastik_3d", fe_layers=[None, LAYERS])
    model.train(volume, strokes)
    [stack] = model.get_feature_image(volume, restore_input_form=False)
    alone = ConvpaintModel(fe_name="gaussian_features").get_feature_image(volume)
    np.testing.assert_allclose(stack[0], alone[0], atol=1e-6)
    assert model.segment(volume).shape == volume.shape


def test_features_of_a_volume_as_an_image():
    volume, strokes = volume_of((5, 20, 24))
    model = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS)
    features = model.get_feature_image(volume)
    assert features.shape == (5, 5, 20, 24)
    planes, labels = model.get_feature_image(volume, strokes, restore_input_form=False)
    assert [p.shape for p in planes] == [(5, 1, 20, 24)] * 2
    np.testing.assert_array_equal(planes[1][:, 0], features[:, 4])
    np.testing.assert_array_equal(labels[1][0], strokes[4])


@pytest.mark.parametrize("ending", [".zarr", ".tif"])
def test_results_go_to_files_and_are_continued(ending, tmp_path):
    from stroma.io import read_image

    volume, strokes = volume_of((7, 40, 44))
    model = trained(volume, strokes)
    path = tmp_path / f"result{ending}"
    with pytest.MonkeyPatch.context() as patch:
        cut_into(patch, (3, 16, 16))
        asked = iter(range(1000))
        with pytest.raises(Cancelled):
            write_result(model, volume, path, cancel=lambda: next(asked) > 14)
        told = []
        write_result(model, volume, path, progress=lambda done, total: told.append((done, total)))
    np.testing.assert_array_equal(read_image(path).read(), model.segment(volume))
    assert told[-1][0] == told[-1][1]
    assert told[0][0] > 1


def test_sigmas_in_micrometres_need_voxels_of_a_known_size():
    with pytest.raises(ParameterError, match="three lengths above 0"):
        ConvpaintModel(fe_name="ilastik_3d", voxel_size=[1, 2])
    with pytest.raises(ParameterError, match="three of them"):
        ConvpaintModel(fe_name="ilastik_3d", image_downsample=[1, 2])


@pytest.mark.parametrize("from_file", [False, True])
def test_blocks_of_a_volume_travel_to_other_processes(from_file, tmp_path, monkeypatch):
    from stroma.io import read_image, write_image
    from stroma.pixel.predicting import remote
    from stroma.pixel.predicting.run import tasks_of

    volume, strokes = volume_of((7, 40, 44))
    model = trained(volume, strokes, seg_smoothening=2)
    expected = model.segment(volume)
    path = write_image(tmp_path / "volume.zarr", volume, axes="zyx")
    source, ready = model.open(read_image(path) if from_file else volume), model.trained()
    cut_into(monkeypatch, (3, 16, 16))
    found = np.zeros_like(expected)
    for task in tasks_of(source, ready):
        sent = pickle.loads(pickle.dumps(remote._sent(task, 1)))
        for result in remote._compute(sent, ready):
            found[result.index] = result.labels
    np.testing.assert_array_equal(found, expected)


def test_a_volume_in_a_file_is_segmented_without_reading_it_whole(tmp_path, monkeypatch):
    from stroma.io import read_image, write_image

    volume, strokes = volume_of((12, 40, 44))
    path = write_image(tmp_path / "volume.zarr", volume, axes="zyx")
    image = read_image(path)
    model = trained(image, strokes)
    expected = model.segment(volume)
    cut_into(monkeypatch, (3, 16, 16))
    asked, read = [], Image.read

    def counted(self, box=None):
        values = read(self, box)
        asked.append(values.size)
        return values

    monkeypatch.setattr(Image, "read", counted)
    out = model.segment(read_image(path), out=tmp_path / "labels.zarr")
    monkeypatch.undo()
    np.testing.assert_array_equal(read_image(out).read(), expected)
    assert max(asked) < volume.size
