"""What is given is checked before anything is learned; the message says what to do."""

import numpy as np
import pytest
from scipy import ndimage
from tests.training.conftest import SMALL, scene

import stroma
from stroma.data.image import Image
from stroma.errors import ImageError, LabelError, MissingFileError, ParameterError, ShapeError
from stroma.io import write_image, write_labels
from stroma.targets.restore import Restore
from stroma.targets.spots import Spots
from stroma.training.feeding.augment import NONE
from stroma.training.feeding.cases import Case
from stroma.training.feeding.data import cases_of, facts_of
from stroma.training.feeding.normalise import Normalisation
from stroma.training.feeding.open import as_colours
from stroma.training.feeding.patches import Patches
from stroma.training.feeding.splits import split
from stroma.training.learning.learner import Learner

IMAGE, LABELS = scene()


def task(images, labels, **how):
    return Learner(**SMALL).task(images, labels, **how)


@pytest.mark.parametrize(
    ("images", "labels", "error", "said"),
    [
        ([], [], ParameterError, "no images"),
        ([IMAGE, IMAGE], [LABELS], ParameterError, "2 images and 1 labels"),
        ([IMAGE], [LABELS[:50]], ShapeError, "image 1: the image has .64, 64. pixels"),
        ([IMAGE], [np.zeros_like(LABELS)], LabelError, "one value only"),
        ([IMAGE], [np.arange(64 * 64).reshape(64, 64)], LabelError, "like objects"),
        ([IMAGE], [LABELS + 0.5], LabelError, "fractions"),
        ([IMAGE], [LABELS.astype(int) - 1], LabelError, "from -1"),
        ([IMAGE, np.stack([IMAGE] * 2)], [LABELS] * 2, ShapeError, "same channels"),
    ],
)
def test_wrong_data_is_refused_with_advice(images, labels, error, said):
    with pytest.raises(error, match=said):
        task(images, labels)


@pytest.mark.parametrize("target", ["distances", "counts", "semantic+rays"])
@pytest.mark.parametrize("as_classes", [False, True])
def test_masks_and_classes_are_not_taken_for_objects(target, as_classes):
    mask = np.zeros((64, 64), np.uint8)
    mask[4:60:20, 4:60:20] = 1
    mask = ndimage.grey_dilation(mask, 7)
    if as_classes:
        mask[:, 32:] *= 2
    with pytest.raises(LabelError, match=r"9 parts.*stroma objects MASK --class 1 .*semantic"):
        Learner(target=target, **SMALL).task([IMAGE] * 2, [mask, np.zeros_like(mask)])


def test_objects_that_a_slip_of_the_brush_left_in_parts_are_taken():
    labels = np.zeros((64, 64), np.uint8)
    labels[10:30, 10:30], labels[40:60, 30:60] = 1, 2
    labels[2, ::4], labels[62, ::4] = 1, 2
    assert Learner(target="distances", **SMALL).task(IMAGE, labels).facts.diameters


def test_everything_ignored_is_told():
    with pytest.raises(LabelError, match="empty"):
        Learner(ignore=(0, 1), **SMALL).task(IMAGE, LABELS)


def test_a_picture_of_labels_is_refused_and_grey_colours_are_taken(tmp_path):
    grey = np.stack([LABELS] * 3)
    path = write_image(tmp_path / "grey.png", grey, axes="cyx", rgb=True)
    assert np.array_equal(cases_of(IMAGE, path)[0].labels, LABELS)
    coloured = np.stack([LABELS * 200, LABELS, LABELS * 90])
    path = write_image(tmp_path / "colours.png", coloured, axes="cyx", rgb=True)
    with pytest.raises(LabelError, match="not a picture"):
        cases_of(IMAGE, path)


@pytest.mark.parametrize(
    ("target", "truth"),
    [
        (Spots(2), {"points": np.array([[8.0, 8.0]])}),
        (Restore(), {"other": Image(IMAGE, "yx")}),
    ],
)
def test_beyond_what_may_be_learned_from_points_and_images_have_no_weight(target, truth):
    """Nor has what is shown, mirrored, beyond the border of an image."""
    area = (slice(0, 64), slice(0, 20))
    case = Case("a", Image(IMAGE, "yx"), 2, allowed=area, **truth)
    how = {"size": (80, 80), "count": 1, "augmentation": NONE}
    _, encoded, _ = Patches([case], target, Normalisation(("zscore",)), **how).patch(0)
    seen = np.argwhere(encoded.known[0] > 0)
    assert (np.ptp(seen, 0) + 1).tolist() == [64, 20]


@pytest.mark.parametrize("place", [0, -1])
def test_channels_are_told_by_the_labels(place):
    colours = np.stack([IMAGE, IMAGE + 1], place)
    [case] = cases_of(colours, LABELS)
    assert case.channels == 2
    assert np.array_equal(case.read(case.area)[1], IMAGE + 1)


