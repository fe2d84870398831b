"""A network gets used to images of another kind, without labels of them."""

import numpy as np
import pytest
import torch
from tests.training.conftest import scene
from typer.testing import CliRunner

import stroma
from stroma.cli.app import build
from stroma.errors import ParameterError
from stroma.io import write_image
from stroma.targets.classify import Classify
from stroma.targets.distances import Distances
from stroma.targets.restore import Restore
from stroma.targets.semantic import Semantic
from stroma.targets.spots import Spots
from stroma.training.contract import Batch
from stroma.training.learning.adaptation import sureness, unlabelled
from stroma.training.model import Network
from stroma.training.ways.certainty import certainty, together
from stroma.training.ways.mean_teacher import MeanTeacher


def test_a_probability_is_sure_from_nine_in_ten():
    target = Semantic((0, 1))
    front = np.array([[0.05, 0.5, 0.95, 0.85]], np.float32)
    found = certainty(target, np.stack([1 - front, front]), {})
    assert found.taught.known[0].tolist() == [[1, 0, 1, 0]]
    assert found.all == {0: 2, 1: 2}  # a tie is of the first class
    assert found.sure == {0: 1, 1: 1}
    assert found.share == 0.5


def test_nothing_but_background_is_half_sure_at_most():
    empty = certainty(Semantic((0, 1)), np.stack([np.ones((4, 4)), np.zeros((4, 4))]), {})
    assert empty.share == 0.5
    both = np.zeros((2, 4, 4))
    both[0, :2], both[1, 2:] = 1, 1
    assert certainty(Semantic((0, 1)), both, {}).share == 1
    assert together([empty, certainty(Semantic((0, 1)), both, {})]) == 1


def disk(side=40, radius=9):
    y, x = np.mgrid[:side, :side] - side // 2
    return (y**2 + x**2 < radius**2).astype(np.int32)


@pytest.mark.parametrize(
    ("target", "truth"),
    [
        (Distances(), disk()),
        (Spots(2), np.array([[9.0, 9.0], [20.0, 31.0]])),
        (Semantic((0, 1)), disk()),
    ],
    ids=["distances", "spots", "semantic"],
)
def test_what_is_encoded_is_sure_and_what_is_mixed_is_not(target, truth):
    ideal = target.encode(truth, shape=(40, 40)).values
    assert certainty(target, ideal, {}).share == pytest.approx(1)
    blurred = 0.6 * ideal + 0.4 * ideal.mean()
    assert certainty(target, blurred.astype(np.float32), {}).share < 0.8


def test_a_class_of_an_image_is_sure_as_a_whole():
    evidence = np.zeros((2, 4, 4), np.float32)
    assert not certainty(Classify((1, 2)), evidence, {}).taught.known.any()
    evidence[1] = 5
    assert certainty(Classify((1, 2)), evidence, {}).taught.known.all()


def test_networks_that_make_images_are_not_adapted():
    with pytest.raises(ParameterError, match="this one makes images"):
        certainty(Restore(1), np.zeros((1, 4, 4), np.float32), {})


class Front(torch.nn.Module):
    """Says that bright is class 1, by one weight."""

    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(float(weight)))

    def forward(self, images):
        return torch.cat([-self.weight * images, self.weight * images], 1)


def taught(**how):
    return MeanTeacher(Semantic((0, 1)), Front(4.0), options={}, **how)


def shown_by(objective):
    """Return a list that gets what the network is shown."""
    seen = []

    class Seen:
        def step(self, model, batch):
            seen.append(batch)
            return torch.zeros(()), {}

    objective.supervised = Seen()
    return seen


@pytest.mark.parametrize("inverted", [False, True])
def test_the_network_sees_other_intensities_than_its_teacher(inverted):
    objective = taught(inverted=inverted)
    seen = shown_by(objective)
    images = torch.where(torch.arange(8) < 4, -1.0, 1.0).repeat(20, 1, 8, 1)
    nothing = torch.zeros(20, 1, 8, 8)
    objective.step(Front(0.5), Batch(images, nothing.repeat(1, 2, 1, 1), nothing, 0))
    [shown] = seen
    bright = images > 0
    assert (shown.truth[:, 1:] == bright).all()
    assert (shown.images != images).flatten(1).any(1).sum() > 10
    turned = [
        bool(one[b].mean() < one[~b].mean()) for one, b in zip(shown.images, bright, strict=True)
    ]
    assert (4 < sum(turned) < 16) if inverted else not any(turned)


