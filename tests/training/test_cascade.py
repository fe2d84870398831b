"""A coarse network says where things are, and a finer one is shown that: nnU-Net's cascade."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.conftest import scene

from stroma.errors import Cancelled, FormatError, ParameterError
from stroma.training.files.exported import exported
from stroma.training.learning.cascade import DONE
from stroma.training.learning.learner import Learner
from stroma.training.model import Network
from stroma.training.predicting import predict
from stroma.training.predicting.guide import Guide
from stroma.training.predicting.members import Cascade

OPTIONS = {
    "ndim": 3,
    "cascade": True,
    "memory_gb": 0.0015,
    "network": "unet",
    "network_options": {"features": [2, 4]},
    "steps": 2,
    "rate": 1e-2,
    "device": "cpu",
}


def volume(seed=0):
    """Return a volume of bright balls, and where they are."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:12, :28, :30]
    labels = np.zeros(z.shape, np.uint8)
    for number in (1, 2, 1, 2):
        at, r = rng.uniform(4, (8, 24, 26)), rng.uniform(3, 5)
        labels[(z - at[0]) ** 2 + (y - at[1]) ** 2 + (x - at[2]) ** 2 < r**2] = number
    return (labels * 40.0 + rng.normal(100, 10, labels.shape)).astype(np.float32), labels


@pytest.fixture(scope="module")
def pair():
    return volume()


@pytest.fixture(scope="module")
def cascade(pair):
    return Learner(**OPTIONS).fit(*pair)


@pytest.fixture(scope="module")
def drawn(cascade):
    """Return the cascade with weights that make something of what is shown to it."""
    module = copy.deepcopy(cascade.module)
    drawing = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weights in module.parameters():
            weights.normal_(0, 0.5, generator=drawing)
    return Network(module, cascade.about)


def test_the_second_network_sees_the_image_and_what_the_first_says(cascade, pair):
    first, second = cascade.module.first, cascade.module.second
    assert isinstance(cascade.module, Cascade)
    assert len(first) == 2
    inputs = [next(one.parameters()).shape[1] for one in (first[0], second)]
    assert inputs == [1, 3]
    assert all(n > 1.05 for n in cascade.about.times)
    found = cascade.predict_probas(pair[0])
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
    assert cascade.segment(pair[0]).shape == pair[0].shape


def test_what_the_first_says_matters(drawn, pair, monkeypatch):
    before = drawn.predict_probas(pair[0])
    monkeypatch.setattr(Guide, "encoded", lambda self, numbers: np.ones((2, *numbers.shape), "f4"))
    assert np.abs(drawn.predict_probas(pair[0]) - before).max() > 0.01


def test_blocks_files_and_workers_say_what_the_whole_does(drawn, pair, tmp_path, monkeypatch):
    whole = drawn.predict_probas(pair[0])
    again = Network.load(drawn.save(tmp_path / "c.safetensors"))
    assert again.fingerprint() == drawn.fingerprint()
    monkeypatch.setitem(predict.SIDE, 3, (8, 16, 16))
    series = np.stack([pair[0], pair[0][::-1]])
    found = again.predict_probas(series[:, None])
    np.testing.assert_allclose(found[:, 0], whole, atol=1e-4)
    assert np.abs(found[:, 1] - whole).max() > 0.01


def test_a_training_that_was_cut_off_keeps_the_first_network(cascade, pair, tmp_path):
    seen = []

    def cancel():
        seen.append((tmp_path / DONE).exists())
        return seen[-1]

    with pytest.raises(Cancelled):
        Learner(**OPTIONS).fit(*pair, folder=tmp_path, cancel=cancel)
    assert seen == [False] * 4 + [True]
    told = []
    again = Learner(**OPTIONS).fit(*pair, folder=tmp_path, tell=told.append)
    assert [one.step for one in told] == [1, 2]
    assert not (tmp_path / DONE).exists()
    assert again.fingerprint() == cascade.fingerprint()


