"""Views of an image by shifts and flips: put back where they were, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate

from stroma.errors import ParameterError
from stroma.features.build import extractor, within
from stroma.features.contract import FeatureMap, Wants
from stroma.features.networks.shifts import SETS, Shifts
from stroma.testing import check_extractor

ALL = [transforms for transforms in SETS if transforms != "flips"]


@dataclass(frozen=True)
class Pixels:
    """A backbone that keeps all it sees: the features of a patch are its pixels."""

    patch: int
    channels: int = 1
    halo = None

    @property
    def stride(self) -> int:
        return self.patch

    @property
    def wants(self) -> Wants:
        return Wants(channels=self.channels)

    def names(self, channels: Sequence[str]) -> list[str]:
        return [f"pixel{i}" for i in range(self.patch**2)]

    def __call__(self, block: np.ndarray) -> list[FeatureMap]:
        height, width = (side // self.patch for side in block.shape[1:])
        split = block[0].reshape(height, self.patch, width, self.patch).transpose(1, 3, 0, 2)
        return [FeatureMap(split.reshape(-1, height, width).copy(), step=self.patch)]


@dataclass(frozen=True)
class Convolved(Pixels):
    """A backbone of one convolution with kernels that look the same in no two directions."""

    def names(self, channels: Sequence[str]) -> list[str]:
        return ["a", "b"]

    @property
    def kernels(self) -> np.ndarray:
        return np.random.default_rng(1).normal(size=(2, self.patch, self.patch))

    def __call__(self, block: np.ndarray) -> list[FeatureMap]:
        pixels = super().__call__(block)[0].values
        values = np.einsum("kp,phw->khw", self.kernels.reshape(2, -1), pixels)
        return [FeatureMap(values.astype(np.float32), step=self.patch)]


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, height, width)).astype(np.float32)


@pytest.mark.parametrize("transforms", ALL)
@pytest.mark.parametrize("patch", [3, 5])
def test_every_view_is_put_back_where_it_was(transforms: str, patch: int) -> None:
    """The middle of a patch of pixels stays in the middle however it is turned."""
    block = image(4 * patch, 6 * patch)
    [found] = Shifts(Pixels(patch), transforms, 1)(block)
    np.testing.assert_allclose(found.values[patch**2 // 2], block[0], atol=1e-6)


@pytest.mark.parametrize(("patch", "cell"), [(14, 2), (16, 4), (8, 4), (16, 8), (6, 1)])
def test_shifts_are_a_convolution_with_smaller_steps(patch: int, cell: int) -> None:
    backbone, reach = Convolved(patch), patch
    block = image(3 * patch, 4 * patch)
    [found] = Shifts(backbone, "shifts", cell)(block)
    padded = np.pad(block[0].astype(float), reach, mode="symmetric")
    for values, kernel in zip(found.values, backbone.kernels, strict=True):
        every = correlate(padded, kernel, mode="valid")
        edges = {(patch - cell) // 2, (patch - cell + 1) // 2}  # both, where the middle is between
        starts = [reach - edge for edge in edges]
        wanted = np.mean(
            [
                every[y : y + block.shape[1] : cell, x : x + block.shape[2] : cell]
                for y in starts
                for x in starts
            ],
            axis=0,
        )
        np.testing.assert_allclose(values, wanted, atol=1e-4)


@pytest.mark.parametrize(("patch", "cell"), [(14, 7), (14, 2), (8, 4), (16, 8)])
@pytest.mark.parametrize("transforms", ALL)
def test_a_ramp_is_registered_to_a_tenth_of_a_pixel(patch: int, cell: int, transforms: str) -> None:
    """A backbone that sees mean brightness sees a ramp where it is; at borders too, mirrored."""
    rows, columns = np.indices((4 * patch, 5 * patch), np.float32)
    [found] = Shifts(Pixels(patch), transforms, cell)((rows * 100 + columns)[None])
    mean = found.values.mean(axis=0)
    inner = slice(patch // cell, -patch // cell)
    centres = (np.arange(4 * patch // cell)[:, None] * 100 + np.arange(5 * patch // cell)) * cell
    off = mean - centres - 101 * (cell - 1) / 2
    assert np.abs(off[inner, inner]).max() < 0.1
    mirrored = mean + mean[::-1, ::-1] - mean.min() - mean.max()
    assert np.abs(mirrored).max() < 0.1


@pytest.mark.parametrize(("transforms", "cell"), [("flips", 6), ("both", 2), ("both", 3)])
def test_flips_make_features_that_turn_with_the_image(transforms: str, cell: int) -> None:
    block = image(18, 24)
    shown = Shifts(Convolved(6), transforms, cell)
    [found], [flipped] = shown(block), shown(block[:, :, ::-1])
    np.testing.assert_allclose(flipped.values, found.values[:, :, ::-1], atol=1e-5)
    [plain], [other] = Convolved(6)(block), Convolved(6)(block[:, :, ::-1])
    assert np.abs(other.values - plain.values[:, :, ::-1]).max() > 0.1


@pytest.mark.parametrize("cell", [2, 3])
def test_quarter_turns_make_features_that_turn_with_the_image(cell: int) -> None:
    block = image(18, 24)
    shown = Shifts(Convolved(6), "rotations", cell)
    [found], [turned] = shown(block), shown(np.rot90(block, axes=(1, 2)))
    np.testing.assert_allclose(turned.values, np.rot90(found.values, axes=(1, 2)), atol=1e-5)


@given(st.integers(1, 4), st.sampled_from([(6, 1), (6, 2), (6, 3), (6, 6), (8, 4)]))
def test_cells_cover_the_window_and_keep_the_contract(rows: int, sides: tuple[int, int]) -> None:
    patch, cell = sides
    shown = Shifts(Pixels(patch), "both", cell)
    [found] = shown(image(rows * patch, 2 * patch))
    assert found.step == cell
    assert found.values.shape == (patch**2, rows * patch // cell, 2 * patch // cell)


def test_the_contract_of_extractors_is_kept() -> None:
    check_extractor(Shifts(Pixels(4, channels=3), "both", 2))
    assert Shifts(Pixels(4), "both").names(["grey"])[3] == "both/2:pixel3"


def test_windows_of_other_shapes_are_computed_together_and_alone_alike() -> None:
    shown, blocks = Shifts(Pixels(4), "rotations"), [image(8, 12), image(12, 4, 1)]
    for block, [together] in zip(blocks, shown.batch(blocks), strict=True):
        [alone] = shown(block)
        np.testing.assert_array_equal(together.values, alone.values)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"transforms": "moore"}, "'shifts', 'flips', 'both', 'rotations', got 'moore'"),
        ({"spacing": 4}, r"one of \[1, 2, 3, 6\] pixels, got 4"),
        ({"transforms": "flips", "spacing": 3}, "cells are patches"),
    ],
)
def test_sets_and_cells_that_cannot_be_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Shifts(Pixels(6), **wrong)


def test_extractors_without_patches_are_refused_by_name() -> None:
    assert within("both/7:dinov2_vits14_reg") == "dinov2_vits14_reg"
    with pytest.raises(ParameterError, match=r"GaussianFeatures has none\. Leave out 'both:'"):
        extractor("both:gaussian_features")
