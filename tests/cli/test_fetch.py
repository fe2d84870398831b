"""``stroma fetch`` gets weights, and says from where."""

from __future__ import annotations

import json

import pytest

from stroma.errors import WeightsError
from stroma.weights import Origin


def test_says_where_the_weights_are_from(stroma, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = Origin("vgg16", "timm/vgg16.tv_in1k", "abc123", "model.safetensors")
    monkeypatch.setattr("stroma.weights.fetch", lambda name, progress: origin)
    assert "timm/vgg16.tv_in1k at abc123, model.safetensors" in stroma("fetch", "vgg16").out
    [listed] = json.loads(stroma("fetch", "vgg16", "--json").out)
    assert listed["revision"] == "abc123"


def test_aliases_and_combinations_stand_for_their_networks(
    stroma, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def fetch(name: str, progress: object) -> Origin:
        fetched.append(name)
        return Origin(name, "someone/something", "abc123", "model.safetensors")

    monkeypatch.setattr("stroma.weights.fetch", fetch)
    ended = stroma("fetch", "vgg-m", "combo_dino_vgg", "ilastik_2d+dinov3_vits16plus", "stroma")
    assert fetched == ["vgg16", "dinov2_vits14_reg", "dinov3_vits16plus"]
    assert "stroma: needs no weights" in ended.out


def test_weights_that_cannot_be_had_are_exit_code_3(
    stroma, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(name: str, progress: object) -> Origin:
        raise WeightsError(f"The weights of {name!r} are not here.")

    monkeypatch.setattr("stroma.weights.fetch", offline)
    ended = stroma("fetch", "vgg16")
    assert (ended.code, ended.err) == (3, "stroma: The weights of 'vgg16' are not here.\n")


def test_an_unknown_name_is_wrong_input(stroma) -> None:
    ended = stroma("fetch", "vgg19")
    assert ended.code == 2
    assert "'vgg16'" in ended.err
