"""Cellpose's encoder: against the authors' code, from files as Cellpose keeps them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from random_weights import random_tensors
from stroma import ConvpaintModel, weights
from stroma.errors import WeightsError
from stroma.features.networks.cellpose import CellposeBackbone

ORACLE = Path(__file__).parent / "oracles" / "cellpose.npz"


def official(name: str) -> str:
    block, _, rest = name.partition(".")
    return f"downsample.down.res_down_{block[-1]}.{rest}"


def image(channels: int = 2, side: int = 96) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((channels, side, side), np.float32)


def test_stages_are_those_of_the_authors() -> None:
    extractor = CellposeBackbone()
    assert (extractor.halo, extractor.stride) == (28, 4)
    with np.load(ORACLE) as known:
        cells = known["cells"]
        for i, found in enumerate(extractor(image())):
            assert found.step == 1 << i
            rows, columns = (cells * (4 >> i) - extractor.halo // found.step).T
            wanted = known[f"stage{i + 1}"]
            assert wanted.std() > 0.1
            np.testing.assert_allclose(
                found.values[:, rows, columns], wanted, atol=1e-5 * np.abs(wanted).max()
            )


def test_one_channel_is_shown_as_both() -> None:
    one = image(1)
    series = CellposeBackbone()(np.broadcast_to(one, (2, *one.shape[1:])))
    copied = CellposeBackbone()(np.repeat(one, 2, axis=0))
    for alone, both in zip(series, copied, strict=True):
        np.testing.assert_allclose(alone.values, both.values, rtol=1e-4, atol=1e-4)


def test_two_channels_are_seen_together_and_three_one_by_one() -> None:
    for channels, features in ((2, 224), (3, 672)):
        model = ConvpaintModel("cellpose")
        model.set_param("channel_mode", "multi")
        assert model.get_feature_image(image(channels, 24)).shape == (features, 24, 24)


def test_files_are_read_as_cellpose_keeps_them(monkeypatch, tmp_path) -> None:
    """Without a suffix, and with a decoder, of which nothing is needed."""
    tensors = random_tensors("cellpose_backbone", rng=3)
    state = {official(key): torch.tensor(value) for key, value in tensors.items()}
    state |= {"output.2.weight": torch.ones(3), "diam_mean": torch.ones(1)}
    torch.save(state, tmp_path / "cyto3")
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    assert weights.status("cellpose_backbone") == "here"
    key = "down1.conv.conv_0.2.weight"
    found = weights.load("cellpose_backbone", [key]).values[key]
    np.testing.assert_array_equal(found, tensors[key])


def test_without_a_file_it_is_said_where_cellpose_keeps_it(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"\.cellpose/models of your home.*as tissuenet_cp3 or"):
        CellposeBackbone()(image())
