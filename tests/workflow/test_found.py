"""What networks find in files: objects, points, images, each beside the others."""

import json

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from scipy import ndimage

from stroma.errors import Cancelled, ParameterError
from stroma.io import read_image, write_image, write_labels
from stroma.io.points import read_points
from stroma.networks.blind import Blind
from stroma.training.files.about import About
from stroma.training.model import Network
from stroma.workflow.applying import found
from stroma.workflow.applying.find import find_images
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files
from stroma.workflow.scoring.compared import point_scores


class Bright(torch.nn.Module):
    """Says of every pixel how bright it is, in every channel; the first class is the dark."""

    stride, halo = (1, 1), (0, 0)

    def __init__(self, outputs, *, signs=None, less=0.0):
        super().__init__()
        self.less = less
        self.signs = torch.tensor(signs or [1.0] * outputs)

    def forward(self, images):
        return 9 * (images[:, :1] - self.less) * self.signs[:, None, None]


def network(target, outputs, *, params=None, **how):
    about = About("", {}, target, params or {}, 2, 1, {"schemes": ["zscore"]}, (32, 32))
    return Network(Bright(outputs, **how), about)


CLASSES = network("semantic", 2, params={"labels": [0, 1]}, signs=[-1.0, 1.0])
OBJECTS = network("distances", 3)
POINTS = network("spots", 3, signs=[1.0, 0.0, 0.0])
RESTORED = network("restore", 1)


@pytest.fixture
def image(tmp_path):
    values = np.zeros((40, 60), np.uint8)
    values[5:15, 5:15] = values[20:30, 40:50] = 200
    spacing = {"y": 0.5, "x": 0.5}
    return write_image(tmp_path / "cells.tif", values, axes="yx", spacing=spacing, unit="µm")


def test_results_of_every_kind_lie_side_by_side_and_are_made_once(tmp_path, image):
    models = {"labels": CLASSES, "objects": OBJECTS, "points": POINTS, "restored": RESTORED}
    for expected in ("done", "skipped"):
        for model in models.values():
            result = segment_files(model, [image], tmp_path)
            assert [f.status for f in result.files] == [expected], str(result)
    assert json.loads((tmp_path / "cells_stroma.json").read_text())["outputs"] == [
        "cells_labels.tif"
    ]
    assert json.loads((tmp_path / "cells_objects_stroma.json").read_text())["outputs"] == [
        "cells_objects.tif"
    ]
    assert find_images([tmp_path]) == [image]


def test_what_lies_outside_a_mask_is_left_out_of_every_kind(tmp_path, image):
    inside = np.zeros((40, 60), np.uint8)
    inside[:, 30:] = 1
    Picture.fromarray(inside).save(tmp_path / "mask.png")
    wanted = Outputs(mask=tmp_path / "mask.png")
    for model in (OBJECTS, POINTS, RESTORED):
        result = segment_files(model, [image], tmp_path / "out", outputs=wanted)
        assert not result.failed, str(result)
    objects = read_image(tmp_path / "out" / "cells_objects.tif")
    assert objects.spacing["y"] == 0.5
    expected = np.zeros((40, 60), bool)
    expected[20:30, 40:50] = True
    np.testing.assert_array_equal(objects.read() > 0, expected)
    points = read_points(tmp_path / "out" / "cells_points.csv")
    assert len(points)
    assert (points[:, 1] >= 29.5).all()
    restored = read_image(tmp_path / "out" / "cells_restored.tif").read()
    assert (restored[:, :30] == 0).all()
    assert (restored[:, 30:] != 0).all()


def test_blocks_outside_a_mask_are_not_looked_at(tmp_path, monkeypatch):
    values = np.zeros((600, 1100), np.uint8)
    values[500:520, 500:520] = values[500:520, 100:120] = values[60:90, 1050:1080] = 200
    image = write_image(tmp_path / "cells.tif", values, axes="yx")
    inside = np.zeros(values.shape, np.uint8)
    inside[400:505, 400:590] = 1  # two blocks; the object that it cuts reaches into two others
    Picture.fromarray(inside).save(tmp_path / "mask.png")
    expected = np.zeros(values.shape, bool)
    expected[500:505, 500:520] = True
    for large in (found.LARGE_BYTES, 0):
        monkeypatch.setattr(found, "LARGE_BYTES", large)
        told = []
        wanted = Outputs(mask=tmp_path / "mask.png", overwrite=True)
        how = {"outputs": wanted, "progress": told.append}
        assert not segment_files(OBJECTS, [image], tmp_path / "out", **how).failed
        assert [(p.done, p.total) for p in told] == [(1, 2), (2, 2)]
        objects = read_image(tmp_path / "out" / "cells_objects.tif").read()
        np.testing.assert_array_equal(objects > 0, expected)
        assert len(np.unique(objects)) == 2


