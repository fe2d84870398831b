"""Other ways to learn than from labels of every image: all through the same loop."""

import numpy as np
import pytest
import torch
from tests.training.conftest import scene
from torch import nn

from stroma.errors import LabelError, ParameterError
from stroma.networks.recurrent import Recurrent
from stroma.targets.semantic import Semantic
from stroma.training import OBJECTIVES
from stroma.training.contract import Batch, Objective
from stroma.training.learning.learner import Learner
from stroma.training.ways.objectives import NextFrames, Sequence, Supervised


def test_registered_objectives_keep_the_protocol():
    for name in ("supervised", "ladder", "sequence"):
        assert isinstance(OBJECTIVES[name](Semantic((0, 1))), Objective)


def test_coarser_resolutions_weigh_half():
    class Two(nn.Module):
        def forward(self, x):
            return [torch.zeros(1, 2, 8, 8), torch.ones(1, 2, 4, 4) * torch.tensor([9.0, 0, 0, 0])]

    target = Semantic((0, 1), loss_name="cross_entropy")
    truth = torch.zeros(1, 2, 8, 8)
    truth[:, 0] = 1
    batch = Batch(torch.zeros(1, 1, 8, 8), truth, torch.ones(1, 1, 8, 8), 0)
    loss, _ = Supervised(target).step(Two(), batch)
    assert float(loss) == pytest.approx(np.log(2))


def test_images_without_labels_need_a_ladder():
    image, labels = scene()
    with pytest.raises(LabelError, match="network='ladder'"):
        Learner().task([image, image], [labels, None])
    with pytest.raises(ParameterError, match="trains ladder networks"):
        Learner(steps=1, objective="ladder", device="cpu", patch=[32, 32]).fit(image, labels)


def test_a_ladder_learns_from_few_labels_and_many_images():
    scenes = [scene(n) for n in range(6)]
    images = [image for image, _ in scenes]
    labels = [scenes[0][1], scenes[1][1], None, None, None]
    learner = Learner(
        steps=40,
        network="ladder",
        network_options={"features": [8, 8], "weights": [1, 0.1, 0.1, 0.1]},
        objective="ladder",
        patch=[32, 32],
        rate=1e-2,
        device="cpu",
    )
    network = learner.fit(images[:5], labels)
    assert network.evaluate(images[5], scenes[5][1])["mean iou"] > 0.7
    assert network.module.halo == (3, 3)


def test_a_sequence_is_learned_back_through_time():
    """Only the last frame is known, and its loss reaches the first."""
    torch.manual_seed(0)
    frames = torch.rand(2, 4, 1, 8, 8, requires_grad=True)
    truth, known = torch.zeros(2, 4, 2, 8, 8), torch.zeros(2, 4, 1, 8, 8)
    truth[:, :, 1], known[:, -1] = 1, 1
    model = Recurrent(1, 2, features=(4, 8), norm="none")
    target = Semantic((0, 1), loss_name="cross_entropy")
    loss, _ = Sequence(target).step(model, Batch(frames, truth, known, 0))
    loss.backward()
    assert bool((frames.grad[:, 0] != 0).any())


class Repeats(nn.Module):
    """Says that the next frame is the last one, and counts the frames it was given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def forward(self, frames, state=None):
        self.given.append(frames.shape[1])
        return frames, state


@pytest.mark.parametrize(("ahead", "given"), [(1, [4]), (3, [2, 1, 1])])
def test_next_frames_are_compared_with_those_that_come(ahead, given):
    frames = torch.arange(5.0).reshape(1, 5, 1, 1, 1).expand(2, 5, 1, 4, 4)
    model = Repeats()
    loss, _ = NextFrames(ahead).step(model, Batch(frames, None, None, 0))
    assert model.given == given
    # Frames grow by 1: repeated, the k-th that is predicted from predictions is k too small.
    away = torch.tensor([1.0] * (4 - ahead) + [1.0 + k for k in range(ahead)])
    assert float(loss) == pytest.approx(float(away.mean() + away.square().mean()))
