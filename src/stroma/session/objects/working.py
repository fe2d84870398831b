"""Having objects, looking at them, saying what they are, and correcting them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.classes import Class, free_color, free_label
from stroma.data.objects import LABEL
from stroma.errors import LabelError, NotTrainedError, ParameterError, ShapeError
from stroma.io import read_image
from stroma.objects.boxes import checked
from stroma.objects.correct import Given, corrected, slices
from stroma.objects.find import Finding
from stroma.session.core.core import Core
from stroma.session.core.screen import Screen
from stroma.session.core.status import State
from stroma.session.core.tasks import Task
from stroma.session.events import Position
from stroma.session.objects import operations as ops
from stroma.session.objects.bench import ObjectBench, frame_and_z
from stroma.session.objects.book import Book, Held, Labels, Place, closed, finding_to_json
from stroma.session.objects.committed import committed
from stroma.session.objects.found import Found, Ints
from stroma.session.objects.learning import NONE_YET, ObjectModel, found_in
from stroma.session.strokes.looking import Looking


@dataclass(frozen=True, eq=False)
class Seen:
    """The objects of the frame that a plane belongs to, as they are known now.

    Parameters
    ----------
    state, reason
        How that stands, as in `OnScreen`; older objects are there until newer ones are known.
    found : Found or None
        The objects; None where there are none yet.
    given : (n,) int64
        The class that each was given by hand; 0 for none.
    lacking : str
        What must be labelled before classes are told.
    """

    state: State
    reason: str
    found: Found | None
    given: Ints
    lacking: str = ""


@dataclass(frozen=True)
class Next:
    """The object that it would help most to label.

    Parameters
    ----------
    image, plane, box
        Where it is.
    number : int
        The object.
    uncertainty : float
        From 0 to 1.
    """

    image: str
    plane: Position
    box: Box
    number: int
    uncertainty: float


class ObjectWork:
    """Objects of images; corrections and clicks are steps that can be undone.

    Parameters
    ----------
    core : Core
        Of which session.
    model : ObjectModel
        What finds and classes objects.
    looking : Looking
        What segments whole images.
    """

    def __init__(self, core: Core, model: ObjectModel, looking: Looking) -> None:
        self.core, self.model, self.looking = core, model, looking
        self._screen = Screen(core)

    @property
    def _bench(self) -> ObjectBench:
        return self.core.bench(ObjectBench)

    def _book(self, image: str) -> Book:
        with self.core.lock:
            self.core.document.sheet(image)  # which says if there is no such image
            return self._bench.books[image]

    # ------------------------------------------------------------------ having objects

    def object_source(self, image: str) -> Held:
        """Return where the objects of an image come from."""
        return self._book(image).held

    def follow_objects(self, /, image: str, *, label: int | None = None, **how: Any) -> None:
        """Find the objects of an image in its segmentation, whatever it is at any time.

        Parameters
        ----------
        image : str
            Key of the image.
        label : int, optional
            The class whose connected parts are the objects; all classes unless given.
        **how
            Other fields of `stroma.objects.find.Finding`: split, min_size, max_size, size_in,
            border, connectivity.
        """
        self._require_room(image)
        finding = Finding(label=label, **how)
        self.core.do(ops.FollowObjects(image, finding_to_json(finding)))

    def no_objects(self, image: str) -> None:
        """Have no objects any more."""
        self._book(image)
        self.core.do(ops.FollowObjects(image, None))

    def set_objects(self, image: str, labels: Any, *, source: str = "") -> None:
        """Take over the objects of a label image: of other programs, or of a network.

        Parameters
        ----------
        image : str
            Key of the image.
        labels : path or array
            A number for each object, 0 where there is none; as large as the image.
        source : str
            Where they come from, for people.

        Raises
        ------
        ShapeError
            If they are not as large as the image.
        LabelError
            If they are no integers, or negative.
        """
        book = self._require_room(image)
        if isinstance(labels, str | Path):
            source, labels = source or Path(labels).name, read_image(labels).read()
        self._set(image, book, _framed(np.asarray(labels), book), source or "label image")

    def _set(self, image: str, book: Book, frames: NDArray[np.int32], source: str) -> None:
        packed = tuple((n, closed(frame)) for n, frame in enumerate(frames) if frame.any())
        self.core.do(ops.SetObjects(image, source, packed))

    def find_objects(self, /, image: str, *, label: int | None = None, **how: Any) -> Task[int]:
        """Segment all of an image, hold the objects in it, and return how many there are.

        Parameters
        ----------
        image, label, **how
            As for ``follow_objects``.
        """
        book, finding = self._require_room(image), Finding(label=label, **how)
        pixels = self.core.pixels(image)

        def find(progress: Any, cancelled: Any) -> int:
            classes = self.looking.segment(image, progress=progress, cancelled=cancelled)
            framed = classes.reshape(book.frames, *book.size)
            frames = np.stack([found_in(one, finding, pixels) for one in framed])
            self._set(image, self._book(image), frames, "segmentation")
            return int(sum(len(np.unique(one[one > 0])) for one in frames))

        return self.core.tasks.start("finding objects", find)

    def _require_room(self, image: str) -> Book:
        book = self._book(image)
        book.require_room()
        return book

    # ------------------------------------------------------------------ looking at them

    def objects(self, image: str, *, plane: Position | None = None) -> Seen:
        """Return the objects of the frame that a plane belongs to, as they are known now."""
        book = self._book(image)
        with self.core.lock:
            sheet = self.core.document.sheet(image)
            number, clicks = sheet.plane_number(plane), tuple(book.clicks.items())
        if not book.held.used:
            return Seen("absent", NONE_YET, None, np.zeros(0, np.int64))
        stands = self._screen.standing(image, plane=plane, bench=ObjectBench.name)
        blocks = self.model.results.blocks((image, number))
        found = blocks[-1].found if blocks else None
        given = np.zeros(0, np.int64) if found is None else found.given(clicks)
        return Seen(stands.state, stands.reason, found, given, self.model.learnt_now.lacking)

    def object_labels(
        self, image: str, box: Box | None = None, *, plane: Position | None = None, step: int = 1
    ) -> Labels:
        """Return the numbers of the objects in a rectangle of a plane, as they are known now.

        Parameters
        ----------
        image, plane
            Which plane.
        box : Box, optional
            Pixels; the whole plane unless given.
        step : int
            Pixels per value along each axis; the value is that of the middle pixel.
        """
        sheet = self.core.document.sheet(image)
        number = sheet.plane_number(plane)
        rows, columns = (box or Box.of(sheet.cuts.shape(number))).slices
        found = self.objects(image, plane=plane).found
        if found is None:
            shape = rows.stop - rows.start, columns.stop - columns.start
            return np.zeros(shape, np.int32)[step // 2 :: step, step // 2 :: step]
        flat = _plane_of(found.labels, sheet.position(number))
        middle = [
            slice(min(s.start + step // 2, s.stop - 1), s.stop, step) for s in (rows, columns)
        ]
        return flat[middle[0], middle[1]].copy()

    def labels_held(self, image: str, number: int, box: Box) -> Labels:
        """Return the numbers of the objects in a rectangle of a plane that new ones stay off.

        Objects that are held are known at once, before they are measured.
        """
        with self.core.lock:
            book, sheet = self._book(image), self.core.document.sheet(image)
            position = sheet.position(number)
            if book.held.kept:
                voxels = sheet.cuts.voxels(number, box)
                inside = slices((*voxels.start, *voxels.stop))
                return book.frame(position.get("t", 0))[inside].reshape(box.shape).copy()
        return self.object_labels(image, box, plane=position)

    def object_at(
        self, image: str, at: tuple[float, float], *, plane: Position | None = None
    ) -> int:
        """Return the number of the object at a place (y, x) of a plane; 0 where there is none."""
        y, x = int(np.floor(at[0])), int(np.floor(at[1]))
        sheet = self.core.document.sheet(image)
        whole = Box.of(sheet.cuts.shape(sheet.plane_number(plane)))
        pixel = Box(y, x, y + 1, x + 1).clipped(whole)
        return int(self.object_labels(image, pixel, plane=plane).sum()) if pixel.area else 0

    # ------------------------------------------------------------------ classes

    @property
    def object_classes(self) -> tuple[Class, ...]:
        """The classes of objects, by label; all images share them."""
        return tuple(self._bench.classes.values())

    def add_object_class(self, name: str = "", color: str = "") -> Class:
        """Add a class of objects with the next free label."""
        with self.core.lock:
            label = free_label(self.object_classes)
            new = Class(
                label, name or f"kind {label}", color or free_color(self.object_classes, label)
            )
            self.core.do(ops.SetObjectClass(new.label, new.name, new.color))
        return new

    def change_object_class(
        self, label: int, *, name: str | None = None, color: str | None = None
    ) -> None:
        """Rename or recolour a class of objects."""
        with self.core.lock:
            old = self._bench.classes.get(label)
            if old is None:
                raise LabelError(f"There is no class {label} of objects. Add it first.")
            self.core.do(ops.SetObjectClass(label, name or old.name, color or old.color))

    def remove_object_class(self, label: int) -> None:
        """Remove a class, and what was said to be of it, on all images; one step of undo."""
        self.core.do(ops.RemoveObjectClass(label))

    def label_objects(
        self, image: str, numbers: Iterable[int], label: int, *, plane: Position | None = None
    ) -> None:
        """Say of which class objects are, or (0) no more.

        What is kept is a pixel on each, so that it stays true when objects are found anew.

        Parameters
        ----------
        image, plane
            Where.
        numbers : iterable of int
            The objects.
        label : int
            The class; 0 for none.
        """
        with self.core.lock:
            found = self._shown(image, plane)
            rows = found.rows_of(sorted(set(map(int, numbers))))
            names = set(np.asarray(found.table[LABEL])[rows].tolist())
            gone = tuple(
                at
                for at in self._book(image).clicks
                if at[0] == found.frame and int(found.labels[at[1:]]) in names
            )
            come = tuple((_pixel_of(found, int(row)), label) for row in rows) if label else ()
            self.core.do(ops.ClickObjects(image, come, gone))

    def _shown(self, image: str, plane: Position | None) -> Found:
        seen = self.objects(image, plane=plane)
        if seen.found is None:
            raise ParameterError(seen.reason or "The objects are not known yet. Wait a moment.")
        return seen.found

    def next_object(self, image: str, *, plane: Position | None = None) -> Next | None:
        """Return the object that it would help most to label; None where all are labelled.

        Raises
        ------
        NotTrainedError
            If no classes were learnt yet.
        """
        found, given = self._shown(image, plane), self.objects(image, plane=plane).given
        if found.classifier is None:
            raise NotTrainedError(self.model.learnt_now.lacking or "No classes are learnt yet.")
        rows = found.classifier.next_to_label(found.table, given)
        if not len(rows):
            return None
        row = int(rows[0])
        sheet = self.core.document.sheet(image)
        at = _pixel_of(found, row)
        position = sheet.position(at[0] * sheet.sizes.get("z", 1) + at[1])
        number = int(found.table[LABEL][row])
        sure = float(found.table["uncertainty"][row])
        return Next(image, position, found.box_of(row), number, sure)

    def object_accuracy(self) -> Task[float]:
        """Return the share of labelled objects that are classed rightly when learnt from others."""

        def left_out(progress: Any, cancelled: Any) -> float:
            turn = self.model.turn()
            taught = turn.lesson()
            if taught.lacking:
                raise NotTrainedError(taught.lacking)
            return turn.blank.leave_one_out(taught.table, taught.classes)

        return self.core.tasks.start("leaving objects out", left_out)

    # ------------------------------------------------------------------ corrections

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
            held = self._book(image).held
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
            book, continues = self._book(image), 0
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
        book = self._require_room(image)
        known, source = {}, "drawn by hand"
        if book.held.used:
            self._shown(image, plane)
            known, source = self.model.latest(image), "segmentation"
        ahead = Book(book.size, book.frames)
        ahead.labels.update(known)
        check(ahead)
        frames = tuple((n, closed(f)) for n, f in known.items())
        self.core.do(ops.SetObjects(image, source, frames))
        return self.core.document.last_edit


def _framed(labels: NDArray[Any], book: Book) -> NDArray[np.int32]:
    """Return a label image frame by frame."""
    checked(labels)
    wanted = tuple(n for n in (book.frames, *book.size) if n > 1)
    if tuple(n for n in labels.shape if n > 1) != wanted:
        raise ShapeError(
            f"The image has {' x '.join(map(str, wanted))} pixels, its objects "
            f"{' x '.join(map(str, labels.shape))}. Give a label image of this image."
        )
    if labels.max(initial=0) > ops.MOST_NUMBER:
        raise LabelError(f"Numbers of objects are at most {ops.MOST_NUMBER}, got {labels.max()}.")
    return labels.astype(np.int32).reshape(book.frames, *book.size)


def _plane_of(labels: Labels, position: Position) -> Labels:
    """Return the plane of a frame, across z, y or x."""
    axis = next((a for a in "yx" if a in position), "z")
    at: Labels = np.moveaxis(labels, "zyx".index(axis), 0)[position.get(axis, 0)]
    return at


def _pixel_of(found: Found, row: int) -> Place:
    """Return the pixel of an object that is nearest to its centre."""
    table, solid = found.table, len(found.labels) > 1
    low = [
        int(table["front"][row]) if solid else 0,
        int(table["top"][row]),
        int(table["left"][row]),
    ]
    high = [
        int(table["back"][row]) if solid else 1,
        int(table["bottom"][row]),
        int(table["right"][row]),
    ]
    part = found.labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    places = np.argwhere(part == int(table[LABEL][row])) + low
    middle = places.mean(axis=0)
    best = places[np.argmin(((places - middle) ** 2).sum(axis=1))]
    return found.frame, int(best[0]), int(best[1]), int(best[2])
