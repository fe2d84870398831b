"""Groups of pixels, such as clusters, become strokes."""

from __future__ import annotations

import numpy as np
import pytest

from stroma.data.image import Image
from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.session import Session


@pytest.fixture
def desk():
    with Session(mode="paused") as made:
        made.add_image(np.zeros((2, 40, 60), np.uint8), axes="zyx")
        yield made


def groups() -> np.ndarray:
    """Return three groups; the last is a single pixel."""
    made = np.ones((40, 60), np.uint8)
    made[10:30, 20:50], made[5, 5] = 2, 3
    return made


def test_a_group_becomes_a_class_without_its_border(desk) -> None:
    desk.take_group("1", groups(), 2, label=1, plane={"z": 1})
    expected = np.zeros((40, 60), int)
    expected[11:29, 21:49] = 1
    np.testing.assert_array_equal(desk.strokes("1", plane={"z": 1}), expected)
    assert not desk.strokes("1", plane={"z": 0}).any()


def test_what_has_no_inside_is_taken_whole(desk) -> None:
    desk.take_group("1", groups(), 3, label=2)
    assert np.argwhere(desk.strokes("1")).tolist() == [[5, 5]]


def test_what_is_painted_stays_and_undo_takes_all_back(desk) -> None:
    desk.stamp("1", np.ones((4, 4), bool), corner=(15, 30), label=2)
    desk.take_group("1", groups(), 2, label=1)
    painted = desk.strokes("1")
    assert (painted[15:19, 30:34] == 2).all()
    assert np.count_nonzero(painted == 1) == 18 * 28 - 16
    with pytest.raises(ParameterError, match="All of group 2 is painted already"):
        desk.take_group("1", groups(), 2, label=1)
    desk.undo()
    assert np.count_nonzero(desk.strokes("1")) == 16
    desk.redo()
    np.testing.assert_array_equal(desk.strokes("1"), painted)


def test_a_project_that_is_opened_again_has_it(tmp_path) -> None:
    with Session(mode="paused") as desk:
        desk.add_image(np.zeros((40, 60), np.uint8))
        desk.save_as(tmp_path / "project")
        desk.take_group("1", groups(), 1, label=2)
        painted = desk.strokes("1")
        assert painted.any()
    with Session.open(tmp_path / "project") as again:
        np.testing.assert_array_equal(again.strokes("1"), painted)


def test_groups_of_a_plane_are_found_and_found_again() -> None:
    halves = np.where(np.arange(60) < 30, 20, 200) + np.zeros((2, 40, 1))
    halves[1] = halves[1, :, ::-1]
    noise = np.random.default_rng(0).normal(0, 5, halves.shape)
    with Session(mode="paused") as desk:
        desk.set_alias("gaussian")
        desk.add_image(Image((halves + noise).astype(np.float32), "zyx"))
        first, second = (desk.groups("1", count=2, plane={"z": z}).result() for z in (0, 1))
        for found, half in ((first, halves[0]), (second, halves[1])):
            alike = (found == 1) == (half == 20)
            assert alike.mean() > 0.9
        np.testing.assert_array_equal(desk.groups("1", count=2, plane={"z": 1}).result(), second)
        desk.take_group("1", second, 2, label=2, plane={"z": 1})
        assert set(np.unique(desk.strokes("1", plane={"z": 1})[:, 40:50])) == {0}


def test_wrong_groups_and_classes_are_named(desk) -> None:
    with pytest.raises(ParameterError, match="No pixel is in group 9"):
        desk.take_group("1", groups(), 9, label=1)
    with pytest.raises(ShapeError, match=r"each of \(40, 60\) pixels, got \(39, 60\)"):
        desk.take_group("1", groups()[1:], 2, label=1)
    with pytest.raises(LabelError, match="7"):
        desk.take_group("1", groups(), 2, label=7)
    assert not desk.strokes("1").any()
