import numpy as np
import pytest

from stroma.training.strokes.episodes import episode
from stroma.training.strokes.imaging import looks
from stroma.training.strokes.painting import LEAST_PER_CLASS, MOST_SHARE
from stroma.training.strokes.scenes import SCENES, scene


def same(a, b):
    return all(np.array_equal(getattr(a, k), getattr(b, k)) for k in ("image", "labels", "strokes"))


def test_an_episode_is_made_from_its_number_alone():
    first = episode(0, 5)
    episode(0, 6)
    assert same(first, episode(0, 5))
    assert not same(first, episode(0, 6))
    assert not same(first, episode(1, 5))


@pytest.mark.parametrize("kind", SCENES)
def test_every_kind_of_scene_gives_two_to_six_classes_each_with_strokes(kind):
    for number in range(6):
        made = episode(3, number, side=64, kind=kind)
        classes = np.unique(made.labels)
        assert 2 <= len(classes) <= 6
        np.testing.assert_array_equal(classes, np.arange(len(classes)))
        painted = made.strokes >= 0
        np.testing.assert_array_equal(np.unique(made.strokes[painted]), classes)
        most = MOST_SHARE * painted.size + LEAST_PER_CLASS * len(classes)
        assert painted.sum() <= most + 1
        assert made.image.dtype == np.float32
        assert np.isfinite(made.image).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_have_the_channels_asked_for_and_differ_in_contrast(channels):
    means, deviations = [], []
    for number in range(8):
        image = episode(0, number, side=64, channels=channels).image
        assert image.shape == (channels, 64, 64)
        means += list(image.mean((1, 2)))
        deviations += list(image[image.std((1, 2)) > 0].std((1, 2)))
    assert np.abs(means).max() < 2
    assert 0.1 < np.min(deviations) < 0.5 < np.max(deviations) < 2.1


def test_most_strokes_are_right_and_some_people_are_sloppy():
    right = []
    for number in range(40):
        made = episode(7, number, side=64)
        painted = made.strokes >= 0
        right.append((made.strokes == made.labels)[painted].mean())
    assert np.mean(np.array(right) == 1) > 0.5
    assert np.min(right) < 1
    assert np.mean(right) > 0.9


def test_classes_are_told_apart_by_brightness_in_some_episodes_and_by_texture_in_others():
    """Classes may share their mean; then deviations or neighbourhoods differ."""
    gaps = []
    for number in range(40):
        made = episode(11, number, side=64, channels=1)
        image, first = made.image[0], made.labels == 0
        gaps.append(abs(image[first].mean() - image[~first].mean()) / image.std())
    assert np.mean(np.array(gaps) > 0.6) > 0.1
    assert np.mean(np.array(gaps) < 0.3) > 0.1


def test_things_of_one_class_look_alike_in_most_images_and_not_in_all():
    rng = np.random.default_rng(0)
    surplus = []
    for _ in range(30):
        made = scene(rng, 64, "built")
        found = looks(rng, made)
        classes = [np.unique(made.labels[found == look]) for look in np.unique(found)]
        assert all(len(each) == 1 for each in classes)
        surplus.append(len(classes) > made.labels.max() + 1)
    assert 0 < np.mean(surplus) < 0.5


def test_objects_of_one_class_are_several_parts():
    rng = np.random.default_rng(0)
    made = [scene(rng, 96, "objects") for _ in range(8)]
    assert np.median([len(np.unique(s.parts)) for s in made]) > 3
