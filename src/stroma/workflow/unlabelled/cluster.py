"""Images in files segmented without strokes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stroma.io import read_image
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import BatchResult, Progress, segment_files

if TYPE_CHECKING:
    from stroma.pixel.model import ConvpaintModel
    from stroma.pixel.training.joining import Join


def cluster_files(
    model: ConvpaintModel,
    paths: Sequence[str | Path],
    folder: str | Path,
    *,
    classes: int,
    model_file: str | Path,
    join: Join = "ward",
    rng: int = 0,
    outputs: Outputs | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> BatchResult:
    """Find classes that are the same in all images, save them as a model, and segment the images.

    Parameters
    ----------
    model : ConvpaintModel
        Says which features, and which classifier repeats the classes; changed in place.
    paths : sequence of str or Path
        The images.
    folder : str or Path
        Where results go.
    classes : int
        How many.
    model_file : str or Path
        Where the model goes (.pkl).
    join : {"ward", "complete"}
        How small groups become so many, see ``ConvpaintModel.cluster``.
    rng : int
        Seed.
    outputs, progress
        As for ``segment_files``.
    """
    wanted = outputs or Outputs()
    first = wanted.series[0] if isinstance(wanted.series, tuple) else None
    images = [read_image(path, series=first) for path in paths]
    model.cluster(images, classes=classes, join=join, rng=rng)
    Path(model_file).parent.mkdir(parents=True, exist_ok=True)
    model.save(model_file, create_yml=False)
    return segment_files(model, paths, folder, outputs=wanted, progress=progress)
