"""Networks of Spotiflow become ours, and find the points that Spotiflow finds."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from tests.zoo import commands

from stroma.errors import FormatError, ParameterError
from stroma.io import write_image
from stroma.networks.spotiflow import Spotiflow
from stroma.testing import check_network
from stroma.training.learning.learner import Learner
from stroma.training.predicting import predict
from stroma.workflow.applying.load import load

ORACLES = Path(__file__).parent / "oracles"
NAMES = ("spotiflow2d", "spotiflow3d")
SMALL = {"features": 2, "kernels": ((3, 3), (5, 5))}


@pytest.fixture(scope="module")
def said():
    return dict(np.load(ORACLES / "spotiflow.npz"))


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(ORACLES / NAMES[0], tmp_path / "mine"))


@pytest.mark.parametrize(
    ("ndim", "params"),
    [
        (2, {**SMALL, "steps": ((2, 2), (2, 4))}),
        (2, {**SMALL, "steps": ((2, 2),), "add": True, "norm": False}),
    ],
)
def test_the_network_keeps_the_contract(ndim, params):
    check_network(Spotiflow, ndim=ndim, **params)


def test_a_network_on_a_grid_sees_no_further_than_it_says():
    torch.manual_seed(0)
    how = {"features": 2, "kernels": ((3, 3, 3),) * 2, "steps": ((2, 2, 2),), "grid": 2}
    network = Spotiflow(1, 4, ndim=3, **how).eval().double()
    halo, stride = network.halo[0], network.stride[0]
    before = -(-halo // stride) * stride
    image = torch.randn(1, 1, 2 * (before + stride) + stride, 8, 8, dtype=torch.double)
    core = slice(before + stride, before + 2 * stride)
    with torch.no_grad():
        whole = network(image)[:, :, core]
        part = network(image[:, :, stride:-stride])[:, :, before : before + stride]
    assert torch.allclose(whole, part, atol=1e-9)
    assert (whole[:, 0] > -30).sum() == stride * 8 * 8 / 8


def test_networks_that_cannot_be_are_refused():
    with pytest.raises(ParameterError, match="odd sides"):
        Spotiflow(1, 3, kernels=((2, 2),) * 2)
    with pytest.raises(ParameterError, match="grid is 1"):
        Spotiflow(1, 3, grid=2)


@pytest.mark.parametrize("name", NAMES)
def test_points_and_heat_are_those_of_spotiflow(name, said):
    network = load(ORACLES / name)
    image, wanted = said[f"image_{name}"].astype(np.float32), said[f"points_{name}"]
    heat = said[f"heat_{name}"]
    step = image.shape[0] // heat.shape[0]
    found = network.predict_probas(image)[0][(slice(None, None, step),) * image.ndim]
    assert heat.std() > 0.02
    assert np.abs(found - heat).max() < 1e-3
    points = network.segment(image)[:, : image.ndim]
    inside = (points >= 0).all(1) & (points < image.shape).all(1)
    assert len(wanted) > 10
    assert inside.sum() == len(wanted)
    apart, which = cKDTree(points[inside]).query(wanted)
    assert apart.max() < 1e-3
    assert len(set(which)) == len(wanted)


def test_blocks_and_the_saved_network_find_the_same(said, monkeypatch, tmp_path):
    network = load(ORACLES / NAMES[0])
    image = np.tile(said["image_spotiflow2d"].astype(np.float32), (3, 3))
    whole = network.segment(image)
    monkeypatch.setitem(predict.SIDE, 2, (32, 48))
    saved = load(network.save(tmp_path / "mine.safetensors"))
    assert saved.fingerprint() == network.fingerprint()
    found = saved.segment(image)
    apart, which = cKDTree(found).query(whole)
    assert len(found) == len(whole) == len(set(which))
    assert apart.max() < 1e-3


def test_the_command_writes_points(said, tmp_path, capsys):
    image = said["image_spotiflow2d"].astype(np.float32)
    picture = write_image(tmp_path / "image.tif", image, axes="yx")
    commands.run(capsys, "segment", ORACLES / NAMES[0], picture, "--out", tmp_path / "out")
    lines = (tmp_path / "out" / "image_points.csv").read_text().splitlines()
    assert lines[0].startswith("y,x")
    assert len(lines) - 1 == len(load(ORACLES / NAMES[0]).segment(image))


def test_the_last_network_is_read_with_its_own_threshold(folder):
    shutil.move(folder / "best.pt", folder / "last.pt")
    assert load(folder).decoding_["threshold"] == 0.5
    (folder / "thresholds.yaml").write_text("prob_thresh_best: [0.3]\nprob_thresh_last: 0.7\n")
    assert load(folder).decoding_["threshold"] == 0.7


def test_a_training_begins_with_it_and_scales_as_it_does(said):
    image, base = said["image_spotiflow2d"].astype(np.float32), load(ORACLES / NAMES[0])
    points = base.segment(image)[:, :2]
    learner = Learner(steps=1, device="cpu")
    task = learner.task([image], [points], base=base)
    measured, begun = task.cases[0].statistics, task.begun().state_dict()
    assert all((begun[name] == t).all() for name, t in base.module.state_dict().items())
    wanted = np.percentile(image, (1, 99.8))
    assert (measured.low[0], measured.high[0]) == pytest.approx(wanted, abs=0.01 * np.ptp(wanted))
    assert abs(np.percentile(image, 99.5) - wanted[1]) > 0.01 * np.ptp(wanted)
    assert learner.fit([image], [points], base=base).about.origin["program"] == "Spotiflow"


def replaced(folder, name, old, new):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("config.yaml", "backbone: unet", "backbone: resnet", "backbone resnet"),
        ("config.yaml", "mode: slim", "mode: fpn", "mode fpn"),
        ("config.yaml", "remover: false", "remover: true", "background_remover True"),
        ("config.yaml", "padding: 1", "padding: 0", "keep the sides"),
        ("config.yaml", "initial_fmaps: 6", "initial_fmaps: 1000000", "cannot be built"),
        ("config.yaml", "initial_fmaps: 6", "initial_fmaps: x", "not as these are"),
        ("config.yaml", "sigma: 1.0", "sigma: [", r"config\.yaml is damaged"),
        ("config.yaml", "in_channels: 1", "in_channels: !!python/name:os.system", "is damaged"),
        ("config.yaml", "is_3d: false", "", "not as these are"),
        ("thresholds.yaml", "- 0.", "- 7.", "a threshold of 7"),
    ],
)
def test_other_folders_are_refused_by_name(folder, name, old, new, message):
    replaced(folder, name, old, new)
    with pytest.raises(FormatError, match=message) as told:
        load(folder)
    assert "mine" in str(told.value)


def test_weights_that_would_run_code_or_are_not_there_are_refused(folder):
    class Harmful:
        def __reduce__(self):
            return (exec, ("raise SystemExit('run')",))

    torch.save({"state_dict": {}, "more": Harmful()}, folder / "best.pt")
    with pytest.raises(FormatError, match=r"best\.pt cannot be read without running code"):
        load(folder)
    shutil.move(folder / "best.pt", folder / "other.pt")
    with pytest.raises(FormatError, match=r"neither best\.pt nor last\.pt"):
        load(folder)


def test_settings_that_unfold_are_refused(folder):
    nested = "a0: &a0 [x, x]\n"
    nested += "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
    text = (folder / "config.yaml").read_text().replace("mode: slim", "mode: *a39")
    (folder / "config.yaml").write_text(nested + text)
    with pytest.raises(FormatError, match="unfolds to more"):
        load(folder)
