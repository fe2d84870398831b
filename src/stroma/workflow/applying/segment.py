"""A trained model applied to many files."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.data.image import Image
from stroma.errors import Cancelled, ParameterError, StromaError
from stroma.io.atomic import told
from stroma.workflow.applying.applied import is_network, result_of
from stroma.workflow.applying.categories import ENDING, TABLE, require_own
from stroma.workflow.applying.classed_objects import write_classed_objects
from stroma.workflow.applying.found import draw_objects, write_found
from stroma.workflow.applying.one_image import Cancel, Tell, Work
from stroma.workflow.applying.outputs import Files, Job, Outputs, jobs
from stroma.workflow.applying.records import claim, is_complete, record, run_of
from stroma.workflow.applying.region import Region, open_region
from stroma.workflow.applying.several import write_several
from stroma.workflow.applying.tables import join

if TYPE_CHECKING:
    from stroma.workflow.applying.applied import Model

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a batch is.

    Parameters
    ----------
    path : Path
        The file at work.
    file, files : int
        Its number, from 1, and how many there are.
    done, total : int
        Blocks of it that are ready, and how many there are.
    """

    path: Path
    file: int
    files: int
    done: int
    total: int


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Parameters
    ----------
    path : Path
        The image.
    status : {"done", "skipped", "failed"}
        Skipped are files whose results are there already.
    outputs : tuple of Path
        What was written.
    seconds : float
        Time it took.
    error : Exception or None
        Why it failed.
    series : int or None
        Which image of the file; None is the first.
    """

    path: Path
    status: str
    outputs: tuple[Path, ...] = ()
    seconds: float = 0.0
    error: Exception | None = None
    series: int | None = None


@dataclass(frozen=True)
class BatchResult:
    """What became of all files, in their order."""

    files: tuple[FileResult, ...]
    summary: Path | None = None

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """The files that could not be segmented."""
        return tuple(f for f in self.files if f.status == "failed")

    def __str__(self) -> str:
        """Say how many files are done, and name those that failed with their reasons."""
        count = {s: sum(f.status == s for f in self.files) for s in ("done", "skipped", "failed")}
        said = f"{count['done']} done, {count['skipped']} skipped, {count['failed']} failed"
        return "\n".join([said, *(f"{f.path}: {f.error}" for f in self.failed)])


def segment_files(
    model: Model,
    paths: Sequence[str | Path],
    folder: str | Path,
    *,
    outputs: Outputs | None = None,
    series: Sequence[int | None] = (),
    opened: Sequence[Image | None] = (),
    use_dask: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancel | None = None,
    finished: Callable[[FileResult], None] | None = None,
) -> BatchResult:
    """Segment files with a trained model, and write the results to a folder.

    A file that fails is reported in the result and does not stop the others. Files whose results
    are complete, and were made by the same model in the same way, are skipped; large results that
    were begun are continued. Results of other images are never replaced unless ``overwrite`` says
    so; such a file fails.

    Parameters
    ----------
    model : ConvpaintModel or Network
        Trained.
    paths : sequence of str or Path
        The images.
    folder : str or Path
        Where results go; created if need be.
    outputs : Outputs, optional
        What to write; labels only, unless given.
    series : sequence of int or None
        Which image of each of the paths, for files that hold several, a path once for each; None
        is the first. As ``outputs`` says unless given.
    opened : sequence of Image or None
        Each of the paths as it was opened, where axes or sizes of pixels were given that the file
        does not say.
    use_dask : bool
        Compute blocks on the workers of dask.distributed.
    progress : callable, optional
        Is told after every block.
    cancel : callable, optional
        Asked before every block.
    finished : callable, optional
        Is told what became of a file as soon as it is known, also where ``cancel`` ends the batch
        later.

    Returns
    -------
    BatchResult
        What became of every file.

    Raises
    ------
    NotTrainedError
        If the model has no classifier.
    ParameterError
        If an image is given twice, or ``use_dask`` for a network of classes of objects.
    Cancelled
        When ``cancel`` asked for it; finished files, and what was begun of large ones, stay.
    """
    wanted = outputs or Outputs()
    if use_dask and result_of(model) == "object classes":
        raise ParameterError(
            "use_dask= goes with models that look at images block by block, and this network looks "
            "at what is around every object. Leave it out."
        )
    todo = _jobs(model, [Path(p) for p in paths], Path(folder), wanted, series, opened)
    if result_of(model) == "category":
        require_own(Path(folder))
    with told(Path(folder)):
        Path(folder).mkdir(parents=True, exist_ok=True)
    results = []
    for number, job in enumerate(todo, start=1):
        path = next(iter(job.values())).path
        tell = _teller(path, number, len(todo), progress)
        results.append(_one(model, job, tell, cancel, use_dask))
        LOG.info("%s: %s", path, results[-1].status)
        if finished is not None:
            finished(results[-1])
    summary = None
    if wanted.tables:
        summary = Path(folder) / "summary.csv"
        join(_tables(results, Path(folder), "_summary.csv"), summary)
    elif result_of(model) == "category":
        summary = Path(folder) / TABLE
        join(_tables(results, Path(folder), ENDING), summary, first=())
    return BatchResult(tuple(results), summary)


Wanted = Mapping[str, Job]
"""What is wanted of an image: of each head of a network by its name, else one job of no name."""


def _jobs(
    model: Model,
    paths: Sequence[Path],
    folder: Path,
    outputs: Outputs,
    series: Sequence[int | None],
    opened: Sequence[Image | None],
) -> list[Wanted]:
    """Return what is wanted of every image."""
    heads: Mapping[str, Model] = (model.heads if is_network(model) else {}) or {"": model}
    every = {name: jobs(one, paths, folder, outputs, series, opened) for name, one in heads.items()}
    return [dict(zip(every, own, strict=True)) for own in zip(*every.values(), strict=True)]


def _teller(
    path: Path, number: int, count: int, progress: Callable[[Progress], None] | None
) -> Tell:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(Progress(path, number, count, done, total))

    return tell


def _one(
    model: Model,
    wanted: Wanted,
    tell: Tell,
    cancel: Cancel | None,
    use_dask: bool,
) -> FileResult:
    start = time.monotonic()
    job = next(iter(wanted.values()))
    try:
        image = job.open()
        every = {name: (one, one.files(image)) for name, one in wanted.items()}
        outputs = tuple(path for _, files in every.values() for path in files.all)
        todo = {
            n: one for n, one in every.items() if job.outputs.overwrite or not is_complete(*one)
        }
        if not todo:
            return FileResult(job.path, "skipped", outputs, series=job.series)
        for one in todo.values():
            claim(*one)
        region = open_region(job.outputs.mask, job.path, image)
        _write(model, image, todo, region, tell, cancel, use_dask)
        for one in todo.values():
            record(*one)
    except Cancelled:
        raise
    except (StromaError, OSError, MemoryError) as error:
        return FileResult(job.path, "failed", (), time.monotonic() - start, error, job.series)
    return FileResult(job.path, "done", outputs, time.monotonic() - start, series=job.series)


def _write(
    model: Model,
    image: Image,
    todo: Mapping[str, tuple[Job, Files]],
    region: Region,
    tell: Tell,
    cancel: Cancel | None,
    use_dask: bool,
) -> None:
    """Write what a model makes of an image."""
    job, files = next(iter(todo.values()))
    if is_network(model) and model.heads:
        write_several(model, image, todo, region, tell, cancel, use_dask=use_dask)
        for one in todo.values():
            draw_objects(image, *one)
    elif is_network(model) and job.outputs.objects is not None:
        write_classed_objects(model, image, job, files, tell, cancel)
    elif is_network(model) and job.result != "classes":
        how: dict[str, Any] = {
            "use_dask": use_dask,
            "mirror": job.outputs.mirror,
            "directions": job.outputs.directions,
            "name": job.name,
            "whose": run_of(job),
        }
        write_found(model, image, files.labels, region, tell, cancel, **how)
        draw_objects(image, job, files)
    else:
        work = Work(model, image, job, files, region, use_dask)
        work.segment(tell, cancel)
        work.describe()


def _tables(results: Sequence[FileResult], folder: Path, ending: str) -> list[Path]:
    """Return the tables of all images, and of those that the folder had results of before."""
    mine = [p for r in results for p in r.outputs if p.name.endswith(ending)]
    return [*mine, *(p for p in sorted(folder.glob(f"*{ending}")) if p not in mine)]
