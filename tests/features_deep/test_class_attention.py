"""What the class token looks at: products of the mean it gets with the values of the patches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from transformers import DINOv3ViTConfig, DINOv3ViTModel, ViTConfig

from stroma import ConvpaintModel
from stroma.backbones.dino import _Placed, class_attention, dinov2
from stroma.errors import ParameterError
from stroma.features.build import extractor, weights_of
from stroma.testing import check_extractor

HEADS = 3
SMALL = {
    "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": HEADS,
    "intermediate_size": 24, "patch_size": 4,
}  # fmt: skip


def network(name):
    torch.manual_seed(0)
    if name == "dinov2":
        return dinov2(features=12, layers=2, heads=HEADS).eval()
    if name == "dinov3":
        config = DINOv3ViTConfig(**SMALL, num_register_tokens=4, attn_implementation="eager")
        return DINOv3ViTModel(config).eval()
    return _Placed(ViTConfig(**SMALL, image_size=16), add_pooling_layer=False).eval()


def eagerly(made, images, first):
    """Return the same from queries, keys and values, where nothing turns them."""
    last = [m for n, m in made.named_modules() if n.endswith(".attention")][-1]
    seen = {}
    hooks = [
        getattr(last, f"{n}_proj").register_forward_hook(lambda m, i, o, n=n: seen.update({n: o}))
        for n in "qkv"
    ]
    made(images)
    for hook in hooks:
        hook.remove()
    q, k, v = (seen[n].unflatten(-1, (HEADS, -1)).movedim(2, 1) for n in "qkv")
    weights = F.softmax(q[:, :, :1] @ k.mT / q.shape[-1] ** 0.5, dim=-1)
    return ((weights @ v) @ v.mT)[:, :, 0, first:].mT


@pytest.mark.parametrize(("name", "side", "first"), [("dinov2", 28, 5), ("dino", 12, 1)])
def test_it_is_what_queries_keys_and_values_give(name, side, first) -> None:
    made, images = network(name), torch.randn(2, 3, side, side + side // 2 * 2)
    with torch.inference_mode():
        found = class_attention(made, images)
        wanted = eagerly(made, images, first)
    assert found.shape[-1] == HEADS
    assert found.std() > 1e-3
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


def test_turned_keys_are_those_of_transformers() -> None:
    made, images = network("dinov3"), torch.randn(1, 3, 12, 20)
    values = []
    last = [m for n, m in made.named_modules() if n.endswith("attention.v_proj")][-1]
    hook = last.register_forward_hook(lambda m, i, o: values.append(o))
    with torch.inference_mode():
        weights = made(images, output_attentions=True).attentions[-1]
        hook.remove()
        v = values[0].unflatten(-1, (HEADS, -1)).movedim(2, 1)
        wanted = ((weights[:, :, :1] @ v) @ v.mT)[:, :, 0, 5:].mT
        torch.testing.assert_close(class_attention(made, images), wanted, atol=1e-5, rtol=1e-4)


def test_nothing_stays_hooked() -> None:
    made = network("dino")
    with pytest.raises(RuntimeError):
        class_attention(made, torch.zeros(1, 7, 8, 8))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in made.modules())


def test_a_transformer_with_its_attention_keeps_the_contract() -> None:
    made = extractor("attention:dino_vits8")
    check_extractor(made)
    assert made.names(["image"]) == [f"attention:dino_vits8.{i}" for i in range(6)]
    assert weights_of("both:attention:dino_vits8") == ["dino_vits8"]


def test_it_is_a_feature_like_any_other() -> None:
    image = np.random.default_rng(0).normal(size=(24, 32)).astype(np.float32)
    model = ConvpaintModel(fe_name="gaussian_features+shifts/4:attention:dino_vits8")
    found = model.get_feature_image(image)
    assert found.shape == (7, 24, 32)
    assert np.isfinite(found).all()
    assert found[1:].std() > 0


@pytest.mark.parametrize("name", ["attention:vgg16", "attention:both:dino_vits8"])
def test_what_has_no_class_token_is_refused(name) -> None:
    with pytest.raises(ParameterError, match=r"one of dinov2_vits14_reg.*'both:attention:"):
        extractor(name)
