"""Networks of nnU-Net become ours, with the classes, intensities and pixels of its plans."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from stroma.data.image import Image
from stroma.errors import FormatError
from stroma.networks.residual import ResidualUNet
from stroma.testing import check_network
from stroma.training.predicting.members import members
from stroma.weights.checkpoint import read_checkpoint
from stroma.workflow.applying.load import load

ORACLES = Path(__file__).parent / "oracles"
PLAIN, RESIDUAL = "nnunet_plain", "nnunet_residual"


@pytest.fixture(scope="module")
def said():
    return np.load(ORACLES / "nnunet.npz")


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_residual_network_keeps_the_contract(ndim):
    check_network(ResidualUNet, ndim=ndim, features=(2, 3, 4), convolutions=[1, 2, 1])


@pytest.mark.parametrize("name", [PLAIN, RESIDUAL])
def test_networks_of_nnunet_give_what_nnunet_gives(name, said):
    network = load(ORACLES / name)
    image, wanted = said[f"image_{name}"], said[f"output_{name}"]
    assert wanted.std((0, *range(2, wanted.ndim))).min() > 0.05
    ready = network.about.scale()(image[None], None)
    for module, output in zip(members(network.module), wanted, strict=True):
        with torch.inference_mode():
            found = module(torch.from_numpy(ready)[None])[0].numpy()
        assert np.abs(found - output).max() < 1e-3
    probability = np.exp(wanted) / np.exp(wanted).sum(1, keepdims=True)
    predicted = network.predictor(network.open(image), mirror=False).window(image[None])
    assert np.abs(predicted - probability.mean(0)).max() < 1e-3


def test_classes_pixels_and_folds_are_taken_over(tmp_path):
    network = load(ORACLES / RESIDUAL)
    assert network.channel_names == ["background", "vein", "bone"]
    assert (network.about.spacing, network.about.unit) == ((0.5, 0.5), "mm")
    assert network.about.members == 2
    assert network.about.training["mirror"]
    saved = load(network.save(tmp_path / "mine.safetensors"))
    assert saved.fingerprint() == network.fingerprint()
    image = np.random.default_rng(0).gamma(2, 50, (30, 40)).astype(np.float32)
    coarse = Image(image, "yx", {"y": 1.0, "x": 1.0}, "mm")
    assert network.segment(coarse).shape == image.shape
    assert network.predictor(network.open(coarse)).grid.new == (60, 80)


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(ORACLES / PLAIN, tmp_path / "mine"))


def changed(folder, file, change):
    values = json.loads((folder / file).read_text())
    change(values)
    (folder / file).write_text(json.dumps(values))
    return folder


def inner(plans):
    return plans["configurations"]["3d_fullres"]


def kwargs(plans):
    return inner(plans)["architecture"]["arch_kwargs"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: inner(p)["architecture"].update(network_class_name="a.Primus"), "is Primus"),
        (lambda p: inner(p).update(previous_stage="3d_lowres"), "a cascade"),
        (lambda p: inner(p).update(inherits_from="none"), "has no configuration none"),
        (lambda p: inner(p).update(normalization_schemes=["Own"]), "scaled by Own"),
        (lambda p: p.update(transpose_forward=[1, 0, 2]), "in another order"),
        (lambda p: kwargs(p).update(norm_op="torch.nn.BatchNorm3d"), "norm_op is BatchNorm3d"),
        (lambda p: kwargs(p).update(features_per_stage=[3, 6, 2**30]), "cannot be built"),
        (lambda p: kwargs(p).update(features_per_stage=[3, 6]), "cannot be built"),
        (lambda p: kwargs(p).pop("strides"), "not as these are"),
        (lambda p: inner(p).update(patch_size="x"), "not as these are"),
    ],
)
def test_other_plans_are_refused_by_name(folder, change, message):
    with pytest.raises(FormatError, match=message):
        load(changed(folder, "plans.json", change))


def test_older_plans_are_read(folder):
    def older(plans):
        known = kwargs(plans)
        inner(plans).pop("architecture")
        inner(plans).update(
            UNet_class_name="PlainConvUNet",
            UNet_base_num_features=3,
            unet_max_num_features=8,
            n_conv_per_stage_encoder=[2, 1, 2],
            n_conv_per_stage_decoder=[2, 2],
            conv_kernel_sizes=known["kernel_sizes"],
            pool_op_kernel_sizes=known["strides"],
        )

    wanted = load(folder).fingerprint()
    assert load(changed(folder, "plans.json", older)).fingerprint() == wanted


def test_pixels_that_nobody_knows_are_no_class(folder):
    wanted = load(folder)
    labels = {**json.loads((folder / "dataset.json").read_text())["labels"], "ignore": 9}
    found = load(changed(folder, "dataset.json", lambda d: d.update(labels=labels)))
    assert found.channel_names == wanted.channel_names
    assert found.fingerprint() == wanted.fingerprint()


@pytest.mark.parametrize("start", ["_orig_mod.", "module.", "_orig_mod.module."])
def test_tensors_of_compiled_networks_are_the_same(folder, start):
    wanted = load(folder).fingerprint()
    checkpoint = folder / "fold_0" / "checkpoint_final.pth"
    held = read_checkpoint(checkpoint)
    named = {f"{start}{name}": t for name, t in held["network_weights"].items()}
    torch.save({**held, "network_weights": named}, checkpoint)
    assert load(folder).fingerprint() == wanted


def test_regions_and_missing_checkpoints_are_refused(folder):
    shutil.copytree(folder, folder.parent / "other")
    regions = {"labels": {"background": 0, "whole": [1, 2], "core": [2]}}
    changed(folder.parent / "other", "dataset.json", lambda d: d.update(regions))
    with pytest.raises(FormatError, match="regions"):
        load(folder.parent / "other")
    checkpoint = folder / "fold_0" / "checkpoint_final.pth"
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    with pytest.raises(FormatError, match=r"checkpoint_final\.pth cannot be read"):
        load(folder)
    checkpoint.unlink()
    with pytest.raises(FormatError, match=r"holds no checkpoint_final\.pth in a folder fold_0"):
        load(folder)
