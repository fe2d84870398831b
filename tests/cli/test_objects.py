"""``stroma objects``: a segmentation becomes tables, classes and outlines."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from stroma.data.classes import Class
from stroma.data.objects import ObjectTable
from stroma.errors import UnknownNameError
from stroma.io import read_image, read_strokes, write_image, write_labels
from stroma.objects.classes import ObjectClassifier


def cells() -> np.ndarray:
    """Return large and small squares, numbered in tens."""
    labels = np.zeros((60, 80), np.uint16)
    for i in range(12):
        side = 9 if i % 2 else 4
        y, x = 4 + 18 * (i // 4), 4 + 18 * (i % 4)
        labels[y : y + side, x : x + side] = 10 * (i + 1)
    return labels


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with objects, their image, and clicks on some of them."""
    monkeypatch.chdir(tmp_path)
    write_labels("cells.tif", cells(), axes="yx")
    bright = (cells() > 0) * 100 + np.random.default_rng(0).integers(0, 5, cells().shape)
    spacing = {"y": 0.5, "x": 0.5}
    write_image("image.ome.tif", bright.astype(np.uint8), axes="yx", spacing=spacing, unit="µm")
    (tmp_path / "clicks.csv").write_text(
        "y,x,class\n5,5,small\n5,24,large\n5,41,small\n5,60,large\n24,6,small\n23,24,large\n"
    )
    return tmp_path


def rows(path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_objects_are_measured_with_their_numbers_in_micrometres(stroma, files) -> None:
    done = stroma("objects", "cells.tif", "--image", "image.ome.tif", "--table", "out.csv")
    assert done.code == 0, done.err
    table = rows("out.csv")
    assert [r["label"] for r in table] == [str(10 * i) for i in range(1, 13)]
    assert (table[0]["area_um2"], table[1]["area_px"]) == ("4", "81")
    assert float(table[0]["intensity_mean"]) == pytest.approx(102, abs=2)
    assert "12 objects" in done.out


def test_clicks_class_all_and_the_model_classes_another_file_alike(stroma, files) -> None:
    first = stroma(
        *("objects", "cells.tif", "--image", "image.ome.tif", "--table", "a.csv"),
        *("--labels", "clicks.csv", "--save-model", "classes.pkl", "--json"),
    )
    said = json.loads(first.out)
    assert said["classes"] == {"large": 6, "small": 6}
    assert said["accuracy"] == 1
    assert len(said["next_to_label"]) == 5
    again = stroma(
        *("objects", "cells.tif", "--image", "image.ome.tif", "--table", "b.csv"),
        *("--model", "classes.pkl"),
    )
    assert again.code == 0, again.err
    assert rows("a.csv") == rows("b.csv")


def test_columns_and_classes_of_another_program_join_the_objects(stroma, files) -> None:
    other = ["ObjectNumber;Ki67;Site;Class"]
    other += [f"{10 * i};{i / 2};left;{'odd' if i % 2 else ''}" for i in range(1, 12)]
    other[2] = "20;1.0;left;even"
    (files / "other.csv").write_text("\n".join(other))
    done = stroma(
        *("objects", "cells.tif", "--table", "a.csv", "--join", "other.csv"),
        *("--save-model", "classes.pkl"),
    )
    assert done.code == 0, done.err
    table = rows("a.csv")
    assert [r["Ki67"] for r in table[:3]] == ["0.5", "1", "1.5"]
    assert table[11]["Ki67"] == ""  # which the other program did not see
    assert {r["class_name"] for r in table} == {"odd", "even"}
    assert "Site" not in table[0]
    again = stroma(
        *("objects", "cells.tif", "--table", "b.csv", "--join", "other.csv"),
        *("--model", "classes.pkl"),
    )
    assert again.code == 0, again.err
    assert rows("a.csv") == rows("b.csv")


def test_a_model_that_nothing_teaches_is_not_said_to_be_saved(stroma, files) -> None:
    (files / "other.csv").write_text("label,a\n10,1\n")
    done = stroma(
        *("objects", "cells.tif", "--table", "a.csv", "--join", "other.csv"),
        *("--save-model", "classes.pkl"),
    )
    assert done.code != 0
    assert "nothing to save" in done.err
    assert not (files / "a.csv").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("area,size\n1,2\n", "no column with the numbers of objects"),
        ("", "no column with the numbers of objects"),
        ("label,a\n10,1\n10,2\n", "two rows for the object 10"),
        ("label,a\n10.5,1\n", "line 2: 10.5 in label is no whole number"),
        ("label,a\n7,1\n", "none of its 1 numbers is that of one of 12 objects"),
    ],
)
def test_tables_that_cannot_be_joined_say_why(stroma, files, text, why) -> None:
    (files / "other.csv").write_text(text)
    done = stroma("objects", "cells.tif", "--table", "a.csv", "--join", "other.csv")
    assert done.code != 0
    assert why in " ".join(done.err.split())
    assert "other.csv" in done.err
    assert not (files / "a.csv").exists()


