"""The objects of one image through a network that tells their classes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import ParameterError
from stroma.io import read_image
from stroma.objects.measure import measure
from stroma.workflow.applying.one_image import Cancel, Tell
from stroma.workflow.applying.outputs import Files, Job
from stroma.workflow.learning.pairs import for_images
from stroma.workflow.measuring.object_files import write_object_table
from stroma.workflow.measuring.object_outlines import write_outlines

if TYPE_CHECKING:
    from stroma.training.model import Network


def write_classed_objects(
    network: Network, image: Image, job: Job, files: Files, tell: Tell, cancel: Cancel | None
) -> None:
    """Write a table of the objects of an image with their measurements and classes, and outlines.

    Parameters
    ----------
    network : Network
        That learned classes of objects.
    image : Image
        What it looks at.
    job : Job
        What is wanted; says where the objects are.
    files : Files
        Where results go.
    tell : callable
        Is told how many objects are ready, and of how many.
    cancel : callable, optional
        Asked before every object.
    """
    (path,) = for_images([job.path], str(job.outputs.objects))
    if isinstance(path, tuple):
        names = ", ".join(one.name for one in path)
        raise ParameterError(
            f"{job.outputs.objects} has several label images of {job.path.name}: {names}. Keep one."
        )
    objects = read_image(path, axes=job.outputs.axes and job.outputs.axes.replace("c", ""))
    if objects.sizes.get("c") == 1:
        objects = objects.at(c=0)
    how: dict[str, Any] = {"mirror": job.outputs.mirror, "tell": tell, "cancel": cancel}
    found = network.segment(image, objects=objects, **how)
    table = with_classes(measure(objects, image), found)
    write_object_table(files.labels, table)
    assert files.outlines is not None, "classes of objects are written with outlines"
    write_outlines(files.outlines, objects, table, network.classes)


def with_classes(table: ObjectTable, found: ObjectTable) -> ObjectTable:
    """Return measurements of objects with what was found of each."""
    assert np.array_equal(_keys(table), _keys(found)), "objects come by time, and then by number"
    return table.extended({name: found[name] for name in found if name not in (LABEL, "t")})


def _keys(table: ObjectTable) -> NDArray[np.float64]:
    return np.stack([table["t"] if "t" in table else np.zeros(table.rows), table[LABEL]])
