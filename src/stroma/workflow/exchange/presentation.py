"""What people see of a model package: its cover, and a page about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stroma.training.model import Network

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Card:
    """What people are told of a model.

    Parameters
    ----------
    name : str
        At least five characters: letters, digits, spaces, "_", "+", "-", "(" and ")".
    description : str
        One sentence.
    authors : sequence of str
        Names.
    license : str
        SPDX identifier, such as "CC-BY-4.0".
    cite : str
        Text of what to cite.
    doi : str
        Its DOI.
    """

    name: str
    description: str = ""
    authors: tuple[str, ...] = ()
    license: str = "CC-BY-4.0"
    cite: str = ""
    doi: str = ""


def cover(raw: Array, prediction: Array) -> Picture:
    """Return image and first channels side by side, twice as wide as high."""
    from PIL import Image as pictures

    planes = [_middle(raw[0]), _middle(prediction[min(1, len(prediction) - 1)])]
    halves = [pictures.fromarray(_grey(plane)).resize((256, 256)) for plane in planes]
    both = pictures.new("L", (512, 256))
    for i, half in enumerate(halves):
        both.paste(half, (256 * i, 0))
    return both


def documentation(
    card: Card, network: Network, *, terms: str, sides: str, context: tuple[int, ...], inside: bool
) -> str:
    """Return what a package says of its network.

    Parameters
    ----------
    card : Card
        What people are told.
    network : Network
        The network.
    terms : str
        What its licence forbids; empty for nothing.
    sides : str
        Which windows it takes.
    context : tuple of int
        Pixels at each side of a window that are cut off.
    inside : bool
        Whether the network scales intensities itself.
    """
    about, target = network.about, network.target
    decode = json.dumps(dict(network.decoding_)) if network.decoding_ else "defaults"
    scores = ", ".join(f"{k} {v:.3f}" for k, v in network.scores_.items()) or "none kept"
    said = card.description or "A network trained with Stroma."
    where = "inside the network, per window" if inside else "by the preprocessing named here"
    return f"""# {card.name}

{" ".join(filter(None, (said, terms)))}

## What it gives

Channels, already activated: {", ".join(target.channels())}. They are a valid result as they are.
Stroma decodes them to {target.result} (target `{about.target}`, parameters
`{json.dumps(dict(about.target_params))}`, options of decoding `{decode}`).

## How to run it

Sides are {sides}; of every window
{context} pixels at each side are context and are cut off. Intensities are scaled {where}.

In Stroma: `stroma segment model.zip image.tif`, which gives what the trained network gives.

## Validation

Scores on data kept from training: {scores}.
"""


def _middle(values: Array) -> Array:
    return values if values.ndim == 2 else values[len(values) // 2]


def _grey(plane: Array) -> NDArray[np.uint8]:
    low, high = np.percentile(plane, (1, 99))
    found: NDArray[np.uint8] = (np.clip((plane - low) / max(high - low, 1e-8), 0, 1) * 255).astype(
        np.uint8
    )
    return found
