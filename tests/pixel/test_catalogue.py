"""The catalogue counts features as a model would compute them."""

from __future__ import annotations

import pytest

from stroma.errors import MissingExtraError
from stroma.features import EXTRACTORS
from stroma.pixel.choices import catalogue


def by_name(name: str, kind: str) -> catalogue.Entry:
    [entry] = [e for e in catalogue.entries() if (e.name, e.kind) == (name, kind)]
    return entry


def test_ilastik_has_56_features_a_channel() -> None:
    entry = by_name("ilastik_2d", "extractor")
    assert (entry.grey, entry.rgb, entry.missing) == (56, 168, "")


def test_an_alias_names_its_extractor() -> None:
    assert by_name("gaussian", "alias").extractor == "gaussian_features"


def test_every_registered_extractor_is_listed() -> None:
    listed = [e.name for e in catalogue.entries() if e.kind == "extractor"]
    assert listed == list(EXTRACTORS)


def test_an_extractor_with_a_missing_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without_torch(table: object, name: str) -> None:
        raise MissingExtraError("It needs torch. Install it with: pip install 'stroma-seg[deep]'")

    monkeypatch.setattr(type(EXTRACTORS), "__getitem__", without_torch)
    entry = by_name("gaussian_features", "extractor")
    assert (entry.grey, entry.rgb) == (None, None)
    assert "pip install 'stroma-seg[deep]'" in entry.missing


def test_names_that_are_not_registered_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.ALIASES, "future", {"fe_name": "not_there_yet"})
    assert "future" not in [e.name for e in catalogue.entries()]


@pytest.mark.parametrize(
    ("parts", "together"),
    [
        ({"a": "here", "b": "missing"}, "missing"),
        ({"a": "here", "b": "not needed"}, "here"),
        ({"a": "not needed"}, "not needed"),
    ],
)
def test_weights_of_a_combination_are_missing_if_any_is(
    monkeypatch: pytest.MonkeyPatch, parts: dict[str, str], together: str
) -> None:
    monkeypatch.setattr(catalogue, "status", parts.__getitem__)
    assert catalogue._weights("+".join(parts)) == together
