"""A desk that helps: where to paint next, how good it is, and results for other programs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import Cancelled, NotTrainedError
from stroma.pixel.guidance.compare import Comparison, compare
from stroma.pixel.guidance.importance import importance
from stroma.pixel.guidance.suggest import Suggestion, suggest
from stroma.pixel.guidance.validate import Validation, validate
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.training.learn import Labelled
from stroma.session import operations as ops
from stroma.session.events import Position
from stroma.session.live import LiveDesk
from stroma.session.ownership import Painted, distribution, owners
from stroma.session.tasks import Task
from stroma.workflow.components import (
    Coverage,
    Measured,
    components,
    coverage,
    pixel_area,
)

if TYPE_CHECKING:
    from stroma.workflow.outputs import Outputs
    from stroma.workflow.segment import BatchResult

GUIDE_PIXELS = 2_000_000
"""Values a suggestion is sought in; larger planes are looked at more coarsely."""

EARLIER = "earlier"
"""What a result is noted to answer that was not the latest when it was written."""


@dataclass(frozen=True)
class Written:
    """A segmentation in a file.

    Parameters
    ----------
    path : Path
        The file.
    current : bool
        Whether it answers the present strokes and settings.
    """

    path: Path
    current: bool


Report = Callable[[int, int], None]
Cancel = Callable[[], bool]


class GuidedDesk(LiveDesk):
    """A desk with guidance; everything that takes long is a task."""

    def suggest(
        self, image: str, *, plane: Position | None = None, side: int = 64
    ) -> Task[Suggestion | None]:
        """Find the most uncertain place of a plane away from its strokes.

        Only where there are results; None if nothing there is uncertain.
        """
        shape = self.image(image).shape
        step = max(1, round((shape[0] * shape[1] / GUIDE_PIXELS) ** 0.5))

        def find(progress: Report, cancelled: Cancel) -> Suggestion | None:
            shown = self.result(image, plane=plane, layer="uncertainty", step=step).values
            painted = np.zeros(shown.shape, bool)
            for box in self.painted(image, plane=plane):
                y, x = np.nonzero(self.strokes(image, box, plane=plane))
                painted[(y + box.top) // step, (x + box.left) // step] = True
            return suggest(shown, painted, step=step, side=side)

        return self.start("suggestion", find)

    def validate(self) -> Task[Validation]:
        """Estimate the accuracy by leaving out strokes and predicting them (5-fold)."""
        param = self.settings.param.copy()

        def run(progress: Report, cancelled: Cancel) -> Validation:
            strokes, groups = self._strokes()
            cache = self._rounds.learner.cache
            return validate(
                strokes, param, cache, groups=groups, cancel=cancelled, progress=progress
            )

        return self.start("validation", run)

    def compare(self, aliases: Sequence[str] = ()) -> Task[list[Comparison]]:
        """Try other configurations on the strokes there are; all of them unless named."""

        def run(progress: Report, cancelled: Cancel) -> list[Comparison]:
            strokes, groups = self._strokes()
            return compare(strokes, aliases, groups=groups, cancel=cancelled, progress=progress)

        return self.start("comparison", run)

    def importance(self, most: int | None = None) -> list[tuple[str, float]]:
        """Return the features the present model rests on, with their shares, largest first.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        """
        model = self.model
        if model.classifier is None:
            raise NotTrainedError("There is no model yet. Paint strokes of two classes first.")
        return importance(model.feature_names_, model.classifier, most=most)

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
            return coverage(found, self.classes, min_size=min_size)

        return self.start("areas", areas)

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
            area = pixel_area(self.image(image).image)
            return Measured.of(found, self.classes, pixel_area=area, min_size=min_size)

        return self.start("measuring", measure)

    def distribution(self) -> Task[list[Painted]]:
        """Count the pixels and the strokes of each class, over all images."""

        def count(progress: Report, cancelled: Cancel) -> list[Painted]:
            with self._lock:
                edits = list(self._document.done)
            return distribution(edits, {one.key: self.points(one.key) for one in self.images})

        return self.start("distribution", count)

    def export_labels(
        self, image: str, path: str | Path, *, probabilities: bool = False
    ) -> Task[Path]:
        """Segment all of an image into a file: OME-Zarr or TIFF, whatever its size.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        MissingFileError
            If the file of the image is not where it was.
        """
        from stroma.pixel.predicting.stored import write_result

        with self._lock:
            # Asked before the model is taken: one that is trained in between is newer, not older.
            current = self._rounds.learner.revision == self.revision
            answers = self._answers() if current else EARLIER
            model, pixels = self._snapshot(), self._pixels(image)

        def export(progress: Report, cancelled: Cancel) -> Path:
            written = write_result(
                model,
                pixels,
                path,
                probabilities=probabilities,
                progress=progress,
                cancel=cancelled,
            )
            if not probabilities:
                self._note(image, written, answers)
            return written

        return self.start("export", export)

    def written(self, image: str) -> Written | None:
        """Return where the segmentation of an image was written last, if it is still there."""
        with self._lock:
            noted = self._document.sheet(image).result
            answers = self._answers()
        if noted is None or not Path(noted.path).exists():
            return None
        return Written(Path(noted.path), noted.answers == answers)

    def set_model(self, model: ConvpaintModel) -> None:
        """Go on with another model, see `LiveDesk`; what was written is of an earlier one.

        Raises
        ------
        ShapeError, ParameterError
            If it was trained on other channels than an image has; nothing is changed then.
        """
        super().set_model(model)
        with self._lock:
            for sheet in self._document.sheets.values():
                if sheet.result is not None:
                    self._do(replace(sheet.result, answers=EARLIER))

    def _note(self, image: str, path: Path, answers: str) -> None:
        with self._lock:
            if image in self._document.sheets:
                self._do(ops.SetResult(image, str(path.resolve()), answers))

    def _answers(self) -> str:
        """Return what tells the present strokes and settings from others, also when reopened."""
        done, settings = self._document.done, self.settings.to_json()
        del settings["mode"]
        last = (done[-1].number, len(done[-1].changes)) if done else (0, 0)
        painted = [s.key for s in self._document.sheets.values() if s.strokes.painted_planes()]
        facts = (last, painted, sorted(settings.items(), key=str))
        return hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()

    def apply(
        self, paths: Sequence[str | Path], folder: str | Path, *, outputs: Outputs | None = None
    ) -> Task[BatchResult]:
        """Segment other files with the present model, as ``stroma segment`` does."""
        from stroma.workflow.segment import Progress, segment_files

        model = self._snapshot()

        def batch(progress: Report, cancelled: Cancel) -> BatchResult:
            def told(step: Progress) -> None:
                done = (step.file - 1) * 1000 + 1000 * step.done // max(1, step.total)
                progress(done, step.files * 1000)

            return segment_files(
                model, list(paths), folder, outputs=outputs, progress=told, cancel=cancelled
            )

        return self.start("batch", batch)

    def _bands(
        self, image: str, plane: Position | None, progress: Report, cancelled: Cancel
    ) -> Iterator[NDArray[np.integer]]:
        """Yield what is predicted on a plane, in bands of rows."""
        height, width = self.image(image).shape
        rows = max(1, GUIDE_PIXELS // width)
        boxes = [Box(y, 0, min(y + rows, height), width) for y in range(0, height, rows)]
        for done, box in enumerate(boxes):
            if cancelled():
                raise Cancelled("The work was cancelled.")
            progress(done, len(boxes))
            yield self.result(image, box, plane=plane).values

    def _strokes(
        self,
    ) -> tuple[dict[str, Labelled], dict[str, NDArray[np.int64]]]:
        """Return what the model learns from, and the stroke of every pixel."""
        wish = self._wish()
        with self._lock:
            edits = list(self._document.done)
        points = {m.key: m.points() for m in wish.material}
        groups = {key: owners(edits, key, p) for key, p in points.items()}
        return {key: Labelled(wish.source(key), p) for key, p in points.items()}, groups
