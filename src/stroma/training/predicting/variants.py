"""What is known of a network when it is used as another: one head of it, or for other sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from stroma.errors import ParameterError
from stroma.targets.contract import Target
from stroma.targets.several import Several
from stroma.training.files.about import About

LEAST_ZOOM = 1 / 32
"""Images are made so much smaller, or larger the other way round, at most."""

LARGER = 2.0
"""The largest objects have so many times the diameter of most."""


def of_head(about: About, name: str, target: Several, options: Mapping[str, Any]) -> About:
    """Return what is known of one head of a network, with its options of decoding."""
    training = {**about.training, "decode": target.options_of(name, options)}
    return replace(about, target=name, target_params=target.heads[name], training=training)


def require_unsized(about: About) -> None:
    """Refuse to train a network for which images are made larger or smaller.

    Raises
    ------
    ParameterError
        If it is one.
    """
    if about.zoom != 1:
        raise ParameterError(
            f"This network sees images {about.zoom:.3g} times as large, for objects of another "
            "diameter, and a training shows them as they are. Begin with the network as it was "
            "before a diameter was given, on images whose objects have about "
            f"{about.diameter:.3g} pixels."
        )


def of_diameter(about: About, target: Target, diameter: float) -> About:
    """Return what is known of a network for objects of another diameter, in pixels.

    Raises
    ------
    ParameterError
        If the size of objects does not matter to the network, or there is no such size.
    """
    if not about.diameter:
        raise ParameterError(
            "The network does not ask for the diameter of objects; it learned those of its "
            "training images. Leave the diameter out."
        )
    if not LEAST_ZOOM <= about.diameter / max(diameter, 1e-9) <= 1 / LEAST_ZOOM:
        raise ParameterError(
            f"The diameter of objects is {about.diameter * LEAST_ZOOM:.2g} to "
            f"{about.diameter / LEAST_ZOOM:.4g} pixels for this network, got {diameter:g}."
        )
    other = replace(target, diameter=LARGER * diameter)  # type: ignore[type-var]
    said = {**about.target_params, **asdict(other)}  # type: ignore[call-overload]
    return replace(about, zoom=about.diameter / diameter, target_params=said)
