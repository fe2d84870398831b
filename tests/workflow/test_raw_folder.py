"""Raw datasets of nnU-Net are read as they are."""

import json

import numpy as np
import pytest

import stroma
from stroma.errors import FormatError, MissingFileError, ParameterError
from stroma.io import write_image, write_labels
from stroma.training.learning.learner import Learner
from stroma.workflow.learning.pairs import given
from stroma.workflow.learning.planning import preview
from stroma.workflow.learning.raw_folder import read_raw_folder

TWO = {"channel_names": {"0": "CT", "1": "light"}, "file_ending": ".tif"}
NAMED = {"background": 0, "cell": 1, "ignore": 2}


@pytest.fixture
def dataset(tmp_path):
    """Return a function that writes a dataset of four images with two channels."""

    def write(shape=(32, 40), **said):
        for folder in ("imagesTr", "labelsTr"):
            (tmp_path / folder).mkdir()
        for n in range(4):
            rng = np.random.default_rng(n)
            labels = np.zeros(shape, np.uint8)
            labels[..., 4:20, 5:25] = 1
            labels[..., :2, :] = 2
            axes = "zyx"[-len(shape) :]
            for c in range(2):
                values = (labels == 1) * 90 + rng.normal(100 + c, 9, shape)
                path = tmp_path / "imagesTr" / f"case_{n}_000{c}.tif"
                write_image(path, values.astype(np.uint8), axes=axes, spacing={})
            write_labels(tmp_path / "labelsTr" / f"case_{n}.tif", labels, axes=axes)
        contents = {**TWO, "labels": NAMED, "numTraining": 4, **said}
        (tmp_path / "dataset.json").write_text(json.dumps(contents))
        return tmp_path

    return write


def test_a_raw_dataset_is_learned_from_as_it_is(dataset):
    folder = dataset()
    network = stroma.learn(
        str(folder),
        steps=30,
        rate=0.02,
        patch=[32, 32],
        device="cpu",
        network_options={"features": [4, 8]},
    )
    assert network.classes_.tolist() == [0, 1]
    assert [c.name for c in network.classes] == ["cell"]
    assert network.about.channels == 2
    assert network.about.normalisation["schemes"] == ["clip", "zscore"]
    assert network.scores_["mean iou"] > 0.8
    said = str(preview(str(folder), None, Learner()))
    assert said.startswith("4 images, 2 channels")
    assert "Predicted: background, cell\n" in said


def test_channels_lie_on_one_another_in_planes_and_volumes(dataset):
    folder = dataset((3, 32, 40))
    (folder / "imagesTr" / "case_0.json").write_text('{"spacing": [4, 0.5, 0.5]}')
    image = read_raw_folder(folder).images[0]
    assert image.axes == "czyx"
    assert image.spacing == {"z": 4, "y": 0.5, "x": 0.5}
    assert image.unit == "mm"
    whole = image.read()
    assert whole.shape == (2, 3, 32, 40)
    cut = image.at(z=1).read({"y": slice(3, 9), "x": slice(0, 5)})
    np.testing.assert_array_equal(cut, whole[:, 1, 3:9, :5])
    np.testing.assert_array_equal(image.at(c=1).read(), whole[1])


def test_of_three_sizes_planes_have_the_last_two(dataset):
    folder = dataset()
    (folder / "imagesTr" / "case_0.json").write_text('{"spacing": [999, 0.5, 0.25]}')
    assert read_raw_folder(folder).images[0].spacing == {"y": 0.5, "x": 0.25}


def test_labels_are_left_to_targets_that_need_them_and_more_may_be_ignored(dataset):
    folder = str(dataset())
    assert given(folder, None, alone=True).labels is None
    data = given(folder, None)
    assert len(data.labels) == len(data.images) == 4
    assert Learner(ignore=3).without(data.ignore).ignore == (3, 2)


def test_the_older_layout_is_read(dataset):
    older = {"modality": {"0": "CT", "1": "b"}, "labels": {"0": "background", "1": "cell"}}
    folder = dataset(**older, channel_names=None)
    contents = json.loads((folder / "dataset.json").read_text())
    del contents["channel_names"]
    (folder / "dataset.json").write_text(json.dumps(contents))
    found = read_raw_folder(folder)
    assert [(c.label, c.name) for c in found.classes] == [(1, "cell")]
    assert found.ignore == ()


@pytest.mark.parametrize(
    ("said", "error", "match"),
    [
        ({"labels": {"background": 0, "cell": [1, 2]}}, ParameterError, "regions"),
        ({"labels": None}, FormatError, "names no labels"),
        ({"channel_names": {"1": "a"}}, FormatError, "names no channels"),
        (
            {"channel_names": {"0": "a", "1": "b", "2": "c"}},
            MissingFileError,
            "2 files.*3 channels",
        ),
        ({"file_ending": ".nii.gz"}, MissingFileError, r"_0000\.nii\.gz"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_so(dataset, said, error, match):
    with pytest.raises(error, match=match):
        read_raw_folder(dataset(**said))


@pytest.mark.parametrize("text", ["{", "[1]", "[" * 10**5])
def test_damaged_contents_are_refused_by_name(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(FormatError, match=r"dataset\.json"):
        read_raw_folder(tmp_path)


def test_a_case_without_labels_is_named(dataset):
    folder = dataset()
    (folder / "labelsTr" / "case_2.tif").unlink()
    with pytest.raises(MissingFileError, match=r"case_2\.tif"):
        read_raw_folder(folder)
