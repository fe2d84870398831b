"""Checks that every registered part must pass; authors of plugins run them too.

A test of an extractor is one line::

    def test_my_extractor_keeps_the_contract():
        check_extractor(MyExtractor())
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stroma.errors import ContractError as ContractError
from stroma.features.contract import Extractor


def check_extractor(extractor: Extractor, *, rng: int | np.random.Generator = 0) -> None:
    """Check that an extractor keeps every promise of :class:`stroma.features.contract.Extractor`.

    It is a frozen dataclass with valid declarations; its names are as many as its features; maps
    cover the core, are finite floats and the same each time, in threads, for views and after
    pickling; the block is left as it was; halo and stride are true: what is computed for a part
    of an image is that part of what is computed for the whole. With global context
    (``halo=None``) the last cannot be promised and is not checked.

    Parameters
    ----------
    extractor : Extractor
        An object, not its class. Small networks make small tests: give it random weights.
    rng : int or Generator
        Source of the pixels and cuts.

    Raises
    ------
    ContractError
        At the first promise that is not kept; an ``AssertionError``.
    """
    from stroma.features.conformance import check_extractor as check

    check(extractor, rng=rng)


def check_target(target: Any, truth: Any = None, **how: Any) -> None:
    """Check that a target keeps its contract; see `stroma.targets.conformance.check_target`.

    Parameters
    ----------
    target : Target
        An object, not its class.
    truth : array, optional
        An example of what it learns from; usual ones, unless given.
    **how
        ``shape``, ``least_score``, ``turned`` and ``rng``.

    Raises
    ------
    ContractError
        At the first promise that is not kept; the message says which.
    """
    from stroma.targets.conformance import check_target as check  # torch only where it is needed

    check(target, truth, **how)


def check_network(build: Any, **how: Any) -> None:
    """Check that a network keeps its contract; see `stroma.networks.conformance.check_network`."""
    from stroma.networks.conformance import check_network as check

    check(build, **how)


def check_prompted(build: Any, **how: Any) -> None:
    """Check an engine for prompts; see `stroma.prompts.conformance.check_prompted`."""
    from stroma.prompts.conformance import check_prompted as check

    check(build, **how)
