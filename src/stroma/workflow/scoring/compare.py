"""Configurations compared on an image and its strokes, from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from stroma.pixel.door import labelled_points, open_image
from stroma.pixel.guidance.compare import Comparison, compare
from stroma.pixel.training.learn import Labelled
from stroma.workflow.learning.train import Pair, read_pairs


def compare_files(
    pairs: Sequence[Pair],
    aliases: Sequence[str] = (),
    *,
    axes: str | None = None,
    series: int | None = None,
    width: float = 3.0,
    cancel: Callable[[], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Comparison]:
    """Try configurations on the strokes in files; the best comes first.

    Parameters
    ----------
    pairs : sequence of (image, strokes)
        Strokes are label images, ImageJ ROIs or QuPath GeoJSON (see ``read_strokes``); what is
        connected counts as one stroke.
    aliases : sequence of str
        Configurations to try; all there are, unless given.
    axes : str, optional
        Axes of the images, where the files do not name them.
    series : int, optional
        Which image, where files hold several.
    width : float
        Width of lines that have none, in pixels.
    cancel : callable, optional
        Asked between steps.
    progress : callable, optional
        Told how many configurations are done, and of how many.

    Raises
    ------
    UnknownNameError
        If there is no such alias.
    LabelError
        If no two classes have two strokes each.
    """
    images, read = read_pairs(pairs, width=width, axes=axes, series=series)
    strokes = {}
    for (path, _), image, labels in zip(pairs, images, read, strict=True):
        source = open_image(image, "single")
        strokes[str(Path(path))] = Labelled(source, labelled_points(labels.labels, source))
    classes = read[-1].classes if read else ()
    return compare(strokes, aliases, classes=classes, cancel=cancel, progress=progress)
