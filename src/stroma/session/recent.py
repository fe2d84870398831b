"""Projects that were opened lately, remembered from one run of the program to the next."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from stroma.io.atomic import replaced
from stroma.weights.store import cache_folder

KEPT = 12
"""Projects that are remembered."""

MOST_BYTES = 1 << 20


def recent() -> list[Path]:
    """Return the projects that were opened last and are still there, the latest first."""
    return [path for path in _listed() if (path / "project.json").is_file()]


def is_known(project: Path) -> bool:
    """Tell whether a project was opened here lately."""
    return project.resolve() in _listed()


def remember(project: Path) -> None:
    """Put a project first; where that cannot be written, it is not remembered."""
    first = project.resolve()
    listed = [first, *(path for path in _listed() if path != first)][:KEPT]
    with suppress(OSError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        with replaced(_file()) as temporary:
            temporary.write_text(json.dumps([str(path) for path in listed]), encoding="utf-8")


def _file() -> Path:
    return cache_folder() / "recent.json"


def _listed() -> list[Path]:
    """Return what the file lists; nothing where there is none, or it is another kind of file."""
    try:
        with _file().open("rb") as file:
            found = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError):
        return []
    texts = found if isinstance(found, list) else []
    return [Path(text) for text in texts[:KEPT] if isinstance(text, str) and "\0" not in text]
