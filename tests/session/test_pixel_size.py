"""Giving the size of pixels where a file does not say it, or is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.patience import PATIENCE

from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.io import write_image
from stroma.session import Session

SIZE = {"y": 0.5, "x": 0.25}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    values = np.tile(np.arange(30, dtype=np.uint8), (20, 1))
    return write_image(tmp_path / "cells.tif", values, axes="yx")


def spacing(session: Session) -> dict[str, float]:
    return dict(session.images[0].image.spacing)


def test_the_size_of_pixels_is_kept_in_the_project_and_not_in_the_file(file, tmp_path) -> None:
    before = file.read_bytes()
    with Session.create(tmp_path / "a.stroma") as made:
        key = made.add_image(file)
        assert spacing(made) == {}
        made.set_pixel_size(key, SIZE)
        assert (spacing(made), made.images[0].image.unit) == (SIZE, "µm")
    for save in (False, True):  # from the journal, and from a snapshot
        with Session.open(tmp_path / "a.stroma") as made:
            assert spacing(made) == SIZE
            assert made.images[0].sized
            if save:
                made.save()
    with Session.open(tmp_path / "a.stroma") as made:
        assert spacing(made) == SIZE
        made.set_pixel_size(key, {})
        assert spacing(made) == {}
        assert not made.images[0].sized
    assert file.read_bytes() == before


def test_a_size_replaces_that_of_the_file_until_it_is_taken_back(tmp_path) -> None:
    image = Image(np.zeros((3, 8, 8), np.uint8), "zyx", {"z": 2000, "y": 100, "x": 100}, "nm")
    with Session() as made:
        key = made.add_image(image)
        made.set_pixel_size(key, SIZE)
        assert spacing(made) == {"z": 2.0, **SIZE}
        made.set_pixel_size(key, {})
        assert spacing(made) == {"z": 2000, "y": 100, "x": 100}
        assert made.images[0].image.unit == "nm"


def test_coarser_levels_have_pixels_as_much_larger() -> None:
    coarse = Image(np.zeros((4, 8), np.uint8), "yx")
    with Session() as made:
        key = made.add_image(Image(np.zeros((8, 16), np.uint8), "yx", levels=(coarse,)))
        made.set_pixel_size(key, SIZE)
        assert made.image(key).image.levels[0].spacing == {"y": 1.0, "x": 0.5}


IMPOSSIBLE = (
    {"y": 1},
    {"y": 0, "x": 1},
    {"y": 1, "x": -1},
    {"y": 1, "x": "1"},
    {"y": 1, "x": True},
    {"y": 1, "x": float("inf")},
    {"y": 1, "x": float("nan")},
    {"y": 1, "x": 1, "t": 1},
    {"y": 1, "x": 1, "z": 1},
    {"y": 1, "x": 1e9},
)


@pytest.mark.parametrize("size", IMPOSSIBLE)
def test_a_size_that_cannot_be_is_refused_and_changes_nothing(size, file) -> None:
    with Session() as made:
        key = made.add_image(file)
        with pytest.raises(ParameterError):
            made.set_pixel_size(key, size)
        assert spacing(made) == {}


def test_what_is_measured_is_told_in_it(file) -> None:
    with Session(mode="paused") as made:
        key = made.add_image(file)
        made.set_pixel_size(key, SIZE)
        made.paint(key, [(10, 5)], label=1)
        made.paint(key, [(10, 25)], label=2)
        made.set_mode("live")
        made.look(key)
        assert made.wait(PATIENCE)
        found = made.measure(key).result().value
        assert found is not None
        assert found.pixel_area == pytest.approx(0.125)


def test_the_session_as_code_says_it(file, tmp_path) -> None:
    with Session(mode="paused") as made:
        key = made.add_image(file)
        made.set_pixel_size(key, SIZE)
        made.paint(key, [(10, 5)], label=1)
        made.paint(key, [(10, 25)], label=2)
        code = made.as_code(tmp_path)
        with pytest.raises(ParameterError, match="as_code"):
            made.as_command(tmp_path)
    names: dict[str, object] = {}
    exec(code.split("strokes =")[0], names)  # what reads the images
    [image] = names["images"]
    assert dict(image.spacing) == SIZE
    assert image.unit == "µm"


def test_a_snapshot_from_before_is_read(file, tmp_path) -> None:
    with Session.create(tmp_path / "a.stroma") as made:
        made.add_image(file)
        made.save()
    for snapshot in (tmp_path / "a.stroma" / "snapshots").glob("*.json"):
        values = json.loads(snapshot.read_text())
        for image in values["document"]["images"]:
            del image["spacing"]
        snapshot.write_text(json.dumps(values))
    with Session.open(tmp_path / "a.stroma") as made:
        assert spacing(made) == {}
