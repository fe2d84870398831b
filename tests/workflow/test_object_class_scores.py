"""Classes of objects beside the truth, by number and by place; and as networks tell them."""

import csv
import json

import numpy as np
import pytest
from tests.random_network import random_network
from typer.testing import CliRunner

from stroma.cli.app import build
from stroma.data.classes import Class
from stroma.errors import LabelError, MissingFileError, ParameterError
from stroma.io import write_image, write_labels
from stroma.workflow.scoring.evaluate import evaluate

TRUE = {1: "long", 2: "long", 3: "long", 4: "round"}
FOUND = {1: "long", 2: "round", 3: "long", 4: "round", 5: "round"}


def squares(numbers, *, moved=0):
    """Return a label image of squares in a row, each number at its place."""
    labels = np.zeros((16, 16 * 6), np.uint16)
    for place, number in enumerate(numbers):
        labels[3:13, 16 * place + 3 + moved : 16 * place + 13 + moved] = number
    return labels


def write(path, kinds, *, names="class"):
    path.parent.mkdir(exist_ok=True)
    rows = "".join(f"{n},{kind}\n" for n, kind in kinds.items())
    path.write_text(f"label,{names}\n{rows}", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "results" / "a_table.csv", FOUND, names="class_name")
    write(tmp_path / "truth" / "a.csv", TRUE)
    return tmp_path


def test_the_same_objects_are_compared_by_number(folder):
    found = evaluate(folder / "results", folder / "truth")
    assert found.kind == "object-classes"
    assert found.labels == ("long", "round")
    assert found.images == ({"name": "a_table.csv", "right": 0.75, "objects": 4},)
    assert found.overall["confusion"] == [[2, 1, 0], [0, 1, 0]]
    assert found.overall["accuracy"] == 0.75
    assert found.overall["balanced accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert found.overall["recall long"] == pytest.approx(2 / 3)
    assert found.overall["precision long"] == 1.0
    assert found.overall["precision round"] == 0.5
    assert (found.overall["missed"], found.overall["made up"]) == (0, 0)


def test_other_objects_match_where_they_overlap(folder):
    masks = {}
    for name, labels in (
        ("found", squares((5, 0, 3, 2, 1), moved=1)),
        ("true", squares((1, 2, 3, 4))),
    ):
        (folder / name).mkdir()
        masks[name] = write_labels(folder / name / "a_objects.tif", labels, axes="yx")
    how = {"objects": folder / "found", "true_objects": folder / "true"}
    found = evaluate(folder / "results", folder / "truth", **how)
    # 1 is 5 (round), 2 is missed, 3 is 3 (long), 4 is 2 (round); 1 and 4 of the results are extra
    assert found.overall["confusion"] == [[1, 1, 1], [0, 1, 0]]
    assert (found.overall["missed"], found.overall["made up"]) == (1, 2)
    assert found.overall["accuracy"] == 0.5
    assert found.overall["precision long"] == 0.5
    assert found.overall["precision round"] == pytest.approx(1 / 3)
    same = evaluate(
        folder / "results", folder / "truth", objects=masks["true"], true_objects=masks["true"]
    )
    assert same.overall["confusion"] == [[2, 1, 0], [0, 1, 0]]
    assert same.overall["made up"] == 1


def matched(folder, found, true, results, truth):
    """Return the scores of objects that match where they overlap."""
    pairs = zip(("found.tif", "true.tif"), (found, true), strict=True)
    one, other = (write_labels(folder / name, labels, axes="yx") for name, labels in pairs)
    table = write(folder / "c_table.csv", results)
    known = write(folder / "c.csv", truth)
    return evaluate(table, known, objects=one, true_objects=other).overall


def test_objects_where_nobody_knows_the_truth_do_not_count(folder):
    true = squares((0, 1)).astype(np.int32)
    true[:, :16] = -1
    found = matched(folder, squares((1, 2)), true, {1: "round", 2: "long"}, {1: "long"})
    assert (found["accuracy"], found["made up"], found["precision long"]) == (1.0, 0, 1.0)


def test_a_row_for_number_0_is_no_object_that_was_missed(folder):
    found = matched(
        folder,
        squares((1,)),
        squares((1, 2)),
        {0: "long", 1: "long"},
        {1: "long", 2: "long"},
    )
    assert (found["missed"], found["accuracy"]) == (1, 0.5)


def test_names_may_have_dots(tmp_path):
    for well, kind in (("A.1", "long"), ("A.2", "round")):
        write(tmp_path / "results" / f"{well}_table.csv", {1: kind})
        write(tmp_path / "truth" / f"{well}.csv", {1: kind})
    found = evaluate(tmp_path / "results", tmp_path / "truth")
    assert [one["right"] for one in found.images] == [1.0, 1.0]
    (tmp_path / "truth" / "A.2.csv").unlink()
    with pytest.raises(MissingFileError, match=r"no file.* of A\.2\.tif"):
        evaluate(tmp_path / "results", tmp_path / "truth")
    write(tmp_path / "truth" / "A.2.tif.csv", {1: "long"})
    found = evaluate(tmp_path / "results", tmp_path / "truth")
    assert [one["right"] for one in found.images] == [1.0, 0.0]


@pytest.mark.parametrize("which", ["truth", "objects", "true_objects"])
def test_one_file_beside_several_tables_is_refused(folder, which):
    write(folder / "results" / "b_table.csv", FOUND)
    write(folder / "truth" / "b.csv", TRUE)
    labels = write_labels(folder / "a_objects.tif", squares((1, 2)), axes="yx")
    given = {"truth": folder / "truth", "objects": folder, "true_objects": folder}
    given[which] = folder / "truth" / "a.csv" if which == "truth" else labels
    with pytest.raises(ParameterError, match=f"2 tables of objects, and {which} is one file"):
        evaluate(folder / "results", given.pop("truth"), **given)


def test_marks_on_objects_are_the_truth_too(folder):
    marks = np.where(squares((1, 2, 3, 4)) > 0, 1, 0).astype(np.uint8)
    marks[:, 48:64] *= 2
    write_labels(folder / "marks.tif", marks, axes="yx")
    write_labels(folder / "objects.tif", squares((1, 2, 3, 4)), axes="yx")
    table = write(folder / "b_table.csv", {n: f"class {1 + (n == 4)}" for n in TRUE})
    found = evaluate(table, folder / "marks.tif", objects=folder / "objects.tif")
    assert found.overall["accuracy"] == 1.0
    with pytest.raises(ParameterError, match="objects="):
        evaluate(table, folder / "marks.tif")


def test_what_cannot_be_compared_says_why(folder):
    labels = write_labels(folder / "a_labels.tif", squares((1, 2)), axes="yx")
    other = write(folder / "other" / "a.csv", {n + 100: kind for n, kind in TRUE.items()})
    with pytest.raises(LabelError, match="None of the 4 objects"):
        evaluate(folder / "results", other.parent)
    with pytest.raises(MissingFileError, match="no table of objects"):
        evaluate(folder / "truth", folder / "truth", kind="object-classes")
    with pytest.raises(ParameterError, match="Add objects="):
        evaluate(folder / "results", folder / "truth", true_objects=folder)
    with pytest.raises(ParameterError, match="objects= goes with object-classes"):
        evaluate(labels, labels, objects=folder)


def test_the_command_shows_which_classes_are_taken_for_which(folder):
    paths = [str(folder / "results"), str(folder / "truth")]
    done = CliRunner().invoke(build(), ["evaluate", *paths])
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.output.splitlines()]
    assert ["long", "2", "1", "0", "0.667", "1.000"] in rows
    assert ["round", "0", "1", "0", "1.000", "0.500"] in rows
    assert "accuracy 0.750, balanced accuracy 0.833" in done.output


