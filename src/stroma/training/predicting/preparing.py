"""From a network and an image to what predicts its blocks."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from stroma.backbones.device import resolve
from stroma.data.image import Image
from stroma.data.statistics import Statistics
from stroma.targets.contract import Target
from stroma.training.feeding.cases import statistics_of
from stroma.training.feeding.crop import cropped, filled_box, is_whole
from stroma.training.feeding.resample import Grid, coarser, grid_for, pixel_size
from stroma.training.feeding.windows import Cube
from stroma.training.files.about import About
from stroma.training.predicting.members import Cascade
from stroma.training.predicting.predictor import NetworkPredictor


def predictor_for(
    module: nn.Module, about: About, target: Target, image: Image, mirror: bool, device: str
) -> NetworkPredictor:
    """Return what predicts blocks of an image.

    Parameters
    ----------
    module : nn.Module
        The network; it is moved to the device.
    about : About
        What it is.
    target : Target
        What it learned.
    image : Image
        As the network sees it.
    mirror : bool
        Whether the mean is taken over mirrored images.
    device : str
        Where it runs.
    """
    place, box = resolve(device), _filled(about, image)
    seen = image if box is None else cropped(image, box)
    module = module.to(place)
    plain = NetworkPredictor(
        module.second if isinstance(module, Cascade) else module,
        target,
        about.scale(),
        _statistics(about, image, box),
        about.patch,
        mirror,
        place,
        _grid(about, seen),
        box,
    )
    if not isinstance(module, Cascade):
        return plain
    return replace(plain, first=_coarser(about, plain, module.first, seen))


def _coarser(
    about: About, plain: NetworkPredictor, first: nn.Module, seen: Image
) -> NetworkPredictor:
    """Return what predicts with the coarser network of a cascade."""
    low, shape = about.coarse(), seen.shape[-about.ndim :]
    working = shape if plain.grid is None else plain.grid.new
    there = coarser(working, tuple(about.plan["spacing"]), about.times)
    grid = Grid(shape, there.new, there.nearest)
    return replace(plain, module=first, scale=low.scale(), patch=low.patch, grid=grid, crop=None)


def _filled(about: About, image: Image) -> Cube | None:
    """Return what of an image is looked at; None if it is all."""
    if not about.crop:
        return None
    box = filled_box(image, about.ndim)
    return None if is_whole(box, image.shape[-about.ndim :]) else box


def _statistics(about: About, image: Image, box: Cube | None) -> Statistics:
    return statistics_of(image, percentiles=about.scale().ranks, box=box)


def _grid(about: About, image: Image) -> Grid | None:
    """Return pixels of the size that was learned from, where the image has others."""
    ndim, shape = about.ndim, image.shape[-about.ndim :]
    if about.zoom != 1:
        return Grid.of(shape, (about.zoom,) * ndim, (1.0,) * ndim)
    if not about.spacing:
        return None
    size = pixel_size(image, ndim, about.unit)
    return grid_for(shape, size, about.spacing, image.source or "the image")
