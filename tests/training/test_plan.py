"""The plan is nnU-Net's: its own planner, on 60 geometries, says the same."""

import json
from pathlib import Path

import pytest

from stroma.training.plan import Budget, Fingerprint, plan, target_spacing, topology

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
