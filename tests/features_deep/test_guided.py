"""Features at every pixel by attention: against the authors' code, naive loops, and in a model."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from random_weights import random_tensors
from stroma import ConvpaintModel, Image, weights
from stroma.backbones.loading import pretrained
from stroma.blocks.box import Box
from stroma.errors import FormatError, ParameterError, WeightsError
from stroma.features.build import extractor, weights_of
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap
from stroma.features.networks import attention
from stroma.features.networks.attention import Around, Everywhere, Within, boxes_within
from stroma.pixel.predicting import predict
from stroma.pixel.predicting.run import predict_blocks
from stroma.testing import check_extractor

JAFAR = "jafar_dinov2_vits14_reg"
ORACLE = Path(__file__).parent / "oracles" / "upsamplers.npz"


def values(*shape: int, rng: int = 0) -> np.ndarray:
    return np.random.default_rng(rng).standard_normal(shape, np.float32)


@pytest.fixture(scope="module")
def oracle():
    """Return the image and tokens that the authors' code was given, and what came out."""
    random = np.random.default_rng(0)
    image = random.standard_normal((1, 3, 56, 70), np.float32)[0]
    tokens = random.standard_normal((1, 384, 4, 5), np.float32)[0]
    with np.load(ORACLE) as known:
        return image, tokens, dict(known)