def test_a_stack_gives_a_case_per_plane_or_one_volume():
    stack, labels = np.stack([IMAGE] * 3), np.stack([LABELS] * 3)
    assert [c.shape for c in cases_of(stack, labels)] == [(64, 64)] * 3
    assert [c.shape for c in cases_of(stack, labels, ndim=3)] == [(3, 64, 64)]
    with pytest.raises(ShapeError, match="a volume has z"):
        cases_of(IMAGE, LABELS, ndim=3)


def test_what_is_ignored_or_outside_the_region_is_unknown():
    region = np.zeros_like(LABELS)
    region[:32] = 1
    labels = LABELS.copy()
    labels[0, :5] = 9
    [case] = cases_of(IMAGE, labels, ignore=9, regions=[region])
    assert (case.labels[32:] == -1).all()
    assert (case.labels[0, :5] == -1).all()
    assert np.array_equal(case.labels[1:32], LABELS[1:32])
    assert set(facts_of([case], "classes").counts) == {0, 1}


def test_several_labels_of_an_image_are_laid_over_each_other():
    first, second = np.zeros_like(LABELS), np.zeros_like(LABELS)
    first[:10], second[5:20] = 1, 2
    [case] = cases_of(IMAGE, [(first, second)])
    assert case.labels[:, 0].tolist() == [1] * 5 + [2] * 15 + [0] * 44


def test_few_images_are_split_by_region_and_many_by_image():
    learned, kept = split(cases_of([IMAGE], [LABELS]))
    assert learned[0].area == (slice(0, 51), slice(0, 64))
    assert kept[0].area == (slice(51, 64), slice(0, 64))
    assert (learned[0].truth((slice(40, 64), slice(0, 64)))[11:] == -1).all()
    learned, kept = split(cases_of([IMAGE] * 10, [LABELS] * 10))
    assert (len(learned), len(kept)) == (8, 2)


def test_folders_pair_by_name(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b"):
        write_image(tmp_path / "images" / f"{name}.tif", IMAGE, axes="yx")
    write_labels(tmp_path / "labels" / "a.png", LABELS)
    with pytest.raises(MissingFileError, match=r"no labels for b\.tif"):
        stroma.learn(tmp_path / "images", tmp_path / "labels", steps=1)
    write_labels(tmp_path / "labels" / "b_mask.tif", LABELS)
    network = stroma.learn(tmp_path / "images", tmp_path / "labels", steps=1, **SMALL)
    assert network.about.training["images"] == ["a.tif", "b.tif"]


def test_an_image_of_named_axes_needs_no_guess():
    image = Image(np.stack([IMAGE, IMAGE]), "cyx", channels=("CT", "dapi"))
    made = task(image, LABELS)
    assert made.scale.schemes == ("clip", "zscore")
    inside = IMAGE[LABELS > 0]
    assert made.scale.mean[0] == pytest.approx(inside.mean(), rel=1e-4)
    assert made.scale.high[0] == pytest.approx(np.percentile(inside, 99.5), rel=1e-4)


def test_pixels_without_data_are_refused():
    values = np.ones((32, 32), np.float32)
    values[3, 3] = np.nan
    labels = np.ones((32, 32), np.uint8)
    for case in cases_of([Image(values, "yx")], [labels]):
        with pytest.raises(ImageError, match="without data"):
            _ = case.statistics


def test_grey_images_beside_colours_are_given_equal_colours() -> None:
    colours = np.stack([IMAGE, IMAGE / 2, IMAGE / 4], -1)
    grey, rgb = cases_of([IMAGE, colours], [LABELS] * 2)
    box = (slice(3, 9), slice(60, 70))
    assert (grey.channels, rgb.channels) == (3, 3)
    values = grey.read(box)
    assert values.shape == rgb.read(box).shape == (3, 6, 10)
    assert (values == values[:1]).all()
    assert np.array_equal(values[0, :, :4], IMAGE[3:9, 60:64])


@pytest.mark.parametrize("axes", ["yx", "cyx", "tyx", "zyx", "tczyx"])
def test_an_image_as_colours_is_read_as_before_threefold(axes) -> None:
    sides = [{"c": 1, "t": 2, "z": 3, "y": 4, "x": 5}[a] for a in axes]
    array = np.arange(np.prod(sides)).reshape(sides)
    image = as_colours(Image(array, axes))
    assert image.sizes["c"] == 3
    plain = Image(array, axes)
    for box in ({}, {"y": slice(1, 3)}, {"x": slice(0, 2), "y": slice(2, 4)}):
        ours = image.at(c=1).read(box)
        same = (plain.at(c=0) if "c" in axes else plain).read(box)
        assert np.array_equal(ours, same)
    whole = image.read()
    assert whole.shape == image.shape
    assert as_colours(image) is image