def test_outlines_and_label_image_show_the_objects_of_the_table(stroma, files) -> None:
    done = stroma(
        *("objects", "cells.tif", "--table", "a.csv", "--labels", "clicks.csv", "--min-size", "20"),
        *("--label-image", "kept.tif", "--outlines", "o.geojson", "--outlines", "o.zip"),
    )
    assert done.code == 2, "one class alone cannot be learnt"
    done = stroma(
        *("objects", "cells.tif", "--table", "a.csv", "--label-image", "kept.tif"),
        *("--min-size", "20", "--outlines", "o.geojson", "--outlines", "o.zip"),
    )
    assert done.code == 0, done.err
    large = np.where(np.bincount(cells().ravel())[cells()] > 20, cells(), 0)
    large[cells() == 0] = 0
    assert np.array_equal(tifffile.imread("kept.tif"), large)
    image = read_image("cells.tif")
    for name in ("o.geojson", "o.zip"):
        drawn = read_strokes(name, image, unnamed="object")
        assert np.array_equal(drawn.labels > 0, large > 0)
    told = json.loads(Path("o.geojson").read_text())["features"]
    assert {f["properties"]["name"] for f in told} == {
        f"object-{r['label']}" for r in rows("a.csv")
    }


def test_parts_of_a_class_are_objects_and_a_class_map_must_say_which(stroma, files) -> None:
    write_labels("classes.tif", np.sign(cells()), axes="yx", classes=[Class(1, "nucleus")])
    wrong = stroma("objects", "classes.tif", "--table", "a.csv")
    assert wrong.code == 2
    assert "nucleus" in wrong.err
    done = stroma("objects", "classes.tif", "--class", "nucleus", "--table", "a.csv")
    assert done.code == 0, done.err
    assert [r["label"] for r in rows("a.csv")] == [str(i) for i in range(1, 13)]


def test_probabilities_are_cut_at_the_threshold(stroma, files) -> None:
    chance = np.stack([1 - np.sign(cells()) * 0.7, np.sign(cells()) * 0.7]).astype(np.float32)
    write_image("chance.tif", chance, axes="cyx")
    done = stroma("objects", "chance.tif", "--class", "2", "--table", "a.csv")
    assert done.code == 0, done.err
    assert len(rows("a.csv")) == 12
    none = stroma(
        *("objects", "chance.tif", "--class", "2", "--threshold", "0.8", "--table", "b.csv")
    )
    assert none.code == 0, none.err
    assert rows("b.csv") == []


@pytest.fixture
def three(files) -> list[str]:
    """Train on labels 1, 3 and 4, segment, and return the files of probabilities."""
    values = np.repeat([[10, 90, 170, 90, 10]], 30, axis=0).repeat(12, axis=1)
    strokes = np.zeros(values.shape, np.uint8)
    for x, label in ((3, 1), (15, 3), (28, 4)):
        strokes[5:20, x : x + 4] = label
    write_image("three.png", values.astype(np.uint8), axes="yx")
    write_labels("strokes.png", strokes, axes="yx")
    return ["three_probabilities.tif", "out/three_probabilities.zarr"]


def segmented(stroma, *names: str) -> None:
    """Train a model of classes of these names, and write what it finds."""
    train = ("train", "three.png", "strokes.png", "--model", "m.pkl", "--alias", "gaussian")
    said = [word for name in names for word in ("--class", name)]
    for command in (
        (*train, *said),
        ("segment", "m.pkl", "three.png", "--probabilities", "--out", "."),
        ("segment", "m.pkl", "three.png", "--probabilities", "--format", "zarr", "--out", "out"),
    ):
        done = stroma(*command)
        assert done.code == 0, done.err


