"""One image through a network of several targets: looked at once for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from stroma.data.image import Image
from stroma.workflow.applying.found import Cancel, Tell, taking, wanted_in
from stroma.workflow.applying.one_image import Work
from stroma.workflow.applying.outputs import Files, Job
from stroma.workflow.applying.region import Region

if TYPE_CHECKING:
    from stroma.io.blockwise.assemble import Sink
    from stroma.training.model import Network
    from stroma.training.predicting.collecting import Collector
    from stroma.training.predicting.sweep import Part


def write_several(
    network: Network,
    image: Image,
    wanted: Mapping[str, tuple[Job, Files]],
    region: Region,
    tell: Tell,
    cancel: Cancel | None,
    *,
    use_dask: bool = False,
) -> None:
    """Write what the heads of a network find in an image.

    Parameters
    ----------
    network : Network
        Of several targets.
    image : Image
        What it looks at.
    wanted : mapping of str to (Job, Files)
        What is wanted of each head, and where it goes, by the name of its target.
    region : Region
        What lies outside is left out.
    tell : callable
        Is told how many blocks are ready, and of how many.
    cancel : callable, optional
        Asked before every block.
    use_dask : bool
        Compute blocks on the workers of dask.distributed.
    """
    from stroma.targets.several import Several
    from stroma.training.predicting.collecting import Heads, show

    target, heads = network.target, network.heads
    assert isinstance(target, Several), "a network with heads learned several targets"
    jobs = [job for job, _ in wanted.values()]
    how: dict[str, Any] = {"use_dask": use_dask, "mirror": jobs[0].outputs.mirror}
    if all(job.result != "classes" for job in jobs):  # of classes chunks are written whole
        how["wanted"] = wanted_in(region)
    with ExitStack() as stack:
        collectors = {
            name: stack.enter_context(
                _classes(Work(heads[name], image, job, files, region))
                if job.result == "classes"
                else taking(heads[name], image, files.labels, region)
            )
            for name, (job, files) in wanted.items()
        }
        both = Heads(collectors, target.places)
        show(network, network.open(image), both, tell=tell, cancel=cancel, **how)


@contextmanager
def _classes(work: Work) -> Iterator[Collector]:
    """Yield what takes classes block by block, and write them."""
    with work.taking() as sinks:
        yield _Sinks(work, sinks)
    work.describe()


class _Sinks:
    """Gives the classes of a block to what writes them."""

    context = 0

    def __init__(self, work: Work, sinks: list[Sink]) -> None:
        self.work, self.sinks = work, sinks

    def add(self, part: Part) -> None:
        """Take a block."""
        from stroma.training.predicting.found import classes_of

        network: Any = self.work.model
        for result in classes_of(network, part, network.classes_, None):
            self.work.take(self.sinks, {}, result)

    def result(self) -> None:
        """Return nothing: all of it is written."""
