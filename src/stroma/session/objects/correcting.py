"""Objects that are changed by hand; those that follow the segmentation are held first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from stroma.errors import ParameterError
from stroma.objects.correct import Given, corrected
from stroma.session.core.core import Core
from stroma.session.events import Position
from stroma.session.objects import operations as ops
from stroma.session.objects.bench import frame_and_z
from stroma.session.objects.book import Book, closed
from stroma.session.objects.committed import committed
from stroma.session.objects.learning import NONE_YET
from stroma.session.objects.working import ObjectWork


class Correcting:
    """Changes objects; a step of undo each.

    Parameters
    ----------
    core : Core
        Of which session.
    objects : ObjectWork
        Which objects.
    """

    def __init__(self, core: Core, objects: ObjectWork) -> None:
        self.core, self._objects, self.model = core, objects, objects.model

    def correct_objects(
        self,
        image: str,
        kind: str,
        numbers: Sequence[int] = (),
        *,
        points: Sequence[tuple[float, float]] = (),
        plane: Position | None = None,
    ) -> None:
        """Correct objects by hand; those that followed the segmentation are held from then on.

        Parameters
        ----------
        image, plane
            Where.
        kind : {"merge", "split", "delete", "draw", "fill", "reassign"}
            See `stroma.objects.correct.corrected`.
        numbers : sequence of int
            The objects; of "split" none, for the one that most of the line lies on.
        points : sequence of (y, x)
            Of a line or a polygon.

        Raises
        ------
        ParameterError
            If it does not fit what is there; nothing is changed then.
        """
        core = self.core
        with core.lock:
            sheet = core.document.sheet(image)
            number = sheet.plane_number(plane)
            given = tuple(map(int, numbers)), tuple(points)
            continues = 0
            held = self._objects.book(image).held
            if not held.kept:
                frame, z = frame_and_z(sheet, number)
                if not held.used and kind != "draw":
                    raise ParameterError(NONE_YET)
                made = Given(*given, z)
                continues = self._hold(
                    image, plane, lambda b: corrected(b.frame(frame), kind, made)
                )
            core.do(ops.CorrectObjects(image, kind, number, *given, continues))

    def commit(self, operation: ops.CommitObject) -> int:
        """Make marked pixels an object, and return its number.

        Objects that follow the segmentation are held from then on; what is refused changes nothing.
        """
        image, parts, replaces = operation.image, operation.parts, operation.replaces
        with self.core.lock:
            book, continues = self._objects.book(image), 0
            book.require_room()
            if book.held.how is not None:
                plane = self.core.document.sheet(image).position(operation.plane)
                continues = self._hold(image, plane, lambda b: committed(b, parts, replaces))
            self.core.do(replace(operation, continues=continues))
            return replaces or book.newest

    def _hold(self, image: str, plane: Position | None, check: Callable[[Book], object]) -> int:
        """Hold the objects that are known now; where there are none, begin with none.

        Parameters
        ----------
        image, plane
            Where they change next.
        check : callable
            Raises what is wrong with that, given them as they would be held; nothing is held then.

        Returns
        -------
        int
            Number of the step of undo, which the change goes on with.
        """
        book = self._objects.book(image)
        book.require_room()
        known, source = {}, "drawn by hand"
        if book.held.used:
            self._objects.shown(image, plane)
            known, source = self.model.latest(image), "segmentation"
        ahead = Book(book.size, book.frames)
        ahead.labels.update(known)
        check(ahead)
        frames = tuple((n, closed(f)) for n, f in known.items())
        self.core.do(ops.SetObjects(image, source, frames))
        return self.core.document.last_edit