def test_what_is_fitted_to_an_image_is_the_same_inside_a_mask(tmp_path):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:516, :60]
    values = rng.poisson(100 + 50 * np.sin(x / 9) * np.sin(y / 7)).astype(np.uint8)
    image = write_image(tmp_path / "noisy.tif", values, axes="yx")
    inside = np.zeros(values.shape, np.uint8)
    inside[-4:, 10:50] = 1  # of the last block, which is as thin
    mask = write_image(tmp_path / "mask.tif", inside, axes="yx")
    about = About("blind", {"width": 8}, "denoise", {}, 2, 1, {"schemes": ["zscore"]}, (32, 32))
    torch.manual_seed(0)
    blind = Network(Blind(1, 1, width=8), about)
    assert blind.blind
    for name, wanted in (("whole", Outputs()), ("part", Outputs(mask=mask))):
        assert not segment_files(blind, [image], tmp_path / name, outputs=wanted).failed
    whole, part = (
        read_image(tmp_path / name / "noisy_restored.tif").read() for name in ("whole", "part")
    )
    np.testing.assert_array_equal(part, np.where(inside, whole, 0))
    assert (whole[-4:, 10:50] > 40).all()


def test_planes_outside_a_mask_have_no_points_and_those_inside_keep_theirs(tmp_path):
    values = np.zeros((3, 40, 60), np.uint8)
    values[:, 10, 10] = values[:, 30, 40] = 200
    image = write_image(tmp_path / "spots.tif", values, axes="zyx")
    inside = np.zeros(values.shape, np.uint8)
    inside[1:, :, 30:] = 1
    mask = write_image(tmp_path / "mask.tif", inside, axes="zyx")
    told = []
    how = {"outputs": Outputs(mask=mask), "progress": told.append}
    assert not segment_files(POINTS, [image], tmp_path / "out", **how).failed
    rows = read_points(tmp_path / "out" / "spots_points.csv")
    np.testing.assert_array_equal(rows[:, :3].round(), [[1, 30, 40], [2, 30, 40]])
    assert len(told) == 2


def test_a_mask_that_is_empty_leaves_nothing_of_any_kind(tmp_path, image):
    mask = write_image(tmp_path / "mask.tif", np.zeros((40, 60), np.uint8), axes="yx")
    for model in (OBJECTS, POINTS, RESTORED):
        done = segment_files(model, [image], tmp_path / "out", outputs=Outputs(mask=mask))
        assert not done.failed, str(done)
    assert not read_image(tmp_path / "out" / "cells_objects.tif").read().any()
    assert not read_image(tmp_path / "out" / "cells_restored.tif").read().any()
    assert len((tmp_path / "out" / "cells_points.csv").read_text().splitlines()) == 1


def test_an_image_in_which_nothing_is_found_has_results_of_every_kind(tmp_path):
    image = write_image(tmp_path / "film.tif", np.zeros((2, 40, 60), np.uint8), axes="tyx")
    for target in ("distances", "spots"):
        done = segment_files(network(target, 3, less=1.0), [image], tmp_path / "out")
        assert not done.failed, str(done)
    assert not read_image(tmp_path / "out" / "film_objects.tif").read().any()
    head, *rows = (tmp_path / "out" / "film_points.csv").read_text().splitlines()
    assert (head, rows) == ("y,x,t,probability", [])


def test_an_overlay_has_the_outlines_of_objects_and_the_image_inside_them(tmp_path, image):
    wanted = Outputs(overlay=True)
    assert not segment_files(OBJECTS, [image], tmp_path / "out", outputs=wanted).failed
    objects = read_image(tmp_path / "out" / "cells_objects.tif").read()
    with Picture.open(tmp_path / "out" / "cells_objects_overlay.png") as shown:
        values = np.asarray(shown.convert("RGB"))
    coloured = values.max(-1) != values.min(-1)
    inside = ndimage.binary_erosion(objects > 0, iterations=1)
    np.testing.assert_array_equal(coloured, (objects > 0) & ~inside)
    assert len(np.unique(values[coloured], axis=0)) == len(np.unique(objects)) - 1
    with pytest.raises(ParameterError, match="classes or objects; this network finds points"):
        segment_files(POINTS, [image], tmp_path / "out", outputs=wanted)


def test_an_overlay_of_objects_has_all_planes(tmp_path):
    values = np.zeros((3, 40, 60), np.uint8)
    values[1, 20:30, 40:50] = 200
    image = write_image(tmp_path / "stack.tif", values, axes="zyx")
    how = {"outputs": Outputs(overlay=True)}
    assert not segment_files(OBJECTS, [image], tmp_path / "out", **how).failed
    shown = read_image(tmp_path / "out" / "stack_objects_overlay.tif")
    assert shown.sizes == {"c": 3, "z": 3, "y": 40, "x": 60}
    values = shown.at(z=1).read()
    assert (values.max(0) != values.min(0)).sum() == 4 * 9  # the border of 10 x 10 pixels


