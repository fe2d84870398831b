"""The encoder of Cellpose-SAM: against the authors' code, and tile by tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from random_sam import authors_name
from random_weights import random_tensors
from stroma.errors import FormatError
from stroma.features.networks.cellpose_sam import CORE, MARGIN, CellposeSAM
from stroma.weights import CATALOGUE

ORACLE = Path(__file__).parent / "oracles" / "cellpose_sam.npz"
SIDE = CORE + 2 * MARGIN


def test_features_are_those_of_the_authors() -> None:
    random = np.random.default_rng(0)
    colours, grey = (random.standard_normal((n, SIDE, SIDE), np.float32) for n in (3, 1))
    with np.load(ORACLE) as known:
        for image, name in ((colours, "colours"), (np.broadcast_to(grey, (3, SIDE, SIDE)), "grey")):
            [found] = CellposeSAM()(image)
            assert found.values.shape == (256, CORE // 8, CORE // 8)
            assert known[name].std() > 0.1
            np.testing.assert_allclose(found.values[:, ::6, ::6], known[name], atol=1e-4)


def test_files_are_read_as_cellpose_keeps_them(tmp_path) -> None:
    """Without a suffix, and with what makes flows."""
    tensors = random_tensors("cellpose_sam", rng=3)
    state = {authors_name(k).removeprefix("image_"): torch.tensor(v) for k, v in tensors.items()}
    state |= {"out.weight": torch.ones(3), "W2": torch.ones(2), "diam_mean": torch.ones(1)}
    torch.save(state, tmp_path / "cpsam")
    digest = CellposeSAM(weights=str(tmp_path / "cpsam")).provenance()["digest"]
    assert digest != CellposeSAM().provenance()["digest"]
    assert CellposeSAM(weights=str(tmp_path)).provenance()["digest"] == digest


def test_models_of_earlier_cellpose_are_told(tmp_path) -> None:
    torch.save({"downsample.down.res_down_0.proj.0.weight": torch.ones(2)}, tmp_path / "cyto3")
    with pytest.raises(FormatError, match="read by 'cellpose_backbone'"):
        CellposeSAM(weights=str(tmp_path / "cyto3")).provenance()


def test_the_licence_is_said() -> None:
    assert CATALOGUE["cellpose_sam"].licence.startswith("CC-BY-NC")
