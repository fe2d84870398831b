"""Measuring planes: areas and components of the classes, and groups of similar pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.cut import flat
from stroma.data.image import Image
from stroma.errors import Cancelled, ParameterError
from stroma.pixel.model import ConvpaintModel
from stroma.session.core.core import Core
from stroma.session.core.screen import Screen
from stroma.session.core.status import Measurement
from stroma.session.core.tasks import Task
from stroma.session.events import Position
from stroma.session.strokes.looking import Looking
from stroma.session.strokes.model import StrokeModel
from stroma.workflow.applying.components import (
    Coverage,
    Measured,
    Volumes,
    components,
    coverage,
    pixel_area,
    slabs,
    solids,
    voxel_volume,
)
from stroma.workflow.unlabelled.unsupervised import cluster_image

BAND_PIXELS = 2_000_000
"""Pixels that are looked at at once."""

Report = Callable[[int, int], None]
Cancel = Callable[[], bool]
Bands = Iterator[NDArray[np.integer]]
Value = TypeVar("Value")


class Measuring:
    """Areas and components; all of it are tasks.

    Parameters
    ----------
    core : Core
        Of which session.
    model : StrokeModel
        Its model.
    """

    def __init__(self, core: Core, model: StrokeModel) -> None:
        self.core, self.model = core, model
        self.looking, self.screen = Looking(core, model), Screen(core)

    def areas(
        self, image: str, *, plane: Position | None = None, min_size: int = 0
    ) -> Task[Measurement[list[Coverage]]]:
        """Measure how much each class covers of a plane, and in how many components.

        What is measured is told together with its state; there are no numbers of a plane that is
        not predicted as a whole.

        Parameters
        ----------
        image : str
            Key of the image.
        plane : dict of str to int, optional
            Position along t and z.
        min_size : int
            Smaller components, in pixels, are not counted.
        """

        def areas(bands: Bands) -> list[Coverage]:
            classes = tuple(self.model.bench.classes.values())
            return coverage(components(bands), classes, min_size=min_size)

        return self._measured("areas", areas, image, plane)

    def measure(
        self, image: str, *, plane: Position | None = None, min_size: int = 0
    ) -> Task[Measurement[Measured]]:
        """List the connected components of what is predicted on a plane, and sum them up.

        Parameters
        ----------
        image, plane, min_size
            As for ``areas``; components of fewer pixels are not listed either.
        """

        def measure(bands: Bands) -> Measured:
            area = pixel_area(self._plane(image, plane))
            classes = tuple(self.model.bench.classes.values())
            return Measured.of(components(bands), classes, pixel_area=area, min_size=min_size)

        return self._measured("measuring", measure, image, plane)

    def volumes(
        self, image: str, *, plane: Position | None = None, min_size: int = 0
    ) -> Task[Volumes]:
        """Segment a volume, list its parts over all planes, and sum them up.

        All planes are segmented by the present model, whether or not somebody looked at them.

        Parameters
        ----------
        image : str
            Key of the image.
        plane : dict of str to int, optional
            Position along t; others are not asked for.
        min_size : int
            Parts of fewer voxels are not listed.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        ParameterError
            If the image has no planes along z.
        """
        one = self.core.image(image)
        if one.outer.get("z", 1) < 2:
            raise ParameterError(f"The image {one.name!r} is no volume: it has one plane.")
        time = (plane or {}).get("t", 0)

        def measure(progress: Report, cancelled: Cancel) -> Volumes:
            labels = self.looking.segment(image, time=time, progress=progress, cancelled=cancelled)
            inside = _inside(labels.reshape(-1, *one.shape), one.region)
            found = solids(slabs(Image(inside, "zyx")))
            classes = tuple(self.model.bench.classes.values())
            large = tuple(solid for solid in found if solid.area >= min_size)
            summed = tuple(coverage(found, classes, min_size=min_size))
            return Volumes(large, summed, voxel_volume(one.image))

        return self.core.tasks.start("volumes", measure)

    def groups(
        self, image: str, *, count: int = 4, plane: Position | None = None
    ) -> Task[NDArray[np.uint8]]:
        """Group the pixels of a plane by what the model's features say of them, without strokes.

        The same call gives the same groups as long as the settings stay; see ``take_group``.

        Parameters
        ----------
        image : str
            Key of the image.
        count : int
            How many groups, 2 to 64.
        plane : dict of str to int, optional
            Position along t and z.
        """
        settings = self.model.now

        def group(progress: Report, cancelled: Cancel) -> NDArray[np.uint8]:
            model = ConvpaintModel(param=settings.param)
            return cluster_image(
                model,
                self._plane(image, plane),
                clusters=count,
                channels=settings.channels,
                progress=progress,
                cancel=cancelled,
            )

        return self.core.tasks.start("groups", group)

    def _measured(
        self, what: str, measure: Callable[[Bands], Value], image: str, plane: Position | None
    ) -> Task[Measurement[Value]]:
        """Measure a plane, and say whether that is true: before, and still afterwards."""

        def run(progress: Report, cancelled: Cancel) -> Measurement[Value]:
            before, revision = self.screen.standing(image, plane=plane), self.model.bench.revision
            if before.state not in ("current", "older") or not self._is_whole(image, plane):
                return Measurement(before.state, before.reason, None)
            value = measure(self._bands(image, plane, progress, cancelled))
            after = self.screen.standing(image, plane=plane)
            if revision != self.model.bench.revision or after.state != before.state:
                return Measurement(after.state, after.reason, None)
            return Measurement(after.state, after.reason, value)

        return self.core.tasks.start(what, run, looks=True)

    def _plane(self, image: str, plane: Position | None) -> Image:
        one = self.core.image(image)
        return flat(one.image.at(**one.planes.position(one.planes.number(plane or {}, one.name))))

    def _is_whole(self, image: str, plane: Position | None) -> bool:
        """Tell whether there is a result wherever one belongs."""
        height, width = self.core.image(image).plane_shape(plane)
        step = max(1, round((height * width / BAND_PIXELS) ** 0.5))
        return not self.looking.result(image, plane=plane, step=step).missing

    def _bands(
        self, image: str, plane: Position | None, progress: Report, cancelled: Cancel
    ) -> Bands:
        """Yield what is predicted on a plane, in bands of rows."""
        height, width = self.core.image(image).plane_shape(plane)
        rows = max(1, BAND_PIXELS // width)
        boxes = [Box(y, 0, min(y + rows, height), width) for y in range(0, height, rows)]
        for done, box in enumerate(boxes):
            if cancelled():
                raise Cancelled("The work was cancelled.")
            progress(done, len(boxes))
            yield self.looking.result(image, box, plane=plane).values


def _inside(labels: NDArray[np.integer], region: Box | None) -> NDArray[np.integer]:
    """Return (z, y, x) labels, with 0 outside a region of interest."""
    if region is None:
        return labels
    kept = np.zeros_like(labels)
    kept[:, *region.slices] = labels[:, *region.slices]
    return kept
