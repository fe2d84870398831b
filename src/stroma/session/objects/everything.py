"""All objects of an image, found without clicks while people go on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stroma.prompts import build
from stroma.prompts.everything import By, Everything
from stroma.session.core.core import Core
from stroma.session.core.tasks import Task
from stroma.session.objects.working import ObjectWork
from stroma.workflow.prompting.everything import find_everything

Labels = NDArray[np.int32]


class FindEverything:
    """Finds all objects with an engine for prompts; a step of undo.

    Parameters
    ----------
    core : Core
        On which images.
    objects : ObjectWork
        What takes them over.
    """

    def __init__(self, core: Core, objects: ObjectWork) -> None:
        self.core, self._objects = core, objects

    def find_everything(
        self, image: str, *, engine: str = "graph", by: By = "grid", keep: bool = False
    ) -> Task[int]:
        """Find all objects of an image, without clicks; they take the place of those it has.

        Parameters
        ----------
        image : str
            Key of the image.
        engine : str
            Name in `stroma.prompts.ENGINES`.
        by : {"grid", "decoder", "prompts"}
            See `stroma.prompts.everything.By`.
        keep : bool
            Whether objects that are there stay as they are, and others come beside them; those
            that followed the segmentation are held from then on.

        Returns
        -------
        Task
            Its result is how many were found; of those that come beside others, how many came.
        """
        self._objects.book(image).require_room()
        how, made = Everything(by=by), build.engine(engine)
        pixels = self.core.pixels(image)

        def find(progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> int:
            found = find_everything(
                pixels, engine=made, how=how, progress=progress, cancelled=cancelled
            )
            with self.core.lock:  # what is committed meanwhile is held, too
                there = self._there(image, found.shape) if keep else np.zeros_like(found)
                labels, count = beside(there, found, least=how.own)
                source = f"all objects, by {engine}"
                self._objects.set_objects(image, labels, source=source)
            return count

        return self.core.tasks.start("finding all objects", find)

    def _there(self, image: str, shape: tuple[int, ...]) -> Labels:
        """Return the objects that are held, or known by now, with the axes of the image."""
        book, known = self._objects.book(image), self._objects.known(image)
        nothing = np.zeros(book.size, np.int32)
        return np.stack([known.get(n, nothing) for n in range(book.frames)]).reshape(shape)


def beside(there: Labels, found: Labels, *, least: float) -> tuple[NDArray[np.int64], int]:
    """Return objects that are there, those that were found beside them, and how many these are.

    Parameters
    ----------
    there : int32 array
        Objects that keep their numbers and pixels.
    found : int32 array of the same shape
        They get numbers behind those; pixels of others are not theirs.
    least : float
        Part of its pixels that must be free for an object to come.
    """
    free = np.where(there == 0, found, 0)
    before = np.bincount(found.ravel())
    after = np.bincount(free.ravel(), minlength=len(before))
    comes = (after > 0) & (after >= least * before)
    comes[0] = False
    count = int(comes.sum())
    numbers = np.zeros(len(before), np.int64)
    numbers[comes] = int(there.max(initial=0)) + 1 + np.arange(count)
    return np.where(there > 0, there, numbers[free]), count
