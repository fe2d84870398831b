"""The 58 filters: how many, in which order, and what they are of images that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from stroma import ConvpaintModel
from stroma.features.filtering.weka import LINES, SIGMAS, Weka

HALO = Weka().halo


def found(image: np.ndarray) -> dict[str, np.ndarray]:
    """Return the features of the core of an image, by name."""
    (made,) = Weka()(image.astype(np.float32)[None])
    return dict(zip(Weka().names(["grey"]), made.values, strict=True))


def plane(side: int = 5) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.indices((side + 2 * HALO, side + 2 * HALO)) - HALO - side // 2)


def test_there_are_58_in_the_order_of_the_original() -> None:
    names = Weka().names(["grey"])
    assert len(names) == len(set(names)) == 58
    assert names[:3] == ["raw", "sobel_s0", "hessian_module_s0"]
    assert names[7:9] == ["gaussian_s1", "sobel_s1"]
    assert names[42:44] == ["difference_s1_s2", "difference_s1_s4"]
    assert names[52:] == [f"membrane_{k}" for k in ("mean", "max", "min", "sum", "std", "median")]
    assert ConvpaintModel("hr-dino-hybrid").get_param("fe_name").startswith("weka_2d+")


def test_a_slope_has_its_gradient_at_all_scales_and_no_curvature() -> None:
    y, x = plane()
    made = found(3 * y + 4 * x)
    for sigma in (0, *SIGMAS):
        np.testing.assert_allclose(made[f"sobel_s{sigma}"], 5, atol=1e-3)
        np.testing.assert_allclose(made[f"hessian_module_s{sigma}"], 0, atol=1e-3)
    np.testing.assert_allclose(made["difference_s1_s16"], 0, atol=1e-3)


def test_a_bowl_has_its_second_derivatives() -> None:
    y, x = plane()
    made = found((3 * y**2 + 2 * y * x + x**2) / 2)
    eigenvalues = np.linalg.eigvalsh([[3, 1], [1, 1]])
    wanted = {
        "module": np.sqrt(11), "trace": 4, "determinant": 2,
        "eigenvalue_max": eigenvalues[1], "eigenvalue_min": eigenvalues[0],
    }  # fmt: skip
    for kind, value in wanted.items():
        for sigma in (0, *SIGMAS):
            np.testing.assert_allclose(made[f"hessian_{kind}_s{sigma}"], value, rtol=2e-3)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_deviations_of_blurs_are_not_rounded(sigma: int) -> None:
    y, _ = plane(25)
    image = np.where(y > 0, 1.0, 0.0)
    wanted = ndi.gaussian_filter(image, 0.4 * sigma, truncate=4)[HALO:-HALO, HALO:-HALO]
    made = found(image)
    np.testing.assert_allclose(made[f"gaussian_s{sigma}"], wanted, atol=2e-3)
    rounded = ndi.gaussian_filter(image, max(round(0.4 * sigma), 1e-3), truncate=4)
    assert np.abs(rounded[HALO:-HALO, HALO:-HALO] - wanted).max() > 5e-3
    for larger in (s for s in SIGMAS if s > sigma):
        wanted = made[f"gaussian_s{sigma}"] - made[f"gaussian_s{larger}"]
        np.testing.assert_allclose(made[f"difference_s{sigma}_s{larger}"], wanted, atol=1e-6)


def test_a_line_is_told_from_a_spot_by_its_directions() -> None:
    y, x = plane()
    line, spot = found(x == 0), found((x == 0) & (y == 0))
    middle = (2, 2)
    assert line["membrane_max"][middle] == 19
    assert line["membrane_min"][middle] == 1
    assert line["membrane_sum"][middle] == sum(sum(x == 0 for _, x in one) for one in LINES)
    assert spot["membrane_std"][middle] == 0
    assert spot["membrane_median"][middle] == spot["membrane_mean"][middle] == 1
    assert all(17 <= len(one) <= 27 and (0, 0) in one for one in LINES)
    assert all((-y, -x) in one for one in LINES for y, x in one)
