"""A network that learned to answer prompts, as an engine: see the objective ``prompting``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.backbones import device as devices
from stroma.data.image import Image
from stroma.errors import FormatError, ImageError, ParameterError, ShapeError
from stroma.features.networks.deep import inference
from stroma.networks.sam import PromptedSAM
from stroma.prompts.contract import Embedding, Prompts
from stroma.prompts.graph import ready
from stroma.prompts.refine import settled
from stroma.prompts.sam.engine import Sam
from stroma.prompts.sam.logits import held
from stroma.prompts.sam.windows import Window
from stroma.prompts.seeds import places
from stroma.training.feeding.cases import statistics_of
from stroma.training.files.about import read
from stroma.training.model import Network
from stroma.weights.local import VARIABLE

FILE = "trained.safetensors"
"""Name of the file in a folder of weights."""


class Trained(Sam):
    """A network that `stroma.learn` trained with ``objective="prompting"``; in planes.

    Images are scaled as those that it learned from. One longer than 320 pixels is also shown in
    parts of 256 pixels at full resolution; see `Sam`. What it answers is as coarse as 4 pixels, so
    the border is settled on the pixels of the image. Masks are scored by how much of each the
    network expects to be right: that needs less learning than the scores that it gives itself.

    Parameters
    ----------
    weights : path
        File of the network, or folder with one called trained.safetensors; that of STROMA_WEIGHTS
        unless given.
    cache : path, optional
        Folder where what the network makes of images is kept; of use to every later run.
    device : {"auto", "cpu", "cuda", "mps"}
        Where the network runs.
    """

    version = "trained 1"

    def __init__(
        self,
        *,
        weights: str | Path | None = None,
        cache: str | Path | None = None,
        device: devices.Device = "auto",
    ) -> None:
        super().__init__(weights=weights, cache=cache, device=device)
        self._channels: NDArray[np.float32] | None = None

    @property
    def key(self) -> str:
        """Version, and hash of the file."""
        path = self._file()
        return f"{self.version} {_digest(path, path.stat().st_mtime_ns)}"

    def set_image(self, image: NDArray[Any], *, rgb: bool = False) -> None:
        """Show the whole image to the network, and keep its pixels; see `PromptedSegmenter`."""
        super().set_image(image, rgb=rgb)
        self._channels = ready(_channels(image, self._network_file().about.channels), rgb=False)

    def embedding(self) -> Embedding:
        """Return the maps of all windows, and the pixels."""
        return {**super().embedding(), "channels": np.asarray(self._channels)}

    def set_embedding(self, embedding: Embedding) -> None:
        """Take maps and pixels."""
        super().set_embedding({k: v for k, v in embedding.items() if k != "channels"})
        self._channels = embedding["channels"]

    def distances(self) -> NDArray[np.float32]:
        """Return foreground, nearness and depth (3, y, x) as the network draws them, from 0 to 1.

        Large images are drawn part by part; where parts overlap, their mean counts.
        """
        image, place = self._known(), devices.resolve(self.device)
        total = np.zeros((3, *image.windows[0].shape), np.float32)
        often = np.zeros(image.windows[0].shape, np.float32)
        for number in range(min(1, len(image.windows) - 1), len(image.windows)):
            window, maps = image.windows[number], self._levels(image, number)[0]
            with inference(place):
                drawn = self._whole().drawn(
                    torch.from_numpy(maps)[None].to(place), (image.side, image.side)
                )
                rows, columns = window.inner
                fine = torch.nn.functional.interpolate(
                    drawn[..., :rows, :columns].sigmoid(), window.shape, mode="bilinear"
                )
            total[(slice(None), *window.slices)] += fine[0].float().cpu().numpy()
            often[window.slices] += 1
        return total / often

    def decoded(self) -> NDArray[np.int32]:
        """Return all objects (y, x) that the network draws; see `Decodes`."""
        network = self._network_file()
        found = network.target.decode(self.distances(), **network.decoding_)
        return np.asarray(found, np.int32)

    def _reader(self, image: NDArray[Any], rgb: bool) -> Callable[[Window], NDArray[np.float32]]:
        """Return what reads a window, scaled as the images that were learned from."""
        if image.ndim != 3 or not image.size:
            raise ShapeError(f"This engine takes planes, (C, y, x); got shape {image.shape}.")
        if not np.isfinite(image).all():
            raise ImageError("The image has values that are NaN or infinite. Replace them first.")
        about = self._network_file().about
        values = _channels(image, about.channels)
        scale = about.scale()
        measured = statistics_of(Image(values, "cyx"), percentiles=scale.ranks)
        return lambda window: scale(values[(slice(None), *window.slices)], measured)

    def _finished(self, mask: NDArray[np.bool_], given: Prompts) -> NDArray[np.bool_]:
        """Return a mask with its border settled on the pixels of the image."""
        assert self._channels is not None
        on, beside = places(given, mask.shape)
        drawn = super()._finished(mask, given)
        return held(settled(drawn, self._channels, on=on, beside=beside), given)

    def _sure(self, found: Any) -> torch.Tensor:
        return expected(found.pred_masks)

    def _network(self) -> torch.nn.Module:
        module: torch.nn.Module = self._whole().sam
        return module

    def _whole(self) -> PromptedSAM:
        module = self._network_file().module.to(devices.resolve(self.device))
        assert isinstance(module, PromptedSAM)
        return module

    def _network_file(self) -> Network:
        path = self._file()
        return _opened(path, path.stat().st_mtime_ns)

    def _file(self) -> Path:
        """Return the file of the network.

        Raises
        ------
        ParameterError
            If none is given, or it is not there.
        """
        given = self.weights or os.environ.get(VARIABLE, "")
        path = Path(given).expanduser()
        path = path / FILE if path.is_dir() else path
        if not given or not path.is_file():
            raise ParameterError(
                "The engine 'trained' is a network of your own. Give its file with weights=, or "
                f"put it as {FILE} into the folder that {VARIABLE} names. One is trained with "
                "target='distances', network='sam' and objective='prompting'."
            )
        return path


def expected(logits: torch.Tensor) -> torch.Tensor:
    """Return the overlap (B, N, m) that masks have with the object if what they say is as likely.

    Parameters
    ----------
    logits : (B, N, m, y, x) tensor
        Of pixels; above 0 is the mask.
    """
    likely, inside = logits.sigmoid(), logits > 0
    either = torch.where(inside, 1, likely).sum((-2, -1))
    return torch.where(inside, likely, 0).sum((-2, -1)) / either.clamp(min=1)


def _channels(image: NDArray[Any], wanted: int) -> NDArray[np.float32]:
    """Return an image with as many channels as were learned from.

    Raises
    ------
    ShapeError
        If it has others: grey is made equal colours, and colours their mean.
    """
    values = image.astype(np.float32)
    if len(values) == wanted:
        return values
    if 1 not in (len(values), wanted):
        raise ShapeError(
            f"The network learned from images of {wanted} channels, and this one has {len(values)}."
        )
    mean = values.mean(0, keepdims=True)
    return np.repeat(mean, wanted, axis=0)


@lru_cache(maxsize=2)
def _opened(path: Path, stamp: int) -> Network:
    about, module = read(path)
    if not isinstance(module, PromptedSAM):
        raise FormatError(
            f"{path} is a network that answers no prompts. Train one with target='distances', "
            "network='sam' and objective='prompting'."
        )
    return Network(module, about)


@lru_cache(maxsize=8)
def _digest(path: Path, stamp: int) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
