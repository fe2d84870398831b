"""The objects of one image through a network that tells their classes apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.data.image import Image
from stroma.errors import ParameterError, StromaError
from stroma.io import read_image, series_of, stem_of
from stroma.objects.measure import measure
from stroma.workflow.applying.one_image import Cancel, Tell
from stroma.workflow.applying.outputs import Files, Job
from stroma.workflow.learning.pairs import ENDINGS, for_images
from stroma.workflow.measuring.network_classes import with_classes
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
    objects = _objects_of(job)
    if objects.sizes.get("c") == 1:
        objects = objects.at(c=0)
    how: dict[str, Any] = {"mirror": job.outputs.mirror, "tell": tell, "cancel": cancel}
    found = network.segment(image, objects=objects, **how)
    table = with_classes(measure(objects, image), found)
    write_object_table(files.labels, table)
    assert files.outlines is not None, "classes of objects are written with outlines"
    write_outlines(files.outlines, objects, table, network.classes)


def _objects_of(job: Job) -> Image:
    """Return the label image of an image; of a file that holds several, that of the same number.

    Raises
    ------
    ParameterError
        If there are several label images, or one that is not said to be of this one of a file.
    """
    own = stem_of(job.path) if job.series is None else f"{stem_of(job.path)}_s{job.series}"
    path = _label_file(job, own)
    axes = job.outputs.axes and job.outputs.axes.replace("c", "")
    if _count(path) > 1:
        return read_image(path, axes=axes, series=job.series)
    several = 0 if job.series is None else _count(job.path)
    if several > 1 and not _is_named(path, own):
        raise ParameterError(
            f"{job.path.name} holds {several} images, and {path} the objects of one, which may be "
            f"any of them. Give a label file with as many images, or one of image {job.series} "
            f"alone that is called {own}_objects.tif."
        )
    return read_image(path, axes=axes)


def _label_file(job: Job, own: str) -> Path:
    """Return the file with the objects of an image, in a folder the one that has its own name."""
    where = job.outputs.objects
    assert where is not None, "classes are told of objects that are given"
    named = where.is_dir() and any(_is_named(p, own) for p in where.iterdir())
    (path,) = for_images([job.path.with_name(own) if named else job.path], str(where))
    if isinstance(path, tuple):
        names = ", ".join(one.name for one in path)
        raise ParameterError(
            f"{where} has several label images of {job.path.name}: {names}. Keep one."
        )
    found: Path = Path(path)
    return found


def _count(path: Path) -> int:
    """Return how many images a file holds; what is wrong with it is told when it is read."""
    try:
        return len(series_of(path))
    except StromaError:
        return 1


def _is_named(path: Path, stem: str) -> bool:
    """Tell whether labels have the name of the image that has a stem."""
    return stem_of(path) in (stem, *(stem + end for end in ENDINGS))
