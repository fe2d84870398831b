"""Networks of other programs become ours, and give what these give."""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.zoo import commands

from stroma.data.image import Image
from stroma.errors import FormatError, MissingFileError, ParameterError, ShapeError
from stroma.io import write_image
from stroma.metrics.instances import instance_scores
from stroma.networks.cellpose import Cellpose
from stroma.testing import check_network
from stroma.training.feeding.open import as_pair
from stroma.training.predicting import predict
from stroma.workflow.applying.load import load
from stroma.zoo.networks import FOLDERS
from stroma.zoo.networks.cellpose import take
from stroma.zoo.networks.taken import Reader, is_foreign

ORACLES = Path(__file__).parent / "oracles"
CELLPOSE = ORACLES / "cellpose_small"


@pytest.fixture(scope="module")
def said():
    return np.load(ORACLES / "cellpose.npz")


@pytest.fixture
def tensors():
    return torch.load(CELLPOSE, weights_only=True)


def test_the_network_of_cellpose_keeps_the_contract():
    check_network(Cellpose, features=(2, 3, 4, 5))


def test_a_network_of_cellpose_gives_what_cellpose_gives(said):
    network = load(CELLPOSE).sized(30)
    image = said["image"].astype(np.float32)
    found = network.predict_probas(image)
    wanted = said["output"][[2, 0, 1]]
    wanted[0] = 1 / (1 + np.exp(-wanted[0]))
    wanted[1:] /= 5
    opened = network.open(image)
    ready = network.about.scale()(opened.read(), network.predictor(opened).statistics)
    inside = network.target.activate(network.module(torch.from_numpy(ready)[None]))[0]
    assert np.abs(inside.numpy() - wanted).max() < 1e-3
    assert found.shape == wanted.shape
    assert wanted.std((1, 2)).min() > 0.02


def test_flows_are_decoded_to_the_objects_that_cellpose_makes_of_them(said):
    network = load(CELLPOSE)
    prediction = np.concatenate([said["inside"][None], said["flows"]]).astype(np.float32)
    found = network.target.decode(prediction, **network.decoding_)
    assert found.max() == said["masks"].max() == 6
    assert instance_scores(found, said["masks"])["ap 0.90"] == 1


def test_the_diameter_of_the_file_and_that_of_the_user_decide_the_size(said):
    network = load(CELLPOSE)
    assert (network.about.diameter, network.about.zoom) == (30, 30 / 24)
    large = network.sized(60)
    assert large.about.zoom == 0.5
    assert large.target.diameter == 120
    assert large.fingerprint() != network.fingerprint()
    image = np.kron(said["image"].astype(np.float32), np.ones((2, 2), np.float32))
    fine, coarse = network.sized(30).predict_probas(said["image"]), large.predict_probas(image)
    assert np.corrcoef(coarse[0, ::2, ::2].ravel(), fine[0].ravel())[0, 1] > 0.8
    with pytest.raises(ParameterError, match=r"diameter of objects is 0\.94 to 960 pixels"):
        network.sized(0)


def test_networks_of_nuclei_see_objects_of_17_pixels(tmp_path, tensors):
    """Whatever the mean of the images that one of them was trained further on."""
    torch.save(tensors, tmp_path / "nuclei_own")
    assert load(tmp_path / "nuclei_own").about.zoom == 17 / 24


def test_tensors_of_training_on_several_devices_are_the_same(tmp_path, tensors):
    torch.save({f"module.{name}": t for name, t in tensors.items()}, tmp_path / "several")
    assert load(tmp_path / "several").fingerprint() == load(CELLPOSE).fingerprint()


def test_a_saved_network_gives_the_same_and_so_do_blocks(tmp_path, said, monkeypatch):
    network = load(CELLPOSE)
    saved = load(network.save(tmp_path / "mine.safetensors"))
    assert saved.fingerprint() == network.fingerprint()
    image = np.tile(said["image"].astype(np.float32), (3, 3))
    whole = saved.predict_probas(image)
    assert whole.std((1, 2)).min() > 0.01
    assert np.array_equal(network.predict_probas(image), whole)
    monkeypatch.setitem(predict.SIDE, 2, (96, 192))
    assert np.array_equal(network.predict_probas(image), whole)


def test_grey_images_get_an_empty_second_channel_and_colours_become_grey():
    rng = np.random.default_rng(0)
    grey, colours = rng.random((5, 6), np.float32), rng.random((3, 5, 6), np.float32)
    assert (as_pair(Image(grey, "yx")).read() == [grey, 0 * grey]).all()
    both = as_pair(Image(colours, "cyx", rgb=True))
    assert np.allclose(both.read({"y": slice(1, 3)})[0], colours.mean(0)[1:3])
    several = Image(rng.random((2, 3, 4, 5, 6), np.float32), "tczyx")
    chosen = as_pair(several.at(c=1, t=1))
    assert chosen.kept_axes == "czyx"
    assert (chosen.at(c=0, z=2).read() == several.at(t=1, c=1, z=2).read()).all()
    with pytest.raises(ShapeError, match="trained on 2 channels"):
        load(CELLPOSE).open(several.at(t=0, z=0))


