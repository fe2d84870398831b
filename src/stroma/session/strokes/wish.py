"""What is wanted of rounds at one moment; a snapshot that nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stroma.blocks.box import Box
from stroma.data.classes import Class, complete
from stroma.data.image import Image
from stroma.errors import ShapeError
from stroma.pixel.door import Points, Source
from stroma.session.core.core import Core
from stroma.session.core.opening import without_channels
from stroma.session.core.planes import Planes
from stroma.session.core.view import View
from stroma.session.strokes.bench import Strokes
from stroma.session.strokes.channels import mixed, selected
from stroma.session.strokes.settings import Settings


@dataclass(frozen=True, eq=False)
class Material:
    """An image to learn from.

    Parameters
    ----------
    key : str
        Key of the image.
    version : hashable
        Changes with its strokes and its pixels.
    points : callable
        Returns its labelled pixels; of each label at most the number it is given, if it is.
    """

    key: str
    version: Hashable
    points: Callable[[int | None], Points]


@dataclass(frozen=True, eq=False)
class Wish:
    """What is wanted.

    Parameters
    ----------
    revision : int
        The present one.
    settings : Settings
        How to learn.
    material : sequence of Material
        What to learn from.
    lacking : str
        What must be painted before anything can be learned; empty if there is enough.
    images : mapping of str to Image
        All images.
    regions : mapping of str to Box
        Regions of interest.
    views : sequence of View
        What is looked at, the most urgent first.
    names : mapping of str to str
        What people call the images.
    classes : sequence of Class
        What they call the labels.
    """

    revision: int
    settings: Settings
    material: Sequence[Material]
    lacking: str
    images: Mapping[str, Image]
    regions: Mapping[str, Box]
    views: Sequence[View]
    names: Mapping[str, str] = field(default_factory=dict)
    classes: Sequence[Class] = ()

    def source(self, key: str) -> Source:
        """Return an image as the model is to see it."""
        mode = str(self.settings.param.channel_mode)
        return selected(self.images[key], mode, self.settings.channels)

    def require_alike(self) -> None:
        """Check that one model can learn from all of the material.

        Raises
        ------
        ShapeError
            If the images have different numbers of channels.
        """
        images = [(self.names.get(m.key, m.key), self.images[m.key]) for m in self.material]
        wrong = mixed(images, self.settings.channels)
        if wrong:
            raise ShapeError(wrong)

    def box(self, view: View) -> Box:
        """Return what of a view lies in the image and in its region."""
        return view.box.clipped(self._within(view))

    def around(self, view: View) -> Iterator[Box]:
        """Yield what lies around a view, farther and farther, until all of its plane is in it.

        A large plane has so many blocks that even listing them would keep a stroke waiting.
        """
        within, margin = self._within(view), max(*view.box.shape, 256)
        while True:
            box = view.box.grown(margin).clipped(within)
            yield box
            if box == within:
                return
            margin *= 2

    def _within(self, view: View) -> Box:
        planes = Planes(without_channels(self.images[view.image]))
        region = self.regions.get(view.image)
        whole = Box.of(planes.shape(view.plane))
        inside = planes.region(view.plane, region)
        return whole if inside is None else whole.clipped(inside)


def wish_of(core: Core, settings: Settings) -> Wish:
    """Return what is wanted of rounds now; the core is locked."""
    bench, sheets = core.bench(Strokes), core.document.sheets
    images = {k: i for k, i in core.images.items() if k not in core.missing}
    painted = [k for k in sheets if k in images and bench.tiles[k].painted_planes()]
    if settings.train_on == "image":
        painted = [k for k in painted if k == core.document.last_image]
    elif settings.train_on == "chosen":
        painted = [k for k in painted if k in settings.chosen]
    labels = set().union(*(bench.tiles[k].labels() for k in painted))
    classes = tuple(bench.classes.values())
    return Wish(
        bench.revision,
        settings,
        [_material(core, key) for key in painted],
        _lacking(complete(classes, labels)),
        images,
        {s.key: s.region for s in sheets.values() if s.region is not None},
        _seen(core),
        {s.key: s.name for s in sheets.values()},
        classes,
    )


def _material(core: Core, image: str) -> Material:
    tiles, lock = core.bench(Strokes).tiles[image], core.lock

    def points(cap: int | None) -> Points:
        with lock:
            now = tiles.copy()
        return now.points(cap=cap)

    return Material(image, (tiles.version, core.exchanged.get(image, 0)), points)


def _seen(core: Core) -> list[View]:
    """Return the views, latest first; where nobody looks, the plane painted on last."""
    tiles = core.bench(Strokes).tiles
    seen = [v for v in core.views.values() if v.image not in core.missing]
    if seen:
        return seen[::-1]
    there = [s for k, s in core.document.sheets.items() if k not in core.missing]
    painted = [s for s in there if tiles[s.key].painted_planes()]
    painted.sort(key=lambda sheet: sheet.key != core.document.last_image)
    return [
        View(sheet.key, plane, sheet.position(plane), Box.of(sheet.shape))
        for sheet in painted[:1]
        for plane in tiles[sheet.key].painted_planes()
    ]


def _lacking(painted: Sequence[Class]) -> str:
    if len(painted) >= 2:
        return ""
    if not painted:
        return "Paint a few strokes of two classes."
    return f"Only {painted[0].name} is painted. Paint a stroke of another class too."
