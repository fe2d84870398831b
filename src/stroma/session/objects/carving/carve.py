"""Carving in a session: strokes on an object and on background, an answer, and committing it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.objects.correct import box_around, slices
from stroma.objects.flooded import flooded
from stroma.session.core.core import Core
from stroma.session.core.packs import packed
from stroma.session.events import Position
from stroma.session.objects.book import Labels
from stroma.session.objects.carving import operations as ops
from stroma.session.objects.carving.answer import Answer, Outlined, places_of, taken_by_others
from stroma.session.objects.carving.changes import require_free
from stroma.session.objects.carving.cutting import Cutting
from stroma.session.objects.carving.kept import Carvings
from stroma.session.objects.correcting import Correcting
from stroma.session.objects.working import ObjectWork

NOT_CUT = "The image is not cut into regions yet."
NO_OBJECT = "Draw on the object."
NO_REST = "Draw beside the object, too."
TAKEN = "All strokes on the object lie in objects that are there. Draw elsewhere, or reopen that."


class LackingError(ParameterError):
    """There is no answer yet; says what must be done first."""


class CarveObjects:
    """Carves objects, and commits them by name; every stroke is a step that can be undone.

    Parameters
    ----------
    core : Core
        On which images.
    objects : ObjectWork
        What is there already.
    correcting : Correcting
        What they are committed with.
    cutting : Cutting
        What cuts images into regions.
    """

    def __init__(
        self, core: Core, objects: ObjectWork, correcting: Correcting, cutting: Cutting
    ) -> None:
        self.core, self._objects, self._correcting = core, objects, correcting
        self._cutting = cutting
        self._answering = threading.Lock()
        self._answer: Answer | None = None

    def carving(self, image: str) -> Carvings:
        """Return strokes at hand, carved objects by name, and what bounds objects."""
        return self._objects.book(image).carvings

    # ------------------------------------------------------------------ what is said

    def carve_stroke(
        self,
        image: str,
        points: Sequence[tuple[float, float]],
        *,
        on: bool = True,
        radius: float = 2.0,
        plane: Position | None = None,
    ) -> None:
        """Draw on the object that is meant, or on background; a step of undo.

        Parameters
        ----------
        image, plane
            Where; of a volume also planes across y or x.
        points : sequence of (y, x)
            In pixels; the first pixel reaches from 0 to 1.
        on : bool
            Whether it lies on the object.
        radius : float
            In pixels.
        """
        self._objects.book(image).require_room()
        number = self.core.document.sheet(image).plane_number(plane)
        self.core.do(ops.CarveStroke(image, number, tuple(points), on, radius))

    def take_back_carving(self, image: str) -> None:
        """Take back the last stroke at hand, whatever else was done since; a step of undo."""
        self._objects.book(image)
        self.core.do(ops.TakeBackStroke(image))

    def clear_carving(self, image: str) -> None:
        """Drop the strokes at hand; an object that was reopened stays as it was."""
        self._objects.book(image)
        self.core.do(ops.ClearCarving(image))

    def set_boundaries(
        self, image: str, boundary: str = "edges", *, sigma: float = 1.6, label: int = 0
    ) -> None:
        """Choose what bounds objects that are carved.

        Parameters
        ----------
        image : str
            Key of the image.
        boundary : {"edges", "bright", "dark", "class"}
            Steps in brightness; bright or dark lines and sheets, such as membranes; or a class
            of the segmentation, which is as high as the class is probable.
        sigma : float
            Width of the Gaussian that they are found with, in pixels.
        label : int
            The class.
        """
        self._objects.book(image)
        self.core.do(ops.SetBoundaries(image, boundary, sigma, label))

    def reopen_carved(self, image: str, name: str) -> None:
        """Unlock a carved object, and take its strokes up again, to add to them and commit it."""
        self._objects.book(image)
        self.core.do(ops.ReopenCarved(image, name))

    def lock_carved(self, image: str, name: str, *, locked: bool = True) -> None:
        """Leave the pixels of a carved object as they are whatever is done to objects, or not."""
        self._objects.book(image)
        self.core.do(ops.LockCarved(image, name, locked))

    # ------------------------------------------------------------------ the answer

    def carved(self, image: str, *, plane: Position | None = None) -> Outlined:
        """Return what the strokes at hand mean, as it is on a plane; nothing is changed by that.

        Pixels of other objects are background. The first answer after `prepare_carving`, and every
        later one, takes a moment.
        """
        sheet = self.core.document.sheet(image)
        number = sheet.plane_number(plane)
        nothing = Outlined(Box(0, 0, 0, 0), np.zeros((0, 0), bool))
        try:
            answer = self._answered(image, sheet.position(number))
        except LackingError as lacking:
            return replace(nothing, lacking=str(lacking))
        mask = answer.on(sheet, number, Box.of(sheet.cuts.shape(number)))
        if not mask.any():
            return replace(nothing, pixels=answer.pixels, answer=answer)
        _, top, left, _, bottom, right = box_around(mask[None])
        return Outlined(
            Box(top, left, bottom, right),
            mask[top:bottom, left:right].copy(),
            answer.pixels,
            answer=answer,
        )

    def commit_carved(
        self, image: str, name: str = "", *, lock: bool = False, plane: Position | None = None
    ) -> int:
        """Make what the strokes at hand mean an object with a name, and return its number.

        Parameters
        ----------
        image, plane
            Where; any plane of its frame.
        name : str
            What it is called; the name it had, or a free one, where left out.
        lock : bool
            Whether its pixels are left as they are whatever is done to objects.

        Raises
        ------
        ParameterError
            If there is no answer yet, or another object has this name; nothing is changed then.
        """
        with self._answering, self.core.lock:
            now, sheet = self.carving(image), self.core.document.sheet(image)
            called = name.strip() or (now.opened[0] if now.opened else now.free_name())
            require_free(now, called)
            lines = now.lines
            if lines:
                plane = sheet.position(lines[0].plane)
            at = sheet.position(sheet.plane_number(plane))
            answer = self._found(image, at)
            mask = answer.found.mask() & ~answer.taken
            box = box_around(mask)
            part = at.get("t", 0), box, packed(mask[slices(box)].astype(np.uint8), "|u1")
            replaces = now.at_hand.number if now.at_hand else 0
            return self._correcting.commit(
                ops.CommitCarved(
                    image, lines[0].plane, (part,), replaces=replaces, name=called, lock=lock
                )
            )

    def _answered(self, image: str, plane: Position) -> Answer:
        with self._answering:
            return self._found(image, plane)

    def _found(self, image: str, plane: Position) -> Answer:
        """Return what the strokes mean; see ``carved``."""
        with self.core.lock:
            sheet, now = self.core.document.sheet(image), self.carving(image)
            frame = plane.get("t", 0)
            regions = self._cutting.regions(image, frame)
            labels = self._labels(image, frame, plane)
            number = now.at_hand.number if now.at_hand else 0
        lines = tuple(one for one in now.lines if sheet.position(one.plane).get("t", 0) == frame)
        for side, words in ((True, NO_OBJECT), (False, NO_REST)):
            if not any(one.on == side for one in lines):
                raise LackingError(words)
        if regions is None:
            raise LackingError(NOT_CUT)
        about = id(regions), id(labels), number, lines
        before = self._answer
        if before is not None and before.about == about:
            return before
        if before is not None and before.about[:3] == about[:3]:
            taken, lost = before.taken, before.lost
        else:
            taken = taken_by_others(labels, number, regions.labels.shape)
            lost = np.bincount(regions.labels[taken], minlength=regions.count)
        on, beside = places_of(sheet, lines)
        on = on[~taken.ravel()[on]]
        if not len(on):
            raise LackingError(TAKEN)
        found = flooded(regions, on, beside, lost=lost)
        self._answer = Answer(about, frame, found, taken, lost, labels)
        return self._answer

    def _labels(self, image: str, frame: int, plane: Position) -> Labels | None:
        """Return the objects of a frame as far as they are known; None where there are none."""
        book = self._objects.book(image)
        if book.held.kept:
            return book.frame(frame)
        found = self._objects.objects(image, plane=plane).found if book.held.used else None
        return None if found is None else found.labels
