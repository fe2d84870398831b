"""Encoders and decoders of other programs give what their authors' code gives."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.prompts.oracles.make_tiny_vit import image, tensors

from stroma.backbones.sam import ENCODER, embed, sam_vit_t, tiny
from stroma.backbones.tiny_vit import Stages, TinyViT
from stroma.backbones.unetr import Unetr
from stroma.errors import FormatError, ParameterError
from stroma.prompts import build
from stroma.prompts.everything import Everything, everything, middles
from stroma.prompts.graph import Graph
from stroma.prompts.sam.decoded import decoder_of
from stroma.prompts.sam.engine import Sam
from stroma.weights.keymaps import KEYMAPS

ORACLES = Path(__file__).parent / "oracles"


def shapes_in(known, start):
    """Return shapes of tensors that were kept, by name."""
    return {k.removeprefix(start): tuple(v) for k, v in known.items() if k.startswith(start)}


def test_the_encoder_vit_t_is_that_of_its_authors():
    with np.load(ORACLES / "tiny_vit.npz") as known:
        named = tensors(shapes_in(known, "shape."))
        expected = known["found"]
    written = {f"image_encoder.{k}": v for k, v in named.items()}
    rules = KEYMAPS["sam"].of(written)
    ours = {piece.name: v for k, v in written.items() for piece in rules.pieces(k)}
    stages = Stages.of({k: v.shape for k, v in ours.items()}, ENCODER)
    network = TinyViT(stages).eval()
    network.load_state_dict(
        {k: torch.tensor(ours[ENCODER + k]) for k in network.state_dict()}, strict=True
    )
    with torch.no_grad():
        found = network(torch.tensor(image())).last_hidden_state[0, ::16].numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_features_of_vit_t_are_what_its_encoder_gives():
    torch.manual_seed(0)
    network = tiny(
        Stages((8, 16, 24, 32), (1, 1, 1, 1), (1, 2, 2), (4, 4, 4)), 64, {}, device="cpu"
    )
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        found = embed(network, images)
        torch.testing.assert_close(found, network.vision_encoder(images).last_hidden_state)
    assert found.shape == (1, 256, 4, 6)


@pytest.mark.parametrize("transposed", [False, True])
def test_the_decoder_of_the_automatic_mode_is_that_of_its_authors(transposed):
    with np.load(ORACLES / "unetr.npz") as known:
        shapes = shapes_in(known, f"shape.{transposed}.")
        expected = known[f"found.{transposed}"]
    network = Unetr.of(shapes).eval()
    network.load_state_dict({k: torch.tensor(v) for k, v in tensors(shapes).items()})
    maps = np.random.default_rng(2).standard_normal((1, 32, 6, 6)).astype(np.float32)
    with torch.no_grad():
        found = network(torch.tensor(maps))[0, :, ::5, ::5].numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.fixture
def decoder_file(tmp_path):
    torch.manual_seed(3)
    network = Unetr(256, 8)
    path = tmp_path / "vit_b_decoder.pt"
    torch.save({"model_state": {}, "decoder_state": network.state_dict()}, path)
    return path, network.eval()


def test_an_engine_with_a_decoder_gives_its_distances_at_the_pixels(sam_file, decoder_file):
    path, network = decoder_file
    engine = build.engine("sam", weights=sam_file, decoder=path)
    engine.set_image(np.random.default_rng(5).integers(0, 256, (3, 128, 64), np.uint8), rgb=True)
    found = engine.distances()
    with torch.no_grad():
        maps = torch.tensor(engine.embedding()["0.0"])[None]
        expected = network(maps).sigmoid()[0, :, :, :64].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_objects_of_a_decoder_are_asked_for_by_clicks_in_their_middles(sam_file, decoder_file):
    class Known(Sam):
        def distances(self):
            grid = np.indices((128, 64)).transpose(1, 2, 0)
            away = [np.linalg.norm(grid - middle, axis=2) / 14 for middle in ((30, 30), (90, 30))]
            nearest = np.minimum(*away)
            inside = nearest < 1
            return np.stack([inside, np.where(inside, nearest, 1), np.where(inside, nearest, 1)])

    engine = Known(weights=sam_file, decoder=decoder_file[0])
    engine.set_image(np.zeros((1, 128, 64), np.uint8))
    labels = everything(engine, (128, 64), how=Everything(by="decoder"))
    assert sorted(np.bincount(labels.ravel())[1:].tolist())[0] > 500
    assert labels.max() == 2
    np.testing.assert_allclose(sorted(middles(labels).tolist()), [[30, 30], [90, 30]], atol=2)
    asked = []
    engine.proposals = lambda points: asked.append(points) or iter([])
    everything(engine, (128, 64), how=Everything(by="prompts"))
    np.testing.assert_array_equal(asked[0], middles(labels))


def test_without_a_decoder_that_is_said(sam_file, tmp_path):
    engine = Sam(weights=sam_file)
    engine.set_image(np.zeros((1, 64, 64), np.uint8))
    with pytest.raises(ParameterError, match="with decoder="):
        everything(engine, (64, 64), how=Everything(by="decoder"))
    with pytest.raises(ParameterError, match="no decoder"):
        everything(Graph(), (64, 64), how=Everything(by="prompts"))
    torch.save({"a": torch.ones(2)}, tmp_path / "x.pt")
    with pytest.raises(FormatError, match=r"x\.pt holds no decoder"):
        decoder_of(tmp_path / "x.pt", device=torch.device("cpu"))


def test_vit_t_is_read_in_the_size_of_its_file_and_of_the_settings_beside_it():
    made = sam_vit_t()
    shapes = {k: tuple(v.shape) for k, v in made.state_dict().items()}
    again = sam_vit_t.like(shapes, dict)
    assert {k: tuple(v.shape) for k, v in again.state_dict().items()} == shapes
    small = sam_vit_t.like(shapes, lambda: {"prompt_encoder_config": {"image_size": 256}})
    assert small.config.prompt_encoder_config.image_size == 256
    with pytest.raises(FormatError, match="image_size 100"):
        sam_vit_t.like(shapes, lambda: {"prompt_encoder_config": {"image_size": 100}})
    with pytest.raises(FormatError, match=r"image_size \['x'\]"):
        sam_vit_t.like(shapes, lambda: {"prompt_encoder_config": ["x"]})
