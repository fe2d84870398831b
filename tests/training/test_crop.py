"""Images are cropped to what is not 0 in all channels, for learning and in use, as nnU-Net does."""

import numpy as np
import pytest
import torch
from tests.training.conftest import SMALL, scene

from random_network import random_network
from stroma.data.image import Image
from stroma.data.statistics import measure
from stroma.training.feeding.cases import Case
from stroma.training.feeding.crop import cropped, cropped_cases, filled_box, is_whole
from stroma.training.feeding.data import cases_of
from stroma.training.feeding.normalise import Normalisation
from stroma.training.files.exported import exported
from stroma.training.learning.learner import Learner
from stroma.training.model import Network
from stroma.training.predicting import predict

BOX = (slice(9, 73), slice(21, 85))


def framed(seed):
    """Return a scene in a wide dark frame, with its labels."""
    image, labels = scene(seed)
    there = np.zeros((100, 110), np.float32), np.zeros((100, 110), np.uint8)
    for whole, part in zip(there, (image, labels), strict=True):
        whole[BOX] = part
    return there


@pytest.fixture(scope="module")
def taught():
    images, labels = zip(*(framed(n) for n in range(3)), strict=True)
    return Learner(steps=4, **SMALL).fit(list(images), list(labels))


def test_the_box_holds_every_pixel_that_some_channel_fills():
    values = np.zeros((2, 3, 40, 50), np.uint16)
    values[0, 0, 10, 20] = values[1, 2, 30, 7] = values[0, 1, 4, 9] = 5
    stack = Image(values, "czyx")
    assert filled_box(stack, 3) == (slice(0, 3), slice(4, 31), slice(7, 21))
    assert filled_box(stack, 2) == (slice(4, 31), slice(7, 21))
    assert filled_box(stack.at(z=0), 2) == (slice(4, 31), slice(7, 21))
    assert filled_box(stack.at(c=1), 2) == (slice(30, 31), slice(7, 8))


def test_nothing_is_cropped_of_empty_images_and_of_cuts():
    empty = Image(np.zeros((8, 9)), "yx")
    assert is_whole(filled_box(empty, 2), (8, 9))
    cut = Image(np.eye(9), "yx").at(y=slice(2, 6))
    assert is_whole(filled_box(cut, 2), (4, 9))


def test_a_cropped_plane_has_the_statistics_of_its_cropped_stack():
    rng = np.random.default_rng(0)
    values = np.zeros((3, 20, 30))
    values[:, 5:15, 5:25] = rng.uniform(1, 2, (3, 10, 20))
    plane = cropped(Image(values, "zyx").at(z=1), (slice(5, 15), slice(5, 25)))
    np.testing.assert_array_equal(plane.read(), values[1, 5:15, 5:25])
    assert measure(plane.whole).mean[0] == pytest.approx(values[:, 5:15, 5:25].mean())


def test_a_case_with_a_class_in_its_empty_part_keeps_it():
    image, labels = framed(0)
    odd = labels.copy()
    odd[0, 0] = 1
    cases, share = cropped_cases(cases_of([image, image], [labels, odd]))
    assert [case.shape for case in cases] == [(64, 64), (100, 110)]
    np.testing.assert_array_equal(cases[0].labels, labels[BOX])
    assert share == pytest.approx((1 + 64 * 64 / 11000) / 2)


def test_a_network_sees_and_tells_what_it_would_of_the_crop_alone(taught):
    image, _ = framed(7)
    assert taught.about.crop
    inside = taught.predict_probas(image[BOX])
    whole = taught.predict_probas(image)
    np.testing.assert_allclose(whole[(slice(None), *BOX)], inside, atol=1e-5)
    outside = np.ones(image.shape, bool)
    outside[BOX] = False
    assert (whole[0][outside] == 1).all()
    assert not taught.segment(image)[outside].any()


def test_blocks_and_files_crop_as_the_whole_does(taught, tmp_path, monkeypatch):
    image, _ = framed(8)
    whole = taught.predict_probas(image)
    again = Network.load(taught.save(tmp_path / "n.safetensors"))
    monkeypatch.setitem(predict.SIDE, 2, (32, 16))
    np.testing.assert_allclose(again.predict_probas(image), whole, atol=1e-4)
    np.testing.assert_allclose(again.predict_probas(np.stack([image] * 2))[:, 1], whole, atol=1e-4)
    assert again.fingerprint() == taught.fingerprint()


def test_a_training_that_begins_with_a_network_crops_too(taught):
    image, labels = framed(5)
    task = Learner(steps=1, device="cpu").task(image, labels, base=taught)
    assert task.crop
    assert task.cases[0].shape == (64, 64)


def test_full_images_and_targets_without_background_are_not_cropped(scenes):
    image, labels = scenes[0]
    assert not Learner(**SMALL).task(image, labels).crop
    image, labels = framed(0)
    other = np.where(labels == 1, 2, np.where(image == 0, 3, 1))
    assert not Learner(**SMALL).task(image, other).crop
    points = np.array([[40.0, 40.0], [50.0, 60.0]])
    assert not Learner(target="spots", **SMALL).task(image, points).crop


def test_much_emptiness_is_left_out_of_mean_and_deviation(taught):
    image, _ = framed(3)
    assert taught.about.scale().schemes == ("nonzero",)
    holed = image.copy()
    holed[30:40, 40:60] = 0
    values = Normalisation(("nonzero",))(holed[None], measure(Image(holed, "yx")))[0]
    filled = holed[holed != 0]
    expected = np.where(holed != 0, (holed - filled.mean()) / filled.std(), 0)
    np.testing.assert_allclose(values, expected, atol=1e-4)


def test_a_package_scales_filled_pixels_as_the_network_does():
    network = random_network(ndim=2)
    scale = {"schemes": ["nonzero"]}
    about = type(network.about)(**{**vars(network.about), "normalisation": scale})
    network = Network(network.module, about)
    image = framed(2)[0][:64, :96]
    found = exported(about, network.module)(torch.from_numpy(image)[None, None])[0]
    np.testing.assert_allclose(found.numpy(), network.predict_probas(image), atol=1e-4)


def test_pixels_that_hold_nothing_in_one_channel_only_are_filled():
    values = np.zeros((2, 4, 4), np.float32)
    values[0, 0], values[1, 0, 0] = 3.0, 7.0
    case = Case("c", Image(values, "cyx"), 2, np.zeros((4, 4), np.int32))
    assert case.statistics.filled == 0.25
    scaled = Normalisation(("nonzero", "none"))(values, case.statistics)
    np.testing.assert_array_equal(scaled[1], values[1])
    np.testing.assert_allclose(scaled[0], 0, atol=1e-6)
