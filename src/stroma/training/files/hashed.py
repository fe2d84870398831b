"""A hash of everything that the results of a network depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from torch import nn

from stroma.training.files.about import About
from stroma.training.predicting.components import Rule

SEEN_FIRST = ("network", "params", "normalisation", "patch")
"""What of the coarser network of a cascade decides its results, beside its tensors."""


def hashed(about: About, module: nn.Module, *, options: Mapping[str, Any], largest: Rule) -> str:
    """Return the hash of a network.

    Parameters
    ----------
    about : About
        What it is.
    module : nn.Module
        Its tensors.
    options : mapping
        Of decoding.
    largest : tuple of tuple of int
        Groups of classes of which only the largest part is kept.
    """
    digest = hashlib.sha256()
    facts: list[Any] = [
        about.network,
        dict(about.params),
        about.target,
        dict(about.target_params),
    ]
    facts += [dict(about.normalisation), list(about.patch), about.ndim, dict(options)]
    # What older networks do not have is left out, so that their hashes stay.
    facts += [largest] if largest else []
    facts += [about.spacing, about.unit] if about.spacing else []
    facts += [about.zoom, about.feed] if about.zoom != 1 or about.feed else []
    facts += ["crop"] if about.crop else []
    facts += [*(about.first[name] for name in SEEN_FIRST), about.times] if about.first else []
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
