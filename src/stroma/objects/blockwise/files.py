"""Objects found from file to file, with no more than a few blocks in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stroma.blocks.room import room
from stroma.data.image import Image
from stroma.io import write_labels
from stroma.io.blockwise.writer import BlockWriter, open_writer
from stroma.io.write import check_labels_fit, check_labels_target, format_of
from stroma.objects.blockwise.finding import Frame, find_in_blocks
from stroma.objects.blockwise.room import blocks
from stroma.objects.finding.sought import Sought

WRITTEN = (1024, 1024)
"""Pixels along y and x that are written at once: whole chunks."""


@contextmanager
def objects_in_file(sought: Sought, folder: Path) -> Iterator[Image]:
    """Yield the objects of an image, in a file of no name that goes when they are done with.

    Parameters
    ----------
    sought : Sought
        What they are found in, also over time, and how.
    folder : Path
        Where there is room for four bytes a pixel.
    """
    own = sought.source.own
    spacing, unit = dict(own.spacing), own.unit
    if sought.spacing:
        axes = [a for a in "zyx" if a in own.kept_axes]
        spacing, unit = dict(zip(axes, sought.spacing, strict=True)), "µm"
    with room(own.shape, folder) as labels:
        if "t" not in own.sizes:
            find_in_blocks(Frame(sought), labels)
        for t in range(own.sizes.get("t", 0)):
            find_in_blocks(Frame(sought.at(t)), labels.frame(t))
        yield Image(labels, own.kept_axes, spacing=spacing, unit=unit, source=own.source)


def write_objects(path: Path, sought: Sought) -> Path:
    """Find the objects of an image block by block, and write them so."""
    check_labels_target(path)
    check_labels_fit(path, sought.source.own.kept_axes)
    with objects_in_file(sought, path.absolute().parent) as labels:
        return write_in_blocks(path, labels)


def write_in_blocks(path: Path, labels: Image) -> Path:
    """Write a label image; of one in a file OME-Zarr and TIFF are written block by block."""
    blockwise = format_of(path) == ".zarr" or "tif" in format_of(path)
    if isinstance(labels.array, np.ndarray) or not blockwise:
        return write_labels(path, labels.read(), like=labels)
    sides = (1,) * (len(labels.shape) - 2) + WRITTEN
    writer = open_writer(
        path,
        shape=labels.shape,
        dtype=labels.dtype,
        axes=labels.kept_axes,
        like=labels,
        resume=False,
    )
    with _whole_or_none(writer):
        for box in blocks(labels.shape, sides):
            at = dict(zip(labels.kept_axes, box, strict=True))
            writer.write(box, labels.at(**at).read())
        return writer.finish()


@contextmanager
def _whole_or_none(writer: BlockWriter) -> Iterator[None]:
    """Throw away what was written if it does not come to its end: nothing continues it."""
    try:
        yield
    except BaseException:
        writer.discard()
        raise
