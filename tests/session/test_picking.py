"""The magic wand and the bucket."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import MissingFileError, ParameterError
from stroma.session import Session
from stroma.session.strokes.drawing.region import alike, enclosed, nearest_part, reaches_border

ROWS, COLUMNS = np.mgrid[:80, :100]
DISC = np.hypot(ROWS - 40, COLUMNS - 50) < 20


def noisy(mask: np.ndarray, *, noise: float = 6.0) -> np.ndarray:
    """Return an image that is 160 where the mask is and 60 elsewhere, with noise."""
    drawn = np.random.default_rng(0).normal(0, noise, mask.shape)
    return (np.where(mask, 160, 60) + drawn).astype(np.float32)


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(mode="paused") as made:
        made.add_image(noisy(DISC))
        yield made


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_what_looks_alike_is_taken_up_to_its_edge_through_noise() -> None:
    found = alike(noisy(DISC)[None], (40, 50), reach=0.3)
    assert overlap(found, DISC) > 0.8
    assert not (found & ~DISC).any()


def test_a_hole_that_is_something_else_is_no_part_of_a_region() -> None:
    found = alike(noisy(DISC)[None], (3, 3), reach=0.3)
    assert overlap(found, ~DISC) > 0.8
    assert not (found & DISC).any()


def test_specks_within_a_region_are_filled() -> None:
    values = noisy(DISC)
    values[40, 60] = 0
    assert alike(values[None], (40, 45), reach=0.3)[40, 60]


def test_the_larger_the_reach_the_larger_the_region() -> None:
    ramp = np.broadcast_to(COLUMNS, (80, 100)).astype(np.float32)[None]
    areas = [alike(ramp, (40, 50), reach=reach).sum() for reach in (0.1, 0.3, 1, 5)]
    assert areas == sorted(set(areas))
    assert areas[-1] == 8000


def test_colours_that_are_as_bright_are_told_apart() -> None:
    red, green = (np.where(m, 200, 40).astype(np.float32) for m in (DISC, ~DISC))
    found = alike(np.stack([red, green]), (40, 50), reach=0.3)
    assert not (found & ~DISC).any()
    assert found.sum() > 600


def test_an_image_of_one_value_is_one_region_and_where_there_is_nothing_none_grows() -> None:
    assert alike(np.full((1, 9, 9), 7.0), (4, 4), reach=0.3).all()
    values = noisy(DISC)
    values[DISC] = np.nan
    assert not alike(values[None], (40, 50), reach=5).any()
    assert not (alike(values[None], (3, 3), reach=5) & DISC).any()


def test_diagonal_lines_enclose() -> None:
    diamond = np.abs(ROWS - 40) + np.abs(COLUMNS - 50) == 10
    found = enclosed(diamond, (40, 50))
    np.testing.assert_array_equal(found, np.abs(ROWS - 40) + np.abs(COLUMNS - 50) < 10)
    assert not reaches_border(found)
    assert reaches_border(enclosed(diamond, (0, 0)))


def test_the_wand_paints_one_step_and_leaves_what_is_painted(session) -> None:
    [one] = session.images
    session.paint(one.key, [(40, 35), (40, 65)], label=1, radius=2)
    before = session.strokes(one.key)
    session.paint_alike(one.key, (30.5, 50.5), label=2)
    after = session.strokes(one.key)
    np.testing.assert_array_equal(after[before > 0], before[before > 0])
    assert overlap(after == 2, DISC & (before == 0)) > 0.7
    session.undo()
    np.testing.assert_array_equal(session.strokes(one.key), before)


def test_the_wand_erases_what_is_painted_in_its_region(session) -> None:
    [one] = session.images
    session.paint(one.key, [(40, 5), (40, 95)], label=1, radius=2)
    session.paint_alike(one.key, (30.5, 50.5), label=0)
    left = session.strokes(one.key)
    assert not left[38:42, 40:60].any()
    assert left[40, 10] == left[40, 90] == 1


def test_only_what_is_in_view_is_painted(session) -> None:
    [one] = session.images
    session.paint_alike(one.key, (40, 50), label=2, box=Box(30, 40, 50, 60))
    painted = session.strokes(one.key) > 0
    assert painted.any()
    painted[30:50, 40:60] = False
    assert not painted.any()


def test_the_bucket_fills_what_strokes_enclose(session) -> None:
    [one] = session.images
    ring = [(20, 20), (20, 60), (60, 60), (60, 20), (20, 20)]
    session.paint(one.key, ring, label=2, radius=1)
    session.fill_in(one.key, (40, 40), label=2)
    filled = session.strokes(one.key)
    assert (filled[22:58, 22:58] == 2).all()
    assert (filled > 0).sum() == (filled[18:62, 18:62] > 0).sum()


@pytest.mark.parametrize("point", [(5, 5), (20, 40)])
def test_where_nothing_is_enclosed_nothing_is_filled_and_it_is_said(point, session) -> None:
    [one] = session.images
    session.paint(one.key, [(20, 20), (20, 60), (60, 60)], label=2, radius=1)
    before = session.strokes(one.key)
    with pytest.raises(ParameterError, match=r"enclose"):
        session.fill_in(one.key, point, label=2)
    np.testing.assert_array_equal(session.strokes(one.key), before)


@pytest.mark.parametrize("point", [(-1, 5), (80, 5), (5, 100), (np.nan, 5), (np.inf, 5)])
def test_a_point_outside_the_image_is_refused(point, session) -> None:
    with pytest.raises(ParameterError):
        session.paint_alike(session.images[0].key, point, label=1)


def test_planes_of_a_volume_are_painted_whichever_way_they_lie() -> None:
    volume = np.stack([noisy(DISC), noisy(~DISC), noisy(DISC)])
    with Session(mode="paused") as made:
        key = made.add_image(Image(volume, "zyx"))
        made.paint_alike(key, (40, 50), label=1, plane={"z": 1})
        assert made.painted_pixels(key) > 600
        made.clear(key)
        made.paint_alike(key, (0, 50), label=1, plane={"y": 40}, reach=1)
        assert (made.strokes(key, plane={"y": 40})[0] > 0).sum() > 10
        assert not made.strokes(key, plane={"y": 41}).any()


def test_without_its_file_an_image_has_nothing_that_looks_alike(tmp_path) -> None:
    from stroma.io import write_image

    write_image(tmp_path / "a.tif", noisy(DISC), axes="yx")
    with Session.create(tmp_path / "a.stroma") as made:
        made.add_image(tmp_path / "a.tif")
    (tmp_path / "a.tif").unlink()
    with Session.open(tmp_path / "a.stroma") as made, pytest.raises(MissingFileError):
        made.paint_alike(made.images[0].key, (40, 50), label=1)


def test_the_stroke_that_is_clicked_goes_and_no_other() -> None:
    with Session(mode="paused") as session:
        key = session.add_image(noisy(DISC))
        session.paint(key, [(10, 10), (10, 30)], label=1, radius=1)
        session.paint(key, [(13, 10), (13, 30)], label=2, radius=1)  # touches it, of another class
        session.paint(key, [(60, 10), (60, 30)], label=1, radius=1)
        before = session.strokes(key).copy()
        session.remove_stroke(key, (12.5, 20.5))
        assert set(np.unique(session.strokes(key))) == {0, 1}
        np.testing.assert_array_equal(session.strokes(key) == 1, before == 1)
        session.undo()
        np.testing.assert_array_equal(session.strokes(key), before)
        session.remove_stroke(key, (57.0, 20.0), within=3)  # beside it
        assert not session.strokes(key)[50:].any()
        assert session.strokes(key)[10, 20] == 1


def test_where_there_is_no_stroke_none_is_removed(session) -> None:
    with pytest.raises(ParameterError, match="no stroke here"):
        session.remove_stroke("1", (40, 50))
    session.paint("1", [(10, 10)], label=1, radius=1)
    for at in ((10, 20), (-5, 10), (float("nan"), 10)):
        with pytest.raises(ParameterError):
            session.remove_stroke("1", at)
    for within in (-1, float("nan")):
        with pytest.raises(ParameterError, match="0 or more"):
            session.remove_stroke("1", (10, 20), within=within)


@pytest.mark.parametrize(("within", "row"), [(0, None), (2.9, None), (3, 8), (99, 8), (np.inf, 8)])
def test_the_nearest_stroke_is_meant_as_far_as_one_looks(within, row) -> None:
    labels = np.zeros((40, 30), np.uint8)
    labels[8, 2:] = labels[30, 2:] = 1
    found = nearest_part(labels, (5, 2), within=within)
    assert (None if found is None else np.unique(np.nonzero(found)[0]).tolist()) == (
        None if row is None else [row]
    )
