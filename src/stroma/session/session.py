"""One session: everything on the desk, its model, and the project it lives in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from stroma.data.image import Image
from stroma.errors import FileError, ParameterError, ShapeError, StromaError
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.param import Param
from stroma.session import operations as ops
from stroma.session import project as projects
from stroma.session import repeat, snapshot
from stroma.session.events import Event, ImageChanged, Notice, Saved, SaveFailed
from stroma.session.guided import GuidedDesk
from stroma.session.opening import opened, without_channels
from stroma.session.project import Project
from stroma.session.reference import change, fingerprint, located, moved, refer
from stroma.session.reference import opened as reopened


class Session(GuidedDesk):
    """Open, paint, undo, train, look, save.

    A session begins in memory, or in a project (``create``, ``open``). In a project, everything
    that is done is on the disk within a second. Use it as a context manager, or ``close`` it.

    Parameters
    ----------
    alias : str
        Configuration of the model; ``stroma models`` lists them.
    mode : {"live", "demand", "paused"}
        Train after every stroke; only when asked; or do nothing by itself.
    model : ConvpaintModel, optional
        A model to begin with, instead of an alias.
    """

    def __init__(
        self, alias: str = "stroma", *, mode: str = "live", model: ConvpaintModel | None = None
    ) -> None:
        super().__init__(model or ConvpaintModel(alias), mode)
        self.notices: tuple[Notice, ...] = ()
        self._project: Project | None = None
        self._saved_at = 0

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the session."""
        self.close()

    # ------------------------------------------------------------------ projects

    @classmethod
    def create(cls, folder: str | Path, alias: str = "stroma", *, mode: str = "live") -> Self:
        """Begin a session in a new project, a folder that is named ``something.stroma``.

        Raises
        ------
        FileError
            If the folder exists and is not empty, or cannot be made.
        """
        session = cls(alias, mode=mode)
        session.save_as(folder)
        return session

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Go on with a project; ``notices`` says if images moved or changed since.

        Raises
        ------
        MissingFileError, FormatError
            If there is no such project, or it is damaged.
        FileError
            If another session has it open.
        """
        told: list[Event] = []
        project, contents = projects.load(Path(folder), told.append)
        settings = contents.settings
        session = cls(model=contents.model or ConvpaintModel(param=settings.param))
        session._rounds.learner.taken = contents.taken
        session.settings = settings
        session._document = contents.document
        session._document.revision += 1
        session._rounds.resume(session.revision - (0 if contents.is_current else 1))
        notes = [Notice("", note) for note in contents.notes]
        session.notices = (*notes, *session._find_images(project.folder))
        session._attach(project)
        session._saved_at = project.journal.last
        return session

    @property
    def path(self) -> Path | None:
        """The folder of the project; None for a session in memory."""
        return None if self._project is None else self._project.folder

    @property
    def unsaved(self) -> str:
        """What keeps strokes from the disk at present, and what to do; empty where nothing does."""
        return "" if self._project is None else self._project.journal.problem

    def save_as(self, folder: str | Path) -> None:
        """Go on in a new project, with everything that is there.

        Raises
        ------
        FileError
            If the folder exists and is not empty, or cannot be written.
        """
        where = Path(folder)
        project = projects.create(where, self._tell)
        with self._lock:
            old = self._project
            for key, sheet in self._document.sheets.items():
                before = None if old is None else old.folder
                sheet.reference = self._referred(project, key, sheet.reference, before)
            self._attach(project)
        if old is not None:
            old.close()
        self.save()

    def save(self) -> None:
        """Write a snapshot and the model into the project.

        Strokes need no saving: they are on the disk already.

        Raises
        ------
        ParameterError
            If the session is in no project.
        FileError
            If something cannot be written; everything is still there, in memory and in what was
            saved before.
        """
        with self._lock:
            project = self._project
            if project is None:
                raise ParameterError("The session is in no project yet. Call save_as(folder).")
            learner, last = self._rounds.learner, project.journal.last
            self._document.forget_steps(snapshot.KEPT_EDITS)
            saved = {
                "document": snapshot.to_json(self._document),
                "settings": self.settings.to_json(),
                "is_current": learner.revision == self.revision,
                "taken": learner.taken,
            }
            self._settings_changed()
        try:
            project.save(saved, last, None if learner.trained is None else self.model)
        except OSError as error:
            message = f"{project.folder} cannot be saved: {error.strerror or error}. "
            message += "Make room or restore the rights, and save again; nothing is lost so far."
            self._tell(SaveFailed(str(project.folder), message))
            raise FileError(message) from error
        self._saved_at = last
        self._tell(Saved(str(project.folder), complete=True))

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything is on the disk; tell whether that was reached in time."""
        return self._project is None or self._project.journal.flush(timeout)

    def close(self) -> None:
        """Stop all work, save, and give the project free.

        Raises
        ------
        FileError
            If something cannot be written; the session is closed all the same.
        """
        super().close()
        project = self._project
        if project is None:
            return
        try:
            if project.journal.last > self._saved_at or self._model_is_newer():
                self.save()
        finally:
            self._project = None
            complete = project.close()
        if not complete:
            raise FileError(f"The last changes could not be written to {project.folder}.")

    def relocate(self, image: str, path: str | Path) -> None:
        """Say where the file of an image is now.

        Raises
        ------
        ShapeError
            If the image there has another size, so that strokes would not fit.
        """
        with self._lock:
            sheet = self._document.sheet(image)
            axes, series = sheet.reference.get("axes"), sheet.reference.get("series", 0)
            found = opened(Path(path), axes, series)
            if without_channels(found) != sheet.sizes:
                raise ShapeError(
                    f"The image {path} has {without_channels(found)} pixels, but strokes were "
                    f"painted on one of {sheet.sizes}."
                )
            reference = refer(Path(path), self.path, axes=axes, series=series)
            self._images[image] = found
            self._missing.discard(image)
            self._do(ops.SetReference(image, reference))
            self._tell(ImageChanged(image))
        self._rounds.poke()

    def set_model(self, model: ConvpaintModel) -> None:
        """Go on with another model, see `LiveDesk.set_model`; a project is saved with it at once.

        Raises
        ------
        ShapeError
            If it was trained on other channels than an image has; nothing is changed then.
        FileError
            If the project cannot be saved; the model is in use all the same.
        """
        super().set_model(model)
        if self._project is not None:
            self.save()

    def recognise(self, path: str | Path) -> bool:
        """Take a file for a missing image, if it is that image; tell whether it was one."""
        with self._lock:
            references = {key: self._document.sheet(key).reference for key in self._missing}
        if not references:
            return False
        found = fingerprint(Path(path))
        for key, reference in references.items():
            if (reference.get("size"), reference.get("digest")) == found:
                self.relocate(key, path)
                return True
        return False

    # ------------------------------------------------------------------ as code

    def as_code(self, folder: str | Path = "strokes") -> str:
        """Return a Python program that repeats this session's model and results.

        It reads the strokes from a folder that ``export_all_strokes(folder)`` fills; or, while a
        model answers that was trained elsewhere, that model from the project.

        Raises
        ------
        ParameterError
            If an image, or such a model, is in no file: save the session as a project first.
        """
        learner = self._rounds.learner
        if learner.taken:
            return repeat.as_code_with(self._model_file(), self._shown(folder))
        return repeat.as_code(self._lessons(folder), self._repeated(), learner.channels)

    def as_command(self, folder: str | Path = "strokes") -> str:
        """Return the commands that repeat this session's model and results, like ``as_code``.

        Raises
        ------
        ParameterError
            If an image is in no file, or only some channels are used, which commands cannot say.
        """
        if self._rounds.learner.taken:
            return repeat.as_command_with(self._model_file(), self._shown(folder))
        if self._rounds.learner.channels is not None:
            raise ParameterError("The command line uses all channels; repeat it with as_code().")
        return repeat.as_command(self._lessons(folder), self._repeated())

    def export_all_strokes(self, folder: str | Path) -> list[Path]:
        """Write the strokes that ``as_code`` and ``as_command`` read."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        lessons = self._learnt()
        return [
            self.export_strokes(key, Path(folder, repeat.strokes_name(key, self.image(key).name)))
            for key in lessons
        ]

    def _repeated(self) -> Param:
        learner = self._rounds.learner
        return learner.param if learner.trained is not None else self.settings.param

    def _learnt(self) -> list[str]:
        """Return the images the model learnt from, or will."""
        return list(self._rounds.learner.images) or [m.key for m in self._wish().material]

    def _model_file(self) -> str:
        if self.path is None:
            raise ParameterError(
                "The model was loaded, and has learnt nothing here. Save all as a project first, "
                "which keeps it (in Python: save_as(folder))."
            )
        return str(self.path.resolve() / "model.pkl")

    def _shown(self, folder: str | Path) -> list[repeat.Lesson]:
        return [self._lesson(image.key, Path(folder)) for image in self.images]

    def _lessons(self, folder: str | Path) -> list[repeat.Lesson]:
        return [self._lesson(key, Path(folder)) for key in self._learnt()]

    def _lesson(self, key: str, folder: Path) -> repeat.Lesson:
        with self._lock:
            sheet = self._document.sheet(key)
        if not sheet.reference:
            raise ParameterError(
                f"The image {sheet.name!r} is in no file. Save all as a project first, which keeps "
                f"the image in it (in Python: save_as(folder))."
            )
        return repeat.Lesson(
            str(located(sheet.reference, self.path).resolve()),
            str(folder / repeat.strokes_name(key, sheet.name)),
            sheet.reference.get("axes"),
            sheet.reference.get("series", 0),
        )

    def _attach(self, project: Project) -> None:
        with self._lock:
            self._project = project
            project.journal.tell = self._tell

    def _done(self, operation: ops.Operation, events: Sequence[Event]) -> None:
        if self._project is not None and (events or isinstance(operation, ops.SetReference)):
            self._project.journal.append(operation.to_json())
        super()._done(operation, events)

    def _settings_changed(self) -> None:
        if self._project is not None:
            self._project.journal.set_settings(self.settings.to_json())

    def _model_is_newer(self) -> bool:
        return self._rounds.learner.trained is not None

    def _reference(
        self, key: str, image: Image, path: Path | None, axes: str | None, series: int
    ) -> dict[str, Any]:
        if path is None and self._project is not None:
            path, axes, series = self._project.store(image, key), None, 0
        return {} if path is None else refer(path, self.path, axes=axes, series=series)

    def _located(self, reference: Mapping[str, Any]) -> Path:
        return located(reference, self.path)

    def _referred(
        self, project: Project, key: str, reference: dict[str, Any], old: Path | None
    ) -> dict[str, Any]:
        """Return the reference to an image in another project."""
        inside = old is not None and str(reference.get("path", "")).startswith("images/")
        if key in self._missing or (reference and not inside):
            return moved(reference, old, project.folder)
        path = project.store(self._images[key], key)
        return refer(path, project.folder, axes=None, series=0)

    def _find_images(self, folder: Path) -> list[Notice]:
        """Open the images of a project, and return what is to be said about them."""
        notices = []
        for key, sheet in self._document.sheets.items():
            blank = np.broadcast_to(np.uint8(0), tuple(sheet.sizes.values()))
            self._images[key] = Image(blank, "".join(sheet.sizes))
            said = "It was in no file." if not sheet.reference else ""
            try:
                said = said or change(sheet.reference, folder)
                found = reopened(sheet.reference, folder)
            except (StromaError, OSError, KeyError) as error:
                said, found = said or str(error), self._images[key]
                self._missing.add(key)
            if without_channels(found) != sheet.sizes:
                self._missing.add(key)
                said += f" It has {without_channels(found)} pixels instead of {sheet.sizes}."
            elif key not in self._missing:
                self._images[key] = found
            if said:
                notices.append(Notice(key, f"{sheet.name}: {said.strip()}"))
        return notices
