"""Files that the page asks for: results, the model, strokes; all in the project's folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stroma.data.image import Image
from stroma.errors import MissingFileError, ParameterError, UnknownNameError
from stroma.session import Session
from stroma.session.strokes.saved import NETWORK
from stroma.session.words import said
from stroma.web import archive, batch
from stroma.workflow.applying.outputs import Outputs

Values = Mapping[str, Any]
Plain = dict[str, Any]

GONE = "It is not here any more. Choose it once more."
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
    wanted = [{"name": session.image(k).name, "key": k, "file": ""} for k in values["images"]]
    _forget_failed(session, ())
    return _told(session, _segmented(session, wanted, _outputs(values)))


def apply(session: Session, values: Values) -> Plain:
    """Segment files that were sent for that, and answer like ``export``.

    Those that are done are removed; the others wait to be tried again until the next batch.
    """
    names = [str(name) for name in values["files"]]
    wanted = [{"name": name[:100], "key": "", "file": name} for name in names]
    _forget_failed(session, names)
    return _told(session, _segmented(session, wanted, _outputs(values)))


def retry(session: Session, values: Values) -> Plain:
    """Segment once more what failed in the latest batch; answer with what became of all of it.

    Raises
    ------
    ParameterError
        If nothing failed.
    """
    found = batch.kept(results_folder(session))
    images = [] if found is None else found[0]["images"]
    lacking = [one for one in images if one["error"]]
    if found is None or not lacking:
        raise ParameterError("Nothing of the latest export failed, so there is nothing to retry.")
    made = _segmented(session, lacking, found[1])
    again = iter(made.images)
    all_of_it = [next(again) if one["error"] else one for one in images]
    return _told(session, replace(made, images=all_of_it))


def latest(session: Session, values: Values) -> Plain | None:
    """Answer with what became of each image of the latest batch; None where there was none."""
    found = None if session.path is None else batch.kept(results_folder(session))
    return None if found is None else found[0]


@dataclass(frozen=True)
class _Made:
    """A batch that has ended: what became of its images, their table, and how it was made."""

    images: list[Plain]
    summary: Path | None
    older: str
    outputs: Outputs


def _outputs(values: Values) -> Outputs:
    return Outputs(
        format=str(values["format"]),
        probabilities=bool(values["probabilities"]),
        overlay=bool(values["overlay"]),
        tables=bool(values["tables"]),
    )


def _segmented(session: Session, wanted: list[Plain], outputs: Outputs) -> _Made:
    """Segment images and files, in their order; what cannot be found has failed."""
    paths: dict[int, tuple[Path, int | None, Image | None]] = {}
    became = [_became(one) for one in wanted]
    for i, one in enumerate(wanted):
        try:
            key, file = one["key"], one["file"]
            paths[i] = _file(session, key) if key else (_sent(session, file), None, None)
        except (MissingFileError, ParameterError, UnknownNameError) as error:
            became[i] = _became(one, error=error)
    folder, summary, older = results_folder(session), None, session.older()
    if paths:
        files, series, opened = zip(*paths.values(), strict=True)
        task = session.apply(files, folder, outputs=outputs, series=series, opened=opened)
        result = task.result()
        summary = result.summary
        for i, found in zip(paths, result.files, strict=True):
            became[i] = _became(wanted[i], found.outputs, found.error)
            if wanted[i]["file"] and found.error is None:
                paths[i][0].unlink(missing_ok=True)
    return _Made(became, summary, older, outputs)


def _told(session: Session, made: _Made) -> Plain:
    """Keep what became of a batch, and return it for the page."""
    folder = results_folder(session)
    folder.mkdir(exist_ok=True)
    archive.note(folder, made.images, made.summary, made.older)
    answer = {
        "folder": str(folder),
        "images": made.images,
        "archive": archive.NAME,
        "older": made.older,
    }
    batch.keep(folder, answer, made.outputs)
    return answer


def _became(one: Plain, outputs: Iterable[Path] = (), error: Exception | None = None) -> Plain:
    reason = "" if error is None else said(error)
    return {**one, "files": [path.name for path in outputs], "error": reason}


def _forget_failed(session: Session, but: Sequence[str]) -> None:
    """Remove sent files of which the latest batch failed, but for some."""
    found = batch.kept(results_folder(session))
    names = {one["file"] for one in found[0]["images"] if one["error"]} if found else set()
    for name in names - {"", *but}:
        with suppress(MissingFileError):
            _sent(session, name).unlink(missing_ok=True)


def _sent(session: Session, name: str) -> Path:
    """Return a file that was sent to be segmented."""
    folder = others_folder(session)
    there = {p.name: p for p in folder.iterdir()} if folder.is_dir() else {}
    if name not in there:
        raise MissingFileError(GONE)
    return there[name]


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


def _file(session: Session, key: str) -> tuple[Path, int | None, Image]:
    """Return the file of an image, which image of it, if not the first, and how it is read."""
    one = session.image(key)
    if one.missing:
        raise MissingFileError(f"The file of {one.name!r} is not where it was. Put it back.")
    if not one.image.source:
        raise ParameterError(
            f"The image {one.name!r} is in memory only. Write it to a file, and open that."
        )
    series = (one.image.read_with or {}).get("series", 0) or None
    return Path(one.image.source), series, one.image