def test_objects_gathered_in_a_file_are_those_gathered_in_memory(tmp_path, image, monkeypatch):
    segment_files(OBJECTS, [image], tmp_path / "memory")
    monkeypatch.setattr(found, "LARGE_BYTES", 0)
    segment_files(OBJECTS, [image], tmp_path / "file")
    one, other = (read_image(tmp_path / n / "cells_objects.tif") for n in ("memory", "file"))
    assert one.read().max() == 2
    np.testing.assert_array_equal(one.read(), other.read())
    assert sorted(p.name for p in (tmp_path / "file").iterdir()) == [
        "cells_objects.tif",
        "cells_objects_stroma.json",
    ]


def test_points_are_compared_with_the_middles_of_true_objects(tmp_path):
    labels = np.zeros((30, 40), np.uint16)
    labels[4:9, 4:9], labels[20:25, 30:35] = 7, 300
    truth = write_labels(tmp_path / "truth.tif", labels)
    (tmp_path / "a_points.csv").write_text("y,x,probability\n6,6.5,0.9\n12,12,0.8\n")
    scores = point_scores(tmp_path / "a_points.csv", truth, cutoff=2)
    assert (scores["true"], scores["found"], scores["f1"]) == (2, 2, 0.5)
    full = write_labels(tmp_path / "full.tif", np.full((30, 40), 5, np.uint16))
    assert point_scores(tmp_path / "a_points.csv", full, cutoff=2)["true"] == 1


def large_scene(path):
    """Write an image of several blocks with objects on their borders, and return its path."""
    values = np.zeros((1100, 1100), np.uint8)
    for y, x in [(100, 100), (500, 500), (505, 900), (1010, 40), (1040, 1040), (300, 504)]:
        values[y : y + 30, x : x + 40] = 200
    return write_image(path, values, axes="yx")


def cut_off(image, folder, after):
    """Segment an image, and stop after some blocks; return how many there are."""
    told = []

    def stop():
        return len(told) >= after

    with pytest.raises(Cancelled):
        segment_files(OBJECTS, [image], folder, progress=told.append, cancel=stop)
    assert len(list((folder / "cells_objects.tif.blocks").glob("*.npz"))) == after
    return told[-1].total


@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize("after", [1, 4, 8])
def test_objects_of_a_run_that_was_cut_off_are_gone_on_with(tmp_path, monkeypatch, after, large):
    image = large_scene(tmp_path / "cells.tif")
    monkeypatch.setattr(found, "LARGE_BYTES", 0 if large else found.LARGE_BYTES)
    segment_files(OBJECTS, [image], tmp_path / "whole")
    total = cut_off(image, tmp_path / "out", after)
    rest = []
    assert not segment_files(OBJECTS, [image], tmp_path / "out", progress=rest.append).failed
    assert len(rest) == total - after
    one, other = (read_image(tmp_path / n / "cells_objects.tif").read() for n in ("whole", "out"))
    assert one.max() == 6
    np.testing.assert_array_equal(one, other)
    assert not (tmp_path / "out" / "cells_objects.tif.blocks").exists()


def test_where_only_the_writing_failed_nothing_is_found_twice(tmp_path, monkeypatch):
    image = large_scene(tmp_path / "cells.tif")
    segment_files(OBJECTS, [image], tmp_path / "whole")

    def full(*args, **how):
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(found, "write_labels", full)
        assert segment_files(OBJECTS, [image], tmp_path / "out").failed
    assert not segment_files(OBJECTS, [image], tmp_path / "out").failed
    one, other = (read_image(tmp_path / n / "cells_objects.tif").read() for n in ("whole", "out"))
    np.testing.assert_array_equal(one, other)


def test_blocks_of_another_image_are_not_gone_on_with(tmp_path):
    image = large_scene(tmp_path / "cells.tif")
    total = cut_off(image, tmp_path / "out", 3)
    image.unlink()
    write_image(image, np.eye(1100, dtype=np.uint8), axes="yx")
    rest = []
    segment_files(OBJECTS, [image], tmp_path / "out", progress=rest.append)
    assert len(rest) == total


def test_blocks_of_another_network_are_not_gone_on_with(tmp_path):
    image = large_scene(tmp_path / "cells.tif")
    total = cut_off(image, tmp_path / "out", 3)
    rest = []
    other = network("distances", 3, params={"smallest": 3})
    segment_files(other, [image], tmp_path / "out", progress=rest.append)
    assert len(rest) == total


def test_a_damaged_block_is_told_with_what_to_remove(tmp_path):
    image = large_scene(tmp_path / "cells.tif")
    cut_off(image, tmp_path / "out", 3)
    folder = tmp_path / "out" / "cells_objects.tif.blocks"
    sorted(folder.glob("*.npz"))[0].write_bytes(b"PK")
    [failed] = segment_files(OBJECTS, [image], tmp_path / "out").failed
    assert f"Remove the folder {folder}" in str(failed.error)
