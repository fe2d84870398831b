"""Objects in files: found, measured, classed, and written for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import FileError, LabelError, ParameterError
from stroma.io import read_image
from stroma.io.atomic import check_target
from stroma.io.write import check_labels_fit, check_labels_target
from stroma.objects.blockwise.files import objects_in_file, write_in_blocks
from stroma.objects.classes import ObjectClassifier
from stroma.objects.entry import micrometres
from stroma.objects.finding.frame import find
from stroma.objects.finding.how import Finding
from stroma.objects.finding.sought import Sought, seek
from stroma.objects.measure import LARGE, measure
from stroma.workflow.measuring.chosen import chosen, tell_if_absent
from stroma.workflow.measuring.effects import CLASSIFIER, RING, require_effect
from stroma.workflow.measuring.embedding import embed, extractors_in
from stroma.workflow.measuring.network_classes import (
    is_network_file,
    network_of_objects,
    with_classes,
)
from stroma.workflow.measuring.object_files import (
    check_table_name,
    classes_named,
    load_object_classifier,
    read_clicks,
    save_object_classifier,
    write_object_table,
)
from stroma.workflow.measuring.object_outlines import check_outline_name, write_outlines
from stroma.workflow.measuring.other_tables import OtherTable, read_other_table

if TYPE_CHECKING:
    from stroma.training.model import Network

NOTHING_TAUGHT = "no objects are labelled to learn from."


@dataclass(frozen=True)
class Wanted:
    """What is written of the objects of a file; None for what is not.

    Parameters
    ----------
    table : Path
        ``.csv``; ``.parquet`` where pyarrow is installed, ``.h5ad`` where anndata is.
    label_image : Path, optional
        The objects with the numbers that are in the table.
    outlines : tuple of Path
        ``.geojson`` for QuPath, or ``.zip`` of ImageJ's ROI Manager.
    model : Path, optional
        The classes learnt, to be used on other files.
    overwrite : bool
        Replace files that are there.
    """

    table: Path
    label_image: Path | None = None
    outlines: tuple[Path, ...] = ()
    model: Path | None = None
    overwrite: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files."""
        every = (self.table, self.label_image, *self.outlines, self.model)
        return tuple(p for p in every if p is not None)


@dataclass(frozen=True)
class MeasuredFile:
    """What came of the objects of a file.

    Parameters
    ----------
    paths : tuple of Path
        The files written.
    objects : int
        How many there are.
    classes : dict of str to int
        How many of each class; empty where none were learnt.
    accuracy : float or None
        Share of the labelled objects that are classed rightly when learnt from the others.
    next_to_label : tuple of int
        Numbers of the objects that are least sure, where classes were learnt.
    """

    paths: tuple[Path, ...]
    objects: int
    classes: dict[str, int] = field(default_factory=dict)
    accuracy: float | None = None
    next_to_label: tuple[int, ...] = ()


