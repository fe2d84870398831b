"""Registered means tested: every extractor keeps its contract."""

from collections.abc import Callable

import pytest

from stroma.features import EXTRACTORS
from stroma.features.contract import Extractor
from stroma.testing import check_extractor

SMALL: dict[str, Callable[[], Extractor]] = {}
"""What is built instead of those whose default loads weights: the same with small random ones."""


@pytest.mark.parametrize("name", EXTRACTORS)
def test_every_registered_extractor_keeps_the_contract(name):
    check_extractor(SMALL.get(name, EXTRACTORS[name])())
