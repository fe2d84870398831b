"""Segmentations in files: of images that are open, and of others."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.session.core.core import Core
from stroma.session.core.tasks import Task
from stroma.session.strokes import operations as ops
from stroma.session.strokes.model import StrokeModel
from stroma.session.strokes.painted.change import Painted

if TYPE_CHECKING:
    from stroma.data.image import Image
    from stroma.workflow.applying.outputs import Outputs
    from stroma.workflow.applying.segment import BatchResult, FileResult

EARLIER = "earlier"
"""What a result is noted to answer that was not the latest when it was written."""

OLDER = "These results are older than your strokes and settings."

Report = Callable[[int, int], None]
Cancel = Callable[[], bool]


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


class Exports:
    """Writing segmentations; all of it are tasks.

    Parameters
    ----------
    core : Core
        Of which session.
    model : StrokeModel
        Its model.
    """

    def __init__(self, core: Core, model: StrokeModel) -> None:
        self.core, self.model = core, model

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

        with self.core.lock:
            answers = self._answered()
            applied, pixels = self.model.learner.applied, self.core.pixels(image)
            write = partial(write_result, self.model.copy()) if applied is None else applied.write

        def export(progress: Report, cancelled: Cancel) -> Path:
            written = write(
                pixels, path, probabilities=probabilities, progress=progress, cancel=cancelled
            )
            if not probabilities:
                self._note(image, written, answers)
            return written

        return self.core.tasks.start("export", export)

    def older(self) -> str:
        """Say that what is written now answers earlier strokes or settings, and what to do.

        Empty where it answers the present ones. To be asked before writing begins: a model that is
        trained in between is newer, not older.
        """
        turn = self.model.turn()
        if turn.answered in (-1, turn.revision):
            return ""
        return f"{OLDER} {turn.lacking or 'Train, and write them again.'}"

    def written(self, image: str) -> Written | None:
        """Return where the segmentation of an image was written last, if it is still there."""
        with self.core.lock:
            key = self.core.document.sheet(image).key
        return self._found([key]).get(key)

    def all_written(self) -> dict[str, Written]:
        """Return what ``written`` does of every image that has such a file.

        What the present strokes and settings are is asked once for all.
        """
        with self.core.lock:
            return self._found(list(self.model.bench.written))

    def _found(self, images: Sequence[str]) -> dict[str, Written]:
        with self.core.lock:
            noted = [one for key in images if (one := self.model.bench.written.get(key))]
            answers = self._answers() if noted else ""
        files = [(one, Path(one.path)) for one in noted]
        return {
            one.image: Written(path, one.answers == answers) for one, path in files if path.exists()
        }

    def forget(self) -> None:
        """Note that all that was written is of an earlier model."""
        with self.core.lock:
            for result in list(self.model.bench.written.values()):
                self.core.do(replace(result, answers=EARLIER))

    def _note(self, image: str, path: Path, answers: str) -> None:
        with self.core.lock:
            if image in self.core.document.sheets:
                self.core.do(ops.SetResult(image, str(path.resolve()), answers))

    def _note_open(
        self,
        made: Sequence[FileResult],
        outputs: Outputs,
        answers: str,
        axes: Mapping[str, str | None],
    ) -> None:
        """Note the segmentations of images that are open, and which of those known are no more.

        ``axes`` are those that some files were read with; the others were as ``outputs`` says.
        """
        found = {
            (_real(one.path), one.series or 0): one.outputs[0]
            for one in made
            if one.status != "failed"
        }
        over = {_real(path) for path in found.values()}
        for image in self.core.all_images():
            how, source = image.image.read_with or {}, image.image.source
            read = axes.get(_real(source), outputs.axes) if source else None
            alike = outputs.mask is None and how.get("axes") == read
            path = found.get((_real(source), how.get("series", 0))) if source and alike else None
            noted = self.model.bench.written.get(image.key)
            if path is not None:
                self._note(image.key, path, answers)
            elif noted is not None and _real(noted.path) in over:
                self._note(image.key, Path(noted.path), EARLIER)

    def _answered(self) -> str:
        """Return what the present model answers.

        To be asked before the model is taken: one that is trained in between is newer, not older.
        """
        current = self.model.learner.revision == self.model.bench.revision
        return self._answers() if current else EARLIER

    def _answers(self) -> str:
        """Return what tells the present strokes and settings from others, also when reopened."""
        done, settings = self.core.document.done, dict(self.model.settings())
        del settings["mode"]
        own = [edit for edit in done if isinstance(edit.change, Painted)]
        last = (own[-1].number, own[-1].change.size) if own else (0, 0)
        painted = [key for key, tiles in self.model.bench.tiles.items() if tiles.painted_planes()]
        facts = (last, painted, sorted(settings.items(), key=str))
        return hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()

    def apply(
        self,
        paths: Sequence[str | Path],
        folder: str | Path,
        *,
        outputs: Outputs | None = None,
        series: Sequence[int | None] = (),
        opened: Sequence[Image | None] = (),
    ) -> Task[BatchResult]:
        """Segment files with the present model, as ``stroma segment`` does.

        ``series`` says which image of each, and ``opened`` how it was opened, as for
        `stroma.workflow.applying.segment.segment_files`. Of those that are open, as they are read
        here, it is noted where their segmentation is, see ``written``; not where a mask left parts
        of them out.
        """
        from stroma.workflow.applying.outputs import Outputs
        from stroma.workflow.applying.segment import Progress, segment_files

        with self.core.lock:
            answers = self._answered()
            model = self.model.network or self.model.copy()
        wanted = outputs or Outputs()
        likes = zip(paths, opened, strict=True) if opened else ()
        axes = {_real(path): like.axes_given for path, like in likes if like is not None}

        def batch(progress: Report, cancelled: Cancel) -> BatchResult:
            def told(step: Progress) -> None:
                done = (step.file - 1) * 1000 + 1000 * step.done // max(1, step.total)
                progress(done, step.files * 1000)

            made: list[FileResult] = []
            how: dict[str, Any] = {"progress": told, "cancel": cancelled, "finished": made.append}
            try:
                return segment_files(
                    model, list(paths), folder, outputs=wanted, series=series, opened=opened, **how
                )
            finally:  # files that were finished stay when the batch is cancelled
                self._note_open(made, wanted, answers, axes)

        return self.core.tasks.start("batch", batch)


def _real(path: str | Path) -> str:
    """Return one name of a file, however it is written."""
    return os.path.realpath(path)