@pytest.mark.parametrize("name", [JAFAR, "naf", "anyup"])
def test_features_of_pixels_are_those_of_the_authors(oracle, name) -> None:
    image, tokens, known = oracle
    network = pretrained(name, device=torch.device("cpu"))
    with torch.inference_mode():
        found = network(torch.tensor(image), torch.tensor(tokens))
    queries, keys = found.queries.numpy(), found.keys.numpy()
    points = np.stack([known["rows"], known["columns"]], axis=1)
    rows = queries[:, points[:, 0], points[:, 1]].T
    if name == "naf":
        mix = Around.of(keys, tokens, heads=4)
        made = Around(mix.keys, mix.values, side=3)(np.concatenate((rows, points // 14), axis=1))
    elif name == "anyup":
        boxes = boxes_within(image.shape[1:], tokens.shape[1:], 0.1)
        places = boxes[:, points[:, 0], points[:, 1]].T
        made = Within.of(keys, tokens, heads=4)(np.concatenate((rows, places), axis=1))
    else:
        made = Everywhere.of(keys, tokens, heads=4)(rows)
    np.testing.assert_allclose(made, known[name], atol=1e-5)
    assert known[name].std() > 0.1


def test_attention_to_all_is_the_plain_sum() -> None:
    keys, tokens, queries = values(8, 3, 4), values(5, 3, 4, rng=1), values(7, 8, rng=2)
    wanted = np.zeros((7, 5))
    for i, head in np.ndindex(7, 4):
        part = slice(2 * head, 2 * head + 2)
        odds = np.exp(np.einsum("d,dhw->hw", queries[i, part], keys[part]))
        wanted[i] += np.einsum("hw,fhw->f", odds / odds.sum(), tokens) / 4
    np.testing.assert_allclose(Everywhere.of(keys, tokens, heads=4)(queries), wanted, atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 11), (9, 3), (4, 10)])
def test_attention_around_is_the_plain_sum_with_windows_shifted_inside(shape) -> None:
    keys, tokens = values(8, *shape), values(6, *shape, rng=1)
    places = np.array([(0, 0), (shape[0] - 1, shape[1] - 1), (shape[0] // 2, shape[1] // 2)])
    queries, wanted = values(3, 8, rng=2), np.zeros((3, 6))
    for i, place in enumerate(places):
        starts = [min(max(p - 4, 0), max(n - 9, 0)) for p, n in zip(place, shape, strict=True)]
        where = tuple(slice(start, start + 9) for start in starts)
        for head in range(2):
            part, own = slice(4 * head, 4 * head + 4), slice(3 * head, 3 * head + 3)
            odds = np.exp(np.einsum("d,dhw->hw", queries[i, part], keys[(part, *where)]))
            wanted[i, own] = np.einsum("hw,fhw->f", odds / odds.sum(), tokens[(own, *where)])
    made = Around.of(keys, tokens, heads=2)(np.concatenate((queries, places), axis=1))
    np.testing.assert_allclose(made, wanted, atol=1e-5)


def test_attention_within_a_box_is_the_plain_sum() -> None:
    keys, tokens, queries = values(8, 12, 10), values(5, 12, 10, rng=1), values(3, 8, rng=2)
    boxes = np.array([(0, 3, 0, 2), (5, 12, 4, 10), (11, 12, 9, 10)])
    wanted = np.zeros((3, 5))
    for i, head in np.ndindex(3, 2):
        top, bottom, left, right = boxes[i]
        part, where = slice(4 * head, 4 * head + 4), (slice(top, bottom), slice(left, right))
        odds = np.exp(np.einsum("d,dhw->hw", queries[i, part], keys[(part, *where)]))
        wanted[i] += np.einsum("hw,fhw->f", odds / odds.sum(), tokens[(slice(None), *where)]) / 2
    made = Within.of(keys, tokens, heads=2)(np.concatenate((queries, boxes), axis=1))
    np.testing.assert_allclose(made, wanted, atol=1e-5)


def test_what_is_linear_in_features_may_be_taken_of_patches() -> None:
    """As the scores of a linear classifier; where heads have features of their own, they add up."""
    keys, tokens, queries = values(8, 12, 10), values(6, 12, 10, rng=1), values(4, 8, rng=2)
    weights = values(3, 6, rng=3)

    def scores(own: slice = slice(None)) -> np.ndarray:
        return np.einsum("kf,fhw->khw", weights[:, own], tokens[own])

    boxes, places = np.tile((2, 9, 1, 8), (4, 1)), np.tile((5, 9), (4, 1))
    for kind, where in ((Everywhere, np.empty((4, 0))), (Within, boxes)):
        asked = np.concatenate((queries, where), axis=1)
        whole = kind.of(keys, tokens, heads=2)(asked) @ weights.T
        made = kind.of(keys, scores(), heads=2)(asked)
        np.testing.assert_allclose(made, whole, atol=1e-5)
    whole = Around.of(keys, tokens, heads=2)(np.concatenate((queries, places), axis=1)) @ weights.T
    parts = [
        Around.of(keys[part], scores(own), heads=1)(
            np.concatenate((queries[:, part], places), axis=1)
        )
        for part, own in ((slice(0, 4), slice(0, 3)), (slice(4, 8), slice(3, 6)))
    ]
    np.testing.assert_allclose(sum(parts), whole, atol=1e-5)


def test_boxes_reach_a_share_of_the_image_to_every_side() -> None:
    boxes = boxes_within((40, 80), (10, 20), 0.1)
    assert boxes[:, 20, 40].tolist() == [4, 7, 8, 13]
    assert boxes[:, 0, 79].tolist() == [0, 2, 17, 20]


@pytest.mark.parametrize("kind", [Everywhere, Around])
def test_what_all_patches_share_every_pixel_has(kind) -> None:
    tokens = np.broadcast_to(values(4, 1, 1), (4, 10, 10))
    queries = np.concatenate((values(9, 8), np.arange(18).reshape(9, 2) % 10), axis=1)
    mix = kind.of(values(8, 10, 10), tokens, heads=2)
    made = mix(queries[:, : 8 if kind is Everywhere else 10])
    np.testing.assert_allclose(made, np.tile(tokens[:, 0, 0], (9, 1)), atol=1e-5)


def test_pixels_in_parts_are_pixels_at_once(monkeypatch) -> None:
    mix, queries = Everywhere.of(values(8, 4, 4), values(3, 4, 4), heads=2), values(50, 8)
    whole = mix(queries)
    monkeypatch.setattr(attention, "WEIGHTS_AT_ONCE", 7 * 32)
    np.testing.assert_allclose(mix(queries), whole, atol=1e-6)


def test_a_map_makes_features_where_it_is_asked() -> None:
    tokens = values(5, 3, 3)
    first, second = (Everywhere.of(values(8, 3, 3, rng=i), tokens, heads=2) for i in (0, 1))
    queries = values(8, 2, 6, 7)
    made = FeatureMap(queries, (1, 1, 1), (0, -2, 1), mixes=(first, second))
    assert made.features == 5
    assert made.nbytes == queries.nbytes + first.nbytes + second.nbytes
    dense = made.dense(Box(-1, 2, 3, 6, 0, 2))
    wanted = second(queries[:, 1, 3, 4][None])[0]
    np.testing.assert_allclose(dense[:, 1, 2, 3], wanted, atol=1e-6)
    assert np.abs(dense[:, 0, 2, 3] - wanted).max() > 0.01
    points = np.array([[0, 0, 2], [1, 2, 5]])
    found = made.sample(points, order=1)
    np.testing.assert_allclose(found, dense[:, [0, 1], [1, 3], [0, 3]].T, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["jafar:dinov2_vits14_reg", "anyup:dinov3_vits16plus", "naf:dino_vits8"]
)
def test_the_contract_of_extractors_is_kept(name) -> None:
    check_extractor(extractor(name))


@pytest.fixture(scope="module")
def scene():
    random = np.random.default_rng(0)
    truth = 1 + ((np.indices((44, 61))[1] + 5) // 19 % 2)
    image = (truth * 60 + random.normal(0, 20, truth.shape)).astype(np.float32)
    return image, np.where(random.random(truth.shape) < 0.05, truth, 0).astype(np.uint8)


@pytest.mark.parametrize("alias", ["dino-jafar", "naf:dino_vits8"])
def test_a_model_of_them_gives_the_same_in_parts_and_in_other_pieces(
    scene, alias, monkeypatch
) -> None:
    image, strokes = scene
    made = ConvpaintModel(alias) if ":" not in alias else ConvpaintModel(fe_name=alias)
    made.set_param("clf", "logistic")
    made.train(image, strokes)
    whole = made.predict_probas(image)
    monkeypatch.setattr(predict, "VALUES_AT_ONCE", 384 * 61 * 5)
    part = np.zeros_like(whole)
    for block in predict_blocks(made, Image(image, "yx"), region=Box(7, 9, 30, 40)):
        part[:, block.y, block.x] = block.probabilities
    where = slice(None), slice(7, 30), slice(9, 40)
    np.testing.assert_allclose(part[where], whole[where], atol=1e-4)
    assert made.get_feature_image(image).shape == (384, *image.shape)
    stack = made.predict_probas(np.stack([image, image[::-1]]))
    np.testing.assert_allclose(stack[:, 0], whole, atol=1e-4)


def test_queries_not_features_are_kept(tmp_path) -> None:
    cache = FeatureCache(10**9)
    mix = Everywhere.of(values(8, 3, 3), values(500, 3, 3), heads=2)
    kept = [FeatureMap(values(8, 1, 6, 7), (1, 1, 1), (0, 0, 0), mixes=(mix,))]
    cache.keep("a", kept)
    assert cache.nbytes == kept[0].nbytes < 500 * 42 * 4
    full = FeatureCache(0, tmp_path)
    full.keep("a", kept)
    assert full.find("a") is None


def test_names_of_the_original_are_understood() -> None:
    for name in ("dino_jafar_small", "dinov2_small-reg_jafar"):
        assert ConvpaintModel(fe_name=name).get_param("fe_name") == name
        assert len(ConvpaintModel(fe_name=name).get_fe_description()) > 10
    assert weights_of("jafar:dinov3_vits16plus") == ["dinov3_vits16plus", "jafar_dinov3_vits16plus"]
    with pytest.raises(ParameterError, match="not those of 'dino_vits8'"):
        extractor("jafar:dino_vits8")
    with pytest.raises(ParameterError, match="not those of 'vgg16'"):
        extractor("naf:vgg16")


def test_weights_that_no_hub_has_are_said_to_be_got_by_hand(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    assert weights.status("naf") == "by hand"
    with pytest.raises(WeightsError, match=r"naf_release\.pth or naf\.safetensors, into a folder"):
        weights.fetch("naf")


class Configuration(dict):
    """What a checkpoint of training holds beside tensors; making one leaves a trace."""

    made: ClassVar[list[str]] = []

    def __reduce__(self):
        return Configuration.traced, ("made",), {"a": 1}, None, iter([("b", 2)])

    @staticmethod
    def traced(word: str) -> Configuration:
        Configuration.made.append(word)
        return Configuration()


def test_of_a_checkpoint_of_training_only_tensors_are_made(
    monkeypatch, tmp_path, random_weights_for_all
) -> None:
    state = load_file(random_weights_for_all / f"{JAFAR}.safetensors")
    path = tmp_path / "vit_small_patch14_reg4_dinov2.pth"
    torch.save({"epoch": 1, "cfg": Configuration(), "jafar": state}, path)
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    assert weights.status(JAFAR) == "here"
    found = weights.load(JAFAR, ["rope.freqs"]).values["rope.freqs"]
    np.testing.assert_array_equal(found, state["rope.freqs"].numpy())
    assert not Configuration.made


def test_a_file_that_only_runs_code_holds_no_weights(monkeypatch, tmp_path) -> None:
    torch.save([Configuration()], tmp_path / "naf.pth")
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    with pytest.raises(FormatError, match=r"naf\.pth (holds no|is damaged, or not a plain) table"):
        weights.load("naf", ["image_encoder.rope.periods"])
    assert not Configuration.made


def test_files_of_anyup_are_read_as_its_authors_name_them(monkeypatch, tmp_path) -> None:
    ours = random_tensors("anyup", rng=5)
    official, attention = dict(ours), "cross_decode.cross_attn.attention"
    q, k = (official.pop(f"{attention}.{name}_proj_weight") for name in "qk")
    official[f"{attention}.in_proj_weight"] = np.concatenate([q, k, np.zeros_like(q)])
    official[f"{attention}.out_proj.bias"] = np.zeros(128, np.float32)
    places = {".norm1.": 0, ".conv1.": 2, ".norm2.": 3, ".conv2.": 5}
    for name, place in places.items():
        official = {key.replace(name, f".block.{place}."): v for key, v in official.items()}
    assert "image_encoder.1.block.5.weight" in official
    state = {key: torch.tensor(value) for key, value in official.items()}
    torch.save(state, tmp_path / "anyup_multi_backbone.pth")
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    found = weights.load("anyup", ours).values
    for key, value in ours.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)
