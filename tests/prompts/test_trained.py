"""A network that learned to answer prompts, from its file to clicks and to all objects."""

import numpy as np
import pytest
import tifffile
import torch
from tests.networks.test_sam import TINY

from stroma.cli.app import main
from stroma.errors import FormatError, ImageError, ParameterError, ShapeError
from stroma.prompts import build
from stroma.testing import check_prompted
from stroma.training.learning.learner import Learner
from stroma.training.model import Network
from stroma.workflow.prompting.everything import find_everything
from stroma.workflow.prompting.trained_engine import Trained, expected


def scene(seed=0, side=128):
    rng = np.random.default_rng(seed)
    y, x = np.indices((side, side))
    labels = np.zeros((side, side), np.int32)
    for number in range(1, 5):
        cy, cx = rng.uniform(20, side - 20, 2)
        labels[(y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(60, 200)] = number
    image = 60.0 * (labels > 0) + rng.normal(100, 10, labels.shape)
    return image.astype(np.float32), labels


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return the file of a network that learned for two steps."""
    images, labels = zip(*[scene(n) for n in range(3)], strict=True)
    network = Learner(
        target="distances",
        network="sam",
        network_options=TINY,
        objective="prompting",
        objective_options={"objects": 3, "rounds": 2},
        steps=2,
        batch=2,
        device="cpu",
    ).fit(list(images), list(labels))
    return network.save(tmp_path_factory.mktemp("trained") / "trained.safetensors")


@pytest.fixture
def engine(file):
    return Trained(weights=file, device="cpu")


def test_it_keeps_the_contract(file):
    check_prompted(lambda: Trained(weights=file, device="cpu"))


def test_it_is_found_by_name_and_in_a_folder_of_weights(file, monkeypatch):
    assert build.engine("trained", weights=file).key == Trained(weights=file.parent).key
    monkeypatch.setenv("STROMA_WEIGHTS", str(file.parent))
    assert Trained().key.startswith("trained 1 ")
    monkeypatch.delenv("STROMA_WEIGHTS")
    with pytest.raises(ParameterError, match="a network of your own"):
        Trained().set_image(scene()[0][None])


def test_what_is_drawn_is_what_the_network_predicts(engine, file):
    """Of an image as large as its patches, scaled as those that it learned from."""
    image, _ = scene(7, 256)
    engine.set_image(image[None])
    drawn = engine.distances()
    known = Network.load(file).predict_probas(image)
    np.testing.assert_allclose(drawn, known, atol=1e-4)


def test_large_images_are_drawn_part_by_part(engine):
    image, _ = scene(3, 500)
    engine.set_image(image[None])
    drawn = engine.distances()
    assert drawn.shape == (3, 500, 500)
    assert np.isfinite(drawn).all()
    image_of = engine._known()
    first = image_of.windows[1]
    assert first.slices == (slice(0, 256), slice(0, 256))
    maps = torch.from_numpy(engine._levels(image_of, 1)[0])[None]
    with torch.inference_mode():
        alone = engine._whole().drawn(maps, (256, 256)).sigmoid()[0].numpy()
    free = min(w.low[1] for w in image_of.windows[2:] if w.low[1])  # what no other part sees
    np.testing.assert_allclose(drawn[:, :free, :free], alone[:, :free, :free], atol=1e-6)
    assert not np.allclose(drawn[:, :256, :256], alone)
    assert engine.decoded().shape == (500, 500)


def test_masks_are_scored_by_what_the_network_expects_of_them():
    sure = torch.tensor([[9.0, 9.0], [-9.0, -9.0]])
    unsure = torch.tensor([[0.1, 9.0], [-0.1, -9.0]])
    nothing = torch.full((2, 2), -9.0)
    scores = expected(torch.stack([sure, unsure, nothing])[None, None])[0, 0].tolist()
    assert scores[0] > 0.99
    assert scores[1] == pytest.approx((0.525 + 1) / (2 + 0.475), abs=0.01)
    assert scores[2] == pytest.approx(0, abs=0.01)


def test_borders_lie_on_pixels_though_answers_are_coarse(engine, monkeypatch):
    """The network says where cells of 4 pixels are; the disc lies across them."""
    y, x = np.indices((128, 128))
    disc = (y - 61) ** 2 + (x - 66) ** 2 < 15**2
    image = np.where(disc, 200, 100).astype(np.float32)
    coarse = (y // 4 * 4 + 2 - 61) ** 2 + (x // 4 * 4 + 2 - 66) ** 2 < 15**2
    answer = np.where(coarse, 5, -5).astype(np.float32)[None], np.ones(1, np.float32)
    monkeypatch.setattr(Trained, "asked", lambda *args: answer)
    engine.set_image(image[None])
    [found], _ = engine.predict(points=[[61, 66]])
    assert (coarse != disc).sum() > 40
    assert (found != disc).sum() <= 4


def test_other_images_and_files_are_refused(engine, tmp_path, scenes_of_classes):
    with pytest.raises(ShapeError, match="planes"):
        engine.set_image(np.zeros((1, 4, 40, 40)))
    with pytest.raises(ImageError, match="NaN"):
        engine.set_image(np.full((1, 40, 40), np.nan))
    with pytest.raises(FormatError, match="answers no prompts"):
        Trained(weights=scenes_of_classes).set_image(np.zeros((1, 40, 40)))
    grey = scene(5)[0]
    engine.set_image(np.stack([grey] * 3), rgb=True)
    colours = engine.predict(points=[[64, 64]])[0]
    engine.set_image(grey[None])
    np.testing.assert_array_equal(colours, engine.predict(points=[[64, 64]])[0])


@pytest.fixture
def scenes_of_classes(tmp_path):
    image, labels = scene()
    learner = Learner(
        steps=1, network_options={"features": [4, 4]}, patch=[32, 32], batch=1, device="cpu"
    )
    return learner.fit([image], [(labels > 0).astype(int)]).save(tmp_path / "classes.safetensors")


def test_it_is_learned_and_used_from_the_command_line(tmp_path):
    for n in range(3):
        image, labels = scene(n)
        for folder, values in (("images", image), ("masks", labels.astype(np.uint16))):
            (tmp_path / folder).mkdir(exist_ok=True)
            tifffile.imwrite(tmp_path / folder / f"{n}.tif", values)
    model, out = tmp_path / "own.safetensors", tmp_path / "objects.tif"
    size = ",".join(f"{k}: {v}" for k, v in TINY.items())
    learned = ["learn", str(tmp_path / "images"), str(tmp_path / "masks"), "--model", str(model)]
    how = ["target=distances", "network=sam", "objective=prompting", "steps=1", "batch=1"]
    how += [f"network_options={{{size}}}", "objective_options={objects: 2, rounds: 1}"]
    run([*learned, *(part for one in how for part in ("--set", one))])
    image = str(tmp_path / "images" / "0.tif")
    asked = ["prompt", image, "--engine", "trained", "--weights", str(model), "--out", str(out)]
    run([*asked, "--box", "20,20,60,60"])
    found = tifffile.imread(out)
    assert found[20:61, 20:61].any()
    run([*asked, "--everything", "--by", "decoder", "--overwrite"])
    drawn = find_everything(scene(0)[0], engine=Trained(weights=model), how=None)
    assert drawn.shape == (128, 128)


def run(args):
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert not ended.value.code
