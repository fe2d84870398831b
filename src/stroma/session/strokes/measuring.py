"""Measuring what is predicted on a plane: areas and components of the classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import Cancelled
from stroma.session.core.core import Core
from stroma.session.core.tasks import Task
from stroma.session.events import Position
from stroma.session.strokes.looking import Looking
from stroma.session.strokes.model import StrokeModel
from stroma.workflow.components import Coverage, Measured, components, coverage, pixel_area

BAND_PIXELS = 2_000_000
"""Pixels that are looked at at once."""

Report = Callable[[int, int], None]
Cancel = Callable[[], bool]


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
        self.looking = Looking(core, model)

    def areas(
        self, image: str, *, plane: Position | None = None, min_size: int = 0
    ) -> Task[list[Coverage]]:
        """Measure how much each class covers of what is predicted, and in how many components.

        Parameters
        ----------
        image : str
            Key of the image.
        plane : dict of str to int, optional
            Position along t and z.
        min_size : int
            Smaller components, in pixels, are not counted.
        """

        def areas(progress: Report, cancelled: Cancel) -> list[Coverage]:
            found = components(self._bands(image, plane, progress, cancelled))
            return coverage(found, tuple(self.model.bench.classes.values()), min_size=min_size)

        return self.core.tasks.start("areas", areas)

    def measure(
        self, image: str, *, plane: Position | None = None, min_size: int = 0
    ) -> Task[Measured]:
        """List the connected components of what is predicted on a plane, and sum them up.

        Parameters
        ----------
        image, plane, min_size
            As for ``areas``; components of fewer pixels are not listed either.
        """

        def measure(progress: Report, cancelled: Cancel) -> Measured:
            found = components(self._bands(image, plane, progress, cancelled))
            area = pixel_area(self.core.image(image).image)
            classes = tuple(self.model.bench.classes.values())
            return Measured.of(found, classes, pixel_area=area, min_size=min_size)

        return self.core.tasks.start("measuring", measure)

    def _bands(
        self, image: str, plane: Position | None, progress: Report, cancelled: Cancel
    ) -> Iterator[NDArray[np.integer]]:
        """Yield what is predicted on a plane, in bands of rows."""
        height, width = self.core.image(image).shape
        rows = max(1, BAND_PIXELS // width)
        boxes = [Box(y, 0, min(y + rows, height), width) for y in range(0, height, rows)]
        for done, box in enumerate(boxes):
            if cancelled():
                raise Cancelled("The work was cancelled.")
            progress(done, len(boxes))
            yield self.looking.result(image, box, plane=plane).values
