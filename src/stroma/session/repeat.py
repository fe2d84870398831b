"""A session as code."""

from __future__ import annotations

from pathlib import Path

from stroma.errors import ParameterError
from stroma.io.address import address_of
from stroma.pixel.param import Param
from stroma.session import code
from stroma.session.core.core import Core
from stroma.session.core.disk.reference import located
from stroma.session.strokes.files import StrokeFiles
from stroma.session.strokes.model import StrokeModel
from stroma.session.strokes.saved import NETWORK


class Repeating:
    """What repeats a session without the session.

    Parameters
    ----------
    core : Core
        Of which session.
    model : StrokeModel
        Its model.
    files : StrokeFiles
        Writes its strokes.
    """

    def __init__(self, core: Core, model: StrokeModel, files: StrokeFiles) -> None:
        self.core, self.model, self.files = core, model, files

    @property
    def _folder(self) -> Path | None:
        return None if self.core.project is None else self.core.project.folder

    def as_code(self, folder: str | Path = "strokes") -> str:
        """Return a Python program that repeats this session's model and results.

        It reads the strokes from a folder that ``export_all_strokes(folder)`` fills; or, while a
        model answers that was trained elsewhere, that model from the project.

        Raises
        ------
        ParameterError
            If an image, or such a model, is in no file: save the session as a project first.
        """
        learner = self.model.learner
        if learner.taken:
            return code.as_code_with(self._model_file(), self._shown(folder))
        return code.as_code(self._lessons(folder), self._repeated(), learner.channels)

    def as_command(self, folder: str | Path = "strokes") -> str:
        """Return the commands that repeat this session's model and results, like ``as_code``.

        Raises
        ------
        ParameterError
            If an image is in no file, or only some channels are used or the size of pixels was
            set, which commands cannot say.
        """
        if self.model.learner.taken:
            return code.as_command_with(self._model_file(), self._shown(folder))
        if self.model.learner.channels is not None:
            raise ParameterError(
                "The command line uses all channels; repeat it as Python code (as_code())."
            )
        lessons = self._lessons(folder)
        if any(lesson.spacing for lesson in lessons):
            raise ParameterError(
                "The command line takes the size of pixels from the file, and it was set here; "
                "repeat it as Python code (as_code())."
            )
        return code.as_command(lessons, self._repeated())

    def export_all_strokes(self, folder: str | Path) -> list[Path]:
        """Write the strokes that ``as_code`` and ``as_command`` read."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        names = {key: code.strokes_name(key, self.core.image(key).name) for key in self._learnt()}
        return [self.files.export_strokes(key, Path(folder, n)) for key, n in names.items()]

    def _repeated(self) -> Param:
        learner = self.model.learner
        return learner.param if learner.trained is not None else self.model.now.param

    def _learnt(self) -> list[str]:
        """Return the images the model learnt from, or will."""
        return list(self.model.learner.images) or [m.key for m in self.model.wish().material]

    def _model_file(self) -> str:
        if self._folder is None:
            raise ParameterError(
                "The model was loaded, and has learnt nothing here. Save all as a project first, "
                "which keeps it (in Python: save_as(folder))."
            )
        name = "model.pkl" if self.model.network is None else NETWORK
        return str(self._folder.resolve() / name)

    def _shown(self, folder: str | Path) -> list[code.Lesson]:
        return [self._lesson(image.key, Path(folder)) for image in self.core.all_images()]

    def _lessons(self, folder: str | Path) -> list[code.Lesson]:
        return [self._lesson(key, Path(folder)) for key in self._learnt()]

    def _lesson(self, key: str, folder: Path) -> code.Lesson:
        with self.core.lock:
            sheet = self.core.document.sheet(key)
        if not sheet.reference:
            raise ParameterError(
                f"The image {sheet.name!r} is in no file. Save all as a project first, which keeps "
                f"the image in it (in Python: save_as(folder))."
            )
        where = located(sheet.reference, self._folder)
        return code.Lesson(
            address_of(where) or str(where.resolve()),
            str(folder / code.strokes_name(key, sheet.name)),
            sheet.reference.get("axes"),
            sheet.reference.get("series", 0),
            dict(self.core.images[key].spacing) if sheet.spacing else {},
        )