def measure_file(
    segmentation: str | Path,
    wanted: Wanted,
    *,
    image: str | Path | None = None,
    of_class: str | None = None,
    boundary: str | None = None,
    how: Finding | None = None,
    model: str | Path | None = None,
    clicks: str | Path | None = None,
    classifier: str = CLASSIFIER,
    ring: float = RING,
    extractors: Sequence[str] = (),
    joins: Sequence[str | Path] = (),
    axes: str | None = None,
    series: int | None = None,
) -> MeasuredFile:
    """Measure the objects of a segmentation in a file, class them, and write them.

    Parameters
    ----------
    segmentation : path
        Objects with a number each; labels of classes (with ``of_class``); or probabilities.
    wanted : Wanted
        What is written.
    image : path, optional
        Values to measure.
    of_class : str, optional
        Name of the class whose connected parts are objects, or its label; of probabilities whose
        channels have no names, the number of the channel.
    boundary : str, optional
        The class between objects, named alike, along which those that touch are parted.
    how : Finding, optional
        How objects are found.
    model : path, optional
        Classes learnt before: from measurements, or a network that looks at the image.
    clicks : path, optional
        Table of labelled objects (see `read_clicks`), to learn classes from.
    classifier : str
        Kind of classifier that learns.
    ring : float
        Width of the ring around objects, in pixels.
    extractors : sequence of str
        Feature extractors whose means inside objects are measured, too; those that the model was
        taught with are anyway.
    joins : sequence of path
        Tables of other programs (see `read_other_table`): measures become columns; what they
        call the objects is learnt as classes, unless labelled objects or a model say these.
    axes : str, optional
        Axes of the segmentation, where the file does not say.
    series : int, optional
        Which image of the image's file, where it holds several; the first unless given.

    Raises
    ------
    FileError
        If a file to be written is there already.
    ParameterError
        If something is given that has no effect on this file.
    """
    _require_room(wanted, model=model, clicks=clicks, joins=joins)
    path = Path(segmentation)
    source = read_image(path, axes=axes)
    label, between = chosen(path, source, of_class, boundary)
    how = replace(how or Finding(), label=label, boundary=between)
    require_effect(
        path,
        how,
        probabilities=source.dtype.kind == "f",
        image=image is not None,
        series=series,
        ring=ring,
        teaches=clicks is not None or (model is None and bool(joins)),
        classifier=classifier,
    )
    values = None if image is None else read_image(image, series=series)
    network, own = _learnt_before(model, image=values is not None)
    sought = _sought(path, source, values, how)
    if wanted.label_image is not None:
        check_labels_fit(wanted.label_image, sought.source.own.kept_axes)
    with _objects(sought, wanted.table.absolute().parent) as labels:
        values = None if values is None else _fitting(values, labels)
        table = measure(labels, values, ring=ring)
        taught = () if own is None else extractors_in(own.columns_)
        for name in dict.fromkeys((*extractors, *taught)):
            table = embed(table, labels, values, name)
        others = [_other(path, table) for path in joins]
        for other in others:
            table = other.joined(table)
        found = MeasuredFile(wanted.paths, table.rows)
        if not table.rows and how.label is not None and source.dtype.kind != "f":
            tell_if_absent(path, sought.source.own, how.label)
        taught_by = next((other for other in others if other.classes), None)
        if clicks is not None:
            y, classes = read_clicks(clicks, labels, table)
            own, found = _learnt(y, classes, table, classifier, found)
        elif model is None and taught_by is not None:
            own, found = _learnt(*_said(taught_by, table), table, classifier, found)
        if own is None and wanted.model is not None:
            raise ParameterError(f"There is nothing to save: {NOTHING_TAUGHT}")
        if network is not None:
            table = with_classes(table, network.segment(values, objects=labels))
        elif own is not None:
            table = own.classed(table)
        known = own or network
        if known is not None:
            names, counts = np.unique(table["class_name"], return_counts=True)
            found = replace(found, classes=dict(zip(names.tolist(), counts.tolist(), strict=True)))
        _write(wanted, labels, table, () if known is None else known.classes)
        if wanted.model is not None and own is not None:
            save_object_classifier(wanted.model, own)
        return found


def _learnt_before(
    model: str | Path | None, *, image: bool
) -> tuple[Network | None, ObjectClassifier | None]:
    """Return the network, or what learned from measurements, that tells classes."""
    if model is None:
        return None, None
    if is_network_file(model):
        return network_of_objects(model, image=image), None
    return None, load_object_classifier(model)