def places(stroma, *how: str) -> list[int]:
    """Return where along x the objects are."""
    done = stroma("objects", *how, "--table", "out.csv", "--overwrite")
    assert done.code == 0, done.err
    return [round(float(r["centroid_x_px"]) / 12 - 0.5) for r in rows("out.csv")]


def test_a_class_of_own_probabilities_is_that_of_its_name_never_another(stroma, three) -> None:
    segmented(stroma, "1=dark", "3=mid", "4=bright")
    for path in three:
        assert places(stroma, path, "--class", "dark") == [0, 4]
        assert places(stroma, path, "--class", "mid") == [1, 3]
        assert places(stroma, path, "--class", "bright") == [2]
        assert places(stroma, path, "--class", "bright", "--boundary", "mid") == [2]
        for wrong in (("3",), ("4",), ("mid", "--boundary", "3"), ("mit",)):
            done = stroma("objects", path, "--class", *wrong, "--table", "no.csv")
            assert done.code == 2
            assert "dark, mid, bright" in " ".join(done.err.split())
    assert not Path("no.csv").exists()


def test_the_number_of_a_class_without_a_name_is_its_label_in_probabilities(stroma, three) -> None:
    segmented(stroma)
    for path in three:
        assert places(stroma, path, "--class", "1") == [0, 4]
        assert places(stroma, path, "--class", "3") == places(stroma, path, "--class", "class 3")
        assert places(stroma, path, "--class", "3") == [1, 3]
        assert places(stroma, path, "--class", "4", "--boundary", "3") == [2]
        done = stroma("objects", path, "--class", "2", "--table", "no.csv")
        assert "class 1, class 3, class 4" in " ".join(done.err.split())


def test_numbers_of_channels_without_names_are_those_there_are(stroma, files) -> None:
    write_image("chance.tif", np.ones((2, 9, 9), np.float32) / 2, axes="cyx")
    for wrong in ("3", "0", "mid"):
        done = stroma("objects", "chance.tif", "--class", wrong, "--table", "a.csv")
        assert "the number of a channel, 1 to 2" in " ".join(done.err.split())


def test_touching_parts_of_a_class_are_parted_along_another(stroma, files) -> None:
    labels = np.zeros((30, 50), np.uint8)
    labels[5:25, 5:45] = 1
    labels[5:25, 24:26] = 2
    labels[14, 24:26] = 1  # a gap
    write_labels("a.tif", labels, axes="yx", classes=[Class(1, "cell"), Class(2, "rim")])
    write_image("b.tif", np.stack([labels == 1, labels == 2]).astype(np.float32), axes="cyx")

    def count(*how: str) -> int:
        done = stroma("objects", *how, "--table", "out.csv", "--overwrite")
        assert done.code == 0, done.err
        return len(rows("out.csv"))

    assert count("a.tif", "--class", "cell") == count("b.tif", "--class", "1") == 1
    assert count("a.tif", "--class", "cell", "--boundary", "rim") == 2
    assert count("a.tif", "--class", "1", "--boundary", "2") == 2
    assert count("b.tif", "--class", "1", "--boundary", "2") == 2
    wrong = stroma("objects", "a.tif", "--class", "cell", "--boundary", "rom", "--table", "c.csv")
    assert "Known: cell, rim" in wrong.err
    lacking = stroma("objects", "b.tif", "--boundary", "2", "--table", "c.csv")
    assert "name the class of the objects, too" in " ".join(lacking.err.split())


def test_wrong_wishes_are_told_before_anything_is_written(stroma, files) -> None:
    (files / "there.csv").write_text("mine")
    there = stroma("objects", "cells.tif", "--table", "there.csv")
    assert there.code == 2
    assert (files / "there.csv").read_text() == "mine"
    assert "ends in .csv" in stroma("objects", "cells.tif", "--table", "a.xlsx").err
    (files / "off.csv").write_text("label,class\n7,a\n")
    assert (
        "no object label 7"
        in stroma("objects", "cells.tif", "--table", "a.csv", "--labels", "off.csv").err
    )
    (files / "empty.csv").write_text("a,b\n1,2\n")
    assert (
        "labels no objects"
        in stroma("objects", "cells.tif", "--table", "a.csv", "--labels", "empty.csv").err
    )
    assert (
        "nothing to save"
        in stroma("objects", "cells.tif", "--table", "a.csv", "--save-model", "m.pkl").err
    )


