"""Clicks to labelled objects, in Python and from tables."""

import numpy as np
import pytest

import stroma
from stroma.cli.app import main
from stroma.errors import FormatError, MissingFileError, ParameterError, ShapeError
from stroma.io import read_image, write_image
from stroma.workflow.prompting.clicks import read_clicks
from stroma.workflow.prompting.prompt import prompt_file

SQUARES = ((slice(5, 15), slice(5, 17)), (slice(25, 35), slice(30, 45)))


def picture():
    image = np.random.default_rng(0).normal(0, 3, (40, 56)) + 20
    for square in SQUARES:
        image[square] += 150
    return np.clip(image, 0, 255).astype(np.uint8)


def expected(*numbers):
    found = np.zeros((40, 56), int)
    for number, square in zip(numbers, SQUARES, strict=True):
        found[square] = number
    return found


def alike(found, wanted):
    return (found != wanted).mean() < 0.01


def test_each_object_gets_its_number():
    found = stroma.prompt(picture(), points=[[10, 10], [30, 40]], objects=[4, 2])
    assert alike(found, expected(4, 2))


def test_clicks_without_numbers_are_for_one_object():
    found = stroma.prompt(picture(), points=[[10, 10], [30, 40], [20, 2]], labels=[1, 1, 0])
    assert alike(found, expected(1, 1))


def test_only_the_frames_that_were_clicked_on_have_objects():
    movie = stroma.Image(np.stack([picture()] * 3), "tyx")
    found = stroma.prompt(movie, points=[[2, 10, 10], [0, 30, 40]], objects=[1, 2])
    assert not found[1].any()
    assert alike(found[2], expected(1, 0))
    assert alike(found[0], expected(0, 2))


def test_a_volume_is_worked_on_as_one():
    volume = np.zeros((9, 40, 56), np.uint8)
    volume[2:7] = picture()
    found = stroma.prompt(volume, points=[[4, 10, 10]])
    assert found[4, 10, 10] == 1
    assert not found[:, 25:].any()
    assert (found[3:6, 7:13, 7:15] == 1).all()


def test_a_table_of_clicks_becomes_a_label_image(tmp_path, capsys):
    write_image(tmp_path / "cells.tif", picture(), axes="yx")
    (tmp_path / "clicks.csv").write_text("y,x,object,label\n10,10,1,1\n30,40,2,1\n20,20,2,0\n")
    out = tmp_path / "cells_objects.tif"
    main_args = ["prompt", str(tmp_path / "cells.tif"), "--points", str(tmp_path / "clicks.csv")]
    with pytest.raises(SystemExit) as left:
        main([*main_args, "--out", str(out)])
    assert left.value.code == 0
    assert "2 objects from 3 clicks" in capsys.readouterr().out
    assert alike(read_image(out).read(), expected(1, 2))
    with pytest.raises(SystemExit) as left:
        main([*main_args, "--out", str(out)])
    assert left.value.code == 2
    assert "exists already" in capsys.readouterr().err


def test_without_numbers_each_row_is_an_object(tmp_path):
    (tmp_path / "clicks.csv").write_text("Y, X\n10,10\n30,40\n")
    clicks = read_clicks(tmp_path / "clicks.csv", stroma.Image(picture(), "yx"))
    assert clicks.objects.tolist() == [1, 2]
    assert clicks.labels.tolist() == [1, 1]
    assert clicks.places.tolist() == [[10, 10], [30, 40]]


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("y,z\n1,2\n", FormatError, "x is missing"),
        ("", FormatError, "y, x are missing"),
        ("y,x\n1,a\n", FormatError, "line 2: 'a' is no number"),
        ("y,x\n1,99\n", ParameterError, "clicks.csv: The click at y 1, x 99 lies outside"),
        ("y,x\n1,nan\n", ParameterError, "lies outside"),
        ("y,x,label\n1,1,3\n", ParameterError, "from 0 to 1, got 3"),
        ("y,x,object\n1,1,0.5\n", ParameterError, "got 0.5"),
    ],
)
def test_a_wrong_table_is_told(tmp_path, text, error, match):
    (tmp_path / "clicks.csv").write_text(text)
    with pytest.raises(error, match=match):
        read_clicks(tmp_path / "clicks.csv", stroma.Image(picture(), "yx"))


