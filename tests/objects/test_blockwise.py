"""Objects found block by block are those of the whole image, in the same order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from stroma.data.image import Image
from stroma.errors import FormatError, LabelError, MissingFileError
from stroma.io import read_image, write_image, write_labels
from stroma.objects.blockwise.finding import Frame, find_in_blocks
from stroma.objects.find import objects_of
from stroma.objects.finding.how import Finding
from stroma.objects.finding.sought import seek
from stroma.objects.measure import measure
from stroma.workflow.measuring.objects import Wanted, measure_file

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def blockwise(image: Image, how: Finding, *, sides, spacing=(), numbered=False) -> np.ndarray:
    sought = seek(image, how, spacing, numbered=numbered)
    into = np.zeros(sought.source.own.shape, np.int32)
    count = find_in_blocks(Frame(sought, sides), into)
    assert count == len(np.unique(into[into > 0]))
    return into


@st.composite
def scenes(draw):
    """Return an image of blobs as labels or probabilities, how to find objects, and blocks."""
    axes = draw(st.sampled_from(["yx", "zyx"]))
    longest = 40 if axes == "yx" else 14
    shape = tuple(draw(st.integers(1, longest)) for _ in axes)
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    blur = draw(st.sampled_from([0.5, 1.0, 1.5]))
    smooth = ndimage.gaussian_filter(random.normal(size=(3, *shape)), (0, *[blur] * len(shape)))
    smooth = np.exp(smooth * draw(st.sampled_from([5.0, 20.0])))
    chance = (smooth / smooth.sum(axis=0)).astype(np.float32)
    spacing = draw(st.sampled_from([(), (2.0, 1.0, 1.0)[-len(shape) :]]))
    how = Finding(
        label=draw(st.sampled_from([1, 1, None])),
        rise=draw(st.sampled_from([0.1, 0.3])),
        threshold=draw(st.sampled_from([0.3, 0.5])),
        core=draw(st.sampled_from([None, 0.6])),
        split=draw(st.sampled_from([0, 0.5, 1.0])),
        min_size=draw(st.sampled_from([0, 4])),
        max_size=draw(st.sampled_from([np.inf, 60])),
        border=draw(st.booleans()),
        connectivity=draw(st.sampled_from(["corner", "side"])),
    )
    if how.label and draw(st.booleans()):
        how = Finding(**{**vars(how), "boundary": 2})
    likely = how.label is not None and draw(st.booleans())
    image = Image(chance, "c" + axes) if likely else Image(chance.argmax(axis=0), axes)
    return image, how, spacing, tuple(draw(st.integers(1, 16)) for _ in axes)


@QUICK
@given(scenes())
def test_any_blocks_give_the_objects_of_the_whole(scene) -> None:
    image, how, spacing, sides = scene
    whole = objects_of(image, how=how, spacing=spacing)
    assert np.array_equal(blockwise(image, how, sides=sides, spacing=spacing), whole)


@QUICK
@given(scenes(), st.lists(st.integers(1, 2**31 - 2000), min_size=2, max_size=2, unique=True))
def test_numbers_stay_and_new_ones_follow_the_largest_in_any_blocks(scene, pair) -> None:
    image, how, spacing, sides = scene
    how = Finding(**{**vars(how), "label": None, "boundary": None, "core": None})
    axes = image.kept_axes.replace("c", "")
    values = image.read() if "c" not in image.kept_axes else image.read().argmax(axis=0)
    numbers = np.array([0, *pair])[values]
    whole = objects_of(Image(numbers, axes), how=how, spacing=spacing, numbered=True)
    found = blockwise(Image(numbers, axes), how, sides=sides, spacing=spacing, numbered=True)
    assert np.array_equal(found, whole)
    old, largest = np.isin(whole, [0, *np.unique(numbers)]), numbers.max()
    assert np.array_equal(whole[old & (whole > 0)], numbers[old & (whole > 0)])
    new, first = np.unique(whole[~old], return_index=True)
    assert new[np.argsort(first)].tolist() == list(range(largest + 1, largest + 1 + len(new)))
    assert how.split or old.all()


def test_a_part_is_parted_by_what_lies_near_it_in_other_blocks_too() -> None:
    between = np.full((30, 40), np.nan, np.float32)
    between[12, 5:35] = 0.0
    between[12, 20] = 0.3  # on a line of one row, less than the rise above what is beside it
    between[14:20, 5:35] = 0.9  # the rim of something else, in the block below
    between[19, 6] = 0.0
    seen = np.isfinite(between)
    chance = np.stack([np.where(seen, 1 - between, 0), np.where(seen, between, 0)])
    image = Image(chance.astype(np.float32), "cyx")
    how = Finding(label=1, boundary=2, rise=0.25)
    whole = objects_of(image, how=how)
    assert len(np.unique(whole[12, 5:35])) == 1
    alone = Image(np.where(np.arange(30)[:, None] == 12, chance, 0).astype(np.float32), "cyx")
    assert len(np.unique(objects_of(alone, how=how)[12, 5:35])) == 2
    assert np.array_equal(blockwise(image, how, sides=(13, 40)), whole)


def test_numbers_that_run_out_are_told_by_both_ways() -> None:
    pair = np.zeros((20, 40), np.int64)
    pair[5:15, 4:16] = pair[5:15, 18:30] = pair[9:11, 16:18] = 2**31 - 2
    image, how = Image(pair, "yx"), Finding(split=1)
    last = objects_of(image, how=how, numbered=True)
    assert np.unique(last).tolist() == [0, 2**31 - 2, 2**31 - 1]
    assert np.array_equal(blockwise(image, how, sides=(7, 9), numbered=True), last)
    image = Image(pair + (pair > 0), "yx")
    with pytest.raises(LabelError, match="end at 2147483647"):
        objects_of(image, how=how, numbered=True)
    with pytest.raises(LabelError, match="end at 2147483647"):
        blockwise(image, how, sides=(7, 9), numbered=True)


@pytest.mark.parametrize("name", ["found.zarr", "found.tif"])
def test_a_movie_is_written_block_by_block_with_the_objects_of_each_frame(
    tmp_path, monkeypatch, name
) -> None:
    monkeypatch.setattr("stroma.objects.blockwise.room.SIDES", {2: (7, 11)})
    noise = np.random.default_rng(0).normal(size=(3, 60, 70))
    movie = (ndimage.gaussian_filter(noise, (0, 1, 1)) > 0.05).astype(np.uint8)
    image = Image(movie, "tyx", spacing={"y": 0.5, "x": 0.5}, unit="µm")
    how = {"split": 1, "min_size": 1, "size_in": "um", "border": False}
    out = objects_of(image, **how, out=tmp_path / name)
    assert out == tmp_path / name
    written, whole = read_image(out), objects_of(image, **how)
    assert whole.max() > 20
    assert np.array_equal(written.read(), whole)
    assert written.spacing["x"] == pytest.approx(0.5)
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize("name", ["found.zarr", "found.tif"])
def test_of_what_is_interrupted_nothing_is_left(tmp_path, monkeypatch, name) -> None:
    wholes, put = (np.indices((2100, 1100)).sum(axis=0) % 9 > 0).astype(np.uint8), []

    def stopped(self, box, values) -> None:
        put.append(box)
        if len(put) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("stroma.io.blockwise.writer.BlockWriter.write", stopped)
    with pytest.raises(KeyboardInterrupt):
        objects_of(wholes, out=tmp_path / name)
    assert len(put) == 2
    assert not list(tmp_path.iterdir())


class Untouched:
    """Pixels that nobody may read."""

    shape, dtype = (3, 20, 20), np.dtype(np.uint8)

    def __getitem__(self, key):
        raise AssertionError("read")


@pytest.mark.parametrize(
    ("name", "why"), [("f.jpg", "ending"), ("no/f.tif", "no folder"), ("f.png", "one plane")]
)
def test_a_file_that_cannot_be_written_is_told_before_anything_is_read(tmp_path, name, why):
    with pytest.raises((FormatError, MissingFileError), match=why):
        objects_of(Image(Untouched(), "tyx"), out=tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_files_larger_than_the_limit_give_the_same_tables_label_images_and_outlines(
    tmp_path, monkeypatch
) -> None:
    noise = np.random.default_rng(0).normal(size=(50, 60))
    blobs = ndimage.gaussian_filter(noise, 2)
    write_labels(tmp_path / "a.zarr", (blobs > 0.02).astype(np.uint8), axes="yx")
    write_image(tmp_path / "values.tif", (blobs * 900 + 500).astype(np.uint16), axes="yx")

    def measured(folder) -> list:
        folder.mkdir()
        names = ("table.csv", "found.tif", "outlines.geojson")
        table, labels, outlines = (folder / n for n in names)
        how = {"image": tmp_path / "values.tif", "of_class": "1", "how": Finding(split=1)}
        wanted = Wanted(table, labels, (outlines,))
        measure_file(tmp_path / "a.zarr", wanted, **how, extractors=["gaussian_features"])
        return [table.read_text(), read_image(labels).read().tolist(), outlines.read_text()]

    whole = measured(tmp_path / "whole")
    monkeypatch.setattr("stroma.objects.blockwise.room.SIDES", {2: (16, 16)})
    monkeypatch.setattr("stroma.workflow.measuring.objects.LARGE", 0)
    monkeypatch.setattr("stroma.objects.measure.LARGE", 0)
    parts = measured(tmp_path / "parts")
    assert parts[1:] == whole[1:]
    rows = [[line.split(",") for line in one[0].splitlines()] for one in (whole, parts)]
    assert len(rows[0]) > 10
    assert rows[0][0] == rows[1][0]
    values = [np.array([[float(v or "nan") for v in r] for r in one[1:]]) for one in rows]
    np.testing.assert_allclose(*values, rtol=1e-5)


@QUICK
@given(scenes())
def test_measures_in_boxes_are_those_of_the_whole(scene) -> None:
    image, how, spacing, sides = scene
    random = np.random.default_rng(0)
    labels = objects_of(image, how=how, spacing=spacing)
    values = random.integers(0, 999, labels.shape).astype(np.uint16)
    with pytest.MonkeyPatch.context() as patch:
        whole = measure(labels, values, spacing=spacing, probabilities=values / 999)
        patch.setattr("stroma.objects.measure.LARGE", 0)
        patch.setattr("stroma.objects.blockwise.room.SIDES", {labels.ndim: sides})
        parts = measure(labels, values, spacing=spacing, probabilities=values / 999)
    assert list(whole) == list(parts)
    for name in whole:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-9, atol=1e-9, err_msg=name)
