"""Measurements of objects have known values, and those of scikit-image where it has them too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.measure import regionprops_table

from stroma.data.image import Image
from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.objects.measure import measure

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

SAME = {
    "area": "area_{u}2",
    "axis_major_length": "axis_major_{u}",
    "axis_minor_length": "axis_minor_{u}",
    "equivalent_diameter_area": "equivalent_diameter_{u}",
    "feret_diameter_max": "feret_max_{u}",
    "perimeter": "perimeter_{u}",
    "perimeter_crofton": "perimeter_crofton_{u}",
    "eccentricity": "eccentricity",
    "solidity": "solidity",
    "extent": "extent",
    "euler_number": "euler_number",
    "centroid-0": "centroid_y_{u}",
    "centroid-1": "centroid_x_{u}",
    "bbox-0": "top",
    "bbox-1": "left",
    "bbox-2": "bottom",
    "bbox-3": "right",
    "intensity_mean": "intensity_mean",
    "intensity_std": "intensity_std",
    "intensity_max": "intensity_max",
    "intensity_min": "intensity_min",
}
"""Names of measures: theirs and ours."""

NOT_STRETCHED = ("perimeter", "perimeter_crofton")
"""They are there for square pixels alone."""


def theirs(labels, image, names, **options):
    """Return scikit-image's table."""
    bases = tuple(dict.fromkeys(n.split("-")[0] for n in names))
    return regionprops_table(labels, image, properties=bases, **options)


def blobs(seed=0, shape=(60, 70)):
    """Return irregular objects with holes, some in several parts, with gaps among their labels."""
    rng = np.random.default_rng(seed)
    rough = ndimage.gaussian_filter(rng.normal(size=shape), 1.2 if len(shape) == 2 else 1.0)
    labels, _ = ndimage.label(rough > 0.12)
    return (labels * 3).astype(np.int32), rng.integers(0, 255, shape).astype(np.uint8)


def of(name: str, unit: str) -> str:
    """Return our name of a measure in a unit."""
    return name.format(u=unit).replace("area_px2", "area_px")


