"""Images wait for correction, the least sure first; the network learns anew from all of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.random_network import random_network
from tests.training.conftest import SMALL, scene

import stroma
from stroma.errors import FormatError, LabelError, MissingFileError, ParameterError, ShapeError
from stroma.io import read_image, write_image, write_labels
from stroma.targets.restore import Restore
from stroma.workflow.learning.queue import Queue


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A network that learned bright disks for a moment."""
    images, labels = zip(*(scene(n) for n in range(4)), strict=True)
    made = stroma.learn(list(images), list(labels), steps=40, network="unet", **SMALL)
    return made.save(tmp_path_factory.mktemp("base") / "disks.safetensors")


@pytest.fixture
def queue(base, tmp_path):
    """Two images of the kind that the network knows, and one that is nearly nothing but noise."""
    (tmp_path / "images").mkdir()
    for name, seed in (("a", 10), ("b", 11)):
        write_image(tmp_path / "images" / f"{name}.tif", scene(seed)[0], axes="yx")
    image, labels = scene(12)
    faint = (image + np.random.default_rng(0).normal(0, 60, image.shape)).astype(np.float32)
    write_image(tmp_path / "images" / "faint.tif", faint, axes="yx")
    np.save(tmp_path / "faint.npy", labels)
    return Queue.begin(tmp_path / "queue", base=base, images=tmp_path / "images")


def test_the_image_that_the_network_is_least_sure_of_comes_first(queue):
    assert queue.waiting[0].name == "faint.tif"
    assert len(queue.waiting) == 3
    shares = [queue.sure[str(p)] for p in queue.waiting]
    assert shares == sorted(shares)


def test_training_begins_with_the_base_on_all_that_was_accepted(queue, tmp_path):
    labels = np.load(tmp_path / "faint.npy")
    first = queue.accept(queue.waiting[0], labels)
    assert [p.name for p in first.waiting] != [p.name for p in queue.waiting]
    other = first.waiting[0]
    once = first.retrained(steps=2)
    twice = once.accept(other, once.proposed(other)).retrained(steps=2)
    said = twice.network().about.training
    assert said["images"] == ["faint.tif", other.name]
    assert len(twice.waiting) == 1
    # The same training by hand, from the base: nothing of the round before is in it.
    images = [read_image(p) for p in twice.accepted]
    known = [read_image(twice.folder / p).read() for p in twice.accepted.values()]
    alike = stroma.learn(images, known, base=queue.base, steps=2)
    assert alike.fingerprint() == twice.network().fingerprint()
    assert twice.network().fingerprint() != once.network().fingerprint()


def test_a_queue_is_as_it_was_left(queue, tmp_path):
    left = queue.accept(queue.waiting[0], np.load(tmp_path / "faint.npy"))
    assert Queue.open(tmp_path / "queue") == left
    said = json.loads((tmp_path / "queue" / "queue.json").read_text())
    assert list(said["accepted"].values()) == ["labels/0002.tif"]


@pytest.fixture
def untrained(tmp_path):
    """Return what begins a queue of one image for a network of a target, by chance."""
    image = write_image(tmp_path / "c.tif", scene(3)[0], axes="yx")

    def begun(target):
        model = random_network(target=target).save(tmp_path / f"{target}.safetensors")
        return Queue.begin(tmp_path / target, base=model, images=[image])

    return begun


def test_what_does_not_fit_an_image_is_refused_when_it_is_accepted(untrained, tmp_path):
    queue = untrained("semantic")
    (image,) = queue.waiting
    shape = read_image(image).shape
    small = write_labels(tmp_path / "small.tif", np.ones((5, 6), np.uint8), axes="yx")
    text = tmp_path / "labels.txt"
    text.write_text("1 2 3")
    for labels, error in (
        (small, ShapeError),
        (text, FormatError),
        (np.ones(shape), ParameterError),
    ):
        with pytest.raises(error):
            queue.accept(image, labels)
    assert Queue.open(queue.folder).waiting == (image,)
    right = np.eye(*shape, dtype=np.uint8)
    np.save(tmp_path / "right.npy", right)
    done = queue.accept(image, tmp_path / "right.npy")
    (path,) = done.accepted.values()
    assert (read_image(done.folder / path).read() == right).all()


def test_points_are_accepted_as_a_table_with_columns_of_places(untrained, tmp_path):
    queue = untrained("spots")
    (image,) = queue.waiting
    table = tmp_path / "points.csv"
    table.write_text("row,column\n1,2\n")
    with pytest.raises(LabelError, match="points have the columns y, x"):
        queue.accept(image, table)
    with pytest.raises(ParameterError, match="as a CSV file"):
        queue.accept(image, [[1.0, 2.0]])
    table.write_text("y,x\n1,2\n")
    done = queue.accept(image, table)
    assert (done.folder / done.accepted[str(image)]).read_text() == table.read_text()


def test_a_program_that_is_ended_while_images_are_put_in_order_keeps_the_training(
    queue, tmp_path, monkeypatch
):
    def ended(*given):
        raise KeyboardInterrupt

    accepted = queue.accept(queue.waiting[0], np.load(tmp_path / "faint.npy"))
    monkeypatch.setattr("stroma.workflow.learning.queue.how_sure", ended)
    with pytest.raises(KeyboardInterrupt):
        accepted.retrained(steps=1)
    left = Queue.open(tmp_path / "queue")
    assert (left.rounds, Path(left.model).name) == (1, "round_1.safetensors")
    assert left.waiting == accepted.waiting


def test_what_cannot_be_meant_is_refused_with_advice(queue, base, tmp_path):
    with pytest.raises(ParameterError, match="has a queue already"):
        Queue.begin(tmp_path / "queue", base=base, images=tmp_path / "images")
    with pytest.raises(ParameterError, match=r"is not in this queue; it has a\.tif"):
        queue.accept("other.tif", np.zeros((2, 2)))
    with pytest.raises(ParameterError, match="nothing to learn from"):
        queue.retrained(steps=1)
    with pytest.raises(MissingFileError, match="There is no queue"):
        Queue.open(tmp_path / "nothing")
    (tmp_path / "queue" / "queue.json").write_text("{")
    with pytest.raises(FormatError, match="is damaged"):
        Queue.open(tmp_path / "queue")


def test_a_training_that_begins_with_a_network_learns_what_that_has_learned(base):
    image, labels = scene(20)
    begun = stroma.load(base)
    before = begun.evaluate(image, labels)["mean iou"]
    made = stroma.learn(image, labels, base=begun, steps=1, rate=1e-6)
    assert made.about.params == begun.about.params
    assert made.evaluate(image, labels)["mean iou"] == pytest.approx(before, abs=0.05)
    with pytest.raises(ParameterError, match="whose target is 'semantic', and 'distances'"):
        stroma.learn(image, labels, base=begun, target="distances", steps=1)
    with pytest.raises(ParameterError, match="patch is decided by the network"):
        stroma.learn(image, labels, base=begun, patch=[16, 16], steps=1)
    with pytest.raises(LabelError, match="The labels have 7"):
        stroma.learn(image, labels * 7, base=begun, steps=1)
    with pytest.raises(ParameterError, match="begins with a trained network"):
        stroma.learn(image, labels, base=Restore(1), steps=1)
