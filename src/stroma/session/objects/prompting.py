"""Click, get an object: what is proposed for clicks, boxes and strokes, and committing it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, hull
from stroma.errors import LabelError, ParameterError
from stroma.objects.correct import box_around, slices
from stroma.prompts.contract import PromptedSegmenter
from stroma.prompts.pixels import Pixels
from stroma.session.core.core import Core
from stroma.session.core.packs import packed
from stroma.session.events import Position
from stroma.session.objects import operations as ops
from stroma.session.objects.book import Labels
from stroma.session.objects.committed import Marked
from stroma.session.objects.correcting import Correcting
from stroma.session.objects.said import Edges, Point, Said, Stroke
from stroma.session.objects.windows import Embedded, Window, pixels_in, window_of
from stroma.session.objects.working import ObjectWork

Bools = NDArray[np.bool_]

KEPT = 32
"""Proposals that can still be committed."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """An object that may be meant.

    Parameters
    ----------
    number : int
        Of the proposal, ascending.
    image : str
        Key of the image.
    plane : int
        Number of its plane.
    box : Box
        Where it is on the plane.
    mask : (h, w) bool array
        Which pixels of the box belong to it.
    score : float
        How sure the engine is, from 0 to 1.
    choice, choices : int
        Which of how many answers this is.
    cut : bool
        Whether it reaches the border of what was looked at, inside the image.
    replaces : int
        Number of the object that it is a change of; 0 for a new one.
    """

    number: int
    image: str
    plane: int
    box: Box
    mask: Bools
    score: float
    choice: int = 0
    choices: int = 1
    cut: bool = False
    replaces: int = 0


class Prompting:
    """Proposes objects, and commits them as objects of the image; a step of undo each.

    Parameters
    ----------
    core : Core
        On which images.
    objects : ObjectWork
        What is there already.
    correcting : Correcting
        What they are committed with.
    channels : callable
        Returns the channels that are looked at; None for all.
    """

    def __init__(
        self,
        core: Core,
        objects: ObjectWork,
        correcting: Correcting,
        channels: Callable[[], tuple[int, ...] | None],
    ) -> None:
        self.core, self._objects, self._channels = core, objects, channels
        self._correcting = correcting
        self._embedded = Embedded()
        self._proposals: OrderedDict[int, Proposal] = OrderedDict()
        self._numbers = count(1)
        self._wanted: dict[str, int] = {}

    def prepare_prompts(
        self,
        image: str,
        view: Box,
        *,
        plane: Position | None = None,
        engine: str = "graph",
        who: str = "",
    ) -> bool:
        """Look at what is in view, so that the first click is answered at once.

        Parameters
        ----------
        image, plane
            Which plane.
        view : Box
            What is in view.
        engine : str
            Name in `stroma.prompts.ENGINES`.
        who : str
            Who looks; what they asked before and is not begun yet is left out.

        Returns
        -------
        bool
            Whether it was looked at; False where something else was asked for meanwhile.
        """
        sheet = self.core.document.sheet(image)
        number = sheet.plane_number(plane)
        whole = Box.of(sheet.cuts.shape(number))
        y, x = (int(v) for v in view.clipped(whole).middle)
        window = window_of(whole, Box(y, x, y + 1, x + 1), view)
        ticket = self._wanted[who] = next(self._numbers)
        with self._embedded.lock:
            if self._wanted.get(who) != ticket:
                return False
            self._ready(image, number, window, engine)
        return True

    def leave_prompts(self, who: str = "") -> None:
        """Want nothing any more of what was asked for and is not begun yet."""
        self._wanted.pop(who, None)

    def propose(
        self,
        image: str,
        *,
        points: Sequence[Point] = (),
        labels: Sequence[int] = (),
        boxes: Sequence[Edges] = (),
        strokes: Sequence[Stroke] = (),
        plane: Position | None = None,
        view: Box | None = None,
        engine: str = "graph",
        choice: int = 0,
        after: int = 0,
        replaces: int = 0,
        reopen: bool = False,
    ) -> Proposal:
        """Return the object that clicks, boxes and strokes mean; nothing is changed by that.

        Pixels of other objects that are there already are left out.

        Parameters
        ----------
        image, plane
            Which plane; of a volume also one across y or x.
        points, labels, boxes, strokes
            What is known of the object; see `Said`.
        view : Box, optional
            What is in view: where that is large, every second or fourth pixel is looked at.
        engine : str
            Name in `stroma.prompts.ENGINES`.
        choice : int
            Which answer, where there are several; counted round.
        after : int
            Number of an earlier proposal that this one refines; that of a change of an object is
            one, too.
        replaces : int
            Number of an object whose place it is to take; its pixels are free.
        reopen : bool
            Whether one click on an object that is there takes it up again: it is proposed as it
            is, and what refines that changes it.

        Raises
        ------
        ParameterError
            If a place lies outside the image, nothing says where the object is, or other objects
            are there.
        """
        said = Said(tuple(points), tuple(labels), tuple(boxes), tuple(strokes))
        sheet = self.core.document.sheet(image)
        number = sheet.plane_number(plane)
        whole = Box.of(sheet.cuts.shape(number))
        said.require_inside(whole, sheet.name)
        if reopen and not after and (there := self._reopened(image, number, said)):
            return there
        earlier = self.proposal(after) if after else None
        replaces = replaces or (earlier.replaces if earlier else 0)
        around = said.hull()
        if earlier and replaces:
            around = hull([around, earlier.box])  # or what lies further out would be lost
        window = window_of(whole, around, view)
        asked = said.asked(window)
        if earlier:
            asked["mask"] = _before(earlier, window)
        with self._embedded.lock:
            masks, scores = self._ready(image, number, window, engine).predict(**asked)
        best = choice % len(masks)
        mask, box = _framed(_fine(masks[best], window), window.box)
        if not mask.size:
            raise ParameterError("Nothing was found there. Click elsewhere, or draw a box.")
        taken = self._objects.labels_held(image, number, box)
        mask, box = _framed(_apart(mask, taken * (taken != replaces), said.on(box)), box)
        made = Proposal(
            next(self._numbers),
            image,
            number,
            box,
            mask,
            float(scores[best]),
            best,
            len(masks),
            _is_cut(box, window.box, whole),
            replaces,
        )
        self._keep(made)
        return made

    def _reopened(self, image: str, number: int, said: Said) -> Proposal | None:
        """Return the object that a single click lies on, as it is; None where there is none."""
        if len(said.points) != 1 or 0 in said.labels or said.boxes or said.strokes:
            return None
        there = int(self._objects.labels_held(image, number, said.hull())[0, 0])
        if not there:
            return None
        whole = Box.of(self.core.document.sheet(image).cuts.shape(number))
        mask, box = _framed(self._objects.labels_held(image, number, whole) == there, whole)
        made = Proposal(next(self._numbers), image, number, box, mask, 1.0, replaces=there)
        self._keep(made)
        return made

    def _ready(self, image: str, number: int, window: Window, engine: str) -> PromptedSegmenter:
        sheet = self.core.document.sheet(image)
        pixels, channels = self.core.pixels(image), self._channels()
        about = image, number, window, self.core.exchanged.get(image, 0), channels

        def read() -> Pixels:
            values, rgb = pixels_in(pixels.at(**sheet.position(number)), window)
            if channels is not None and max(channels) < len(values):
                return values[list(channels)], rgb and len(channels) == 3
            return values, rgb

        return self._embedded.ready(engine, about, read)

    def _keep(self, made: Proposal) -> None:
        with self.core.lock:
            self._proposals[made.number] = made
            while len(self._proposals) > KEPT:
                self._proposals.popitem(last=False)

    def proposal(self, number: int) -> Proposal:
        """Return a proposal that was made lately, by its number."""
        with self.core.lock:
            if number not in self._proposals:
                raise LabelError("This object was proposed too long ago. Click on it once more.")
            return self._proposals[number]

    def commit_object(self, proposal: Proposal | int, *, replaces: int = 0) -> int:
        """Make a proposal an object of the image, and return the object's number.

        Where it overlaps other objects, these keep their pixels. Objects that followed the
        segmentation are held from then on.

        Parameters
        ----------
        proposal : Proposal or int
            The proposal, or its number.
        replaces : int
            Number of an object whose place it takes on this plane; 0 for a new one, or the one
            that the proposal is a change of.

        Raises
        ------
        ParameterError
            If other objects have all of its pixels.
        LabelError
            If there is no object to replace. Nothing is changed by what is refused.
        """
        made = self.proposal(proposal) if isinstance(proposal, int) else proposal
        replaces = replaces or made.replaces
        sheet = self.core.document.sheet(made.image)
        voxels = sheet.cuts.voxels(made.plane, made.box)
        frame, box = sheet.position(made.plane).get("t", 0), (*voxels.start, *voxels.stop)
        part = frame, box, packed(made.mask.astype(np.uint8), "|u1")
        with self.core.lock:
            rest = self._elsewhere(made, replaces) if replaces else ()
            return self._correcting.commit(
                ops.CommitObject(made.image, made.plane, (part, *rest), replaces=replaces)
            )

    def _elsewhere(self, made: Proposal, number: int) -> tuple[Marked, ...]:
        """Return what an object has on the other planes of a frame, which stays."""
        sheet = self.core.document.sheet(made.image)
        position = sheet.position(made.plane)
        whole = self._objects.frame_held(made.image, position) == number
        plane = sheet.cuts.voxels(made.plane, Box.of(sheet.cuts.shape(made.plane)))
        whole[slices((*plane.start, *plane.stop))] = False
        if not whole.any():
            return ()
        box = box_around(whole)
        return ((position.get("t", 0), box, packed(whole[slices(box)].astype(np.uint8), "|u1")),)


def _before(earlier: Proposal, window: Window) -> Bools:
    """Return what was proposed earlier, as the engine sees a window."""
    whole = np.zeros(window.box.shape, bool)
    shared = earlier.box.clipped(window.box)
    if shared.area:
        to, of = shared.relative(window.box), shared.relative(earlier.box)
        whole[to.slices] = earlier.mask[of.slices]
    middle = window.step // 2
    at = [slice(min(middle, n - 1), None, window.step) for n in whole.shape]
    return whole[at[0], at[1]]


def _fine(mask: Bools, window: Window) -> Bools:
    """Return a mask of a window at the resolution of the plane."""
    height, width = window.box.shape
    return mask.repeat(window.step, 0).repeat(window.step, 1)[:height, :width]


def _apart(mask: Bools, taken: Labels, clicks: Sequence[tuple[int, int]]) -> Bools:
    """Return what of a mask no object has; of parts that others cut off, those clicked on.

    Raises
    ------
    ParameterError
        If a click lies on an object, or nothing is left.
    """
    there = next((int(taken[at]) for at in clicks if taken[at]), 0)
    free: Bools = mask & (taken == 0)
    if not there and free.any():
        _, parts = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
        wanted = [parts[at] for at in clicks if free[at]]
        if wanted and not np.array_equal(free, mask):
            free &= np.isin(parts, wanted)
        return free
    there = there or int(taken[mask].max())
    raise ParameterError(
        f"Object {there} is here already. Delete or split it first, or click elsewhere."
    )


def _framed(mask: Bools, box: Box) -> tuple[Bools, Box]:
    """Return a mask cut to what is marked, and where that is."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return mask[:0, :0], Box(0, 0, 0, 0)
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    found = Box(
        box.top + int(top), box.left + int(left), box.top + int(bottom), box.left + int(right)
    )
    return mask[top:bottom, left:right].copy(), found


def _is_cut(box: Box, window: Box, whole: Box) -> bool:
    """Tell whether a box touches the border of a window where the plane goes on."""
    return (
        box.top == window.top > whole.top
        or box.left == window.left > whole.left
        or box.bottom == window.bottom < whole.bottom
        or box.right == window.right < whole.right
    )