def test_labels_count_where_they_are_and_the_teacher_elsewhere():
    objective, model = taught(), Front(0.5)
    images = torch.ones(2, 1, 8, 8) * torch.where(torch.arange(8) < 4, -1.0, 1.0)
    truth, known = torch.zeros(2, 2, 8, 8), torch.zeros(2, 1, 8, 8)
    truth[0, 0], known[0] = 1, 1  # the first is labelled as background all over
    seen = shown_by(objective)
    assert objective.step(model, Batch(images, truth, known, 0)).logs["sure"] == 1
    assert (seen[0].truth[0] == truth[0]).all()
    assert (seen[0].truth[1, 1] == (images[1, 0] > 0)).all()
    assert seen[0].known[1].all()


def test_the_teacher_follows_the_network_slowly_and_learns_nothing_itself():
    objective, model = taught(decay=0.9), Front(5.0)
    objective.after_step(model)
    assert objective.teacher.weight.item() == pytest.approx(0.9 * 4 + 0.1 * 5)
    assert not any(p.requires_grad for p in objective.parameters())


def test_the_surer_of_two_looks_counts():
    """Of two classes, inverted, the one that is found is another."""

    class Bright(Front):
        def forward(self, images):
            sure = self.weight * images
            return torch.cat([-sure, sure], 1) * torch.where(images.mean() > 0, 1.0, 0.01)

    objective = MeanTeacher(Semantic((0, 1)), Bright(4.0), options={}, inverted=True)
    images = -torch.ones(1, 1, 8, 8)
    assert objective.taught(images)[0].taught.values[1].all()


@pytest.fixture(scope="module")
def dark(scenes):
    """The scenes with dark disks on a bright ground."""
    return [300 - image for image, _ in scenes]


@pytest.mark.parametrize(("unsure", "inverted"), [(1, False), (20, True)])
def test_images_are_inverted_only_where_the_network_is_clearly_surer(
    network, scenes, dark, unsure, inverted
):
    class Unsure(torch.nn.Module):
        """Is unsure of some columns of images with bright disks."""

        halo, stride = None, (1, 1)

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1))

        def forward(self, images):
            found = 9 * self.weight * torch.where(torch.arange(images.shape[-1]) % 2 == 0, -1, 1)
            found = found.expand(images.shape).clone()
            if (images**3).mean() > 0:
                found[..., :unsure] *= 0.01
            return torch.cat([-found, found], 1)

    odd = Network(Unsure(), network.about)
    cases = unlabelled(odd, [scenes[0][0], dark[1]])
    assert sureness(odd, cases, device="cpu").inverted is inverted


def test_dark_disks_are_found_after_bright_ones_without_labels(network, scenes, dark):
    truth = [labels for _, labels in scenes]
    before = network.evaluate(dark, truth)["mean iou"]
    said = []
    made = stroma.adapt(network, dark, steps=40, least=0, rate=5e-3, device="cpu", warn=said.append)
    after = made.evaluate(dark, truth)["mean iou"]
    assert said[0].inverted
    assert after > before + 0.2
    assert made.about.training["adapted"]["sure before"] == said[0].share
    assert network.evaluate(dark, truth)["mean iou"] == before


def test_source_labels_are_learned_from_as_well_and_a_file_says_so(network, scenes, dark, tmp_path):
    for folder in ("new", "old", "labels"):
        (tmp_path / folder).mkdir()
    for i, (image, labels) in enumerate(scenes[:2]):
        write_image(tmp_path / "new" / f"{i}.tif", dark[i], axes="yx")
        write_image(tmp_path / "old" / f"{i}.tif", image, axes="yx")
        write_image(tmp_path / "labels" / f"{i}.tif", labels, axes="yx")
    model = network.save(tmp_path / "disks.safetensors")
    given = ["adapt", str(model), str(tmp_path / "new"), "--least", "0", "--set", "steps=2"]
    given += ["--source", str(tmp_path / "old"), "--source-labels", str(tmp_path / "labels")]
    done = CliRunner().invoke(build(), [*given, "--device", "cpu"], catch_exceptions=False)
    assert "The network is sure of" in done.stderr
    made = stroma.load(tmp_path / "disks_adapted.safetensors")
    assert made.about.training["adapted"]["source"] == ["0.tif", "1.tif"]


def test_a_network_that_is_too_unsure_is_refused_with_advice(network):
    noise = np.random.default_rng(0).normal(100, 5, (64, 64)).astype(np.float32)
    with pytest.raises(ParameterError, match=r"99% is asked for: .* the least share .least=, now"):
        stroma.adapt(network, noise, least=0.99, steps=1)


def test_models_of_strokes_and_labels_without_images_are_refused(network, tmp_path):
    with pytest.raises(ParameterError, match="few strokes"):
        stroma.adapt(stroma.ConvpaintModel("gaussian"), scene()[0])
    with pytest.raises(ParameterError, match="go with source"):
        stroma.adapt(network, scene()[0], source_labels=scene()[1])
