"""How a batch knows whose results a folder holds and what is done: a record beside each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stroma.errors import ParameterError
from stroma.io.atomic import replaced
from stroma.workflow.applying.outputs import Files, Job


def claim(job: Job, files: Files) -> None:
    """Make sure that no result of another image is replaced, and note whose results these are.

    Raises
    ------
    ParameterError
        If the results of another image, or files of unknown origin, have these names.
    """
    taken = [p for p in files.all if p.exists()]
    if taken and not job.outputs.overwrite:
        owner = _owner(files.record)
        if owner is None or owner not in ("", _told(job)):
            whose = "a file that is no result of it" if owner is None else f"a result of {owner}"
            raise ParameterError(
                f"{taken[0]} is there already, and is {whose}. Write to another folder, or "
                "replace it with overwrite=True."
            )
    if _owner(files.record) != _told(job):
        _note(files.record, {"image": _told(job), "fingerprint": "", "outputs": []})


def run_of(job: Job) -> str:
    """Return what tells a run from others: the model and how it is used, and the image's file."""
    changed = job.path.stat().st_mtime_ns if job.path.exists() else 0
    return f"{_told(job)}\n{changed}\n{job.fingerprint}"


def _told(job: Job) -> str:
    """Return how an image is called in the record of its results."""
    path = str(job.path.resolve())
    return path if job.series is None else f"{path}, image {job.series}"


def _owner(path: Path) -> str | None:
    """Return the image whose results a record is about; "" if it is damaged, None without one."""
    if not path.exists():
        return None
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["image"])
    except (ValueError, KeyError, TypeError):
        return ""


def is_complete(job: Job, files: Files) -> bool:
    """Tell whether all results are there, and were made by the same model in the same way."""
    if not all(p.exists() for p in (*files.all, files.record)):
        return False
    try:
        said = json.loads(files.record.read_text(encoding="utf-8"))
        return bool(said["fingerprint"] == job.fingerprint)
    except (ValueError, KeyError, TypeError):
        return False


def record(job: Job, files: Files) -> None:
    """Note that an image is done; written last."""
    said = {
        "image": _told(job),
        "fingerprint": job.fingerprint,
        "outputs": [p.name for p in files.all],
    }
    _note(files.record, said)


def _note(path: Path, said: dict[str, Any]) -> None:
    with replaced(path) as new:
        new.write_text(json.dumps(said, indent=2), encoding="utf-8")
