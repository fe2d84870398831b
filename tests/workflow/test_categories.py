"""Classes of whole images: from folders or tables to a network, to a table, to scores."""

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

import stroma
from stroma.cli.app import build
from stroma.errors import FormatError, LabelError, MissingFileError, ParameterError
from stroma.io import write_image
from stroma.workflow.applying.categories import categorised, read_classes
from stroma.workflow.applying.find import find_images
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files
from stroma.workflow.scoring.evaluate import evaluate
from stroma.workflow.scoring.report import write_report

SMALL = {
    "target": "classify",
    "network": "unet",
    "network_options": {"features": [8, 8, 16], "norm": "batch"},
    "patch": [32, 32],
    "batch": 8,
    "rate": 1e-2,
    "steps": 100,
    "device": "cpu",
}


def texture(kind, seed, side=48):
    """Return stripes, dots or cloth, of a phase and brightness drawn by the seed, and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] + rng.uniform(0, 8, (2, 1, 1))
    waves = {"stripes": np.sin(x), "dots": np.sin(x) * np.sin(y), "cloth": np.sin(x) + np.sin(y)}
    values = waves[kind] + rng.normal(0, 0.5, (side, side)) + rng.uniform(-1, 1)
    return (50 * values + 200).astype(np.float32)


KINDS = ("cloth", "dots", "stripes")


def write_all(folder, seeds, kinds=KINDS):
    """Write images in a folder for every class."""
    for kind in kinds:
        (folder / kind).mkdir(parents=True)
        for seed in seeds:
            write_image(folder / kind / f"{kind[0]}{seed}.tif", texture(kind, seed), axes="yx")
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = write_all(tmp_path_factory.mktemp("learned") / "images", range(6))
    return stroma.learn(folder, **SMALL)


@pytest.fixture(scope="module")
def results(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    new = write_all(folder / "new", range(100, 108))
    files = sorted(new.glob("*/*.tif"))
    path = network.save(folder / "kinds.safetensors")
    done = segment_files(stroma.load(path), files, folder / "results")
    assert not done.failed
    assert done.summary == folder / "results" / "classes.csv"
    return folder


def test_textures_are_told_apart_in_images_that_were_not_learned_from(results):
    found = evaluate(results / "results", results / "new")
    assert found.kind == "categories"
    assert found.labels == KINDS
    assert found.overall["accuracy"] >= 0.95
    assert np.sum(found.overall["confusion"]) == 24


def test_every_image_gets_a_row_with_a_probability_for_each_class(results):
    with (results / "results" / "classes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    heads = [f"probability of {kind}" for kind in KINDS]
    assert list(rows[0]) == ["file", "class", *heads]
    for row in rows:
        values = [float(row[head]) for head in heads]
        assert sum(values) == pytest.approx(1, abs=2e-4)
        assert row["class"] == KINDS[int(np.argmax(values))]


def test_the_truth_may_be_a_table_and_mistakes_are_counted(results, tmp_path):
    with (results / "results" / "classes.csv").open(encoding="utf-8") as file:
        rows = [(row["file"], row["class"]) for row in csv.DictReader(file)]
    wrong = [(name, "dots" if i == 0 else kind) for i, (name, kind) in enumerate(rows)]
    table = tmp_path / "truth.csv"
    table.write_text("file,class\n" + "".join(f"{n},{k}\n" for n, k in wrong), encoding="utf-8")
    found = evaluate(results / "results" / "classes.csv", table)
    assert found.overall["accuracy"] == pytest.approx(23 / 24)
    assert [one["right"] for one in found.images].count(0.0) == 1
    page = write_report(tmp_path / "report.html", found, results / "results", table).read_text()
    assert rows[0][0] in page
    assert "balanced accuracy" in page
    said = CliRunner().invoke(build(), ["evaluate", str(results / "results"), str(table)])
    assert "found stripes" in said.output
    assert "accuracy 0.958" in said.output


def rows_of(path, *rows):
    path.write_text("file,class\n" + "".join(f"{f},{k}\n" for f, k in rows), encoding="utf-8")
    return path


def test_images_called_the_same_in_several_folders_are_each_of_their_own_class(network, tmp_path):
    for kind in KINDS:
        (tmp_path / "new" / kind).mkdir(parents=True)
        write_image(tmp_path / "new" / kind / "1.tif", texture(kind, 600), axes="yx")
    files = sorted((tmp_path / "new").glob("*/*.tif"))
    segment_files(network, files, tmp_path / "results")
    by_table = rows_of(tmp_path / "truth.csv", *((f"{k}/1.tif", k) for k in KINDS))
    for truth in (tmp_path / "new", by_table):
        assert evaluate(tmp_path / "results", truth).overall["accuracy"] == 1.0


def test_results_that_may_be_of_several_images_are_refused(tmp_path):
    truth = rows_of(tmp_path / "truth.csv", ("a/1.tif", "a"), ("b/1.tif", "b"), ("b/c.1.tif", "b"))
    found = rows_of(tmp_path / "classes.csv", ("1.tif", "a"))
    with pytest.raises(ParameterError, match=r"several images that may be 1\.tif, .* a, b"):
        evaluate(found, truth)
    found = rows_of(tmp_path / "classes.csv", ("c.2.tif", "b"))
    with pytest.raises(MissingFileError, match=r"no class for c\.2\.tif"):
        evaluate(found, truth)


def test_where_only_folders_of_classes_have_images_they_are_named(tmp_path):
    write_all(tmp_path, [0], ("cloth", "dots"))
    with pytest.raises(MissingFileError, match=r"not searched; give them too: .*cloth, .*dots\."):
        find_images([tmp_path])


def test_what_is_done_is_skipped_and_new_images_join_the_table(network, tmp_path):
    new = write_all(tmp_path / "new", range(200, 202), ("dots",))
    files = sorted(new.glob("*/*.tif"))
    segment_files(network, files[:1], tmp_path / "results")
    again = segment_files(network, files, tmp_path / "results")
    assert [f.status for f in again.files] == ["skipped", "done"]
    assert len(read_classes(tmp_path / "results" / "classes.csv")) == 2


def test_planes_are_looked_at_one_by_one(network, tmp_path):
    stack = np.stack([texture(kind, 300) for kind in KINDS])
    found = network.segment(stroma.Image(stack, "zyx"))
    assert found.shape == (3, 3)
    assert [network.channel_names[i] for i in found.argmax(1)] == list(KINDS)
    write_image(tmp_path / "stack.tif", stack, axes="zyx")
    segment_files(network, [tmp_path / "stack.tif"], tmp_path / "results")
    known = read_classes(tmp_path / "results" / "classes.csv")
    assert list(known) == ["stack.tif z=0", "stack.tif z=1", "stack.tif z=2"]


def test_blocks_of_a_large_image_give_what_the_whole_gives(network):
    image = texture("cloth", 400, side=600)
    whole = network.predict_probas(image).reshape(3, -1).mean(1)
    assert network.segment(image) == pytest.approx(network.target.decode(whole), abs=1e-6)


def test_classes_are_evaluated_by_name_in_python(network):
    images = [texture(kind, 500) for kind in KINDS]
    assert network.evaluate(images, list(KINDS))["accuracy"] == 1.0
    with pytest.raises(LabelError, match="no class 'wool'"):
        network.evaluate(images, ["cloth", "wool", "dots"])


def test_tables_and_lists_give_what_folders_give(tmp_path):
    folder = write_all(tmp_path / "images", range(2))
    by_folder = categorised(folder, None)
    table = tmp_path / "kinds.csv"
    rows = [f"{p.name},{p.parent.name}\n" for p in by_folder.images]
    table.write_text("file,class\n" + "".join(rows), encoding="utf-8")
    by_table = categorised(folder, table)
    by_list = categorised(list(by_folder.images), [p.parent.name for p in by_folder.images])
    for found in (by_table, by_list):
        assert (found.images, found.labels) == (by_folder.images, by_folder.labels)
        assert found.classes == by_folder.classes
    assert [c.name for c in by_folder.classes] == list(KINDS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,kind\na,b\n", "columns file and class"),
        ("file,class\na.tif,x\na.tif,y\n", "several rows for a.tif"),
        ("file,class\na.tif,\n", "no class for a.tif"),
        ("", "no rows"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path, text, said):
    table = tmp_path / "kinds.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=said):
        read_classes(table)


def test_images_without_a_class_and_folders_without_folders_are_named(tmp_path):
    folder = write_all(tmp_path / "images", range(2), ("dots",))
    table = tmp_path / "kinds.csv"
    table.write_text("file,class\nd0.tif,dots\n", encoding="utf-8")
    with pytest.raises(MissingFileError, match=r"no class for d1.tif \(1 of 2"):
        categorised(folder, table)
    with pytest.raises(MissingFileError, match="no folders of images"):
        categorised(folder / "dots", None)
    with pytest.raises(ParameterError, match="a folder that has a folder"):
        categorised([texture("dots", 0)], None)


def test_a_table_that_somebody_made_is_not_replaced(network, tmp_path):
    write_image(tmp_path / "a.tif", texture("dots", 0), axes="yx")
    (tmp_path / "classes.csv").write_text("file,class\na.tif,dots\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="no result"):
        segment_files(network, [tmp_path / "a.tif"], tmp_path)


def test_a_part_of_an_image_has_no_class_of_its_own(network, tmp_path):
    write_image(tmp_path / "a.tif", texture("dots", 0), axes="yx")
    with pytest.raises(ParameterError, match="image as a whole"):
        segment_files(
            network, [tmp_path / "a.tif"], tmp_path / "out", outputs=Outputs(mask=tmp_path)
        )


def test_some_images_of_every_class_are_kept_for_scores():
    from stroma.training.feeding.data import cases_of
    from stroma.training.feeding.splits import split

    images = [np.full((4, 4), float(i), np.float32) for i in range(12)]
    labels = [1] * 8 + [2] * 3 + [3]
    cases = cases_of(images, labels, truth="category")
    learned, kept = split(cases, alike=True)
    assert sorted(int(c.labels.max()) for c in kept) == [1, 1, 2]
    assert {int(c.labels.max()) for c in learned} == {1, 2, 3}