def test_a_first_network_of_other_settings_is_not_taken(cascade, pair, tmp_path):
    about = cascade.about.coarse()
    training = {**about.training, "identity": "another"}
    Network(cascade.module.first, replace(about, training=training)).save(tmp_path / DONE)
    with pytest.raises(FormatError, match="another training"):
        Learner(**OPTIONS).fit(*pair, folder=tmp_path)


def test_it_learns_from_what_networks_say_of_parts_that_they_did_not_see(pair, monkeypatch):
    from stroma.training.learning import cascade as module

    kept = []
    plain = module._said

    def said(task, first):
        found = plain(task, first)
        kept.append((task, found))
        return found

    monkeypatch.setattr(module, "_said", said)
    Learner(**OPTIONS).fit(*pair)
    [(task, [classes])] = kept
    assert classes.shape == task.cases[0].shape
    assert task.options.folds == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"memory_gb": 2.0}, "a quarter"),
        ({"network": "vit", "network_options": {}, "ndim": 3}, "planned networks"),
        ({"target": "rays"}, "for classes in volumes"),
    ],
)
def test_what_is_no_cascade_is_refused_before_the_first_step(pair, change, message):
    with pytest.raises(ParameterError, match=message):
        Learner(**{**OPTIONS, **change}).fit(*pair)


def test_a_first_network_without_end_is_refused_before_it_is_built(cascade, tmp_path):
    first = {**cascade.about.first, "target": "rays", "target_params": {"rays": 10**8}}
    Network(cascade.module, replace(cascade.about, first=first)).save(tmp_path / "c.safetensors")
    with pytest.raises(FormatError, match="larger than"):
        Network.load(tmp_path / "c.safetensors")


def test_planes_have_no_cascade(scenes):
    with pytest.raises(ParameterError, match="for classes in volumes"):
        Learner(**{**OPTIONS, "ndim": 2}).fit(*scene(0))


def test_a_cascade_is_not_gone_on_with_and_not_packed(cascade, pair):
    with pytest.raises(ParameterError, match="cascade of two networks"):
        Learner(steps=1, device="cpu").fit(*pair, base=cascade)
    with pytest.raises(ParameterError, match="cascade of two"):
        exported(cascade.about, cascade.module)


def test_classes_on_coarse_pixels_are_read_on_fine_ones():
    coarse = np.zeros((2, 3, 4), np.uint8)
    coarse[1, :, 2:] = 2
    guide = Guide(coarse, 3, (False, False, False))
    box = tuple(slice(0, 2 * n) for n in coarse.shape)
    fine = guide.numbers(box, (4, 6, 8))
    np.testing.assert_array_equal(fine, coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    part = (slice(-2, 3), slice(1, 4), slice(5, 8))
    mirrored = np.pad(fine, ((2, 0), (0, 0), (0, 0)), "reflect")
    np.testing.assert_array_equal(guide.numbers(part, (4, 6, 8)), mirrored[0:5, 1:4, 5:8])
    encoded = guide.read(box, (4, 6, 8))
    np.testing.assert_array_equal(encoded[1], fine == 2)
    assert not encoded[0].any()


def test_what_is_shown_in_training_is_worse_in_many_ways():
    numbers = np.zeros((1, 40, 40), np.uint8)
    numbers[:, 5:15, 5:15] = numbers[:, 25:33, 25:33] = 1
    guide = Guide(numbers, 2, (False,) * 3)
    plain = guide.encoded(numbers)[0]
    found = [guide.varied(numbers, np.random.default_rng(n))[0] for n in range(40)]
    sums = np.array([one.sum() for one in found])
    assert (sums > plain.sum()).any()
    assert (sums < plain.sum()).any()
    assert any(np.array_equal(one, plain) for one in found)
    lost = [one for one in found if np.array_equal(one[:, :20], plain[:, :20])]
    assert any(not one[:, 20:].any() for one in lost)
