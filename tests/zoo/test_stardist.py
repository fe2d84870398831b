"""Networks of StarDist become ours, and find the objects that StarDist finds."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

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


@pytest.mark.parametrize("last", [True, False])
def test_classes_of_objects_are_those_of_its_own_head(folder, said, last):
    """Its convolution sees what that of depth and rays sees; both are as they are alone."""
    config = json.loads((folder / "config.json").read_text())
    image = said["image2"].astype(np.float32)
    rng = np.random.default_rng(0)
    with h5py.File(folder / "weights_best.h5", "a") as file:
        root = file.get("model_weights", file)
        wide = root["features/features/kernel"].shape
        if not last:
            config["net_conv_after_unet"] = 0
            for name in ("prob", "dist"):
                narrowed(root[name], wide[-2])
    told(folder, net_conv_after_unet=config["net_conv_after_unet"])
    plain = load(folder)
    inner = wide[-1] if last else wide[-2]
    layers = {"prob_class": rng.normal(0, 60, (1, 1, inner, 3))}
    if last:
        layers["features_class"] = rng.normal(0, 0.5, wide)
    with h5py.File(folder / "weights_best.h5", "a") as file:
        add_layers(file.get("model_weights", file), layers)
    network = load(told(folder, n_classes=2))
    seen = []
    plain.module.features.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    one, both = plain.predict_probas(image), network.predict_probas(image)
    assert np.allclose(both[: len(one)], one, atol=1e-5)
    x = seen[-1]
    if last:
        x = functional.conv2d(x, channels_first(layers["features_class"]), padding="same").relu()
    true = functional.conv2d(x, channels_first(layers["prob_class"])).softmax(1)[0].detach().numpy()
    at = (slice(None), *(slice(None, None, g) for g in network.module.grid))
    found = both[len(one) :][at]
    assert found.std() > 0.05
    assert np.allclose(found, true[(slice(None), *map(slice, found.shape[1:]))], atol=1e-4)
    assert network.target.classes == (1, 2)
    assert set(np.unique(network.target.kinds(network.segment(image)))) <= {0, 1, 2}


def narrowed(group, width):
    """Let a head see fewer channels."""
    name = next(n for n in group.attrs["weight_names"] if "kernel" in str(n))
    kernel = group[name][()]
    del group[name]
    group[name] = kernel[:, :, :width]


def add_layers(root, kernels):
    """Add convolutions, as Keras writes them, without a bias to speak of."""
    for name, kernel in kernels.items():
        group = root.create_group(name)
        group[f"{name}/kernel:0"] = kernel.astype(np.float32)
        group[f"{name}/bias:0"] = np.zeros(kernel.shape[-1], np.float32)
        group.attrs["weight_names"] = [f"{name}/kernel:0", f"{name}/bias:0"]
    root.attrs["layer_names"] = [*map(str, root.attrs["layer_names"]), *kernels]


def channels_first(kernel):
    return torch.from_numpy(np.moveaxis(kernel, (-1, -2), (0, 1)).astype(np.float32).copy())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_classes": 2}, "0 classes of objects, and its settings 2"),
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
