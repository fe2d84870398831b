"""What was taken over from another program becomes a project, files of objects, or parameters."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stroma.errors import FileError, FormatError, StromaError, short
from stroma.io import write_labels
from stroma.pixel.files.yml import read_values
from stroma.pixel.param import Param
from stroma.session.session import Session
from stroma.zoo.taken import Taken

ALIAS = "ilastik"
"""Configuration that imported parameters change; the others are filters like its own."""


@dataclass(frozen=True)
class Moved:
    """What a file of another program became.

    Parameters
    ----------
    program : str
        Which program wrote it.
    took, left : sequence of str
        What was taken over, and what could not be.
    project : Path or None
        The project with images and strokes.
    objects : sequence of Path
        Label images of objects.
    parameters : Path or None
        Parameters for a model, where there are no images to train on.
    """

    program: str
    took: tuple[str, ...]
    left: tuple[str, ...]
    project: Path | None = None
    objects: tuple[Path, ...] = ()
    parameters: Path | None = None


def move_in(
    taken: Taken,
    folder: Path,
    *,
    name: str,
    strokes: Sequence[Path] = (),
    overwrite: bool = False,
    mode: str = "live",
) -> Moved:
    """Write what was taken over, as far as it goes.

    Parameters
    ----------
    taken : Taken
        From `stroma.zoo.taken.take`.
    folder : Path
        Where files and the project are made.
    name : str
        Of the project and of the file of parameters.
    strokes : sequence of Path
        Strokes in other files, one for each image, in their order.
    overwrite : bool
        Replace files that are there; a project is never replaced.
    mode : {"live", "demand", "paused"}
        When the project trains, see `Session`.

    Raises
    ------
    FileError
        If something is in the way.
    FormatError
        If there is nothing to be had, or strokes are given for other images than there are.
    """
    values = taken.param if taken.settings is None else read_values(taken.settings)
    param, left = settled(values)
    took = (
        (*taken.took, f"{sum(v is not None for _, v in param)} parameters") if param else taken.took
    )
    paint = [p for p in taken.pictures if p.objects is None]
    if strokes and len(strokes) != len(paint):
        raise FormatError(
            f"{len(strokes)} files of strokes are given for {len(paint)} images. Give one each, in "
            "their order."
        )
    folder.mkdir(parents=True, exist_ok=True)
    objects = tuple(_objects(taken, folder, overwrite=overwrite))
    project = folder / f"{name}.stroma" if paint else None
    parameters = folder / f"{name}.yml" if param is not None and not paint else None
    if project is not None:
        left = (*left, *_project(taken, project, param, strokes, mode))
    if parameters is not None and param is not None:
        _free(parameters, overwrite=overwrite)
        param.save(parameters)
    if not (objects or project or parameters):
        raise FormatError(f"{taken.source} holds nothing that can be taken over. {taken.left}")
    left = (*taken.left, *left)
    return Moved(taken.program, took, left, project, objects, parameters)


def settled(values: Mapping[str, Any]) -> tuple[Param | None, tuple[str, ...]]:
    """Return parameters that are known and allowed, and what is to be said of the others."""
    if not values:
        return None, ()
    param, left = Param(), []
    for key, value in values.items():
        if value is None or key == "classifier":
            continue
        try:
            param.set_single(key, value)
        except StromaError as error:
            left.append(f"parameter {short(key)}: {error}")
    return param, tuple(left)


def _objects(taken: Taken, folder: Path, *, overwrite: bool) -> list[Path]:
    written = []
    for picture in taken.pictures:
        if picture.objects is not None:
            stem = Path(picture.name).stem or "image"
            target = folder / f"{stem}_objects.tif"
            _free(target, overwrite=overwrite)
            written.append(write_labels(target, picture.objects, like=picture.image))
    return written


def _free(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileError(f"{path} exists. Give overwrite=True to replace it.")


def _project(
    taken: Taken, folder: Path, param: Param | None, strokes: Sequence[Path], mode: str
) -> tuple[str, ...]:
    """Make a project; nothing of it is left behind where that fails."""
    session = Session.create(folder, ALIAS if param is not None else "stroma", mode="paused")
    try:
        with session:
            left = _fill(session, taken, param, strokes)
            session.set_mode(mode)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return left


def _fill(
    session: Session, taken: Taken, param: Param | None, strokes: Sequence[Path]
) -> tuple[str, ...]:
    left = []
    if param is not None:
        try:
            session.set_params(**{k: v for k, v in param.items() if v is not None})
        except (StromaError, ImportError) as error:
            left.append(f"parameters: {error}")
    session.set_classes(taken.classes)
    others = iter(strokes)
    for picture in taken.pictures:
        if picture.objects is not None:
            continue
        how = dict(picture.image.read_with or {})
        source = how.pop("path", None) or picture.image
        key = session.add_image(source, name=picture.name, **how)
        if picture.strokes is not None:
            session.import_strokes(key, picture.strokes)
        if given := next(others, None):
            session.import_strokes(key, given)
    return tuple(left)
