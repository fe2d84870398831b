"""A network of planes on a volume, along three axes."""

from dataclasses import dataclass

import numpy as np
import pytest
from tests.targets.objects import touching

from stroma.data.image import Image
from stroma.errors import ParameterError, ShapeError
from stroma.io import read_image, write_image
from stroma.metrics.instances import instance_scores
from stroma.targets.borders import Borders
from stroma.targets.distances import Distances
from stroma.targets.flows import Flows
from stroma.targets.rays import Rays
from stroma.targets.semantic import Semantic
from stroma.training.predicting.directions import agreed, joined, through
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files
from stroma.workflow.learning.learn import learn


@dataclass(frozen=True)
class Perfect:
    """A network that sees objects by their numbers, plane by plane."""

    target: object
    ndim: int = 2
    decoding_ = {}  # noqa: RUF012

    def predict_probas(self, image):
        planes = image.read().astype(int)
        found = [self.target.encode(p, shape=p.shape).values for p in planes]
        return np.stack(found, 1)


LABELS = touching((36, 40, 44), spacing=14, seed=2)


@pytest.mark.parametrize(
    ("target", "least"),
    [
        (Distances(diameter=16, smallest=4), 0.9),
        (Borders(diameter=16, smallest=4), 0.9),
        (Flows(diameter=16, smallest=4), 0.9),
        (Rays(diameter=16, smallest=4), 0.8),
    ],
)
def test_objects_of_a_volume_come_from_planes_along_three_axes(target, least):
    found = through(Perfect(target), Image(LABELS.astype(np.int32), "zyx"))
    assert instance_scores(found, LABELS)["ap 0.50"] >= least


def test_probabilities_of_classes_are_averaged():
    @dataclass(frozen=True)
    class AlongX(Perfect):
        def predict_probas(self, image):
            planes = image.read()
            front = 0.9 if planes.shape == (8, 6, 7) else 0.2
            return np.stack([np.full(planes.shape, p, np.float32) for p in (1 - front, front)])

    # Two directions say 0.2, one 0.9: the mean is below a half.
    found = through(AlongX(Semantic((0, 1))), Image(np.zeros((6, 7, 8), np.float32), "zyx"))
    assert found.shape == (6, 7, 8)
    assert not found.any()


def test_objects_go_on_from_plane_to_plane_one_as_one():
    planes = np.zeros((4, 6, 20), np.uint32)
    planes[:, 1:5, 1:6] = 1
    planes[1:3, 1:5, 8:14] = 2
    planes[3, 1:5, 8:12], planes[3, 1:5, 12:14] = 3, 2  # Divides: one goes on, the other is new.
    found = joined(iter(planes))
    assert (found[:, 2, 3] == 1).all()
    assert found[1, 2, 9] == found[2, 2, 9] == 2
    assert (found[3, 2, 9], found[3, 2, 12]) == (2, 3)


def test_two_directions_decide_what_is_an_object_and_what_is_one():
    first, second, third = np.zeros((3, 4, 6, 12), np.uint32)
    # The first direction takes two for one, and sees a third alone; the last misses a piece.
    first[:, 1:5, 1:7], first[:, 1:4, 9:11] = 4, 6
    for other in (second, third):
        other[:, 1:5, 1:4], other[:, 1:5, 4:7] = 1, 2
    third[0, 1:5, 4:7] = 0
    found = agreed([first, second, third])
    assert np.unique(found[:, 1:5, 1:4]).tolist() == [1]
    assert np.unique(found[:, 1:5, 4:7]).tolist() == [2]
    assert not found[:, :, 9:11].any()


def test_pieces_smaller_than_an_object_go_to_what_they_touch():
    first, second, third = np.zeros((3, 4, 6, 12), np.uint32)
    first[:, 1:5, 1:7] = 1
    second[:, 1:5, 1:6], second[:, 1:5, 6] = 1, 2
    third[:, 1:5, 1:6], third[:, 1:5, 6] = 1, 2
    assert agreed([first, second, third]).max() == 2
    found = agreed([first, second, third], least=20)
    assert np.unique(found[:, 1:5, 1:7]).tolist() == [1]


def test_what_is_no_volume_or_no_network_of_planes_is_refused():
    plane = Image(np.zeros((8, 8), np.float32), "yx")
    with pytest.raises(ShapeError, match="need a volume"):
        through(Perfect(Distances()), plane)
    with pytest.raises(ParameterError, match="looks along 3 axes"):
        through(Perfect(Distances(), ndim=3), plane)


def test_a_trained_network_segments_a_volume_along_three_axes_in_python_and_in_files(tmp_path):
    planes = [np.kron(np.arange(4) % 2, np.ones((24, 6))) * 100.0] * 2
    network = learn(
        planes,
        [(p > 0).astype(int) for p in planes],
        target="distances",
        steps=2,
        network="unet",
        network_options={"features": [4, 8]},
        patch=[16, 16],
        device="cpu",
    )
    volume = np.random.default_rng(0).normal(50, 20, (10, 12, 14)).astype(np.float32)
    found = network.segment(volume, directions=True, foreground=0.3)
    assert found.shape == volume.shape
    path = write_image(tmp_path / "v.tif", volume, axes="zyx")
    result = segment_files(network, [path], tmp_path, outputs=Outputs(directions=True))
    assert not result.failed
    written = read_image(tmp_path / "v_objects.tif").read()
    assert np.array_equal(written, network.segment(volume, directions=True))
    classes = learn(planes, [(p > 0).astype(int) for p in planes], steps=1, device="cpu")
    with pytest.raises(ParameterError, match="finds labels"):
        segment_files(classes, [path], tmp_path, outputs=Outputs(directions=True))
