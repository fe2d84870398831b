"""Networks of Cellpose-SAM become ours, and find the objects that Cellpose finds."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.zoo import commands

from random_sam import authors_name
from random_weights import random_tensors
from stroma.data.image import Image
from stroma.errors import FormatError, ParameterError, ShapeError
from stroma.io import write_image
from stroma.metrics.instances import instance_scores
from stroma.networks.cellpose_sam import CellposeSAM
from stroma.testing import check_network
from stroma.training.feeding.open import as_three
from stroma.training.learning.learner import Learner
from stroma.workflow.applying.load import load
from stroma.zoo.networks.taken import is_foreign

ORACLE = Path(__file__).parent / "oracles" / "cellpose_sam.npz"
EVERY = slice(3, None, 13)


@pytest.fixture(scope="module")
def known():
    with np.load(ORACLE) as held:
        return dict(held)


@pytest.fixture(scope="module")
def tensors(known):
    """Return tensors as Cellpose names them."""
    encoder = random_tensors("cellpose_sam")
    named = {authors_name(k).removeprefix("image_"): torch.tensor(v) for k, v in encoder.items()}
    values = torch.from_numpy(known["readout"] * known["unit"])
    named |= {"out.weight": values[:, :256, None, None].clone(), "out.bias": values[:, 256].clone()}
    size = {name: torch.tensor([30.0]) for name in ("diam_mean", "diam_labels")}
    return {**named, **size, "W2": torch.eye(192).reshape(192, 3, 8, 8)}


@pytest.fixture(scope="module")
def cpsam(tensors, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "cpsam"
    torch.save(tensors, path)
    return path


def as_ours(output):
    """Return foreground and arrows, of the arrows and foreground that Cellpose gives."""
    *arrows, inside = output
    return np.stack([1 / (1 + np.exp(-inside)), *np.divide(arrows, 5)])


def test_the_network_keeps_the_contract():
    check_network(CellposeSAM, features=8, layers=1, inner=8, reach=(27,))
    for wrong in ({"ndim": 3}, {"heads": 5}, {"reach": (27,)}):
        with pytest.raises(ParameterError):
            CellposeSAM(3, 3, **wrong)


def test_grey_images_give_what_cellpose_gives_and_the_same_objects(cpsam, known):
    network = load(cpsam)
    found = network.predict_probas(known["image"].astype(np.float32))[:, EVERY, EVERY]
    wanted = as_ours(known["output"])
    assert wanted.std((1, 2)).min() > 0.3
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    objects = network.segment(known["image"])
    assert objects.max() == known["masks"].max() >= 12
    assert instance_scores(objects, known["masks"])["ap 0.90"] == 1


def test_colours_are_the_three_channels(cpsam, known):
    image = known["image"].astype(np.float32)
    colours = np.stack([image, image.T, image[::-1]], -1)
    wanted = as_ours(known["colours"])
    assert wanted.std((1, 2)).min() > 0.1
    found = load(cpsam).predict_probas(colours)[:, EVERY, EVERY]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_missing_channels_are_empty():
    rng = np.random.default_rng(0)
    grey, two = rng.random((5, 6), np.float32), rng.random((2, 5, 6), np.float32)
    assert (as_three(Image(grey, "yx")).read() == [grey, 0 * grey, 0 * grey]).all()
    found = as_three(Image(two, "cyx"))
    assert (found.read({"y": slice(1, 3)}) == [*two[:, 1:3], 0 * two[0, 1:3]]).all()
    several = Image(rng.random((2, 4, 3, 5, 6), np.float32), "tczyx")
    chosen = as_three(several.at(c=[1, 3], t=1))
    assert chosen.kept_axes == "czyx"
    assert (chosen.at(c=1, z=2).read() == several.at(t=1, c=3, z=2).read()).all()
    assert as_three(several) is several


def test_more_than_three_channels_are_refused(cpsam):
    with pytest.raises(ShapeError, match="trained on 3 channels"):
        load(cpsam).open(Image(np.zeros((4, 20, 20), np.uint8), "cyx"))


def test_objects_keep_their_size_unless_their_diameter_is_given(cpsam):
    network = load(cpsam)
    assert (network.about.diameter, network.about.zoom, network.target.diameter) == (30, 1, 120)
    assert network.sized(60).about.zoom == 0.5


def test_the_licence_is_said_before_the_network_is_used(cpsam, tmp_path, caplog):
    saved = load(cpsam).save(tmp_path / "mine.safetensors")
    for path in (cpsam, saved):
        caplog.clear()
        load(path)
        [said] = caplog.messages
        assert said.startswith(f"{path}: Licence of the weights of Cellpose-SAM")
        assert "CC-BY-NC-4.0 (no commercial use)" in said


def test_what_is_trained_from_it_keeps_licence_and_channels(cpsam, known, tmp_path, caplog):
    base, image = load(cpsam), known["image"]
    learner = Learner(steps=1, device="cpu")
    with pytest.raises(ParameterError, match=r"0\.5 times as large"):
        learner.task(image, known["masks"], base=base.sized(60))
    taught = learner.fit(image, known["masks"], base=base)
    assert (taught.about.feed, taught.about.diameter) == ("three", 30)
    before = base.module.state_dict()
    assert any((t != before[name]).any() for name, t in taught.module.state_dict().items())
    caplog.clear()
    again = load(taught.save(tmp_path / "mine.safetensors"))
    assert "Licence of the weights of Cellpose-SAM, and of what is trained" in caplog.messages[0]
    task = learner.task(image, known["masks"], base=again)
    assert dict(task.base.about.origin) == dict(base.about.origin)
    assert task.setup.patch == (256, 256)


def test_the_commands_say_the_licence_and_segment(cpsam, tmp_path, known, capsys):
    out = tmp_path / "cells.safetensors"
    told = commands.run(capsys, "import", cpsam, "--out", out)
    assert "From Cellpose-SAM" in told
    assert "CC-BY-NC-4.0 (no commercial use)" in told
    picture = write_image(tmp_path / "a.tif", known["image"], axes="yx")
    with pytest.raises(SystemExit):
        commands.main(["segment", str(out), str(picture), "--out", str(tmp_path / "o"), "--json"])
    said = capsys.readouterr()
    assert "CC-BY-NC-4.0 (no commercial use)" in said.err
    [written] = json.loads(said.out)["files"][0]["outputs"]
    assert Path(written).name == "a_objects.tif"


def test_values_lie_in_patches_as_the_file_says(cpsam, tensors, tmp_path):
    order = torch.randperm(192, generator=torch.Generator().manual_seed(0))
    mixed = {k: t[order] if k.startswith("out.") else t for k, t in tensors.items()}
    torch.save(mixed | {"W2": tensors["W2"][order]}, tmp_path / "mixed")
    assert load(tmp_path / "mixed").fingerprint() == load(cpsam).fingerprint()
    torch.save({f"module.{name}": t for name, t in tensors.items()}, tmp_path / "several")
    assert load(tmp_path / "several").fingerprint() == load(cpsam).fingerprint()


def without(tensors, part):
    return {name: t for name, t in tensors.items() if part not in name}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: {**t, "encoder.cls_token": torch.ones(1)}, "with DINOv3"),
        (lambda t: {**t, "out.bias": torch.ones(64)}, "gives 64 values for every patch"),
        (lambda t: {**t, "out.weight": torch.ones(192, 3, 1, 1)}, "out.weight of shape"),
        (lambda t: {**t, "W2": torch.ones(1)}, "W2 of shape"),
        (lambda t: without(t, "out.bias"), "not as these are: 'out.bias'"),
        (lambda t: without(t, "pos_embed"), "not as these are: 'encoder.pos_embed'"),
        (lambda t: without(t, "rel_pos_h"), "holds no Cellpose-SAM: it lacks"),
        (lambda t: without(t, "neck.2"), "cannot be built"),
        (lambda t: {**t, "encoder.pos_embed": torch.zeros(1, 8, 8, 32)}, "tiles of 8 x 8 patches"),
        (
            lambda t: {**t, "encoder.blocks.0.attn.rel_pos_h": torch.zeros(27, 0)},
            "holds no Cellpose-SAM",
        ),
        (
            lambda t: {**t, "encoder.blocks.0.mlp.lin1.weight": torch.zeros(2**40, 0)},
            "cannot be built",
        ),
    ],
)
def test_other_and_damaged_networks_are_refused_by_name(tensors, tmp_path, change, said):
    torch.save(change(tensors), tmp_path / "odd")
    assert is_foreign(tmp_path / "odd")
    with pytest.raises(FormatError, match=f"(?s)odd.*{said}"):
        load(tmp_path / "odd")


def test_cut_files_are_refused_by_name(cpsam, tmp_path):
    whole = cpsam.read_bytes()
    for count in (60, len(whole) // 2, len(whole) - 40):
        (tmp_path / "cut").write_bytes(whole[:count])
        with pytest.raises(FormatError, match="cut"):
            load(tmp_path / "cut")
