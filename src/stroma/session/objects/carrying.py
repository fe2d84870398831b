"""An object of one plane or frame, carried to its neighbours while people go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import Cancelled, ParameterError
from stroma.objects.correct import box_around, slices
from stroma.prompts import build
from stroma.prompts.carry import By, Carrying, carried
from stroma.prompts.pixels import Pixels
from stroma.session.core.core import Core
from stroma.session.core.packs import packed
from stroma.session.core.sheet import Sheet
from stroma.session.core.tasks import Task
from stroma.session.events import Position
from stroma.session.objects import operations as ops
from stroma.session.objects.committed import Marked
from stroma.session.objects.correcting import Correcting
from stroma.session.objects.windows import Window, pixels_in
from stroma.session.objects.working import ObjectWork

Bools = NDArray[np.bool_]

ROOM = 64
"""Pixels around an object, at least, within which it is looked for on the next plane."""


@dataclass(frozen=True, eq=False)
class Start:
    """Where an object is carried from.

    Parameters
    ----------
    number : int
        The object.
    frame, z : int
        Its plane.
    axis : {"z", "t"}
        Along what it is carried.
    box : Box
        What is looked at on every plane.
    mask : (h, w) bool array
        The object in it.
    labels : (z, y, x) int array
        All objects of the frame.
    """

    number: int
    frame: int
    z: int
    axis: str
    box: Box
    mask: Bools
    labels: NDArray[np.integer]

    @property
    def at(self) -> int:
        """Number of the plane along the axis."""
        return self.z if self.axis == "z" else self.frame


class CarryObjects:
    """Carries objects to neighbouring planes or frames; a step of undo each.

    Parameters
    ----------
    core : Core
        On which images.
    objects : ObjectWork
        Which objects.
    correcting : Correcting
        What gives them their pixels.
    """

    def __init__(self, core: Core, objects: ObjectWork, correcting: Correcting) -> None:
        self.core, self._objects, self._correcting = core, objects, correcting

    def carry_object(
        self,
        image: str,
        number: int,
        *,
        plane: Position | None = None,
        engine: str = "graph",
        reach: int = 100,
        by: By = "auto",
    ) -> Task[int]:
        """Find an object on the planes beside one, until it fades, and give it its pixels there.

        Parameters
        ----------
        image, plane
            Where the object is; across z.
        number : int
            The object.
        engine : str
            Name in `stroma.prompts.ENGINES`.
        reach : int
            Planes, or frames of a movie of planes, that it is carried to at most, each way.
        by : {"auto", "prompts", "memory"}
            How it is found again; see `stroma.prompts.carry.By`.

        Returns
        -------
        Task
            Its result is how many planes it was found on.

        Raises
        ------
        ParameterError
            If the image is one plane, or the object is not on it.
        """
        how = Carrying(reach=reach, by=by)
        start = self._start(image, number, plane)
        pixels, sizes = self.core.pixels(image), self.core.document.sheet(image).sizes
        count = sizes[start.axis]

        def carry(progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> int:
            made: list[tuple[int, Bools]] = []
            finder = build.passing(engine)  # crops around one object: nobody asks for them again
            ways = range(start.at + 1, count), range(start.at - 1, -1, -1)

            def read(at: int) -> Pixels:
                if cancelled():
                    raise Cancelled("Carrying the object was cancelled.")
                progress(min(len(made), count - 1), count)
                return _pixels(pixels, start, at)

            first = read(start.at)
            for way in ways:
                for one in carried(finder, read, way, start.mask, first=first, how=how):
                    made.append(one)
            if made:
                self._commit(image, start, made)
            return len(made)

        return self.core.tasks.start("carrying an object", carry)

    def _start(self, image: str, number: int, plane: Position | None) -> Start:
        sheet = self.core.document.sheet(image)
        position = sheet.position(sheet.plane_number(plane))
        axis = _axis(sheet, position)
        found = self._objects.objects(image, plane=plane).found
        z = position.get("z", 0)
        if found is None or not (mask := found.labels[z] == number).any():
            raise ParameterError(f"The object {number} is not on this plane. Select one that is.")
        rows, columns = (np.flatnonzero(mask.any(axis=a)) for a in (1, 0))
        around = Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
        room = max(ROOM, *around.shape)
        box = around.grown(room).clipped(Box.of(mask.shape))
        inside = mask[box.slices].copy()
        return Start(number, position.get("t", 0), z, axis, box, inside, found.labels)

    def _commit(self, image: str, start: Start, made: list[tuple[int, Bools]]) -> None:
        whole = start.labels == start.number
        marked = [_marked(start.frame, box_around(whole), whole)]
        for at, mask in made:
            frame, z = (start.frame, at) if start.axis == "z" else (at, 0)
            box = (z, start.box.top, start.box.left, z + 1, start.box.bottom, start.box.right)
            marked.append((frame, box, packed(mask.astype(np.uint8), "|u1")))
        sheet = self.core.document.sheet(image)
        plane = start.frame * sheet.sizes.get("z", 1) + start.z
        given = image, plane, tuple(marked), start.number
        with self.core.lock:
            now = self._objects.frame_held(image, sheet.position(plane))
            if not np.array_equal(now == start.number, whole):
                raise ParameterError("The object changed while it was carried. Carry it once more.")
            self._correcting.commit(ops.CommitObject(*given))


def _axis(sheet: Sheet, position: Position) -> str:
    if "y" in position or "x" in position:
        raise ParameterError("Objects are carried from planes across z. Go to one first.")
    axis = next((a for a in "zt" if sheet.sizes.get(a, 1) > 1), "")
    if not axis:
        raise ParameterError("The image is one plane; there is none to carry the object to.")
    return axis


def _pixels(image: Image, start: Start, at: int) -> Pixels:
    """Return what is looked at of a plane."""
    frame, z = (start.frame, at) if start.axis == "z" else (at, 0)
    position = {a: n for a, n in (("t", frame), ("z", z)) if a in image.kept_axes}
    return pixels_in(image.at(**position), Window(start.box, 1))


def _marked(frame: int, box: tuple[int, ...], mask: Any) -> Marked:
    return frame, box, packed(mask[slices(box)].astype(np.uint8), "|u1")
