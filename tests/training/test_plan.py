"""The plan is nnU-Net's: its own planner, on 60 geometries, says the same."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from stroma.errors import ParameterError
from stroma.networks import NETWORKS
from stroma.targets.contract import Facts
from stroma.training.learning.learner import Learner
from stroma.training.planning.plan import Budget, Fingerprint, plan, target_spacing, topology
from stroma.training.planning.setup import Setup, decide, fitted, smaller

TABLE = json.loads(Path(__file__).with_name("oracles").joinpath("plans.json").read_text())


def told(found):
    return {
        "spacing": pytest.approx(found.spacing),
        "patch": list(found.patch),
        "batch": found.batch,
        "strides": [list(s) for s in found.topology.strides],
        "kernels": [list(k) for k in found.topology.kernels],
        "features": list(found.features),
        "batch_dice": found.batch_dice,
    }


def fingerprint(given):
    flat = all(shape[0] == 1 for shape in given["shapes"])
    start = 1 if flat else 0
    return Fingerprint(
        tuple(tuple(s[start:]) for s in given["shapes"]),
        tuple(tuple(s[start:]) for s in given["spacings"]),
        given["classes"],
        given["channels"],
    )


@pytest.mark.parametrize("number", range(len(TABLE)))
def test_plan_is_that_of_the_reference(number):
    given, planned = TABLE[number]["given"], TABLE[number]["planned"]
    found = plan(fingerprint(given), Budget(given["memory_gb"], given["base"]))
    if len(found.order) == 2:
        assert told(found.full) == planned["2d"]
        return
    assert list(found.order) == planned["order"]
    assert told(found.full) == planned["3d_fullres"]
    assert ("3d_lowres" in planned) == (found.low is not None)
    if found.low is not None:
        assert told(found.low) == planned["3d_lowres"]


def test_the_table_has_planes_volumes_and_coarser_networks():
    kinds = [set(row["planned"]) for row in TABLE]
    assert len(TABLE) == 60
    assert sum("3d_fullres" in kind for kind in kinds) == 30
    assert sum("3d_lowres" in kind for kind in kinds) >= 5


def test_thin_slices_stay_thin():
    shapes = ((10, 200, 200),) * 5
    spacings = ((10.0, 1, 1), (10.0, 1, 1), (10.0, 1, 1), (5.0, 1, 1), (5.0, 1, 1))
    assert target_spacing(Fingerprint(shapes, spacings))[0] == pytest.approx(5)
    many = ((150, 200, 200),) * 5
    assert target_spacing(Fingerprint(many, spacings))[0] == pytest.approx(10)


def test_thick_axes_are_halved_later():
    found = topology((4.0, 1.0, 1.0), (16, 64, 64))
    assert found.strides[:3] == ((1, 1, 1), (1, 2, 2), (1, 2, 2))
    assert found.kernels[0] == (1, 3, 3)
    assert found.kernels[-1] == (3, 3, 3)


def test_a_plan_says_what_will_be_done():
    said = str(plan(Fingerprint(((512, 512),) * 7, ((1.0, 1.0),) * 7), Budget(1, 16)))
    assert "per step" in said
    assert "features" in said
    assert "GB" in said


def test_patches_get_smaller_until_there_are_enough_steps():
    facts = Facts(2, {0: 1, 1: 1}, (1.0, 1.0))
    setup = decide([(512, 512)] * 7, facts, outputs=2, memory_gb=2, network="unet")
    assert setup.patch == (512, 512)
    found = fitted(setup, speed=lambda s: 50_000, minutes=10)
    assert 10 * 60 * 50_000 / found.pixels >= 500
    assert found.patch < setup.patch
    assert len(found.params["features"]) < len(setup.params["features"])
    assert fitted(setup, speed=lambda s: 1e9, minutes=10) == setup
    assert fitted(setup, speed=lambda s: 1, minutes=10).patch == (64, 64)
    assert Setup.of(json.loads(json.dumps(asdict(found)))) == found


def test_what_is_given_is_not_decided():
    facts = Facts(3, {0: 1, 1: 1}, (4.0, 1.0, 1.0))
    setup = decide([(20, 200, 200)], facts, outputs=2, memory_gb=2, patch=[8, 64, 64], batch=1)
    assert setup.patch == (8, 64, 64)
    assert setup.batch == 1
    assert setup.flat
    assert smaller(setup) is None
    with pytest.raises(ParameterError, match="one side per axis"):
        decide([(20, 200, 200)], facts, outputs=2, memory_gb=2, patch=[64, 64])


def test_nnunet_is_planned_as_it_is():
    facts = Facts(2, {0: 1, 1: 1}, (1.0, 1.0))
    setup = decide([(512, 512)] * 7, facts, outputs=2, memory_gb=8, network="nnunet")
    assert setup.params["features"][0] == 32
    network = NETWORKS["nnunet"](1, 2, ndim=2, **{**setup.params, "features": [4] * 8})
    assert network.halo is None


def test_a_short_training_decides_for_itself(scenes):
    images, labels = zip(*scenes[:2], strict=True)
    network = Learner(network="unet", minutes=0.02, device="cpu").fit(list(images), list(labels))
    assert network.about.patch == (64, 64)
    assert network.plan_["params"]["strides"]


@pytest.mark.parametrize(
    ("ndim", "channels", "result", "options", "expected"),
    [
        (2, 1, "instances", {}, "lite"),
        (2, 3, "points", {}, "lite"),
        (2, 3, "instances", {"features": [4, 8]}, "unet"),
        (2, 2, "instances", {}, "unet"),
        (3, 1, "instances", {}, "unet"),
        (2, 3, "classes", {}, "lite"),
        (2, 5, "classes", {}, "unet"),
        (2, 1, "image", {"norm": "none"}, "unet"),
    ],
)
def test_what_photographs_taught_is_begun_with_where_it_serves_and_is_here(
    ndim, channels, result, options, expected, monkeypatch
):
    facts = Facts(ndim, {0: 1, 1: 1}, (1.0,) * ndim, diameters=(10.0, 20.0, 70.0))
    shapes = [(64, 200, 300)[-ndim:]] * 5
    given = {"outputs": 3, "memory_gb": 2, "channels": channels, "result": result}

    def decided(where):
        monkeypatch.setattr("stroma.training.planning.setup.status", lambda name: where)
        return decide(shapes, facts, options=options, **given)

    assert decided("missing").network == "unet"
    found = decided("here")
    assert found.network == expected
    if expected == "lite":
        assert smaller(found) is None
        assert found.pixels >= 4 * 128**2


def test_patches_show_large_objects_with_what_is_around_them(monkeypatch):
    monkeypatch.setattr("stroma.training.planning.setup.status", lambda name: "here")

    def side(diameter, shape, small=0):
        sizes = (*(10.0,) * small, *(diameter,) * 9)
        facts = Facts(2, {0: 1, 1: 1}, (1.0, 1.0), diameters=sizes)
        given = {"outputs": 3, "memory_gb": 2, "result": "instances"}
        return decide([shape] * 4, facts, **given).patch

    assert side(10.0, (500, 500)) == (128, 128)
    assert side(70.0, (500, 500)) == (192, 192)
    assert side(300.0, (500, 500)) == (256, 256)
    assert side(70.0, (100, 500)) == (128, 192)
    assert side(70.0, (500, 500), small=90) == (192, 192)


def test_images_are_restored_in_many_steps_of_small_patches():
    facts = Facts(2, {}, (1.0, 1.0))
    given = {"outputs": 1, "memory_gb": 2, "result": "image"}
    found = decide([(512, 512)] * 4, facts, **given)
    assert (found.network, found.params, found.patch) == ("smooth", {}, (96, 96))
    found = decide([(512, 512)] * 4, facts, alone=True, **given)
    assert (found.network, found.params, found.patch) == ("blind", {}, (96, 96))
    chosen = decide([(512, 512)] * 4, facts, options={"activation": "relu"}, **given)
    assert (chosen.network, chosen.params["norm"], chosen.batch) == ("unet", "none", 8)
    chosen = decide([(512, 512)] * 4, facts, options={"features": [4, 8]}, patch=[32, 32], **given)
    assert (dict(chosen.params), chosen.patch) == ({"features": [4, 8]}, (32, 32))
