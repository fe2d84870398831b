"""Help with painting: where to paint next, how good it is, what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import NotTrainedError
from stroma.pixel.guidance.compare import Comparison, Crop, compare
from stroma.pixel.guidance.importance import importance
from stroma.pixel.guidance.suggest import Suggestion, suggest
from stroma.pixel.guidance.validate import stop_if, validate
from stroma.pixel.guidance.validation import Validation
from stroma.pixel.training.learn import Labelled
from stroma.session.core.core import Core
from stroma.session.core.tasks import Task
from stroma.session.events import Position
from stroma.session.strokes.applied import SAID
from stroma.session.strokes.looking import Looking
from stroma.session.strokes.model import StrokeModel
from stroma.session.strokes.painted.ownership import ClassCount, distribution, owners
from stroma.session.strokes.painting import Painting

GUIDE_PIXELS = 2_000_000
"""Values a suggestion is sought in; larger planes are looked at more coarsely."""

HERE = 1.1
"""How much better a place elsewhere must be than one on the plane that is shown."""

Report = Callable[[int, int], None]
Cancel = Callable[[], bool]


@dataclass(frozen=True)
class Place:
    """Where, in all images, a stroke would help most.

    Parameters
    ----------
    image : str
        Key of the image.
    plane : Position
        Which plane of it.
    found : Suggestion
        Where in the plane, and why.
    """

    image: str
    plane: Position
    found: Suggestion


class Guidance:
    """Guidance; everything that takes long is a task.

    Parameters
    ----------
    core : Core
        Of which session.
    model : StrokeModel
        Its model.
    """

    def __init__(self, core: Core, model: StrokeModel) -> None:
        self.core, self.model = core, model
        self.painting, self.looking = Painting(core), Looking(core, model)

    def suggest(
        self, image: str, *, plane: Position | None = None, side: int = 64
    ) -> Task[Suggestion | None]:
        """Find the most uncertain place of a plane away from its strokes.

        Only where there are results; None if nothing there is uncertain.
        """

        def find(progress: Report, cancelled: Cancel) -> Suggestion | None:
            return self._uncertain(image, plane, side)

        return self.core.tasks.start("suggestion", find, looks=True)

    def suggest_anywhere(self, image: str, *, plane: Position | None = None) -> Task[Place | None]:
        """Find the most uncertain place of all planes of all images that have results.

        Parameters
        ----------
        image, plane
            What is shown: a place there is taken unless one elsewhere is clearly better.
        """
        sheet = self.core.image(image).planes
        shown = image, sheet.position(sheet.number(plane or {}, image))

        def find(progress: Report, cancelled: Cancel) -> Place | None:
            best, most = None, 0.0
            for where in self._known_planes():
                stop_if(cancelled)
                found = self._uncertain(*where)
                score = 0.0 if found is None else found.score * (HERE if where == shown else 1)
                if found is not None and score > most:
                    best, most = Place(*where, found), score
            return best

        return self.core.tasks.start("suggestion", find, looks=True)

    def _known_planes(self) -> Iterator[tuple[str, Position]]:
        """Yield the planes that have results."""
        for one in self.core.all_images():
            yield from ((one.key, plane) for plane in self.looking.known_planes(one.key))

    def _uncertain(self, image: str, plane: Position | None, side: int = 64) -> Suggestion | None:
        shape = self.core.image(image).plane_shape(plane)
        step = max(1, round((shape[0] * shape[1] / GUIDE_PIXELS) ** 0.5))
        shown = self.looking.result(image, plane=plane, layer="uncertainty", step=step).values
        painted = np.zeros(shown.shape, bool)
        for box in self.painting.painted(image, plane=plane):
            y, x = np.nonzero(self.painting.strokes(image, box, plane=plane))
            painted[(y + box.top) // step, (x + box.left) // step] = True
        return suggest(shown, painted, step=step, side=side)

    def validate(self) -> Task[Validation]:
        """Estimate the accuracy by leaving out strokes and predicting them (5-fold)."""
        param = self.model.now.param.copy()

        def run(progress: Report, cancelled: Cancel) -> Validation:
            strokes, groups = self._strokes()
            cache = self.model.learner.cache
            how: dict[str, Any] = {"groups": groups, "classes": self._classes()}
            return validate(strokes, param, cache, **how, cancel=cancelled, progress=progress)

        return self.core.tasks.start("validation", run)

    def compare(
        self,
        aliases: Sequence[str] = (),
        *,
        image: str = "",
        plane: Position | None = None,
        box: Box | None = None,
    ) -> Task[list[Comparison]]:
        """Try other configurations on the strokes there are; all of them unless named.

        Parameters
        ----------
        aliases : sequence of str
            Names of configurations.
        image, plane, box
            Key of an image, and a part of a plane of it, that each configuration segments, to be
            seen side by side; the middle of the first painted plane, unless given.
        """

        def run(progress: Report, cancelled: Cancel) -> list[Comparison]:
            strokes, groups = self._strokes()
            crop = self._crop(image, plane, box) if image and box is not None else None
            how: dict[str, Any] = {"groups": groups, "classes": self._classes(), "crop": crop}
            return compare(strokes, aliases, **how, cancel=cancelled, progress=progress)

        return self.core.tasks.start("comparison", run)

    def _crop(self, image: str, plane: Position | None, box: Box) -> Crop:
        """Return a part of a plane as the model is to see it."""
        one = self.core.image(image)
        number = one.planes.number(plane or {}, one.name)
        inside = box.clipped(Box.of(one.planes.shape(number)))
        return Crop(self.model.wish().source(image), one.planes.position(number), inside)

    def importance(self, most: int | None = None) -> list[tuple[str, float]]:
        """Return the features the present model rests on, with their shares, largest first.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        """
        model = self.model.model
        if self.model.network is not None:
            raise NotTrainedError(f"{SAID} It rests on no features that could be listed.")
        if model.classifier is None:
            raise NotTrainedError("There is no model yet. Paint strokes of two classes first.")
        return importance(model.feature_names_, model.classifier, most=most)

    def distribution(self) -> Task[list[ClassCount]]:
        """Count the pixels and the strokes of each class, over all images."""

        def count(progress: Report, cancelled: Cancel) -> list[ClassCount]:
            with self.core.lock:
                edits = list(self.core.document.done)
            keys = [one.key for one in self.core.all_images()]
            return distribution(edits, {key: self.painting.points(key) for key in keys})

        return self.core.tasks.start("distribution", count, looks=True)

    def _classes(self) -> tuple[Class, ...]:
        with self.core.lock:
            return tuple(self.model.bench.classes.values())

    def _strokes(
        self,
    ) -> tuple[dict[str, Labelled], dict[str, NDArray[np.int64]]]:
        """Return what the model learns from, and the stroke of every pixel."""
        wish = self.model.wish()
        with self.core.lock:
            edits = list(self.core.document.done)
        points = {m.key: m.points(None) for m in wish.material}
        groups = {key: owners(edits, key, p) for key, p in points.items()}
        return {key: Labelled(wish.source(key), p) for key, p in points.items()}, groups
