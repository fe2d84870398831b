"""Files that the page asks for: results, the model, strokes; all in the project's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stroma.errors import MissingFileError, ParameterError
from stroma.pixel.model import ConvpaintModel
from stroma.session import Session
from stroma.workflow.outputs import Outputs
from stroma.workflow.segment import BatchResult, Progress, segment_files

STEPS = 1000

Tell = Callable[[int, int], None]
Cancelled = Callable[[], bool]


def results_folder(session: Session) -> Path:
    """Return where results go; it may not exist yet.

    Raises
    ------
    ParameterError
        If the session has no project to write into.
    """
    if session.path is None:
        raise ParameterError(
            "Files are written into the project, and this session has none. "
            "Start it with: stroma paint IMAGE --project NAME.stroma"
        )
    return session.path / "results"


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


def export(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """Segment images with the present model, and answer with what was written."""
    folder, model = results_folder(session), _written(session)
    outputs = Outputs(
        format=str(values["format"]),
        probabilities=bool(values["probabilities"]),
        overlay=bool(values["overlay"]),
        tables=bool(values["tables"]),
    )
    files = [_file(session, key) for key in values["images"]]

    def work(tell: Tell, cancelled: Cancelled) -> BatchResult:
        trained = ConvpaintModel(model_path=model)
        return segment_files(
            trained, files, folder, outputs=outputs, progress=_scaled(tell), cancel=cancelled
        )

    result = session.start("Exporting", work).result()
    return {"folder": str(folder), "images": _described(result)}


def save_model(session: Session, values: Mapping[str, Any]) -> str:
    """Write the model, and answer with the name of the file."""
    return _written(session).name


def save_strokes(session: Session, values: Mapping[str, Any]) -> str:
    """Write the strokes of an image, and answer with the name of the file."""
    folder = results_folder(session)
    folder.mkdir(exist_ok=True)
    stem = session.image(values["image"]).name.split(".")[0]
    path = folder / f"{stem}_strokes.tif"
    session.export_strokes(values["image"], path)
    return path.name


def _written(session: Session) -> Path:
    """Write the model among the results, and return the file."""
    session.model.trained()
    folder = results_folder(session)
    folder.mkdir(exist_ok=True)
    path = folder / "model.pkl"
    session.model.save(path, create_yml=False)
    return path


def _file(session: Session, key: str) -> Path:
    one = session.image(key)
    if not one.image.source:
        raise ParameterError(
            f"The image {one.name!r} is in memory only. Write it to a file, and open that."
        )
    return Path(one.image.source)


def _scaled(tell: Tell) -> Callable[[Progress], None]:
    """Return what tells how far all files are, from how far each is."""

    def told(progress: Progress) -> None:
        before = progress.file - 1
        tell(round(STEPS * (before + progress.done / progress.total)), STEPS * progress.files)

    return told


def _described(result: BatchResult) -> Sequence[Mapping[str, Any]]:
    return [
        {
            "name": file.path.name,
            "files": [path.name for path in file.outputs],
            "error": str(file.error) if file.error else "",
        }
        for file in result.files
    ]
