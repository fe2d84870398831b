"""Registered means tested: every extractor keeps its contract."""

import pytest

from random_weights import write_random_weights
from stroma.features import EXTRACTORS
from stroma.testing import check_extractor
from stroma.weights import CATALOGUE


@pytest.mark.parametrize("name", EXTRACTORS)
def test_every_registered_extractor_keeps_the_contract(name, tmp_path, monkeypatch):
    if name in CATALOGUE:
        write_random_weights(name, tmp_path)
        monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    check_extractor(EXTRACTORS[name]())
