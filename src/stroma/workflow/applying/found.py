"""One image through a network that finds objects, points, or makes another image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.room import room
from stroma.data.image import Image
from stroma.io import write_image, write_labels
from stroma.io.points import write_points
from stroma.metrics.restoration import SPREAD
from stroma.objects.blockwise.files import write_in_blocks
from stroma.objects.blockwise.room import blocks
from stroma.workflow.applying.categories import write_category
from stroma.workflow.applying.one_image import read_back
from stroma.workflow.applying.outputs import Files, Job
from stroma.workflow.applying.overlay import outlined, write_overlay
from stroma.workflow.applying.region import Region

if TYPE_CHECKING:
    from stroma.training.model import Network
    from stroma.training.predicting.collecting import Collector
    from stroma.training.predicting.decoded import Decoded
    from stroma.training.predicting.sweep import Wanted

LARGE_BYTES = 2**29
"""Objects of larger images are gathered in a file beside the result, not in memory."""

KEPT = ".blocks"
"""What follows the name of a result in that of the folder with its blocks."""

Tell = Callable[[int, int], None]
Cancel = Callable[[], bool]


def write_found(
    network: Network,
    image: Image,
    path: Path,
    region: Region,
    tell: Tell,
    cancel: Cancel | None,
    *,
    use_dask: bool = False,
    mirror: bool | None = None,
    directions: bool = False,
    name: str = "",
    whose: str = "",
) -> None:
    """Write what a network finds in an image.

    Parameters
    ----------
    network : Network
        Whose results are no classes.
    image : Image
        What it looks at.
    path : Path
        Where to.
    region : Region
        What lies outside is left out; blocks outside are not looked at, unless the network is blind
        or looks in several directions.
    tell : callable
        Is told how many blocks are ready, and of how many.
    cancel : callable, optional
        Asked before every block.
    use_dask : bool
        Compute blocks on the workers of dask.distributed.
    mirror : bool, optional
        Take the mean over all mirror images; as it was decided at the training, unless given.
    directions : bool
        A network of planes looks at a volume along z, y and x, for objects.
    name : str
        What the image is called in tables.
    whose : str
        Tells results of this model and image from others: objects of blocks are kept beside the
        result until all are found, and a run that was cut off goes on with them.
    """
    how: dict[str, Any] = {"mirror": mirror, "use_dask": use_dask}
    if directions:
        opened = network.open(image)
        labels = network.segment(opened, directions=True, **how)
        _keep(labels, opened, region)
        write_labels(path, labels, like=image)
        return
    from stroma.training.predicting.collecting import show
    from stroma.training.predicting.decoded import Decoded

    # What is blind is fitted to all of every plane: of a part it would be another image.
    wanted = None if network.blind else wanted_in(region)
    decoded = None
    if network.target.result == "instances" and whose:
        decoded = Decoded(path.with_name(f"{path.name}{KEPT}"), whose)
        wanted = _but_for(decoded, wanted)
    how |= {"tell": tell, "cancel": cancel, "wanted": wanted}
    with taking(network, image, path, region, name=name, decoded=decoded) as collector:
        show(network, network.open(image), collector, **how)
    if decoded is not None:
        decoded.forget()


def _but_for(decoded: Decoded, wanted: Wanted | None) -> Wanted:
    """Return what says whether a block is wanted and not there yet."""

    def missing(place: dict[str, int], core: tuple[slice, ...]) -> bool:
        return not decoded.has(place, core) and (wanted is None or wanted(place, core))

    return missing


def wanted_in(region: Region) -> Wanted | None:
    """Return what says whether a block is to be looked at; None where all are."""
    return None if region.mask is None else region.touches


@contextmanager
def taking(
    network: Network,
    image: Image,
    path: Path,
    region: Region,
    *,
    name: str = "",
    decoded: Decoded | None = None,
) -> Iterator[Collector]:
    """Yield what is shown the blocks of an image, and write what came of them.

    Parameters are those of `write_found`, and where objects of blocks are kept.
    """
    from stroma.training.predicting.results import collector_for

    opened = network.open(image)
    axes = opened.kept_axes.replace("c", "")
    kind, shape = network.target.result, tuple(n for a, n in opened.sizes.items() if a != "c")
    if kind == "instances" and 4 * np.prod(shape, dtype=np.int64) > LARGE_BYTES:
        with room(shape, path.parent, np.uint32) as large:
            yield (collector := collector_for(network, opened, into=large, decoded=decoded))
            collector.result()
            _keep(large, opened, region)
            spacing = {a: s for a, s in image.spacing.items() if a != "c"}
            write_in_blocks(path, Image(large, axes, spacing=spacing, unit=image.unit))
        return
    yield (collector := collector_for(network, opened, decoded=decoded))
    found = collector.result()
    if kind == "instances":
        _keep(found, opened, region)
        write_labels(path, found, like=image)
    elif kind == "points":
        _write_points(network, opened, path, region, found)
    elif kind == "category":
        outer = "".join(a for a in axes if a in ("tz" if network.ndim == 2 else "t"))
        write_category(path, name, found, outer, network.channel_names)
    else:
        _write_image(network, opened, path, region, found)


def draw_objects(image: Image, job: Job, files: Files) -> None:
    """Write a picture with the outlines of the objects that were written, where it is wanted."""
    if files.overlay is not None and job.result == "instances":
        write_overlay(image, read_back(files.labels, image), files.overlay, outlined)


def _keep(labels: Any, image: Image, region: Region) -> None:
    """Make 0 what lies outside the region, block by block."""
    if region.mask is None:
        return
    axes = image.kept_axes.replace("c", "")
    inner = 3 if "z" in axes else 2
    frames = labels.shape[:-inner]
    for t, box in product(np.ndindex(*frames), blocks(labels.shape[-inner:])):
        values = labels[(*t, *box)]
        if values.any():
            labels[(*t, *box)] = values * region.within(dict(zip(axes, t, strict=False)), box)


def _write_points(
    network: Network, image: Image, path: Path, region: Region, found: Sequence[NDArray[np.float64]]
) -> None:
    axes = image.kept_axes.replace("c", "")
    outer = [a for a in axes if a in ("tz" if network.ndim == 2 else "t")]
    places = list(product(*(range(image.sizes[a]) for a in outer)))
    tables = [
        np.column_stack([np.tile(np.asarray(place, float), (len(points), 1)), points])
        for place, points in zip(places, found, strict=True)
    ]
    table = np.concatenate(tables)
    inside = np.array([_is_inside(dict(zip(axes, row, strict=False)), region) for row in table])
    write_points(path, table[inside.astype(bool)], axes, image)


def _is_inside(point: dict[str, float], region: Region) -> bool:
    at = {a: int(np.floor(v + 0.5)) for a, v in point.items()}
    y, x = at.pop("y"), at.pop("x")
    return bool(region.inside(at, slice(y, y + 1), slice(x, x + 1)).all())


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name} {i + 1}" for i in range(count)]


def _write_image(
    network: Network, image: Image, path: Path, region: Region, made: NDArray[np.float32]
) -> None:
    axes = image.kept_axes.replace("c", "")
    if region.mask is not None:
        for channel in made:
            _keep(channel, image, region)
    given = f"c{axes}"
    order = "".join(a for a in "tczyx" if a in given) if len(made) > 1 else axes
    values = made[0] if len(made) == 1 else made.transpose([given.index(a) for a in order])
    spacing = {a: s for a, s in image.spacing.items() if a != "c"}
    names = network.target.channels() if network.target.result == "channels" else ()
    spreads = getattr(network.target, "spreads", 0)
    if spreads:
        names = (*_numbered("restored", spreads), *_numbered(SPREAD, spreads))
    named = names if len(made) == len(names) > 1 else ()
    write_image(path, values, axes=order, spacing=spacing, unit=image.unit, channels=named)