def test_planes_measure_as_scikit_image_does() -> None:
    labels, image = blobs()
    ours, other = measure(labels, image), theirs(labels, image, SAME)
    assert ours["label"].tolist() == np.unique(labels)[1:].tolist()
    for name, own in SAME.items():
        np.testing.assert_allclose(ours[of(own, "px")], other[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spacing", [(0.5, 0.5), (0.3, 0.8)])
def test_physical_units_are_those_of_scikit_image(spacing) -> None:
    labels, image = blobs(1)
    ours = measure(labels, image, spacing=spacing)
    square = spacing[0] == spacing[1]
    names = {k: v for k, v in SAME.items() if square or k not in NOT_STRETCHED}
    other = theirs(labels, image, names, spacing=spacing)
    for name, own in names.items():
        np.testing.assert_allclose(ours[of(own, "um")], other[name], rtol=1e-9, atol=1e-9)
    assert ("perimeter_um" in ours) == square


def test_volumes_measure_as_scikit_image_does() -> None:
    labels, image = blobs(2, (14, 20, 22))
    labels[np.bincount(labels.ravel())[labels] < 30] = 0  # their hulls need solid objects
    spacing = (2.0, 0.5, 0.7)
    ours = measure(labels, image, spacing=spacing)
    names = {
        "area": "volume_um3",
        "axis_major_length": "axis_major_um",
        "axis_minor_length": "axis_minor_um",
        "equivalent_diameter_area": "equivalent_diameter_um",
        "feret_diameter_max": "feret_max_um",
        "solidity": "solidity",
        "extent": "extent",
        "euler_number": "euler_number",
        "centroid-0": "centroid_z_um",
        "bbox-0": "front",
        "bbox-5": "right",
        "intensity_mean": "intensity_mean",
    }
    other = theirs(labels, image, names, spacing=spacing)
    for name, own in names.items():
        np.testing.assert_allclose(ours[own], other[name], rtol=1e-6, atol=1e-6, err_msg=own)


@QUICK
@given(
    hnp.arrays(
        np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2)
    )
)
def test_any_mask_has_the_form_that_scikit_image_finds(labels) -> None:
    names = ("solidity", "feret_diameter_max", "perimeter", "perimeter_crofton", "euler_number")
    if not labels.any():
        return
    other = theirs(labels, None, names)
    ours = measure(labels, groups=("shape", "hull"))
    for name in names:
        np.testing.assert_allclose(ours[of(SAME[name], "px")], other[name], rtol=1e-9, atol=1e-9)


def square() -> np.ndarray:
    """Return a square of 4 x 4, and a pixel two columns to the right of it."""
    labels = np.zeros((10, 12), np.uint16)
    labels[3:7, 2:6] = 5
    labels[4, 8] = 900
    return labels


def test_a_square_has_the_measures_of_a_square() -> None:
    table = measure(square(), spacing=(0.5, 0.5))
    assert table["label"].tolist() == [5, 900]
    assert table["area_px"].tolist() == [16, 1]
    assert table["area_um2"].tolist() == [4, 0.25]
    assert [int(table[n][0]) for n in ("top", "left", "bottom", "right")] == [3, 2, 7, 6]
    assert (table["centroid_y_px"][0], table["centroid_x_um"][0]) == (4.5, 1.75)
    assert table["solidity"][0] == 1
    assert table["eccentricity"][0] == 0
    assert table["feret_min_px"][0] == pytest.approx(4)
    assert table["feret_min_px"][1] > 0
    assert table["nearest_px"][0] == pytest.approx(np.hypot(0.5, 4.5))
    assert table["touches_border"].tolist() == [0, 0]


def test_rings_and_neighbours_reach_as_far_as_they_are_told() -> None:
    image = np.full(square().shape, 10.0)
    image[square() > 0] = 50
    near = measure(square(), image, ring=2)
    far = measure(square(), image, ring=3)
    assert near["neighbours"].tolist() == [0, 0]
    assert far["neighbours"].tolist() == [1, 1]
    assert far["ring_mean"].tolist() == [10, 10]
    assert far["ring_std"].tolist() == [0, 0]
    assert far["contrast"].tolist() == [40, 40]
    alone = measure(np.ones((3, 3), int), np.ones((3, 3)))
    assert np.isnan(alone["ring_mean"][0])
    assert np.isnan(alone["nearest_px"][0])


@pytest.mark.parametrize(
    ("shape", "spacing"), [((60, 70), (0.4, 0.6)), ((12, 24, 26), (1.1, 0.4, 0.5))]
)
def test_rings_are_the_pixels_that_a_distance_transform_says(shape, spacing) -> None:
    labels, image = blobs(3, shape)
    table = measure(labels, image, ring=2.5, spacing=spacing)
    for row, number in enumerate(table["label"][:20]):
        away = ndimage.distance_transform_edt(labels != number, sampling=spacing) / 0.4
        ring = (away <= 2.5 + 1e-9) & (labels == 0)
        others = np.unique(labels[(away <= 2.5 + 1e-9) & (labels != number) & (labels != 0)])
        assert table["neighbours"][row] == len(others)
        if ring.any():
            assert table["ring_mean"][row] == pytest.approx(image[ring].mean())
            assert table["ring_std"][row] == pytest.approx(image[ring].std())


def test_intensities_are_those_of_numpy() -> None:
    labels, image = blobs(4)
    table = measure(labels, np.stack([image, image.T.reshape(image.shape)]), channels=["a", "b"])
    for row, number in enumerate(table["label"]):
        values = image[labels == number]
        assert table["intensity_sum_a"][row] == values.sum()
        assert table["intensity_p25_a"][row] == pytest.approx(np.percentile(values, 25))
        assert table["intensity_p95_a"][row] == pytest.approx(np.percentile(values, 95))
    centres = theirs(labels, image, ["centroid", "centroid_weighted"])
    away = [centres[f"centroid_weighted-{a}"] - centres[f"centroid-{a}"] for a in (0, 1)]
    np.testing.assert_allclose(table["mass_shift_px_a"], np.hypot(*away), atol=1e-9)


def test_a_ball_has_the_surface_of_a_ball() -> None:
    z, y, x = np.ogrid[-12:13, -24:25, -24:25]
    ball = ((2 * z) ** 2 + y**2 + x**2 <= 22**2).astype(np.uint8)
    table = measure(ball, spacing=(2, 1, 1))
    assert table["surface_um2"][0] == pytest.approx(4 * np.pi * 22**2, rel=0.02)
    assert table["volume_um3"][0] == pytest.approx(4 / 3 * np.pi * 22**3, rel=0.02)
    assert table["sphericity"][0] == pytest.approx(1, abs=0.02)
    assert table["axis_major_um"][0] == pytest.approx(44, rel=0.02)
    assert table["feret_max_um"][0] == pytest.approx(46, abs=1.5)


def test_movies_have_frames_and_images_say_their_units() -> None:
    movie = np.stack([square(), np.zeros_like(square()), square()])
    image = Image(movie, "tyx", spacing={"y": 250.0, "x": 250.0}, unit="nm")
    table = measure(image, np.stack([movie, movie], axis=1) * 1.0, probabilities=movie / 900.0)
    assert table["t"].tolist() == [0, 0, 2, 2]
    assert table["label"].tolist() == [5, 900, 5, 900]
    assert table["area_um2"][0] == pytest.approx(1)
    assert table["intensity_mean_1"].tolist() == [5, 900, 5, 900]
    assert table["probability"].tolist() == pytest.approx([5 / 900, 1, 5 / 900, 1])


def test_far_apart_labels_are_measured_under_their_names() -> None:
    labels = square().astype(np.int64) * 10**9
    table = measure(labels)
    assert table["label"].tolist() == [5 * 10**9, 900 * 10**9]
    assert table["area_px"].tolist() == [16, 1]


def test_nothing_to_measure_is_an_empty_table_with_all_columns() -> None:
    empty, full = (measure(a, square() * 1.0) for a in (np.zeros((10, 12), np.uint8), square()))
    assert empty.rows == 0
    assert list(empty) == list(full)


def test_wrong_input_is_told() -> None:
    with pytest.raises(LabelError, match="integers"):
        measure(np.zeros((3, 3)))
    with pytest.raises(ShapeError, match=r"10 \(y\) by 12 \(x\) pixels, the image 3 \(y\)"):
        measure(square(), np.zeros((3, 3)))
    with pytest.raises(ShapeError, match="for each of y, x"):
        measure(square(), spacing=(1, 2, 3))
    with pytest.raises(ParameterError, match="No group of measures"):
        measure(square(), groups=["form"])
    with pytest.raises(KeyError, match="Did you mean 'area_px'"):
        measure(square())["area"]
