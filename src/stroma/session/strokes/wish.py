"""What is wanted of rounds at one moment; a snapshot that nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import ShapeError
from stroma.pixel.door import Points, Source
from stroma.session.core.opening import without_channels
from stroma.session.core.planes import Planes
from stroma.session.core.view import View
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