def measured(folder, model, *more):
    given = [str(folder / "objects.tif"), "--table", str(folder / "out.csv"), "--overwrite"]
    return CliRunner().invoke(build(), ["objects", *given, "--model", str(model), *more])


def test_a_network_that_learned_classes_of_objects_classes_what_is_measured(folder):
    network = random_network(target="classify", target_params={"labels": (1, 2), "objects": True})
    network.classes = [Class(1, "long"), Class(2, "round")]
    model = network.save(folder / "kinds.safetensors")
    values = np.random.default_rng(3).normal(100, 20, (16, 96)).astype(np.float32)
    labels = squares((1, 2, 3, 4, 9))
    image = write_image(folder / "image.tif", values, axes="yx")
    write_labels(folder / "objects.tif", labels, axes="yx")
    outlines = folder / "out.geojson"
    done = measured(folder, model, "--image", str(image), "--outlines", str(outlines))
    assert done.exit_code == 0, done.output
    with (folder / "out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = network.segment(values, objects=labels)
    assert [row["class_name"] for row in rows] == known["class_name"].tolist()
    shares = [float(row["class_probability"]) for row in rows]
    assert shares == pytest.approx(known["class_probability"].tolist(), abs=1e-5)
    assert [float(row["area_px"]) for row in rows] == [100] * 5
    marks = json.loads(outlines.read_text())["features"]
    names = {one["properties"]["classification"]["name"] for one in marks}
    assert names == set(known["class_name"].tolist())


def test_a_network_without_an_image_or_of_something_else_is_refused(folder):
    write_labels(folder / "objects.tif", squares((1, 2)), axes="yx")
    other = random_network().save(folder / "other.safetensors")
    done = measured(folder, other)
    assert "is a network, which looks at the image" in str(done.exception)
    image = write_image(folder / "image.tif", np.zeros((16, 96), np.float32), axes="yx")
    done = measured(folder, other, "--image", str(image))
    said = " ".join(f"{done.exception} {done.output}".split())
    assert "finds classes, not classes of objects" in said
