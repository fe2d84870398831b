"""The project of a session: going on with one, saving, closing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stroma.errors import FileError, ParameterError
from stroma.session.core.core import Core
from stroma.session.core.disk import place, snapshot
from stroma.session.core.disk import project as projects
from stroma.session.core.disk.project import Contents, Project
from stroma.session.core.disk.reference import moved, refer
from stroma.session.events import Saved, SaveFailed


class Storage:
    """Where a session is kept.

    Parameters
    ----------
    core : Core
        What is kept.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self._saved_at = 0

    @property
    def path(self) -> Path | None:
        """The folder of the project; None for a session in memory."""
        return None if self.core.project is None else self.core.project.folder

    @property
    def unsaved(self) -> str:
        """What keeps strokes from the disk at present, and what to do; empty where nothing does."""
        return "" if self.core.project is None else self.core.project.journal.problem

    def resume(self, project: Project, contents: Contents) -> Sequence[str]:
        """Let all benches go on as they were saved; return what people should know of that.

        Raises
        ------
        FormatError
            If the settings in the project are not possible.
        """
        core = self.core
        for bench in core.document.benches.values():
            bench.revision += 1
        core.looked = place.read(project.folder, core.document)
        said = [
            one.restore(project.folder, contents.settings, _facts(contents, one.name))
            for one in core.worker.learnings
        ]
        return [what for what in said if what]

    def attach(self, project: Project) -> None:
        """Keep everything in a project from now on."""
        with self.core.lock:
            self.core.project = project
            project.journal.tell = self.core.tell
            self._saved_at = project.journal.last

    def save_as(self, folder: str | Path) -> None:
        """Go on in a new project, with everything that is there.

        Raises
        ------
        FileError
            If the folder exists and is not empty, or cannot be written.
        """
        core = self.core
        project = projects.create(Path(folder), core.tell)
        with core.lock:
            old = core.project
            for key, sheet in core.document.sheets.items():
                before = None if old is None else old.folder
                sheet.reference = self._referred(project, key, sheet.reference, before)
            self.attach(project)
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
        core = self.core
        with core.lock:
            project = core.project
            if project is None:
                raise ParameterError("The session is in no project yet. Call save_as(folder).")
            last = project.journal.last
            core.document.forget_steps(
                snapshot.KEPT_EDITS, parts=snapshot.KEPT_PARTS, always=snapshot.KEPT_ALWAYS
            )
            saved = {
                "document": snapshot.to_json(core.document),
                "settings": core.settings(),
                "models": {one.name: dict(one.facts()) for one in core.worker.learnings},
            }
            core.settings_changed()
        try:
            project.save(saved, last, core.worker.learnings)
        except OSError as error:
            why = f"{error.strerror or error}. Make room or restore the rights, and save again."
            known = isinstance(error, FileError)  # which says itself what to do
            message = f"{project.folder} cannot be saved: {error if known else why}"
            message += " Nothing is lost so far."
            core.tell(SaveFailed(str(project.folder), message))
            raise FileError(message) from error
        self._saved_at = last
        core.tell(Saved(str(project.folder), complete=True))

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything is on the disk; tell whether that was reached in time."""
        return self.core.project is None or self.core.project.journal.flush(timeout)

    def close(self) -> None:
        """Stop all work, save, and give the project free.

        Raises
        ------
        FileError
            If something cannot be written; the session is closed all the same.
        """
        self.core.close()
        project = self.core.project
        if project is None:
            return
        try:
            if project.journal.last > self._saved_at or self._has_models():
                self.save()
            place.write(project.folder, self.core.looked)
        finally:
            self.core.project = None
            complete = project.close()
        if not complete:
            raise FileError(f"The last changes could not be written to {project.folder}.")

    def _has_models(self) -> bool:
        return any(one.turn().answered >= 0 for one in self.core.worker.learnings)

    def _referred(
        self, project: Project, key: str, reference: dict[str, Any], old: Path | None
    ) -> dict[str, Any]:
        """Return the reference to an image in another project."""
        inside = old is not None and str(reference.get("path", "")).startswith("images/")
        if key in self.core.missing or (reference and not inside):
            return moved(reference, old, project.folder)
        path = project.store(self.core.images[key], key)
        return refer(path, project.folder, axes=None, series=0)


def _facts(contents: Contents, bench: str) -> Mapping[str, Any]:
    found = contents.models.get(bench, {})
    return found if isinstance(found, Mapping) else {}
