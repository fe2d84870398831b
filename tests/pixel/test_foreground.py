"""What stands out: groups, which of them are the foreground, and boxes."""

from __future__ import annotations

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.blocks.box import Box
from stroma.errors import ImageError
from stroma.features.build import extractor
from stroma.features.centred import Centred
from stroma.pixel.door import open_image
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.showing.boxes import Object, objects_in, overlap
from stroma.pixel.training.foreground import (
    attention,
    inwards,
    joined,
    spread,
    standardised,
    unit,
)


def scene(rng: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return an image of a bright disk on a dark ground, and where the disk is."""
    rows, columns = np.indices((64, 80))
    disk = np.hypot(rows - 30, columns - 44) < 14
    noise = np.random.default_rng(rng).normal(0, 5, disk.shape)
    return (40 + 120 * disk + noise).astype(np.float32), disk


def blobs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows around four directions, the direction of each, and how much it stands out."""
    random = np.random.default_rng(0)
    centres = np.array([[1, 0, 0], [0.97, 0.24, 0], [0, 0, 1], [0, 0.24, 0.97]])
    truth = np.repeat(np.arange(4), 150)
    rows = (centres[truth] + random.normal(0, 0.02, (600, 3))) * random.uniform(1, 9, (600, 1))
    return rows.astype(np.float32), truth, np.where(truth < 2, 1.0, 0.0)


def test_groups_are_joined_that_are_nearer_than_front_and_back() -> None:
    X, truth, out = blobs()
    labels, front = joined(unit(X), out)
    assert front == (1,)
    np.testing.assert_array_equal(labels, np.where(truth < 2, 1, 2))


def test_what_stands_out_is_told_by_the_measure_not_by_the_features() -> None:
    X, truth, out = blobs()
    labels, front = joined(unit(X), 1 - out)
    assert front == (1,)
    np.testing.assert_array_equal(labels, np.where(truth < 2, 2, 1))


def test_features_of_many_units_count_alike() -> None:
    X = np.random.default_rng(0).normal(7, (0.1, 50), (400, 2)).astype(np.float32)
    made = standardised(np.column_stack([X, np.ones(400, np.float32)]))
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(made.std(axis=0), (1, 1, 0), atol=1e-3)


def test_where_nothing_stands_out_that_is_said() -> None:
    X, _, _ = blobs()
    with pytest.raises(ImageError, match="Nothing stands out"):
        joined(unit(X), np.ones(len(X)))


def test_a_group_with_its_share_of_the_border_is_at_zero() -> None:
    source = open_image(np.zeros((64, 64), np.uint8), "single")
    points = spread(source, count=10**6, random=np.random.default_rng(0))
    assert len(points.label) == 64 * 64
    value = inwards(points, source)
    rim = (points.yx < 4).any(axis=1) | (points.yx >= 60).any(axis=1)
    assert value.mean() == pytest.approx(0)
    assert (value[rim] < 0).all()
    assert (value[~rim] > 0).all()


def test_a_disk_is_told_from_its_ground() -> None:
    image, disk = scene()
    model = ConvpaintModel("gaussian")
    front = model.separate(image, samples=3000)
    found = np.isin(model.segment(image), front)
    assert (found & disk).sum() / (found | disk).sum() > 0.8
    names = {c.label: c.name for c in model.classes}
    assert all(names[k].startswith("object") == (k in front) for k in names)


def test_groups_are_the_same_in_all_images() -> None:
    (first, disk), (second, _) = scene(0), scene(1)
    model = ConvpaintModel("gaussian")
    front = model.separate([first, second[::-1]], samples=3000)
    for image, truth in ((first, disk), (second[::-1], disk[::-1])):
        found = np.isin(model.segment(image), front)
        assert (found & truth).sum() > 0.95 * truth.sum()
        assert found.sum() < 2 * truth.sum()  # what is blurred at its edge may stand out, too


def test_transformers_are_found_within_other_extractors() -> None:
    pytest.importorskip("transformers")
    model = ConvpaintModel(fe_name="ilastik_2d+both:dinov2_vits14_reg")
    made = attention(Recipe.of(model.get_params()))
    assert made is not None
    names = made.pipeline.parts[0].extractor.names(["image"])
    assert names == [f"attention:dinov2_vits14_reg.{i}" for i in range(6)]
    assert isinstance(extractor("centred:dino_vits8"), Centred)
    assert attention(Recipe.of(ConvpaintModel("gaussian").get_params())) is None


def segments() -> np.ndarray:
    """Return groups: 1 is a square of 20 pixels a side, with a strip of group 2 at its side."""
    made = np.full((40, 60), 3, np.uint8)
    made[5:25, 10:30], made[5:25, 30:36], made[30:35, 50:55] = 1, 2, 1
    return made


def test_the_largest_part_comes_first_and_boxes_like_it_are_left_out() -> None:
    found = objects_in(segments(), (1, 2), least=20)
    assert found[0] == Object(Box(5, 10, 25, 36), 0, 520)
    assert found[1:] == [
        Object(Box(5, 10, 25, 30), 1, 400),
        Object(Box(5, 30, 25, 36), 2, 120),
        Object(Box(30, 50, 35, 55), 1, 25),
    ]
    alone = objects_in(np.where(segments() == 2, 3, segments()), (1,), least=20)
    assert [one.group for one in alone] == [0, 1]  # the square itself is the largest part
    assert alone[1].area == 25


def test_small_parts_and_empty_foregrounds_have_no_boxes() -> None:
    assert len(objects_in(segments(), (1, 2), least=121)) == 2
    assert objects_in(segments(), ()) == []


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(Box(0, 0, 4, 4), Box(0, 2, 4, 6)) == pytest.approx(8 / 24)
    assert overlap(Box(0, 0, 4, 4), Box(4, 4, 6, 6)) == 0
