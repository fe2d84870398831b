"""Blind spots hide pixels, and what is learned from noise alone removes it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stroma.errors import ParameterError
from stroma.metrics.restoration import restoration_scores
from stroma.targets.distances import Distances
from stroma.targets.restore import Denoise, Restore
from stroma.training.contract import Batch
from stroma.training.feeding.augment import TURNS
from stroma.training.feeding.data import cases_of
from stroma.training.feeding.windows import read_mirrored
from stroma.training.ways.blind import BlindSpot, around, elsewhere, lined, spots


@pytest.mark.parametrize("shape", [(2, 3, 20, 30), (2, 1, 4, 16, 24)])
def test_every_square_of_every_plane_hides_one_pixel(shape):
    hidden = spots(torch.zeros(shape), 4)
    assert hidden.shape == (shape[0], 1, *shape[2:])
    height, width = shape[-2] // 4 * 4, shape[-1] // 4 * 4
    planes = hidden.reshape(-1, *shape[-2:])[:, :height, :width]
    counts = planes.reshape(len(planes), height // 4, 4, width // 4, 4).sum((2, 4))
    assert (counts == 1).all()
    assert len(torch.unique(planes.flatten(1), dim=0)) == len(planes)


def test_the_median_of_the_neighbours_leaves_the_pixel_out():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 9
    assert around(image)[0, 0, 2, 2] == 0
    image[0, 0, 1, :] = 1
    image[0, 0, 3, :] = 1
    assert around(image)[0, 0, 2, 2] == 1
    assert around(torch.ones(2, 1, 3, 5, 5)).shape == (2, 1, 3, 5, 5)


def test_the_network_never_sees_what_it_is_to_foretell():
    seen = []

    class Watching(torch.nn.Module):
        def forward(self, images):
            seen.append(images)
            return images

    images = torch.rand(1, 1, 24, 24)
    torch.manual_seed(0)
    BlindSpot(Denoise()).step(Watching(), Batch(images, None, None, 0))
    torch.manual_seed(0)
    hidden = spots(images, 8) > 0
    assert (seen[0][hidden] == around(images)[hidden]).all()
    assert (seen[0][~hidden] == images[~hidden]).all()


def test_a_network_that_sees_no_pixel_itself_is_shown_all_of_them():
    images = torch.rand(2, 1, 24, 30)

    class Watching(torch.nn.Module):
        blind = True

        def forward(self, shown):
            assert torch.equal(shown, images)
            return shown + 2 * weight

    weight = torch.zeros(1, 1, 24, 30)
    weight[0, 0, 0, 0] = 1  # near the border, where pixels are repeated: it does not count
    assert float(BlindSpot(Denoise()).step(Watching(), Batch(images, None, None, 0)).loss) == 0
    weight[0, 0, 12, 12] = 1
    found = BlindSpot(Denoise()).step(Watching(), Batch(images, None, None, 0)).loss
    assert float(found) == pytest.approx(4 / (12 * 18))


@pytest.mark.parametrize("along", [("y",), ("x",), ("y", "x")])
def test_lines_through_hidden_pixels_show_nothing_of_them(along):
    """Where every pixel says its row and column, none on a line shows that of the hidden one."""
    y, x = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
    images = (y + 1000 * x).float()[None, None]
    hidden = torch.zeros_like(images)
    hidden[..., 20, 20] = 1
    lines = lined(hidden, along, 3)
    assert int(lines.sum()) == 1 + 6 * len(along)
    torch.manual_seed(0)
    for _ in range(30):
        shown = elsewhere(images, along, 3)[lines > 0]
        if "x" in along:
            assert (shown % 1000 != 20).all()
        if "y" in along:
            assert (shown // 1000 != 20).all()


def test_stripes_are_removed_where_pixels_alone_cannot_tell_them():
    import stroma

    rng = np.random.default_rng(0)
    clean = scene(1)[1]
    stripes = np.repeat(rng.normal(0, 20, (64, 12)), 6, 1)
    noisy = (clean + stripes).astype(np.float32)
    errors = {}
    for along in ((), ("x",)):
        network = stroma.learn(
            noisy,
            target="denoise",
            network="unet",
            steps=80,
            objective_options={"along": along, "span": 6},
            **OPTIONS,
        )
        errors[along] = float(np.sqrt(((network.segment(noisy)[0] - clean) ** 2).mean()))
    assert errors["x",] < 0.8 * errors[()]


def test_lines_that_cannot_be_hidden_are_refused():
    for wrong in ({"along": ["z"]}, {"along": ["x"], "span": 8}):
        with pytest.raises(ParameterError, match=r"along|span"):
            BlindSpot(Denoise(), **wrong)
    seeing = torch.nn.Identity()
    seeing.blind = True
    with pytest.raises(ParameterError, match="network='unet'"):
        BlindSpot(Denoise(), along=["x"]).step(
            seeing, Batch(torch.rand(1, 1, 24, 24), None, None, 0)
        )


def test_turns_leave_stripes_along_their_axis():
    turned = replace(TURNS, exchange=False)
    rng = np.random.default_rng(0)
    ways = {turned.geometry((8, 8), (16, 16), rng).turn.order for _ in range(30)}
    assert ways == {(0, 1)}
    assert BlindSpot(Denoise(), along=["x"]).directed
    assert not BlindSpot(Denoise(), along=["x", "y"]).directed


def test_targets_that_make_no_images_are_refused():
    with pytest.raises(ParameterError, match="denoise"):
        BlindSpot(Distances())
    with pytest.raises(ParameterError, match="every"):
        BlindSpot(Denoise(), every=1)


def scene(seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :72]
    clean = 100 + 40 * np.sin(y / rng.uniform(6, 9)) * np.sin(x / rng.uniform(6, 9))
    return (clean + rng.normal(0, 20, clean.shape)).astype(np.float32), clean


OPTIONS = {
    "network_options": {"features": [8, 8], "norm": "none"},
    "patch": [48, 48],
    "batch": 4,
    "rate": 1e-2,
    "device": "cpu",
}


@pytest.mark.parametrize("target", ["denoise", "restore"])
def test_noise_is_removed_in_intensities_of_the_image(target):
    import stroma

    noisy, clean = zip(*(scene(n) for n in range(3)), strict=True)
    labels = {"denoise": None, "restore": list(clean[:2])}[target]
    network = stroma.learn(list(noisy[:2]), labels, target=target, steps=60, **OPTIONS)
    before = restoration_scores(noisy[2], clean[2])
    found = network.segment(noisy[2])
    assert found.shape == (1, 64, 72)
    after = restoration_scores(found[0], clean[2])
    assert after["psnr"] > before["psnr"] + 5
    assert after["ssim"] > before["ssim"]


def test_targets_that_need_labels_say_so():
    import stroma

    with pytest.raises(ParameterError, match="denoise"):
        stroma.learn(scene(0)[0], target="distances")


@pytest.mark.parametrize("target", ["denoise", "restore"])
def test_of_noise_alone_the_last_network_is_kept_and_not_the_one_nearest_to_the_noise(
    target, monkeypatch
):
    """An image that is its own truth is best left as it is, by any score against it."""
    import stroma

    noisy = scene(0)[0]
    labels = None if target == "denoise" else noisy

    def learned(sign):
        rounds = []
        monkeypatch.setattr(
            Restore, "score", lambda *_: rounds.append(1) or {"psnr": sign * float(len(rounds))}
        )
        return stroma.learn(noisy, labels, target=target, steps=4, **OPTIONS)

    falling, rising = learned(-1), learned(1)
    assert [row["psnr"] for row in falling.history_] == [-1, -2, -3, -4]
    assert falling.scores_["psnr"] == (-4 if target == "denoise" else -1)
    last, kept = rising.module.state_dict(), falling.module.state_dict()
    same = all(torch.equal(last[name], kept[name]) for name in last)
    assert same == (target == "denoise")


def test_clean_images_are_brought_to_the_intensities_of_the_noisy_ones():
    """Scaled by cameras or files as they may be, they are learned as if they were not."""
    noisy, clean = scene(0)
    plain, scaled, other = (
        cases_of([noisy], [one.astype(np.float32)], truth="image")[0]
        for one in (clean, 3 * clean + 50, np.random.default_rng(5).normal(0, 1, clean.shape))
    )
    units = [case.in_units(case.truth(case.area)) for case in (plain, scaled)]
    assert np.allclose(*units, atol=1e-4)
    gain, offset = scaled.matching
    assert gain[0] == pytest.approx(1 / 3, rel=0.05)
    assert offset[0] == pytest.approx(-50 / 3, rel=0.5)
    assert (other.matching[0][0], other.matching[1][0]) == (1, 0)
    same = cases_of([noisy], [noisy], truth="image")[0]
    assert same.matching[0][0] == pytest.approx(1)
    assert same.matching[1][0] == pytest.approx(0, abs=1e-3)
    flat = cases_of([noisy], [np.zeros_like(noisy)], truth="image")[0]
    assert (flat.matching[0][0], flat.matching[1][0]) == (1, 0)


def test_of_large_images_the_middle_is_compared(monkeypatch):
    monkeypatch.setattr("stroma.training.feeding.cases.MOST", 400)
    noisy, clean = scene(0)
    case = cases_of([noisy], [3 * clean.astype(np.float32)], truth="image")[0]
    read = []
    monkeypatch.setattr(
        "stroma.training.feeding.cases.read_mirrored",
        lambda *a: read.append(a[2]) or read_mirrored(*a),
    )
    assert case.matching[0][0] == pytest.approx(1 / 3, rel=0.2)
    assert {tuple((s.start, s.stop) for s in box) for box in read} == {((23, 41), (25, 46))}
