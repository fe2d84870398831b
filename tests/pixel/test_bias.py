"""How much features say of where a place lies, and taking it away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from stroma import ConvpaintModel, Image
from stroma.cli.app import main
from stroma.errors import ParameterError, ShapeError, UnknownNameError
from stroma.features.build import extractor, part_names
from stroma.features.centred import Centred
from stroma.features.contract import FeatureMap, Wants
from stroma.features.networks.shifts import Shifts
from stroma.io import write_image
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.showing.bias import biases_of, positional_bias
from stroma.testing import check_extractor


@dataclass(frozen=True)
class Placed:
    """Means of patches, and to each of them added where in the window the patch lies."""

    patch: int = 4
    halo = None

    @property
    def stride(self) -> int:
        return self.patch

    @property
    def wants(self) -> Wants:
        return Wants(channels=1)

    def names(self, channels: Sequence[str]) -> list[str]:
        return ["right", "down"]

    def __call__(self, block: np.ndarray) -> list[FeatureMap]:
        height, width = (side // self.patch for side in block.shape[1:])
        means = block[0].reshape(height, self.patch, width, self.patch).mean(axis=(1, 3))
        down, right = np.indices(means.shape) / np.array([[[height]], [[width]]])
        values = np.stack([5 * right + means, 5 * down - means]).astype(np.float32)
        return [FeatureMap(values, step=self.patch)]


class Coloured(Placed):
    """Patches of pixels whose channels differ."""

    def __call__(self, block: np.ndarray) -> list[FeatureMap]:
        return super().__call__(block.std(axis=0, keepdims=True))


def noise(*shape: int, rng: int = 0) -> np.ndarray:
    return np.random.default_rng(rng).standard_normal(shape).astype(np.float32)


def test_ramps_are_found_and_noise_is_not() -> None:
    down, right = np.indices((40, 30)) / 30
    both = positional_bias(np.stack([right + 0.01 * noise(40, 30), down + 0.01 * noise(40, 30)]))
    assert min(both.right, both.down, both.diagonal) > 0.99
    assert both.radial < 0.2
    only = positional_bias(np.stack([right, *noise(4, 40, 30)]))
    assert only.right > 0.99 > 0.1 > only.down
    assert positional_bias(np.hypot(right - 0.5, down - 2 / 3)[None]).radial > 0.9
    assert positional_bias(noise(300, 40, 30)).most < 0.05


def test_features_of_a_constant_and_too_few_cells() -> None:
    assert positional_bias(np.zeros((3, 20, 20))).most == 0
    with pytest.raises(ShapeError, match="at least 64 cells, got 5 x 6"):
        positional_bias(noise(3, 5, 6))


def test_large_maps_are_measured_on_a_lattice(monkeypatch) -> None:
    monkeypatch.setattr("stroma.pixel.showing.bias.MOST_CELLS", 300)
    down, _ = np.indices((90, 60))
    assert positional_bias(down[None] + 0.1 * noise(1, 90, 60)).down > 0.99


def test_the_place_is_taken_away_and_the_image_stays() -> None:
    block = noise(1, 80, 96)
    [plain], [centred] = Placed()(block), Centred(Placed())(block)
    assert positional_bias(plain.values).right > 0.95
    assert positional_bias(centred.values).most < 0.1
    means = block[0].reshape(20, 4, 24, 4).mean(axis=(1, 3))
    assert np.corrcoef(centred.values[0].ravel(), means.ravel())[0, 1] > 0.9
    check_extractor(Centred(Placed()))
    assert Centred(Placed()).names(["grey"]) == ["centred:right", "centred:down"]


@pytest.mark.parametrize(
    "made", [Shifts(Placed(), "flips"), Shifts(Placed(), "both", 2), Centred(Placed())]
)
def test_every_remedy_takes_the_place_out_of_a_flat_image(made) -> None:
    flat = np.float32(0.3) + 0.01 * noise(1, 80, 96)
    [plain], [without] = Placed()(flat), made(flat)
    assert min(positional_bias(plain.values).right, positional_bias(plain.values).down) > 0.99
    assert positional_bias(without.values).most < 0.1


def test_a_channel_shown_as_several_is_compared_with_noise_shown_so() -> None:
    grey = np.broadcast_to(noise(1, 40, 48), (3, 40, 48))
    [centred] = Centred(Coloured())(grey)
    np.testing.assert_allclose(centred.values, 0, atol=1e-6)
    [centred] = Centred(Coloured())(np.ascontiguousarray(grey))
    assert centred.values[0].max() < -0.3


def test_an_image_with_a_ramp_is_told_from_an_extractor_that_adds_one() -> None:
    ramp = np.tile(np.arange(60, dtype=np.float32), (50, 1)) + noise(50, 60)
    model = ConvpaintModel("gaussian")
    seen, of_noise = biases_of(model.open(Image(ramp, "yx")), Recipe.of(model.get_params()))
    assert seen.right > 0.9
    assert of_noise.most < 0.1


def test_prefixes_may_follow_one_another_and_wrong_ones_are_named() -> None:
    assert part_names("both:centred:dinov2_vits14_reg") == ["both:centred:dinov2_vits14_reg"]
    with pytest.raises(UnknownNameError, match=r"No prefix 'centered'.*'centred'"):
        part_names("centered:dinov2_vits14_reg")
    with pytest.raises(ParameterError, match="GaussianFeatures sees the same at every place"):
        extractor("centred:gaussian_features")


def test_the_command_prints_both(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).integers(0, 255, (40, 50), dtype=np.uint8)
    write_image("cells.png", values, axes="yx")
    with pytest.raises(SystemExit):
        main(["features", "cells.png", "--alias", "gaussian", "--bias", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"image", "noise"}
    assert set(said["noise"]) == {"right", "down", "diagonal", "radial"}
    assert all(0 <= value < 0.2 for value in said["noise"].values())
    with pytest.raises(SystemExit):
        main(["features", "cells.png", "--alias", "gaussian", "--bias"])
    assert "features of" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["cells.png"]
