"""Files that the page asks for: results, the model, strokes; all in the project's folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stroma.errors import MissingFileError, ParameterError
from stroma.session import Session
from stroma.session.strokes.model import NETWORK
from stroma.session.words import said
from stroma.web import archive
from stroma.workflow.outputs import Outputs

Values = Mapping[str, Any]
Plain = dict[str, Any]

GONE = MissingFileError("It is not here any more. Choose it once more.")
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


def export(session: Session, values: Values) -> Plain:
    """Segment images with the present model, and answer with what became of each."""
    files, gone = [], []
    for key in values["images"]:
        try:
            files.append(_file(session, key))
        except (MissingFileError, ParameterError) as error:
            gone.append(_became(session.image(key).name, error=error))
    return _segmented(session, files, values, gone)


def apply(session: Session, values: Values) -> Plain:
    """Segment files that were sent for that, remove them, and answer like ``export``."""
    folder = others_folder(session)
    there = {p.name: p for p in folder.iterdir()} if folder.is_dir() else {}
    names = [str(name) for name in values["files"]]
    files = [there[name] for name in names if name in there]
    gone = [_became(name[:100], error=GONE) for name in names if name not in there]
    try:
        return _segmented(session, files, values, gone)
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _segmented(session: Session, files: list[Path], values: Values, gone: list[Plain]) -> Plain:
    """Segment files, and answer with what became of them, and of those that are gone."""
    outputs = Outputs(
        format=str(values["format"]),
        probabilities=bool(values["probabilities"]),
        overlay=bool(values["overlay"]),
        tables=bool(values["tables"]),
    )
    folder, images, summary, older = results_folder(session), gone, None, session.older()
    if files:
        result = session.apply(files, folder, outputs=outputs).result()
        done = [_became(f.path.name, f.outputs, f.error) for f in result.files]
        images, summary = [*done, *gone], result.summary
    folder.mkdir(exist_ok=True)
    archive.note(folder, images, summary, older)
    return {"folder": str(folder), "images": images, "archive": archive.NAME, "older": older}


def _became(name: str, outputs: Iterable[Path] = (), error: Exception | None = None) -> Plain:
    reason = "" if error is None else said(error)
    return {"name": name, "files": [path.name for path in outputs], "error": reason}


def save_model(session: Session, values: Values) -> str:
    """Write the model, and answer with the name of the file."""
    network = session.network
    if network is None:
        session.model.trained()
    folder = results_folder(session)
    folder.mkdir(exist_ok=True)
    if network is not None:
        return network.save(folder / NETWORK).name
    session.model.save(folder / "model.pkl", create_yml=False)
    return "model.pkl"


def save_strokes(session: Session, values: Values) -> str:
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
