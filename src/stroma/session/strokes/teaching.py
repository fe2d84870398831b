"""From the strokes of a session to a network that is better than their model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.io.atomic import check_target
from stroma.session.core.core import Core
from stroma.session.core.tasks import Task
from stroma.session.strokes.files import StrokeFiles
from stroma.session.strokes.model import StrokeModel
from stroma.training.files.names import require_network_name

if TYPE_CHECKING:
    from stroma.training.learning.loop import Told


class Teaching:
    """Training networks on what was painted; all of it are tasks.

    Parameters
    ----------
    core : Core
        Of which session.
    model : StrokeModel
        Its model.
    files : StrokeFiles
        Knows its strokes.
    """

    def __init__(self, core: Core, model: StrokeModel, files: StrokeFiles) -> None:
        self.core, self.model, self.files = core, model, files

    def teach_network(
        self, /, path: str | Path, *, minutes: float = 10.0, **options: Any
    ) -> Task[Path]:
        """Train a network on the strokes of all images, and on what the model says of them.

        Parameters
        ----------
        path : str or Path
            The file that is written, ending in ``.safetensors``; ``set_model(load(path))`` looks at
            the images with it.
        minutes : float
            Time for the training.
        **options
            Further options of ``stroma.learn``, such as ``steps`` and ``confidence``.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        ParameterError
            If the file has another ending.
        MissingFileError
            If the file of an image is not where it was, or there is no folder to write to.
        """
        from stroma.workflow.learning.learn import learn

        check_target(
            require_network_name(path)
        )  # now, as nobody wants to hear of it when the training is over
        with self.core.lock:
            model, keys = self.model.copy(), [one.key for one in self.core.all_images()]
            images = [self.core.pixels(key) for key in keys]
            strokes = [self.files.marks(key).labels for key in keys]

        def train(progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> Path:
            def told(now: Told) -> None:
                progress(now.step, now.steps)

            network = learn(
                images,
                strokes,
                teacher=model,
                minutes=minutes,
                tell=told,
                cancel=cancelled,
                **options,
            )
            return network.save(path)

        return self.core.tasks.start("network", train)
