"""Files that the page asks for: results, the model, strokes; all in the project's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stroma.errors import MissingFileError, ParameterError
from stroma.session import Session
from stroma.workflow.outputs import Outputs

STROKE_FORMATS = (".tif", ".zip", ".geojson")


def project(session: Session) -> Path:
    """Return the folder that everything is written into.

    Raises
    ------
    ParameterError
        If the session has no project.
    """
    if session.path is None:
        raise ParameterError(
            "Files are written into the project, and this session has none. "
            "Start it with: stroma paint IMAGE --project NAME.stroma"
        )
    return session.path


def results_folder(session: Session) -> Path:
    """Return where results go; it may not exist yet."""
    return project(session) / "results"


def result_file(session: Session, name: str) -> Path:
    """Return a file of the results by its name.

    Raises
    ------
    MissingFileError
        If no file of that name lies there.
    """
    folder = results_folder(session)
    found = {p.name: p for p in folder.iterdir() if p.is_file()} if folder.is_dir() else {}
    if name not in found or found[name].is_symlink():
        raise MissingFileError(
            f"There is no file {name[:100]!r} among the results. Export it again."
        )
    return found[name]


def others_folder(session: Session) -> Path:
    """Return where files wait that are only to be segmented; it may not exist yet."""
    return project(session) / "others"


def strokes_folder(session: Session) -> Path:
    """Return where strokes are written that code starts from."""
    return results_folder(session).with_name("strokes")


def export(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """Segment images with the present model, and answer with what was written."""
    return _segmented(session, [_file(session, key) for key in values["images"]], values)


def apply(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """Segment files that were sent for that, remove them, and answer like ``export``.

    Raises
    ------
    MissingFileError
        If one of them is not there; the others are removed all the same.
    """
    folder = others_folder(session)
    there = {p.name: p for p in folder.iterdir()} if folder.is_dir() else {}
    names = [str(name) for name in values["files"]]
    gone = ", ".join(name[:100] for name in names if name not in there)
    files = [there[name] for name in names if name in there]
    try:
        if gone:
            raise MissingFileError(f"{gone}: not here any more. Choose the files once more.")
        return _segmented(session, files, values)
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _segmented(session: Session, files: list[Path], values: Mapping[str, Any]) -> dict[str, Any]:
    outputs = Outputs(
        format=str(values["format"]),
        probabilities=bool(values["probabilities"]),
        overlay=bool(values["overlay"]),
        tables=bool(values["tables"]),
    )
    folder = results_folder(session)
    result = session.apply(files, folder, outputs=outputs).result()
    images = [
        {
            "name": file.path.name,
            "files": [path.name for path in file.outputs],
            "error": str(file.error) if file.error else "",
        }
        for file in result.files
    ]
    return {"folder": str(folder), "images": images}


def save_model(session: Session, values: Mapping[str, Any]) -> str:
    """Write the model, and answer with the name of the file."""
    session.model.trained()
    folder = results_folder(session)
    folder.mkdir(exist_ok=True)
    session.model.save(folder / "model.pkl", create_yml=False)
    return "model.pkl"


def save_strokes(session: Session, values: Mapping[str, Any]) -> str:
    """Write the strokes of an image, and answer with the name of the file."""
    ending = str(values["format"])
    if ending not in STROKE_FORMATS:
        raise ParameterError(
            f"Strokes are written as {', '.join(STROKE_FORMATS)}, got {ending[:20]!r}."
        )
    folder = results_folder(session)
    folder.mkdir(exist_ok=True)
    path = folder / f"{Path(session.image(values['image']).name).stem}_strokes{ending}"
    session.export_strokes(values["image"], path)
    return path.name


def _file(session: Session, key: str) -> Path:
    one = session.image(key)
    if one.missing:
        raise MissingFileError(f"The file of {one.name!r} is not where it was. Put it back.")
    if not one.image.source:
        raise ParameterError(
            f"The image {one.name!r} is in memory only. Write it to a file, and open that."
        )
    return Path(one.image.source)
