"""The decoder of micro-sam's automatic mode: distances of every pixel, and objects of them.

Archit et al., Nature Methods 2025, doi 10.1038/s41592-024-02580-4.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.backbones.unetr import Unetr
from stroma.errors import FormatError
from stroma.targets.distances import Distances
from stroma.weights.checkpoint import read_checkpoint, state_of

INSIDE = "decoder_state"
"""Name under which checkpoints of micro-sam's training hold it, beside the network."""


def decoder_of(path: Path, *, device: torch.device) -> Unetr:
    """Return the decoder that a file holds, in the size it has; the same one while it is unchanged.

    Parameters
    ----------
    path : Path
        A file of its tensors, or a checkpoint that micro-sam's training left.
    device : torch.device
        Where it runs.

    Raises
    ------
    FormatError
        If it holds something else.
    """
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    return _decoder(path, stamp, device)


@lru_cache(maxsize=2)
def _decoder(path: Path, stamp: int, device: torch.device) -> Unetr:
    found = read_checkpoint(path)
    inner = found.get(INSIDE, found) if isinstance(found, dict) else found
    tensors = {k: v for k, v in state_of(inner, path).items() if not k.startswith("encoder.")}
    try:
        network = Unetr.of({k: tuple(v.shape) for k, v in tensors.items()})
        network.load_state_dict(tensors)
    except (KeyError, RuntimeError) as error:
        raise FormatError(
            f"{path} holds no decoder of micro-sam's automatic mode. Its files are called "
            "vit_b_decoder.pt or likewise; a checkpoint of its training holds one too."
        ) from error
    return network.to(device).eval().requires_grad_(False)


def objects_of(distances: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return objects (y, x) from 1.

    Parameters
    ----------
    distances : (3, y, x) float32
        Foreground, distance from the middle and from the deepest place, all from 0 to 1, as
        micro-sam's decoder gives them.
    """
    known = np.stack([distances[0], 1 - distances[1], 1 - distances[2]])
    return Distances().decode(known.astype(np.float32)).astype(np.int32)
