"""Networks of StarDist become ours, and find the objects that StarDist finds."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stroma.errors import FormatError
from stroma.metrics.instances import instance_scores
from stroma.networks.stardist import StarDist
from stroma.testing import check_network
from stroma.training.predicting import predict
from stroma.workflow.applying.load import load

h5py = pytest.importorskip("h5py")
ORACLES = Path(__file__).parent / "oracles"
FOLDER = ORACLES / "stardist2d"


@pytest.fixture(scope="module")
def said():
    return np.load(ORACLES / "stardist.npz")


@pytest.mark.parametrize(
    "params",
    [
        {"grid": (2, 2), "depth": 2},
        {"ndim": 3, "depth": 1, "grid": (1, 2, 2), "kernel": (1, 3, 3), "norm": True, "last": 0},
    ],
)
def test_the_network_of_stardist_keeps_the_contract(params):
    check_network(StarDist, **{"features": 2, "last": 3, **params})


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_network_of_stardist_gives_what_stardist_gives(ndim, said):
    network = load(ORACLES / f"stardist{ndim}d")
    image = said[f"image{ndim}"].astype(np.float32)
    found = network.predict_probas(image)
    at = tuple(slice(None, None, g) for g in network.module.grid)
    depth, rays = said[f"depth{ndim}"], np.moveaxis(said[f"rays{ndim}"], -1, 0)
    assert depth.std() > 0.1
    assert np.abs(found[(0, *at)] - depth).max() < 0.005
    assert np.abs(found[(slice(1, None), *at)] - np.maximum(rays, 0)).max() < 0.005
    assert (found[0] > 0.01).sum() == (depth > 0.01).sum()


def test_objects_are_those_of_stardist(said):
    rays = np.maximum(np.moveaxis(said["rays"].astype(np.float32), -1, 0), 0)
    prediction = np.concatenate([said["depth"].astype(np.float32)[None], rays])
    target = replace(load(FOLDER).target, rays=32)
    found = target.decode(prediction, probability=0.5, overlap=0.4)
    assert found.max() == said["objects"].max() == 24
    assert instance_scores(found, said["objects"])["ap 0.75"] == 1


def test_thresholds_rays_and_intensities_are_taken_over(tmp_path):
    network = load(ORACLES / "stardist3d")
    assert network.decoding_ == {"probability": 0.6, "overlap": 0.3, "smallest": 1}
    assert (network.target.rays, network.target.spacing) == (12, (2.0, 1.0, 1.0))
    assert network.about.scale().ranks == (1, 99.8)
    saved = load(network.save(tmp_path / "mine.safetensors"))
    assert saved.fingerprint() == network.fingerprint()


def test_objects_of_blocks_are_those_of_the_whole(said, monkeypatch):
    network = load(FOLDER)
    image = said["image2"].astype(np.float32)
    whole = network.predict_probas(image)
    monkeypatch.setitem(predict.SIDE, 2, (32, 48))
    assert np.allclose(network.predict_probas(image), whole, atol=1e-5)


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FOLDER, tmp_path / "mine"))


def told(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "resnet"}, "backbone resnet; read are networks with unet"),
        ({"axes": "CYX"}, "axes CYX"),
        ({"n_rays": 16}, "cannot be built"),
        ({"n_rays": 2**30}, "cannot be built"),
        ({"unet_n_depth": 3}, "its settings 14"),
        ({"unet_n_depth": 10**6}, "1000000 stages"),
        ({"unet_n_filter_base": 2**20}, "cannot be built"),
        ({"grid": [3, 2]}, "powers of 2"),
        ({"unet_kernel_size": "x"}, "not as these are"),
    ],
)
def test_other_settings_are_refused_by_name(folder, changes, message):
    with pytest.raises(FormatError, match=message):
        load(told(folder, **changes))


def test_damaged_folders_are_refused_by_name(folder):
    weights = folder / "weights_best.h5"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"weights_best\.h5 is damaged"):
        load(folder)
    weights.write_bytes(whole)
    with h5py.File(weights, "a") as file:
        group = file["dist/dist"]
        del group["kernel"]
        group.create_dataset("kernel", (2**20, 2**20), "f4", chunks=(1, 2**10))
    with pytest.raises(FormatError, match="larger than the file"):
        load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(FormatError, match=r"config\.json is damaged"):
        load(folder)


@pytest.mark.parametrize(
    ("names", "made", "message"),
    [
        (["kernel"] * 1000, {}, "larger than the file"),
        (["more"], {"external": [("other.bin", 0, 16)]}, "more lies in another file"),
    ],
)
def test_weights_that_take_more_than_their_file_are_refused(folder, names, made, message):
    """One array named many times, and one of the bytes of another file."""
    (folder / "other.bin").write_bytes(bytes(16))
    with h5py.File(folder / "weights_best.h5", "a") as file:
        group = file["dist"]
        group.create_dataset("more", (4,), "f4", **made)
        group.attrs["weight_names"] = ["dist/kernel" if n == "kernel" else n for n in names]
    with pytest.raises(FormatError, match=message):
        load(folder)