def test_parquet_without_its_library_says_what_to_install(stroma, files, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = stroma("objects", "cells.tif", "--table", "a.parquet")
    assert done.code == 3
    assert "pip install pyarrow" in done.err


def test_anndata_without_its_library_says_what_to_install(stroma, files, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "anndata", None)
    done = stroma("objects", "cells.tif", "--table", "a.h5ad")
    assert done.code == 3
    assert "pip install anndata" in done.err


@pytest.mark.filterwarnings("ignore")  # of anndata itself, with newer versions of pandas
def test_anndata_holds_measures_places_and_classes(stroma, files) -> None:
    anndata = pytest.importorskip("anndata", reason="tables of AnnData: pip install anndata")
    options = ("--image", "image.ome.tif", "--labels", "clicks.csv")
    assert stroma("objects", "cells.tif", *options, "--table", "a.h5ad").code == 0
    assert stroma("objects", "cells.tif", *options, "--table", "a.csv").code == 0
    written = rows(files / "a.csv")
    found = anndata.read_h5ad(files / "a.h5ad")
    assert found.obs["label"].tolist() == [int(row["label"]) for row in written]
    assert found.obs["class_name"].tolist() == [row["class_name"] for row in written]
    places = [[float(row["centroid_x_um"]), float(row["centroid_y_um"])] for row in written]
    assert np.allclose(found.obsm["spatial"], places)
    areas = found[:, "area_um2"].X.ravel()
    assert np.allclose(areas, [float(row["area_um2"]) for row in written])


def test_parquet_holds_what_csv_does(stroma, files) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet: pip install pyarrow")
    for name in ("a.parquet", "a.csv"):
        assert stroma("objects", "cells.tif", "--image", "image.ome.tif", "--table", name).code == 0
    written = rows(files / "a.csv")
    found = parquet.read_table(files / "a.parquet").to_pydict()
    assert list(found) == list(written[0])
    assert found["area_px"] == [float(row["area_px"]) for row in written]


def test_features_of_an_extractor_are_columns_and_a_model_asks_for_them_itself(
    stroma, files
) -> None:
    labels, stripes = np.zeros((60, 80), np.uint16), np.zeros((60, 80), np.uint8)
    for i in range(12):  # that differ in little but how wide their stripes are
        part = (
            slice(4 + 18 * (i // 4), 14 + 18 * (i // 4)),
            slice(4 + 18 * (i % 4), 14 + 18 * (i % 4)),
        )
        labels[part] = i + 1
        stripes[part] = 100 * (np.indices((10, 10))[0] // (5 if i % 2 else 1) % 2)
    write_labels("cells.tif", labels, axes="yx")
    write_image("image.ome.tif", stripes, axes="yx")
    clicks = [f"{n},{'fine' if n % 2 else 'coarse'}" for n in range(1, 7)]
    (files / "clicks.csv").write_text("\n".join(["label,class", *clicks]))
    options = ("--image", "image.ome.tif", "--embed", "texture_2d", "--labels", "clicks.csv")
    done = stroma("objects", "cells.tif", *options, "--save-model", "m.pkl", "--table", "a.csv")
    assert done.code == 0
    again = ("--image", "image.ome.tif", "--model", "m.pkl")
    assert stroma("objects", "cells.tif", *again, "--table", "b.csv").code == 0
    written = [rows(files / name) for name in ("a.csv", "b.csv")]
    assert "embedding_texture_2d_000" in written[0][0]
    assert written[0] == written[1]
    assert [r["class_name"] for r in written[1]] == ["fine", "coarse"] * 6
    refused = stroma("objects", "cells.tif", "--model", "m.pkl", "--table", "c.csv")
    assert refused.code != 0
    assert "Give the image, too" in refused.err
    unknown = stroma("objects", "cells.tif", *again, "--embed", "textur_2d", "--table", "c.csv")
    assert "Did you mean 'texture_2d'" in unknown.err


@pytest.fixture
def movie(files):
    """The same objects in three frames, each larger than it was, with the same numbers."""
    frames = np.zeros((3, 40, 40), np.uint16)
    for t in range(3):
        for i in range(4):
            y, x = 3 + 20 * (i // 2), 3 + 20 * (i % 2)
            frames[t, y : y + 4 + 3 * t, x : x + 4 + 3 * t] = i + 1
    write_labels("movie.tif", frames, axes="tyx")
    return files


@pytest.mark.parametrize(
    "text",
    [
        "Frame,label,class\n1,1,small\n1,2,small\n2,1,large\n2,2,large\n",
        "time;Label ID;Classification\n1.0;1.0;small\n1.0;2.0;small\n2.0;1;large\n2;2.0;large\n",
        "T,Y,X,class\n1,4,4,small\n1,4.5,24.9,small\n2,4,4,large\n2,4,24,large\n",
    ],
)
def test_labelled_objects_are_those_of_the_frame_that_is_said(stroma, movie, text) -> None:
    (movie / "own.csv").write_text(text)
    done = stroma("objects", "movie.tif", "--table", "a.csv", "--labels", "own.csv")
    assert done.code == 0, done.err
    found = {(r["t"], r["class_name"]) for r in rows("a.csv")}
    assert {("1", "small"), ("2", "large")} <= found
    assert not {("1", "large"), ("2", "small")} & found


def refused(stroma, *options: str) -> str:
    """Return what is said of a command that is refused and writes nothing."""
    done = stroma("objects", *options, "--table", "a.csv")
    assert done.code != 0
    assert not Path("a.csv").exists()
    return " ".join(done.err.split())


def test_tables_that_do_not_say_the_frame_are_refused(stroma, movie) -> None:
    (movie / "own.csv").write_text("label,class\n1,small\n2,large\n")
    for option in ("--labels", "--join"):
        said = refused(stroma, "movie.tif", option, "own.csv")
        assert "own.csv does not say in which frame" in said
        assert "3 frames" in said
        assert "t or frame or time" in said
    (movie / "own.csv").write_text("label,class,frame\n1,small,0\n2,large,\n")
    for option in ("--labels", "--join"):
        assert "line 3: an empty cell in frame" in refused(stroma, "movie.tif", option, "own.csv")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("label,class\n1,a\n,\n1.5,b\n", "line 4: 1.5 in label is no whole number"),
        ("y,x,class\n5,5,a\n5,,b\n", "line 3: an empty cell in x is no number"),
        ("y,x,class\n5,5,a\nfive,5,b\n", "line 3: five in y is no number"),
        ("y,x,class\n5,5,a\n-0.5,5,b\n", "line 3: y -0.5, x 5 lies outside"),
        ("label,class,t\n1,a,first\n", "line 2: first in t is no number"),
    ],
)
def test_cells_of_labelled_objects_that_are_none_are_named(stroma, files, text, why) -> None:
    (files / "own.csv").write_text(text.replace("1,a", "10,a"))
    assert why in refused(stroma, "cells.tif", "--labels", "own.csv")


def test_a_column_id_beside_places_is_not_taken_for_numbers_of_objects(stroma, files) -> None:
    lines = (files / "clicks.csv").read_text().splitlines()
    numbered = [f"{line},{'id' if i == 0 else i}" for i, line in enumerate(lines)]
    (files / "own.csv").write_text("\n".join(numbered))
    done = stroma("objects", "cells.tif", "--table", "a.csv", "--labels", "own.csv")
    assert done.code == 0, done.err
    assert [r["class_name"] for r in rows("a.csv")[:2]] == ["small", "large"]


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (("--label-image", "found.jpg"), "ending that no writer knows"),
        (("--label-image", "no/found.tif"), "no folder no"),
        (("--label-image", "found.png"), "a PNG holds numbers up to 65535, got 70001"),
        (("--outlines", "no/o.zip"), "no folder no"),
        (("--labels", "clicks.csv", "--save-model", "no/m.pkl"), "no folder no"),
    ],
)
def test_nothing_is_written_where_one_file_cannot_be(stroma, files, option, why) -> None:
    large = np.where(cells() == 120, 70_001, cells().astype(np.int32))
    write_labels("large.tif", large, axes="yx")
    before = sorted(files.iterdir())
    done = stroma("objects", "large.tif", "--table", "a.csv", *option)
    assert done.code == 2
    assert why in " ".join(done.err.split())
    assert sorted(files.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "why"), [("f.jpg", "ending"), ("no/f.tif", "folder"), ("stack.png", "one plane")]
)
def test_what_cannot_be_written_is_told_before_pixels_are_looked_at(
    stroma, files, monkeypatch, name, why
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("looked for objects")

    monkeypatch.setattr("stroma.workflow.measuring.objects._objects", never)
    write_labels("stack.tif", np.stack([cells(), cells()]), axes="zyx")
    done = stroma("objects", "stack.tif", "--table", "a.csv", "--label-image", name)
    assert done.code == 2
    assert why in " ".join(done.err.split())


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--class", "1", "--boundary", "1"), "name both, each a class of its own. Got 1 for"),
        (
            ("--size-in", "um", "--min-size", "1"),
            "Give sizes in pixels, or an image that knows how large",
        ),
        (("--threshold", "0"), "from there to 1; got 0.0."),
        (("--image", "small.tif"), "have 60 (y) by 80 (x) pixels, the image 30 (y) by 80 (x)"),
    ],
)
def test_wrong_options_are_told_in_words_of_the_command_line(stroma, files, options, why) -> None:
    write_image("small.tif", np.zeros((30, 80), np.uint8), axes="yx")
    said = refused(stroma, "cells.tif", *options)
    assert why in said
    assert "spacing" not in said
    assert "None" not in said