def test_what_cannot_be_clicked_on_is_told(tmp_path):
    with pytest.raises(MissingFileError, match="There is no file"):
        read_clicks(tmp_path / "none.csv", stroma.Image(picture(), "yx"))
    with pytest.raises(ShapeError, match="coordinates y, x"):
        stroma.prompt(picture(), points=[[1, 2, 3]])
    with pytest.raises(ParameterError, match="Object 2 has no click on it"):
        stroma.prompt(picture(), points=[[10, 10], [1, 1]], labels=[1, 0], objects=[1, 2])
    with pytest.raises(ParameterError, match="No prompt engine named"):
        stroma.prompt(picture(), points=[[10, 10]], engine="graf")


def test_boxes_are_objects_of_their_own(tmp_path, capsys):
    found = stroma.prompt(picture(), boxes=[[24, 29, 35, 45], [4, 4, 15, 17]])
    assert alike(found, expected(2, 1))
    numbered = stroma.prompt(picture(), boxes=[4, 4, 15, 17], box_objects=[7], points=[[30, 40]])
    assert alike(numbered, expected(7, 1))
    write_image(tmp_path / "cells.tif", picture(), axes="yx")
    out = tmp_path / "boxed.tif"
    args = ["prompt", str(tmp_path / "cells.tif"), "--out", str(out), "--box"]
    with pytest.raises(SystemExit) as left:
        main([*args, "4,4,15,17", "--box", "24, 29, 35, 45"])
    assert left.value.code == 0
    assert "2 objects from 2 boxes" in capsys.readouterr().out
    assert alike(read_image(out).read(), expected(1, 2))
    for wrong, said in (
        ("4,4,x,17", "y0,x0,y1,x1"),
        ("4,4,15", "y0, x0, y1, x1"),
        ("4,4,15,99", "outside"),
    ):
        with pytest.raises(SystemExit) as left:
            main([*args, wrong, "--overwrite"])
        assert left.value.code == 2
        assert said in capsys.readouterr().err


def test_nothing_that_says_where_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="give points or boxes"):
        stroma.prompt(picture())


def test_all_objects_of_a_file_are_found_without_clicks(tmp_path):
    image = np.zeros((60, 80), np.uint8)
    image[10:30, 10:30], image[35:50, 40:70] = 200, 120
    write_image(tmp_path / "a.tif", image, axes="yx")
    found = prompt_file(tmp_path / "a.tif", None, tmp_path / "out.tif", everything="grid")
    labels = read_image(tmp_path / "out.tif").read()
    assert found.objects == labels.max() == 2
    for value in (200, 120):
        inside = labels[image == value]
        assert np.bincount(inside)[1:].max() > 0.95 * inside.size
    with pytest.raises(ParameterError, match="not both"):
        prompt_file(
            tmp_path / "a.tif", None, tmp_path / "b.tif", everything="grid", boxes=["1,1,9,9"]
        )


def test_boxes_come_from_a_table(tmp_path):
    image = np.zeros((60, 80), np.uint8)
    image[10:30, 10:30], image[35:50, 40:70] = 200, 120
    write_image(tmp_path / "a.tif", image, axes="yx")
    (tmp_path / "b.csv").write_text("y0,x0,y1,x1,object\n33,38,52,72,7\n8,8,31,31,3\n")
    found = prompt_file(tmp_path / "a.tif", tmp_path / "b.csv", tmp_path / "out.tif")
    labels = read_image(tmp_path / "out.tif").read()
    assert (found.objects, found.clicks) == (2, 2)
    assert (labels[image == 200] == 3).mean() > 0.95
    assert (labels[image == 120] == 7).mean() > 0.95
    (tmp_path / "c.csv").write_text("y0,x0,y1\n1,1,5\n")
    with pytest.raises(FormatError, match=r"c\.csv has boxes without the columns x1"):
        prompt_file(tmp_path / "a.tif", tmp_path / "c.csv", tmp_path / "d.tif")
