"""Comparing configurations on the strokes there are: how good each is, and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import MissingExtraError, StromaError, WeightsError
from stroma.features.cache import FeatureCache
from stroma.pixel.choices.aliases import ALIASES, alias_param
from stroma.pixel.choices.catalogue import networks
from stroma.pixel.door import Source
from stroma.pixel.guidance.validate import Cancel, Progress, require_enough, stop_if, validate
from stroma.pixel.guidance.validation import Validation, better
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.predicting.panels import panels_of, run_panels
from stroma.pixel.training.learn import Labelled
from stroma.weights import status

MEASURED_SIDE = 512
"""Side of the square that is segmented to measure the time."""


@dataclass(frozen=True, eq=False)
class Crop:
    """A part of a plane that every configuration segments, as it would in the whole image.

    Parameters
    ----------
    source : Source
        The image, with the channels in use.
    position : mapping of str to int
        Which plane: along t and z, or t and y or x.
    box : Box
        Pixels of it; what lies beyond ``MEASURED_SIDE`` from the top and the left is left out.
    """

    source: Source
    position: Mapping[str, int]
    box: Box

    @property
    def part(self) -> Box:
        """What is segmented."""
        box = self.box
        bottom, right = box.top + MEASURED_SIDE, box.left + MEASURED_SIDE
        return Box(box.top, box.left, min(box.bottom, bottom), min(box.right, right))


@dataclass(frozen=True, eq=False)
class Comparison:
    """One configuration, tried.

    Parameters
    ----------
    alias : str
        Its name.
    validation : Validation or None
        How well it predicts strokes that were left out; None if it could not be tried.
    training : float
        Seconds to compute features at the strokes and train, from nothing.
    segmenting : float
        Seconds to segment a million pixels, from nothing.
    problem : str
        Why it could not be tried: what is missing and how to get it.
    tied : bool
        Whether the strokes there are cannot tell it from the best one.
    """

    alias: str
    validation: Validation | None = None
    training: float = float("nan")
    segmenting: float = float("nan")
    problem: str = ""
    tied: bool = False
    labels: NDArray[np.unsignedinteger[Any]] | None = None

    @property
    def accuracy(self) -> float:
        """Mean share of each class that was recognised; NaN if it could not be tried."""
        return float("nan") if self.validation is None else self.validation.accuracy


def compare(
    strokes: Mapping[str, Labelled],
    aliases: Sequence[str] = (),
    *,
    groups: Mapping[str, NDArray[np.integer]] | None = None,
    classes: Sequence[Class] = (),
    cancel: Cancel | None = None,
    progress: Progress | None = None,
    crop: Crop | None = None,
) -> list[Comparison]:
    """Try configurations on strokes; the best comes first.

    Parameters
    ----------
    strokes : mapping of str to Labelled
        Images with their labelled pixels.
    aliases : sequence of str
        Configurations to try, for which weights are fetched if need be. Unless given, all that
        differ, and nothing is fetched.
    groups : mapping of str to (n,) int array, optional
        The stroke each labelled pixel belongs to.
    classes : sequence of Class
        What the labels are called, where people are told of them.
    cancel : callable, optional
        Asked between steps.
    progress : callable, optional
        Told how many configurations are done, and of how many.
    crop : Crop, optional
        What they segment, to measure the time and to be seen side by side; the middle of the first
        painted plane, unless given.

    Returns
    -------
    list of Comparison
        Those that cannot be tried, because an extra or weights are missing, say so and come last.

    Raises
    ------
    UnknownNameError
        If there is no such alias.
    LabelError
        If there are too few strokes.
    """
    plain = alias_param("stroma")  # whose features load nothing: what is lacking is told at once
    require_enough(strokes, plain, groups=groups, classes=classes)
    wanted = list(aliases) or _distinct()
    for alias in wanted:
        alias_param(alias)
    shown = crop or _middle(next(iter(strokes.values()))) if strokes else crop
    tried = []
    for done, alias in enumerate(wanted):
        if progress is not None:
            progress(done, len(wanted))
        stop_if(cancel)
        lacking = "" if aliases else _lacking(alias)
        if lacking:
            tried.append(Comparison(alias, problem=lacking))
        else:
            tried.append(_tried(alias, strokes, groups, classes, shown, cancel))
    return _ranked(tried)


def _ranked(tried: list[Comparison]) -> list[Comparison]:
    """Return configurations, the best first, with those that strokes cannot tell from it marked."""
    sound = [c for c in tried if c.validation is not None]
    sound.sort(key=lambda c: -c.accuracy)
    best = sound[0].validation if sound else None
    marked = [
        replace(c, tied=c.validation is not best and better(best, c.validation) == 0)
        for c in sound
        if best is not None and c.validation is not None
    ]
    return [*marked, *(c for c in tried if c.validation is None)]


def _distinct() -> list[str]:
    """Return the aliases, one for each configuration."""
    found: dict[str, str] = {}
    for alias, values in ALIASES.items():
        found.setdefault(repr(sorted(values.items())), alias)
    return list(found.values())


def _lacking(alias: str) -> str:
    """Return what to do where weights are not on this machine; nothing where they are."""
    names = [name for name in networks(alias) if status(name) in ("missing", "by hand")]
    commands = " and ".join(f"stroma fetch {name}" for name in names)
    return f"its weights are not here; get them with: {commands}" if names else ""


def _tried(
    alias: str,
    strokes: Mapping[str, Labelled],
    groups: Mapping[str, NDArray[np.integer]] | None,
    classes: Sequence[Class],
    crop: Crop | None,
    cancel: Cancel | None,
) -> Comparison:
    try:
        model = ConvpaintModel(alias)
        start = time.perf_counter()
        model.train(
            [s.source.image for s in strokes.values()], [s.points for s in strokes.values()]
        )
        training = time.perf_counter() - start
    except (MissingExtraError, WeightsError) as error:
        return Comparison(alias, problem=_first_line(error))
    stop_if(cancel)
    how: dict[str, Any] = {"groups": groups, "classes": classes, "cancel": cancel}
    found = validate(strokes, model.get_params(), model.cache, **how)
    if crop is None:
        return Comparison(alias, found, training)
    labels, seconds = _segmented(model, crop, cancel)
    return Comparison(alias, found, training, seconds, labels=labels)


def _middle(one: Labelled) -> Crop:
    """Return the middle of the first plane of an image that has labels."""
    height, width = one.source.plane_shape
    top, left = max(0, (height - MEASURED_SIDE) // 2), max(0, (width - MEASURED_SIDE) // 2)
    first = int(one.points.plane.min()) if len(one.points.plane) else 0
    position = one.source.positions[first]
    return Crop(one.source, position, Box(top, left, height, width))


def _segmented(
    model: ConvpaintModel, crop: Crop, cancel: Cancel | None
) -> tuple[NDArray[np.unsignedinteger[Any]], float]:
    """Return the labels of a crop, and how many seconds a million pixels take."""
    part, trained = crop.part, model.trained()
    labels = np.zeros(part.shape, np.uint16)
    start, pixels = time.perf_counter(), 0
    panels = panels_of(
        model.open(crop.source.image),
        trained.recipe,
        trained.statistics,
        position=crop.position,
        box=part,
        classes=len(trained.classifier.classes_),
    )
    for _, block in run_panels(panels, trained, FeatureCache(0), cancel=cancel):
        whole = Box(block.y.start, block.x.start, block.y.stop, block.x.stop)
        inside = whole.clipped(part)
        labels[inside.relative(part).slices] = block.labels[inside.relative(whole).slices]
        pixels += block.labels.size
    return labels, (time.perf_counter() - start) / pixels * 1e6


def _first_line(error: StromaError) -> str:
    return str(error).partition("\n")[0]
