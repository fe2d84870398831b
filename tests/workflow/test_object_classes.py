"""Classes of objects: from label images and classes of some to a network, a table and outlines."""

import csv
import json

import numpy as np
import pytest
import tifffile
import torch
from typer.testing import CliRunner

import stroma
from stroma.cli.app import build
from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import LabelError, MissingFileError, ParameterError, ShapeError
from stroma.io import write_image, write_labels
from stroma.targets.classify import Classify
from stroma.training.feeding.cases import Case
from stroma.training.feeding.normalise import Normalisation
from stroma.training.files.about import About
from stroma.training.learning.examination import Examination
from stroma.training.learning.learner import Learner
from stroma.training.model import Network
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files
from stroma.workflow.learning.object_classes import with_object_classes
from stroma.workflow.learning.planning import preview

SMALL = {
    "target": "classify",
    "network": "unet",
    "network_options": {"features": [8, 8, 16], "norm": "batch"},
    "patch": [32, 32],
    "batch": 8,
    "rate": 1e-2,
    "steps": 80,
    "device": "cpu",
}
KINDS = ("dotted", "striped")
STEP = 24


def field(seed, rows=5, columns=6):
    """Return an image of close squares, striped or dotted, their numbers and their classes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: rows * STEP, : columns * STEP]
    values = rng.normal(0, 0.4, y.shape)
    labels = np.zeros(y.shape, np.uint16)
    kinds = {}
    for number, (i, j) in enumerate(np.ndindex(rows, columns), start=1):
        top, left = i * STEP + 4, j * STEP + 4
        box = (slice(top, top + 16), slice(left, left + (20 if j % 2 else 16)))
        kinds[number] = KINDS[int(rng.integers(2))]
        phase = rng.uniform(0, 6)
        across, along = np.sin(y[box] + phase), np.sin(x[box] + phase)
        values[box] += 2 * (across if kinds[number] == "striped" else across * along)
        labels[box] = number
    return (100 + 20 * values).astype(np.float32), labels, kinds


def write_table(path, kinds, only=None):
    rows = [(n, k) for n, k in kinds.items() if only is None or n in only]
    path.write_text("label,class\n" + "".join(f"{n},{k}\n" for n, k in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("kinds")
    for name in ("images", "masks", "classes", "new", "truth"):
        (root / name).mkdir()
    for seed in range(3):
        values, labels, kinds = field(seed)
        write_image(root / "images" / f"a{seed}.tif", values, axes="yx")
        write_labels(root / "masks" / f"a{seed}_objects.tif", labels, axes="yx")
        write_table(root / "classes" / f"a{seed}.csv", kinds, only=range(1, 28))
    values, labels, kinds = field(10)
    write_image(root / "new" / "b.tif", values, axes="yx")
    write_labels(root / "masks" / "b_objects.tif", labels, axes="yx")
    write_table(root / "truth" / "b.csv", kinds)
    return root


@pytest.fixture(scope="module")
def network(folder):
    return stroma.learn(folder / "images", folder / "classes", objects=folder / "masks", **SMALL)


def test_classes_of_objects_are_found_in_an_image_that_was_not_learned_from(network):
    values, labels, kinds = field(10)
    table = network.segment(values, objects=labels)
    assert table["label"].tolist() == list(kinds)
    assert np.mean(table["class_name"] == np.array(list(kinds.values()))) >= 0.9
    assert table["class"].tolist() == [1 + KINDS.index(k) for k in table["class_name"]]
    assert (table["class_probability"] >= 0.5).all()
    scores = network.evaluate(values, kinds, objects=labels)
    assert scores["accuracy"] >= 0.9
    assert network.scores_["balanced accuracy"] >= 0.85


def test_what_is_around_an_object_does_not_change_whose_pixels_speak_for_it(network):
    values, labels, _ = field(11)
    whole = network.segment(values, objects=labels)
    alone = network.segment(values, objects=np.where(labels == 8, 8, 0).astype(np.uint16))
    assert alone["label"].tolist() == [8]
    assert alone["class_probability"][0] == pytest.approx(whole["class_probability"][7], abs=1e-6)


def test_files_get_a_table_with_classes_and_measurements_and_classed_outlines(
    network, folder, tmp_path
):
    path = network.save(tmp_path / "kinds.safetensors")
    how = ["--objects", str(folder / "masks"), "--out", str(tmp_path / "out")]
    said = CliRunner().invoke(build(), ["segment", str(path), str(folder / "new"), *how])
    assert said.exit_code == 0, said.output
    with (tmp_path / "out" / "b_table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (folder / "truth" / "b.csv").open(encoding="utf-8") as file:
        truth = {row["label"]: row["class"] for row in csv.DictReader(file)}
    assert [row["label"] for row in rows] == list(truth)
    assert np.mean([row["class_name"] == truth[row["label"]] for row in rows]) >= 0.9
    assert float(rows[0]["area_px"]) == 256
    assert float(rows[0]["class_probability"]) >= 0.5
    marks = json.loads((tmp_path / "out" / "b_objects.geojson").read_text())["features"]
    named = {
        int(one["properties"]["name"].rpartition("-")[2]): one["properties"]["classification"]
        for one in marks
    }
    assert {n: one["name"] for n, one in named.items()} == {
        int(row["label"]): row["class_name"] for row in rows
    }
    again = CliRunner().invoke(build(), ["segment", str(path), str(folder / "new"), *how])
    assert "done before" in again.output


def test_what_was_written_teaches_again_as_table_and_as_marks(network, folder, tmp_path):
    wanted = Outputs(objects=folder / "masks")
    segment_files(network, [folder / "new" / "b.tif"], tmp_path, outputs=wanted)
    learner = Learner(target="classify")
    taught = [
        with_object_classes(learner, folder / "new", folder / "masks", tmp_path / name)[1]
        for name in ("b_table.csv", "b_objects.geojson")
    ]
    assert [c.name for c in taught[0].classes] == list(KINDS)
    assert taught[0].classes == taught[1].classes
    assert len(taught[0].labels) == 30
    for one, other in zip(taught[0].labels, taught[1].labels, strict=True):
        np.testing.assert_array_equal(one, other)


class Bright(torch.nn.Module):
    """Speaks for the second class where it is bright, and for the first where it is dark."""

    stride, halo = (1, 1), (0, 0)

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, images):
        return torch.cat([-9 * images, 9 * images], 1)


def test_the_pixels_of_an_object_alone_speak_for_it_in_use_and_in_scores():
    values = np.full((40, 40), -1, np.float32)
    values[:, 20:] = values[:6] = 1
    labels = np.zeros((40, 40), np.uint16)
    labels[18:22, 17:20], labels[18:22, 20:21] = 1, 2  # what is around both is brighter than dark
    params = {"labels": [1, 2], "objects": True}
    about = About("", {}, "classify", params, 2, 1, {"schemes": ["none"]}, (32, 32))
    table = Network(Bright(), about).segment(values, objects=labels)
    assert table["class"].tolist() == [1, 2]
    assert (table["uncertainty"] < 0.01).all()
    known = np.where(labels == 1, 1, -1).astype(np.int32)
    case = Case("dark", Image(values, "yx"), 2, known)
    target = Classify((1, 2), objects=True)
    looked_at = Examination([case], target, Normalisation(("none",)), (32, 32))
    assert looked_at(Bright()).scores["accuracy"] == 1


def test_a_training_goes_on_with_the_classes_of_the_network_that_it_begins_with(network):
    values, labels, kinds = field(12)
    swapped = {n: KINDS[1 - KINDS.index(k)] for n, k in kinds.items()}
    more = stroma.learn(
        values, swapped, objects=labels, base=network, steps=40, rate=1e-2, device="cpu"
    )
    assert [c.name for c in more.classes] == list(KINDS)
    assert more.about.patch == network.about.patch
    with pytest.raises(LabelError, match=r"round"):
        stroma.learn(values, {1: "round", 2: "striped"}, objects=labels, base=network, steps=1)
    with pytest.raises(ParameterError, match="objects= are their"):
        stroma.learn(values, swapped, base=network, steps=1)


def test_a_network_of_planes_tells_objects_of_volumes_by_all_their_planes(network):
    values, labels, _ = field(13)
    flat = network.segment(values, objects=labels)
    twice = network.segment(np.stack([values, values]), objects=np.stack([labels, labels]))
    assert twice["label"].tolist() == flat["label"].tolist()
    np.testing.assert_allclose(twice["class_probability"], flat["class_probability"], atol=1e-6)


class Steep(torch.nn.Module):
    """Says of every pixel how much values change beside it: half as much on pixels half as wide."""

    stride, halo = (1, 1), (1, 1)

    def forward(self, images):
        wide = torch.nn.functional.pad(images, (1, 1, 1, 1), mode="replicate")
        down = wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]
        along = wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]
        return torch.cat([3 * (down.abs() + along.abs()), torch.ones_like(images)], 1)


def steep(**said):
    """Return a network that tells objects in which values change from others."""
    target = {"labels": [1, 2], "objects": True}
    about = About("", {}, "classify", target, 2, 1, {"schemes": ["zscore"]}, (32, 32), **said)
    return Network(Steep(), about)


def sampled(size):
    """Return a scene of 60 x 80 µm with three objects, on pixels of a size in µm."""
    y, x = (np.mgrid[: round(60 / size), : round(80 / size)] + 0.5) * size
    values = np.sin(y / 2) * np.cos(x / 3) + y / 30 + np.exp(-((y - 30) ** 2 + (x - 40) ** 2) / 40)
    labels = 70000 * ((abs(y - 30) < 8) & (abs(x - 40) < 6)) + 5 * ((y < 12) & (x < 10))
    labels += 70001 * ((y > 50) & (abs(x - 61) < 7))
    image = Image(values.astype(np.float32), "yx", dict.fromkeys("yx", size), "µm")
    return image, labels.astype(np.uint32)


def evidence(network, image, labels):
    table = network.segment(image, objects=labels)
    assert table["label"].tolist() == [5, 70000, 70001]
    first = table["class"] == 1
    return np.where(first, table["class_probability"], 1 - table["class_probability"])


@pytest.mark.parametrize(
    ("learned", "size", "said"),
    [
        (1.0, 0.5, {"spacing": (1.0, 1.0), "unit": "µm"}),
        (0.5, 1.0, {"spacing": (0.5, 0.5), "unit": "µm"}),
        (1.0, 0.5, {"zoom": 0.5}),
    ],
)
def test_objects_are_seen_on_pixels_of_the_size_that_was_learned_from(learned, size, said):
    expected = evidence(steep(), *sampled(learned))
    found = evidence(steep(**said), *sampled(size))
    plain = evidence(steep(), *sampled(size))
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert np.abs(plain - expected).min() > 0.1
    if "spacing" in said:
        same = evidence(steep(**said), *sampled(learned))
        np.testing.assert_array_equal(same, expected)


def test_what_is_empty_around_an_image_changes_nothing_where_it_was_cropped_in_training():
    image, labels = sampled(0.5)
    values = image.read() + 10
    frame = ((30, 9), (17, 40))
    wide = Image(np.pad(values, frame), "yx", dict.fromkeys("yx", 0.5), "µm")
    narrow = Image(values, "yx", dict.fromkeys("yx", 0.5), "µm")
    for said in ({}, {"spacing": (1.0, 1.0), "unit": "µm"}):
        network = steep(crop=True, **said)
        found = evidence(network, wide, np.pad(labels, frame))
        np.testing.assert_allclose(found, evidence(network, narrow, labels), atol=1e-5)


def test_an_object_within_pixels_that_are_larger_than_what_is_seen_has_a_class():
    image, labels = np.random.default_rng(0).normal(size=(1, 6, 6)), np.zeros((1, 6, 6), np.uint8)
    labels[0, 2:4, 2:4] = 1
    table = steep(zoom=48.0).segment(Image(image, "zyx"), objects=labels)
    assert 0.5 <= table["class_probability"][0] <= 1


def test_volumes_are_learned_from_as_such():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.2, (12, 40, 80)).astype(np.float32)
    labels = np.zeros(values.shape, np.uint16)
    kinds = {}
    for number, (i, j) in enumerate(np.ndindex(2, 4), start=1):
        box = (slice(2, 10), slice(20 * i + 4, 20 * i + 16), slice(20 * j + 4, 20 * j + 16))
        labels[box] = number
        kinds[number] = ("dark", "bright")[number % 2]
        values[box] += 2 * (number % 2)
    how = {**SMALL, "network_options": {"features": [4, 8], "norm": "batch"}, "batch": 4}
    with pytest.raises(ParameterError, match=r"3 here \(ndim\)"):
        stroma.learn(values, kinds, objects=labels, **{**how, "ndim": 3})
    how["patch"] = [8, 32, 32]
    made = stroma.learn(values, kinds, objects=labels, **{**how, "steps": 30, "ndim": 3})
    table = made.segment(values, objects=labels)
    assert dict(zip(table["label"].tolist(), table["class_name"].tolist(), strict=True)) == kinds


def test_objects_are_learned_on_pixels_of_one_size_which_the_network_keeps():
    every = [sampled(size) for size in (1.0, 0.5, 1.0)]
    kinds = {5: "corner", 70000: "middle", 70001: "side"}
    images, labels = [image for image, _ in every], [own for _, own in every]
    learner, data = with_object_classes(
        Learner(target="classify"), images, labels, [kinds] * len(every)
    )
    assert learner.patch == (32, 32)
    task = learner.task(data.images, data.labels)
    assert task.size == ((1.0, 1.0), "µm")
    coarse, fine = task.cases[1], task.cases[4]
    assert coarse.shape == fine.shape == (40, 40)
    same, seen = (case.read((slice(4, 36),) * 2) for case in (coarse, fine))
    np.testing.assert_allclose(seen, same, atol=0.02)
    assert (coarse.labels == fine.labels).mean() > 0.98
    assert fine.statistics.mean[0] == pytest.approx(float(every[1][0].read().mean()), abs=1e-4)
    made = stroma.learn(images, [kinds] * len(every), objects=labels, **{**SMALL, "steps": 1})
    assert (made.about.spacing, made.about.unit) == ((1.0, 1.0), "µm")
    plain = stroma.learn(
        images[::2],
        [kinds] * 2,
        objects=labels[::2],
        resample=False,
        **{**SMALL, "steps": 1},
    )
    assert plain.about.spacing == ()
    begun = Learner(target="classify")
    again, more = with_object_classes(begun, [images[1]], [labels[1]], [kinds], base=made)
    assert again.task(more.images, more.labels, base=made).cases[1].shape == (40, 40)


def test_crops_hold_the_object_in_their_middle_and_its_class_on_its_pixels_alone():
    values, labels, kinds = field(1)
    learner, data = with_object_classes(Learner(target="classify"), values, labels, kinds)
    assert learner.patch == (64, 64)
    for number, (crop, known) in enumerate(zip(data.images, data.labels, strict=True), start=1):
        assert crop.shape == known.shape
        assert crop.whole.shape == values.shape
        top, left = (crop.selection[a].start for a in "yx")
        own = np.argwhere(labels == number) - [top, left]
        assert {tuple(p) for p in np.argwhere(known != -1)} == {tuple(p) for p in own}
        assert set(known[known != -1].tolist()) == {1 + KINDS.index(kinds[number])}


@pytest.mark.parametrize("how", [{"teacher": "none.pkl"}, {"confidence": 0.3}])
def test_a_model_of_strokes_is_refused_where_it_would_teach_nothing(how):
    values, labels, kinds = field(1)
    (name,) = how
    with pytest.raises(ParameterError, match="those of objects are learned"):
        stroma.learn(values, kinds, objects=labels, **how, **SMALL)
    with pytest.raises(ParameterError, match=f"(?s){name}|model of strokes"):
        preview(values, kinds, Learner(target="classify"), objects=labels, **how)
    several = Learner(target="semantic+rays")
    layers = {"semantic": np.sign(labels), "rays": labels}
    with pytest.raises(ParameterError, match="several targets are learned"):
        preview(values, layers, several, **how)


def test_a_plan_and_scores_name_classes_and_count_objects():
    values, labels, kinds = field(1, rows=3, columns=4)
    shown = str(preview(values, kinds, Learner(**SMALL), objects=labels))
    assert shown.splitlines()[0].startswith("12 objects with their classes, 1 channel; ")
    assert f"Predicted: {', '.join(KINDS)}\n" in shown
    network = stroma.learn(values, kinds, objects=labels, **{**SMALL, "steps": 1})
    for scores in (network.scores_, network.evaluate(values, kinds, objects=labels)):
        assert {name for name in scores if name.startswith("recall")} <= {
            f"recall {kind}" for kind in KINDS
        }
        assert any(name.startswith("recall ") for name in scores)
    alone = str(preview([values], [np.sign(labels)], Learner(**{**SMALL, "target": "semantic"})))
    assert alone.startswith("1 image, 1 channel; ")


def test_a_plan_names_the_classes_that_are_given():
    values, labels, _ = field(1)
    learner = Learner(**{**SMALL, "target": "semantic"})
    shown = preview([values], [np.sign(labels)], learner, classes=[Class(1, "nucleus")])
    assert shown.outputs == ("background", "nucleus")
    assert "Labelled pixels: background: " in str(shown)
    assert " %, nucleus: " in str(shown)


@pytest.fixture(scope="module")
def quick():
    """A network of classes of objects that has hardly learned."""
    values, labels, kinds = field(1, rows=3, columns=4)
    return stroma.learn(values, kinds, objects=labels, **{**SMALL, "steps": 1})


@pytest.mark.parametrize("name", ["use_dask", "directions"])
def test_what_is_of_images_block_by_block_is_refused_for_objects(quick, folder, tmp_path, name):
    values, labels, _ = field(1)
    with pytest.raises(ParameterError, match=f"{name}= goes with .* Leave it out"):
        quick.segment(values, objects=labels, **{name: True})
    with pytest.raises(ParameterError, match=f"{name}= goes with"):
        quick.segment([values], objects=[labels], **{name: True})
    image = folder / "new" / "b.tif"
    given = Outputs(objects=folder / "masks", directions=name == "directions")
    with pytest.raises(ParameterError, match=f"{name}= goes with"):
        segment_files(quick, [image], tmp_path, outputs=given, use_dask=name == "use_dask")


def images_of_one_file(path, arrays):
    with tifffile.TiffWriter(path, ome=True) as file:
        for values in arrays:
            file.write(values, metadata={"axes": "YX"})
    return path


def test_every_image_of_a_file_gets_its_own_objects(quick, tmp_path):
    every = [field(seed, rows=2, columns=2 + seed - 20)[:2] for seed in (20, 21)]
    image = images_of_one_file(tmp_path / "two.ome.tif", [values for values, _ in every])
    both = images_of_one_file(tmp_path / "objects.ome.tif", [labels for _, labels in every])

    def rows_of(objects, name, **how):
        wanted = Outputs(objects=objects, series="all", overwrite=True)
        result = segment_files(quick, [image], tmp_path / name, outputs=wanted, **how)
        assert not result.failed, str(result)
        tables = [next(p for p in one.outputs if p.suffix == ".csv") for one in result.files]
        return [len(table.read_text().splitlines()) - 1 for table in tables]

    assert rows_of(both, "both") == [4, 6]
    (tmp_path / "each").mkdir()
    for i, (_, labels) in enumerate(every):
        write_labels(tmp_path / "each" / f"two_s{i}_objects.tif", labels, axes="yx")
    assert rows_of(tmp_path / "each", "named") == [4, 6]


def test_objects_that_may_be_of_any_image_of_a_file_are_refused(quick, tmp_path):
    values, labels, _ = field(22, rows=2, columns=2)
    image = images_of_one_file(tmp_path / "two.ome.tif", [values, values])
    write_labels(tmp_path / "two_objects.tif", labels, axes="yx")
    given = Outputs(objects=tmp_path / "two_objects.tif", series="all")
    result = segment_files(quick, [image], tmp_path / "all", outputs=given)
    assert [one.status for one in result.files] == ["failed", "failed"]
    assert "two_s1_objects.tif" in str(result.files[1].error)
    first = segment_files(
        quick, [image], tmp_path / "first", outputs=Outputs(objects=tmp_path / "two_objects.tif")
    )
    assert not first.failed, str(first)


def test_what_does_not_fit_is_refused_in_the_words_of_the_user(network, folder, tmp_path):
    values, labels, kinds = field(1)
    with pytest.raises(ParameterError, match=r"objects= goes with target='classify'"):
        stroma.learn(values, kinds, objects=labels, target="rays")
    with pytest.raises(ParameterError, match="learned from labels"):
        stroma.learn(values, objects=labels, target="classify")
    with pytest.raises(ShapeError, match="belong to each other"):
        stroma.learn(values, kinds, objects=labels[:-1], target="classify")
    with pytest.raises(LabelError, match="are of one class"):
        stroma.learn(values, {1: "striped", 2: "striped"}, objects=labels, target="classify")
    with pytest.raises(LabelError, match="No object of any image has a class"):
        stroma.learn(values, {999: "striped"}, objects=labels, target="classify")
    with pytest.raises(MissingFileError, match=r"no file with the classes .* b\.tif"):
        stroma.learn(
            folder / "new", folder / "classes", objects=folder / "masks", target="classify"
        )
    with pytest.raises(ParameterError, match="their label image"):
        network.segment(values)
    image = folder / "new" / "b.tif"
    with pytest.raises(ParameterError, match="Give objects="):
        segment_files(network, [image], tmp_path)
    with pytest.raises(ParameterError, match="mask= goes with results that are looked for"):
        segment_files(
            network, [image], tmp_path, outputs=Outputs(objects=folder / "masks", mask=image)
        )
