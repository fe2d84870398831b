"""A trained network finds what it learned, in any blocks, and is what its file says."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from tests.training.conftest import SMALL, scene

import stroma
from stroma.blocks.predictor import Predictor
from stroma.data.image import Image
from stroma.errors import FormatError, MissingFileError, ParameterError, ShapeError
from stroma.networks import NETWORKS
from stroma.training.files.bounded import within
from stroma.training.learning.learner import Learner
from stroma.training.model import Network
from stroma.training.predicting import predict, predictor


def test_it_finds_disks_in_an_image_it_has_not_seen(network, scenes):
    image, labels = scenes[5]
    scores = network.evaluate(image, labels)
    assert scores["mean iou"] > 0.8
    assert network.scores_["mean iou"] > 0.8
    assert network.segment(image).dtype == np.uint8


def test_probabilities_add_up_to_one_and_decide(network, scenes):
    image, _ = scenes[5]
    probabilities = network.predict_probas(image)
    assert probabilities.shape == (2, 64, 64)
    assert np.allclose(probabilities.sum(0), 1, atol=1e-5)
    assert np.array_equal(probabilities.argmax(0), network.segment(image))


@pytest.mark.parametrize("side", [16, 40])
def test_tiled_equals_whole(network, monkeypatch, side):
    image, _ = scene(9, side=75)
    whole = network.predict_probas(image)
    monkeypatch.setitem(predict.SIDE, 2, (side, side))
    assert np.allclose(network.predict_probas(image), whole, atol=1e-4)


def test_a_network_with_instance_normalisation_blends_tiles_that_do_not_depend_on_blocks(
    scenes, monkeypatch
):
    options = {**SMALL, "network_options": {"features": [4, 8], "norm": "instance"}}
    images, labels = zip(*scenes[:2], strict=True)
    network = Learner(steps=2, **options).fit(list(images), list(labels))
    assert network.module.halo is None
    image, _ = scene(9, side=75)
    whole = network.predict_probas(image)
    monkeypatch.setitem(predict.SIDE, 2, (20, 36))
    assert np.allclose(network.predict_probas(image), whole, atol=1e-5)


def test_whoever_may_read_other_files_may_read_networks_and_states(network, scenes, tmp_path):
    (tmp_path / "other").touch()
    usual = (tmp_path / "other").stat().st_mode
    network.save(tmp_path / "cells.safetensors")
    assert (tmp_path / "cells.safetensors").stat().st_mode == usual
    image, labels = scenes[0]
    Learner(steps=1, **SMALL).fit(image, labels, folder=tmp_path / "training")
    assert {p.stat().st_mode for p in (tmp_path / "training").iterdir()} == {usual}


def test_tiles_cover_an_image_and_overlap_by_half():
    found = predictor.tiles((100, 20), (32, 32))
    rows = sorted({box[0].start for box in found})
    assert rows[0] == 0
    assert rows[-1] == 100 - 32
    assert max(np.diff(rows)) <= 16
    assert {box[1].start for box in found} == {-6}


def test_every_pixel_of_a_tile_has_some_weight():
    weight = predictor.gaussian((32, 16))
    assert weight.max() == pytest.approx(1)
    assert weight.min() > 0
    assert np.unravel_index(weight.argmax(), weight.shape) in [(15, 7), (16, 8)]


def test_mirrors_are_averaged(network, scenes):
    image, _ = scenes[5]
    found = network.predict_probas(image, mirror=True)
    expected = np.mean(
        [
            np.flip(network.predict_probas(np.flip(image, axes)), tuple(a + 1 for a in axes))
            for axes in [(), (0,), (1,), (0, 1)]
        ],
        axis=0,
    )
    assert np.allclose(found, expected, atol=1e-5)


def test_a_stack_is_segmented_plane_by_plane(network, scenes):
    stack = np.stack([image for image, _ in scenes[:2]])
    found = network.segment(Image(stack, "zyx"))
    assert found.shape == stack.shape
    # Normalised by the whole stack, as strokes are.
    alone = network.segment(Image(stack, "zyx").at(z=1))
    assert np.array_equal(found[1], alone)


def test_options_of_decoding_reach_targets_of_classes(network, scenes, monkeypatch):
    seen = []

    def decode(self, prediction, /, **options):
        seen.append(options)
        return np.zeros(prediction.shape[1:], np.uint16)

    monkeypatch.setattr(type(network.target), "decode", decode)
    network.segment(scenes[5][0], threshold=0.3)
    assert seen == [{"threshold": 0.3}]


def test_predictor_keeps_its_protocol(network, scenes):
    image = network.open(scenes[5][0])
    predictor = network.predictor(image)
    assert isinstance(predictor, Predictor)
    assert predictor.halo[0] == 0
    assert predictor.stride == (1, 4, 4)
    assert predictor.outputs == ("0", "1")
    found = predictor.predict(scenes[5][0][None, None])
    assert np.allclose(found[:, 0], network.predict_probas(image), atol=1e-5)


def test_a_saved_network_is_the_same_network(network, scenes, tmp_path):
    path = network.save(tmp_path / "cells.safetensors")
    again = stroma.load(path)
    assert isinstance(again, Network)
    image, _ = scenes[5]
    assert np.array_equal(again.predict_probas(image), network.predict_probas(image))
    assert again.about == network.about
    assert again.fingerprint() == network.fingerprint()


def test_the_file_says_what_it_is_as_json(network, tmp_path):
    path = network.save(tmp_path / "cells.safetensors")
    with safe_open(path, framework="np") as file:
        said = json.loads(file.metadata()["stroma.network"])
    assert said["network"] == "unet"
    assert said["target_params"]["labels"] == [0, 1]
    assert said["versions"]["stroma"] == stroma.__version__
    assert said["training"]["data"]
    assert said["training"]["scores"]["mean iou"] > 0.8


def test_files_that_are_no_networks_are_refused(network, tmp_path):
    with pytest.raises(MissingFileError, match="nothing"):
        stroma.load(tmp_path / "nothing.safetensors")
    with pytest.raises(FormatError, match=r"\.safetensors"):
        stroma.load(tmp_path / "model.onnx")
    with pytest.raises(ParameterError, match=r"\.safetensors"):
        network.save(tmp_path / "cells.pkl")
    plain = tmp_path / "plain.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, plain)
    with pytest.raises(FormatError, match="not a network"):
        stroma.load(plain)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(network.save(tmp_path / "good.safetensors").read_bytes()[:-100])
    with pytest.raises(FormatError, match="damaged"):
        stroma.load(damaged)


@pytest.mark.parametrize(
    "change",
    [
        {"members": 10**9},
        {"channels": 10**6},
        {"network": "segnet", "params": {"features": [2], "convolutions": [10**8]}},
        {"network": "vit", "params": {"layers": 10**5}},
        {"params": {"features": [10**5, 10**5]}},
        {"target": "rays", "target_params": {"rays": 10**8}},
    ],
    ids=lambda change: "_".join(map(str, change.values()))[:30],
)
def test_a_network_without_end_is_refused_before_it_is_built(network, tmp_path, change):
    path = network.save(tmp_path / "cells.safetensors")
    with safe_open(path, framework="np") as file:
        said = json.loads(file.metadata()["stroma.network"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    header = {"stroma.network": json.dumps({**said, **change})}
    save_file(tensors, tmp_path / "endless.safetensors", metadata=header)
    with pytest.raises(
        FormatError, match=r"endless\.safetensors cannot be built.*(larger than|networks of)"
    ):
        stroma.load(tmp_path / "endless.safetensors")


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_built_of_its_own_tensors(name):
    made = NETWORKS[name](1, 3, ndim=2)
    again = within(made.state_dict().values(), lambda: NETWORKS[name](1, 3, ndim=2), [])
    assert again.state_dict().keys() == made.state_dict().keys()


def test_images_with_other_channels_are_refused(network):
    with pytest.raises(
        ShapeError, match=r"trained on 1 channel, .*like those that it learned from"
    ):
        network.segment(np.zeros((32, 32, 3), np.uint8))


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_workers_of_dask_get_the_part_of_an_array_they_need(network, scenes, monkeypatch, norm):
    from distributed import Client

    if norm == "instance":
        options = {**SMALL, "network_options": {"features": [4, 8], "norm": norm}}
        network = Learner(steps=2, **options).fit(*map(list, zip(*scenes[:2], strict=True)))
    monkeypatch.setitem(predict.SIDE, 2, (40, 40))
    image, _ = scene(9, side=150)
    opened = network.open(image)
    core = (slice(0, 40), slice(0, 40))
    piece = predict._piece(network.predictor(opened), opened, core, True)
    assert piece.image.array.values.size < image.size / 3
    expected = network.predict_probas(image)
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None):
        assert np.allclose(network.predict_probas(image, use_dask=True), expected, atol=1e-5)
