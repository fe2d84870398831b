"""``stroma doctor`` says what is there."""

from __future__ import annotations

import json
from importlib import metadata

from stroma.cli import doctor


def test_installed_packages_are_listed_with_their_versions(stroma) -> None:
    ended = stroma("doctor", "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert found["packages"]["base"]["numpy"] == metadata.version("numpy")
    assert "torch" in found["packages"]["deep"]
    assert found["devices"]["cores"] >= 1


def test_a_missing_base_package_is_exit_code_3(stroma, monkeypatch) -> None:
    monkeypatch.setattr(doctor, "packages", lambda: {"base": {"numba": None}, "deep": {}})
    ended = stroma("doctor")
    assert ended.code == 3
    assert "missing" in ended.out
    assert "pip install stroma-seg" in ended.out


def test_a_missing_extra_is_no_failure_and_is_said(stroma, monkeypatch) -> None:
    monkeypatch.setattr(doctor, "packages", lambda: {"base": {}, "large": {"dask": None}})
    ended = stroma("doctor")
    assert ended.code == 0
    assert "pip install 'stroma-seg[large]'" in ended.out