def test_labelled_objects_that_look_alike_are_told_as_objects(stroma, files) -> None:
    labels = np.zeros((40, 100), np.uint8)
    for i in range(4):
        labels[16:24, 12 + 20 * i : 20 + 20 * i] = i + 1
    write_labels("alike.tif", labels, axes="yx")
    (files / "own.csv").write_text("label,class\n2,a\n3,b\n")
    done = stroma(
        *("objects", "alike.tif", "--table", "a.csv", "--labels", "own.csv"),
        *("--classifier", "logistic"),
    )
    said = " ".join(done.err.split())
    assert "The 2 labelled objects are alike in all that is measured" in said
    assert "strokes" not in said


def test_one_object_of_each_class_says_no_share(stroma, files) -> None:
    (files / "own.csv").write_text("label,class\n10,small\n20,large\n")
    done = stroma("objects", "cells.tif", "--table", "a.csv", "--labels", "own.csv")
    assert done.code == 0, done.err
    assert "%" not in done.out
    assert "Least sure: " in done.out
    every = [f"{10 * i},{'large' if i % 2 else 'small'}" for i in range(1, 13)]
    (files / "own.csv").write_text("\n".join(["label,class", *every]))
    done = stroma("objects", "cells.tif", "--table", "b.csv", "--labels", "own.csv")
    assert "% are classed rightly" in done.out
    assert "Least sure" not in done.out
    (files / "own.csv").write_text("label,class\n10,small\n20,large\n")
    done = stroma("objects", "cells.tif", "--table", "c.csv", "--labels", "own.csv", "--json")
    assert json.loads(done.out)["accuracy"] is None