def _require_room(wanted: Wanted, *, model: Any, clicks: Any, joins: Any) -> None:
    """Refuse what cannot be done, before anything is read."""
    if model is not None and clicks is not None:
        raise ParameterError("Classes are learnt from labelled objects or come from a model file.")
    if wanted.model is not None and clicks is None and not joins:
        raise ParameterError(f"There is nothing to save: {NOTHING_TAUGHT}")
    check_table_name(wanted.table)
    for path in wanted.outlines:
        check_outline_name(path)
    if wanted.label_image is not None:
        check_labels_target(wanted.label_image)
    for target in (wanted.table, *wanted.outlines, wanted.model):
        if target is not None:
            check_target(target)
    there = [str(p) for p in wanted.paths if p.exists()]
    if there and not wanted.overwrite:
        raise FileError(f"{there[0]} is there already. Name another file, or replace it.")


def _sought(
    path: Path,
    source: Image,
    values: Image | None,
    finding: Finding,
) -> Sought:
    """Return what the objects of a file are found in; they keep numbers, unless they are split."""
    if source.sizes.get("c", 1) == 1 and "c" in source.sizes:
        source = source.at(c=0)
    spacing, unit = _size(source, values)
    sized = replace(source, spacing=spacing, unit=unit, source=str(path))
    return seek(sized, finding, numbered=finding.label is None and source.dtype.kind != "f")


@contextmanager
def _objects(sought: Sought, folder: Path) -> Iterator[Image]:
    """Yield objects as an Image that knows the size of its pixels; large ones lie in a file."""
    own = sought.source.own
    if np.prod(own.shape, dtype=np.int64) > LARGE:
        with objects_in_file(sought, folder) as labels:
            yield labels
        return
    array = find(sought)
    yield Image(array, own.kept_axes, spacing=own.spacing, unit=own.unit, source=own.source)


def _size(source: Image, values: Image | None) -> tuple[dict[str, float], str]:
    """Return the size of a pixel that the labels know, or else their image."""
    known = values if values is not None and not micrometres(source) else source
    return dict(known.spacing), known.unit


def _fitting(values: Image, labels: Image) -> Image:
    """Return an image without axes of one plane that the labels have not."""
    extra = {a: 0 for a, n in values.sizes.items() if a in "tz" and n == 1 and a not in labels.axes}
    return values.at(**extra)


def _other(path: str | Path, table: ObjectTable) -> OtherTable:
    """Return a table of another program, if it knows any of the objects."""
    other = read_other_table(path)
    if (other.rows_of(table) < 0).all():
        raise LabelError(
            f"{path}: none of its {len(other.keys)} numbers is that of one of {table.rows} objects."
        )
    return other


def _said(other: OtherTable, table: ObjectTable) -> tuple[NDArray[np.int64], tuple[Class, ...]]:
    """Return the class of every row of a table, 0 for none, as another table says it."""
    classes = classes_named([word for word in other.classes if word])
    labels = np.array([classes[w].label if w else 0 for w in other.classes])
    rows = other.rows_of(table)
    known = tuple({c.label: c for c in classes.values()}.values())
    return np.where(rows >= 0, labels[rows], 0).astype(np.int64), known


def _learnt(
    y: NDArray[np.int64],
    classes: tuple[Class, ...],
    table: ObjectTable,
    kind: str,
    found: MeasuredFile,
) -> tuple[ObjectClassifier, MeasuredFile]:
    """Learn classes from labelled objects, and tell how well."""
    own = ObjectClassifier(kind, classes=classes).fit(table, y)
    unsure = own.next_to_label(table, y, count=5)
    return own, replace(
        found,
        accuracy=own.leave_one_out(table, y),
        next_to_label=tuple(int(n) for n in table["label"][unsure]),
    )


def _write(wanted: Wanted, labels: Image, table: ObjectTable, classes: Sequence[Class]) -> None:
    if wanted.label_image is not None:
        check_labels_fit(wanted.label_image, labels.kept_axes, int(table[LABEL].max(initial=0)))
    write_object_table(wanted.table, table)
    if wanted.label_image is not None:
        write_in_blocks(wanted.label_image, labels)
    for path in wanted.outlines:
        write_outlines(path, labels, table, classes)
