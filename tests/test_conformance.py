"""Registered means tested: every extractor keeps its contract."""

import pytest

from random_weights import write_random_weights
from stroma.features import EXTRACTORS
from stroma.features.filtering.filterbank import grid
from stroma.features.filtering.filterbank3d import solid
from stroma.testing import check_extractor
from stroma.weights import CATALOGUE

SMALL = {"ilastik_3d": (solid(grid(sigmas=(0.7, 1.6))),)}
"""Arguments with which slow extractors are fast."""


@pytest.mark.parametrize("name", EXTRACTORS)
def test_every_registered_extractor_keeps_the_contract(name, tmp_path, monkeypatch):
    if name in CATALOGUE:
        write_random_weights(name, tmp_path)
        monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    check_extractor(EXTRACTORS[name](*SMALL.get(name, ())))
