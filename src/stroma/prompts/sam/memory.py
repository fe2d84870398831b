"""An object followed from frame to frame by what SAM 2 remembers of the frames before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F
from transformers import Sam2VideoInferenceSession

from stroma.prompts.sam.logits import at_pixels
from stroma.prompts.sam.windows import Window

Bools = NDArray[np.bool_]

OBJECT = 1
"""Number of the only object."""

ENLARGED = 2
"""From so many pixels of the network for one of the image on, no pixel can be lost."""


class Remembered(Sam2VideoInferenceSession):  # type: ignore[misc]
    """What is kept of the frames of a movie: of the first, and of the last few.

    Parameters
    ----------
    count : int
        Frames of the movie.
    frames : int
        How many are kept beside the first.
    device : torch.device
        Where.
    """

    def __init__(self, count: int, frames: int, device: torch.device) -> None:
        super().__init__(
            inference_device=device, inference_state_device=device, dtype=torch.float32
        )
        self._count, self._frames = count, frames

    @property
    def num_frames(self) -> int:
        """Frames of the movie, also those that were not seen or are forgotten."""
        return self._count

    @property
    def held(self) -> int:
        """Frames of which something is kept."""
        known = self.output_dict_per_obj.get(0, {})
        return sum(len(frames) for frames in known.values())

    def forget(self, now: int) -> None:
        """Keep no more than the next frame may look back at."""
        known = self.output_dict_per_obj[0]
        for outputs in known.values():
            for one in outputs.values():
                one.pop("high_res_masks", None)  # large, and of use only while it was made
        last, tracked = known["non_cond_frame_outputs"], self.frames_tracked_per_obj[0]
        for frame in [n for n in last if n <= now - self._frames]:
            del last[frame]
            tracked.pop(frame, None)


class Memory:
    """One object, frame after frame.

    Parameters
    ----------
    network : Sam2VideoModel
        With its memory.
    count : int
        Frames of the movie, the first one too.
    frames : int
        How many are remembered beside the first.
    device : torch.device
        Where the network runs.
    """

    def __init__(self, network: Any, *, count: int, frames: int, device: torch.device) -> None:
        self._network, self._device = network, device
        self.session = Remembered(count, frames, device)
        self._next = 0

    def begin(self, levels: list[torch.Tensor], mask: torch.Tensor) -> None:
        """Take the first frame, with its object (1, 1, side, side)."""
        session = self.session
        session.add_mask_inputs(session.obj_id_to_idx(OBJECT), 0, mask)
        session.obj_with_new_inputs = [OBJECT]
        self.follow(levels)

    def follow(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Return coarse logits (1, 1, y, x) of the object on the next frame.

        Parameters
        ----------
        levels : list of (1, F, y, x) tensor
            What the encoder makes of it, the finest first, as for prompts.
        """
        number = self._next
        self.session.cache.cache_vision_features(number, self._seen(levels))
        found = self._network(self.session, frame_idx=number)
        self.session.forget(number)
        self._next += 1
        return found.pred_masks  # type: ignore[no-any-return]

    def _seen(self, levels: list[torch.Tensor]) -> dict[str, Any]:
        """Return maps as the memory takes them: cells first, and none told that it is a picture."""
        places = self._network.vision_encoder.neck.position_encoding
        rows = [level.flatten(2).permute(2, 0, 1) for level in levels]
        rows[-1] = rows[-1] - self._network.no_memory_embedding
        coarse = places(levels[-1].shape, self._device, torch.float32)
        return {"vision_feats": rows, "vision_pos_embeds": [coarse.flatten(2).permute(2, 0, 1)]}


def shown(mask: Bools, window: Window, side: int) -> torch.Tensor:
    """Return a mask (1, 1, side, side) as the network sees the image.

    What is too small or thin to fill half a pixel of the network is there with every pixel that it
    touches; borders of all else lie where they are half in.
    """
    rows, columns = window.inner
    values = torch.from_numpy(mask.astype(np.float32))[None, None]
    resized = F.interpolate(values, (rows, columns), mode="bilinear", antialias=True)
    found = (resized >= 0.5).float()
    if window.scale < ENLARGED:
        found = _with_lost(found, F.adaptive_max_pool2d(values, (rows, columns)), window.scale)
    return F.pad(found, (0, side - columns, 0, side - rows))


def _with_lost(found: torch.Tensor, touched: torch.Tensor, scale: float) -> torch.Tensor:
    """Return a mask with what it touches and does not have beside it."""
    reach = math.ceil(
        scale
    )  # a border that is touched, but less than half, is no part that is lost
    lost = touched * (1 - _grown(found, reach))
    return torch.maximum(found, touched * _grown(lost, reach))


def _grown(mask: torch.Tensor, reach: int) -> torch.Tensor:
    return F.max_pool2d(mask, 2 * reach + 1, stride=1, padding=reach)


def there(logits: torch.Tensor, window: Window, side: int) -> Bools:
    """Return the pixels of an object; none where it is not seen."""
    fine = at_pixels(logits.float(), window, side)
    return np.asarray((fine[0, 0] > 0).cpu().numpy())
