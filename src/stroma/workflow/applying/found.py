"""One image through a network that finds objects, points, or makes another image."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stroma.blocks.room import room
from stroma.data.image import Image
from stroma.io import write_image, write_labels
from stroma.io.points import write_points
from stroma.objects.blockwise.files import write_in_blocks
from stroma.objects.blockwise.room import blocks
from stroma.workflow.applying.categories import write_category
from stroma.workflow.applying.region import Region

if TYPE_CHECKING:
    from stroma.training.model import Network

LARGE_BYTES = 2**29
"""Objects of larger images are gathered in a file beside the result, not in memory."""

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
        What lies outside is left out; blocks outside are not looked at.
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
    """
    how: dict[str, Any] = {
        "tell": tell,
        "cancel": cancel,
        "use_dask": use_dask,
        "mirror": mirror,
    }
    if directions:
        opened = network.open(image)
        labels = network.segment(opened, directions=True, mirror=mirror, use_dask=use_dask)
        _keep(labels, opened, region)
        write_labels(path, labels, like=image)
        return
    write: dict[str, Callable[..., None]] = {
        "instances": _write_objects,
        "points": _write_points,
        "image": _write_image,
        "channels": _write_image,
        "category": partial(_write_category, name),
    }
    if region.mask is not None:
        how["wanted"] = region.touches
    write[network.target.result](network, network.open(image), path, region, how)


def _write_objects(
    network: Network, image: Image, path: Path, region: Region, how: dict[str, Any]
) -> None:
    from stroma.training.predicting.found import find_objects

    shape = tuple(n for a, n in image.sizes.items() if a != "c")
    if 4 * np.prod(shape, dtype=np.int64) <= LARGE_BYTES:
        labels = find_objects(network, image, **how)
        _keep(labels, image, region)
        write_labels(path, labels, like=image)
        return
    axes = image.kept_axes.replace("c", "")
    with room(shape, path.parent, np.uint32) as large:
        find_objects(network, image, into=large, **how)
        _keep(large, image, region)
        spacing = {a: s for a, s in image.spacing.items() if a != "c"}
        write_in_blocks(path, Image(large, axes, spacing=spacing, unit=image.unit))


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
    network: Network, image: Image, path: Path, region: Region, how: dict[str, Any]
) -> None:
    from stroma.training.predicting.found import find_points
    from stroma.training.predicting.sweep import outer_axes

    axes = image.kept_axes.replace("c", "")
    outer = [a for a in axes if a in outer_axes(network.ndim)]
    places = list(product(*(range(image.sizes[a]) for a in outer)))
    several = find_points(network, image, **how)
    rows = [
        [*place, *point] for place, points in zip(places, several, strict=True) for point in points
    ]
    table = np.array(rows, float).reshape(len(rows), -1)
    inside = [_is_inside(dict(zip(axes, row, strict=False)), region) for row in table]
    write_points(path, table[inside] if rows else np.zeros((0, len(axes))), axes, image)


def _is_inside(point: dict[str, float], region: Region) -> bool:
    at = {a: int(np.floor(v + 0.5)) for a, v in point.items()}
    y, x = at.pop("y"), at.pop("x")
    return bool(region.inside(at, slice(y, y + 1), slice(x, x + 1)).all())


def _write_image(
    network: Network, image: Image, path: Path, region: Region, how: dict[str, Any]
) -> None:
    from stroma.training.predicting.found import find_image

    made = find_image(network, image, **how)
    axes = image.kept_axes.replace("c", "")
    if region.mask is not None:
        for channel in made:
            _keep(channel, image, region)
    given = f"c{axes}"
    order = "".join(a for a in "tczyx" if a in given) if len(made) > 1 else axes
    values = made[0] if len(made) == 1 else made.transpose([given.index(a) for a in order])
    spacing = {a: s for a, s in image.spacing.items() if a != "c"}
    names = network.target.channels() if network.target.result == "channels" else ()
    named = names if len(made) == len(names) > 1 else ()
    write_image(path, values, axes=order, spacing=spacing, unit=image.unit, channels=named)


def _write_category(
    name: str, network: Network, image: Image, path: Path, region: Region, how: dict[str, Any]
) -> None:
    from stroma.training.predicting.found import find_category
    from stroma.training.predicting.sweep import outer_axes

    axes = "".join(a for a in outer_axes(network.ndim) if a in image.sizes)
    found = find_category(network, image, **how)
    write_category(path, name, found, axes, network.channel_names)
