"""All objects of an image, found without clicks while people go on."""

from __future__ import annotations

from collections.abc import Callable

from stroma.prompts import build
from stroma.prompts.everything import By, Everything
from stroma.session.core.core import Core
from stroma.session.core.tasks import Task
from stroma.session.objects.working import ObjectWork
from stroma.workflow.everything import find_everything


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

    def find_everything(self, image: str, *, engine: str = "graph", by: By = "grid") -> Task[int]:
        """Find all objects of an image, without clicks; they take the place of those it has.

        Parameters
        ----------
        image : str
            Key of the image.
        engine : str
            Name in `stroma.prompts.ENGINES`.
        by : {"grid", "decoder", "prompts"}
            See `stroma.prompts.everything.By`.

        Returns
        -------
        Task
            Its result is how many there are.
        """
        how, made = Everything(by=by), build.engine(engine)
        pixels = self.core.pixels(image)

        def find(progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> int:
            found = find_everything(
                pixels, engine=made, how=how, progress=progress, cancelled=cancelled
            )
            self._objects.set_objects(image, found, source=f"all objects, by {engine}")
            return int(found.max(initial=0))

        return self.core.tasks.start("finding all objects", find)