def test_the_commands_import_a_network_and_segment_with_it(tmp_path, said, capsys):
    out = tmp_path / "cells.safetensors"
    told = commands.run(capsys, "import", CELLPOSE, "--out", out, "--diameter", 20)
    assert "objects of 24 pixels are brought to 30" in told
    assert load(out).about.zoom == 1.5
    picture = write_image(tmp_path / "a.tif", said["image"].astype(np.float32), axes="yx")
    how = ("--out", tmp_path / "o", "--json", "--diameter", 24)
    done = json.loads(commands.run(capsys, "segment", CELLPOSE, picture, *how))
    assert [Path(p).name for p in done["files"][0]["outputs"]] == ["a_objects.tif"]


class Harmful:
    def __reduce__(self):
        return (exec, ("raise SystemExit('run')",))


def test_what_would_run_code_is_refused(tmp_path, tensors):
    torch.save({**tensors, "more": Harmful()}, tmp_path / "bad")
    assert is_foreign(tmp_path / "bad")
    with pytest.raises(FormatError, match=r"without running code that it names.*exec"):
        load(tmp_path / "bad")
    (tmp_path / "plain").write_bytes(pickle.dumps(Harmful()))
    assert not is_foreign(tmp_path / "plain")


def test_other_tensors_are_refused_by_name(tmp_path, tensors):
    torch.save({"layer.weight": torch.ones(2)}, tmp_path / "other")
    with pytest.raises(FormatError, match=r"of no network that is known here: layer.weight.*Known"):
        load(tmp_path / "other")
    fewer = {k: v[:1] if k.startswith("output.2") else v for k, v in tensors.items()}
    torch.save(fewer, tmp_path / "restores")
    with pytest.raises(FormatError, match="restore images"):
        load(tmp_path / "restores")
    with pytest.raises(MissingFileError, match="nothing"):
        load(tmp_path / "nothing.safetensors")


def test_damaged_files_are_refused_by_name(tmp_path, tensors):
    whole = CELLPOSE.read_bytes()
    for count in (60, len(whole) // 2, len(whole) - 40):
        (tmp_path / "cut").write_bytes(whole[:count])
        with pytest.raises(FormatError, match="cut"):
            load(tmp_path / "cut")
    missing = {k: v for k, v in tensors.items() if "res_up_1" not in k}
    torch.save(missing, tmp_path / "missing")
    with pytest.raises(FormatError, match="cannot be built"):
        load(tmp_path / "missing")
    torch.save({**tensors, "diam_mean": torch.tensor([np.nan])}, tmp_path / "nan")
    with pytest.raises(FormatError, match="diameter in pixels as diam_mean"):
        load(tmp_path / "nan")


def test_files_that_say_to_be_larger_than_they_are_take_no_memory(tmp_path, tensors):
    name = "output.2.bias"
    torch.save({**tensors, name: torch.zeros(1).expand(2**40)}, tmp_path / "wide")
    with pytest.raises(FormatError, match="larger than it is"):
        load(tmp_path / "wide")
    with (
        zipfile.ZipFile(CELLPOSE) as old,
        zipfile.ZipFile(tmp_path / "packed", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for one in old.namelist():
            new.writestr(one, old.read(one))
    with pytest.raises(FormatError, match="packed"):
        load(tmp_path / "packed")


def test_lists_that_hold_each_other_take_no_time(tmp_path, tensors):
    twice = [torch.ones(1)]
    for _ in range(50):
        twice = [twice, twice]
    torch.save({**tensors, "more": twice}, tmp_path / "twice")
    assert load(tmp_path / "twice").fingerprint() == load(CELLPOSE).fingerprint()


class Empty:
    """Makes a tensor of which the file holds nothing."""

    def __reduce__(self):
        return (torch.Tensor, (3, 2**20))


def test_tensors_that_the_file_does_not_hold_are_refused(tmp_path, tensors):
    torch.save({**tensors, "output.2.weight": Empty()}, tmp_path / "empty")
    with pytest.raises(FormatError, match="larger than it is"):
        load(tmp_path / "empty")


def test_a_kind_of_folder_that_somebody_adds_is_known(tmp_path, tensors, monkeypatch):
    monkeypatch.setattr(FOLDERS, "_added", {})
    assert not is_foreign(tmp_path)
    FOLDERS.add("mine", Reader("Mine", lambda path, _: take(path, tensors), Path.is_dir))
    assert load(tmp_path).fingerprint() == load(CELLPOSE).fingerprint()
