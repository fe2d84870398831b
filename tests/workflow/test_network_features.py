"""Trained networks are feature extractors, which keep the contract and paint."""

from __future__ import annotations

import hashlib
import pickle

import numpy as np
import pytest
from tests.random_network import random_network
from tests.zoo import commands
from tests.zoo.programs import ZSCORE, described, scripted, seeing, small, written

from stroma import ConvpaintModel
from stroma.cli.app import main
from stroma.errors import ConsentError, ParameterError
from stroma.features import EXTRACTORS
from stroma.io import read_image, write_image
from stroma.testing import check_extractor
from stroma.workflow.exchange.network_features import register_network


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Names are forgotten afterwards."""
    monkeypatch.setattr(EXTRACTORS, "_added", dict(EXTRACTORS._added))


@pytest.fixture
def package(tmp_path):
    pytest.importorskip("onnxruntime")
    return seeing(tmp_path / "a.zip")


@pytest.mark.parametrize("which", ["outputs", "inner"])
def test_a_network_of_ours_keeps_the_contract(tmp_path, which):
    path = random_network().save(tmp_path / "a.safetensors")
    kind = register_network("disks", path, which=which)
    check_extractor(kind())
    assert all(name.startswith("disks.") for name in kind().names(["c"]))


def test_a_package_keeps_the_contract_and_pickles(package):
    kind = register_network("zoo_nuclei", package)
    check_extractor(kind())
    assert kind().names(["c"]) == ["zoo_nuclei.inside", "zoo_nuclei.border"]
    assert pickle.loads(pickle.dumps(kind())) == kind()
    with pytest.raises(ParameterError, match="only channels are to be had"):
        register_network("more", package, which="inner")


def test_the_command_line_says_that_a_program_has_nothing_inner(package, capsys):
    with pytest.raises(SystemExit) as ended:
        main([f"--network=more:inner={package}", "models"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("channels are to be had. Leave :inner out.\n")


def test_strokes_are_painted_with_it(package):
    register_network("zoo_nuclei", package)
    image = np.random.default_rng(0).normal(0, 1, (64, 64)).astype(np.float32)
    image[:, 32:] += 4
    strokes = np.zeros(image.shape, np.uint8)
    strokes[10:14, 4:20], strokes[10:14, 44:60] = 1, 2
    model = ConvpaintModel(fe_name="zoo_nuclei", fe_scalings=[1], clf_iterations=10)
    model.train(image, strokes)
    found = model.segment(image)
    assert (found[:, :28] == 1).mean() > 0.6
    assert (found[:, 36:] == 2).mean() > 0.6


def test_the_command_line_trains_and_segments_with_it(package, tmp_path, capsys):
    image = np.random.default_rng(0).normal(0, 1, (48, 48)).astype(np.float32)
    image[:, 24:] += 4
    strokes = np.zeros(image.shape, np.uint8)
    strokes[10:14, 4:16], strokes[10:14, 32:44] = 1, 2
    picture = write_image(tmp_path / "cells.tif", image, axes="yx")
    painted = write_image(tmp_path / "strokes.png", strokes, axes="yx")
    how = ("--network", f"zoo_nuclei={package}")
    model = tmp_path / "nuclei.pkl"
    options = ("--set", "fe_name=zoo_nuclei", "--set", "fe_scalings=[1]")
    commands.run(capsys, *how, "train", picture, painted, "--model", model, *options)
    EXTRACTORS._added.clear()
    commands.run(capsys, *how, "segment", model, picture, "--out", tmp_path / "out")
    assert read_image(tmp_path / "out" / "cells_labels.tif").shape == (48, 48)


def test_programs_need_consent_here_too(tmp_path):
    data = scripted(small())
    said = described(weights={"torchscript": {"source": "net.pt"}}, pre=ZSCORE)
    path = written(tmp_path / "a.zip", said, net__pt=data)
    with pytest.raises(ConsentError):
        register_network("odd", path)
    assert "odd" not in EXTRACTORS
    kind = register_network("good", path, trust=hashlib.sha256(data).hexdigest())
    assert len(kind().names(["c"])) == 2


def test_networks_that_are_fed_otherwise_are_refused(tmp_path):
    said = described(weights={"torchscript": {"source": "net.pt"}})
    data = scripted(small())
    path = written(tmp_path / "a.zip", said, net__pt=data)
    with pytest.raises(ParameterError, match="takes intensities scaled as none"):
        register_network("plain", path, trust=hashlib.sha256(data).hexdigest())