def test_a_model_that_was_taught_with_an_image_asks_for_it(stroma, files) -> None:
    done = stroma(
        *("objects", "cells.tif", "--image", "image.ome.tif", "--table", "b.csv"),
        *("--labels", "clicks.csv", "--save-model", "m.pkl"),
    )
    assert done.code == 0, done.err
    said = refused(stroma, "cells.tif", "--model", "m.pkl")
    assert "is not measured of these objects. Give" in said
    assert "Did you mean" not in said


def test_what_classes_were_learnt_from_is_asked_for_by_name() -> None:
    y = np.array([1, 1, 2, 2])
    for name, advice in (("intensity_mean", "Give their image"), ("Ki67", "what was given with")):
        table = ObjectTable({"label": y.cumsum(), name: y * 1.5})
        own = ObjectClassifier("logistic").fit(table, y)
        with pytest.raises(UnknownNameError, match=f"{name}.*{advice}"):
            own.predict(ObjectTable({"label": y.cumsum(), "area_px": y * 1.0}))


def test_an_object_without_which_the_others_are_alike_counts_as_wrong() -> None:
    table = ObjectTable({"label": np.array([1, 2, 3]), "area_px": np.array([4.0, 4.0, 9.0])})
    assert ObjectClassifier("logistic").leave_one_out(table, np.array([1, 2, 2])) < 1
