"""Objects that are found, measured and classed while people paint, click and correct."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import FormatError, ParameterError, short
from stroma.features import EXTRACTORS
from stroma.features.cache import free_memory
from stroma.objects.find import objects_of
from stroma.objects.finding.how import Finding
from stroma.session.core import checks
from stroma.session.core.core import Core
from stroma.session.core.results import Results
from stroma.session.core.screen import Screen
from stroma.session.core.view import View
from stroma.session.events import Event, RoundFinished, SettingsChanged
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.book import Book, Held, Labels
from stroma.session.objects.found import Found, measured
from stroma.session.objects.turn import (
    FrameKey,
    Learnt,
    ObjectBlock,
    ObjectTurn,
    clicked_frames,
    named,
)
from stroma.session.strokes.blocks import show
from stroma.session.strokes.model import StrokeModel

MOST_FRAMES = 64
"""Frames whose measurements are kept."""

NONE_YET = (
    "There are no objects yet. Click them one by one, take the parts of a class, or a label image."
)
AFTER = "Objects follow as soon as all of the plane is segmented."
VOLUME = "Objects of a volume follow as soon as all its planes are segmented, or are found at once."


@dataclass(frozen=True)
class ObjectSettings:
    """How classes of objects are learnt.

    Parameters
    ----------
    classifier : str
        As `ObjectClassifier` has it.
    columns : tuple of str or None
        Measurements to look at; None for all.
    ring : float
        How far around objects is looked, in pixels.
    extractors : tuple of str
        Feature extractors whose means inside objects are measurements, too.
    """

    classifier: str = "forest"
    columns: tuple[str, ...] | None = None
    ring: float = 3.0
    extractors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        named((), self.classifier, self.columns)
        checks.number(self.ring, "the width of the ring", 0, 100)
        for name in self.extractors:
            if name not in EXTRACTORS:
                _ = EXTRACTORS[name]  # which says what there is


@dataclass(frozen=True, eq=False)
class Kept:
    """A frame that was measured, and what it answers."""

    about: tuple[Hashable, ...]
    found: Found


class ObjectModel:
    """Finds, measures and classes objects; a `Learning`.

    Parameters
    ----------
    core : Core
        Of which session.
    strokes : StrokeModel
        Whose segmentation objects may follow.
    """

    name = ObjectBench.name
    is_live = True

    def __init__(self, core: Core, strokes: StrokeModel) -> None:
        self.core, self.strokes = core, strokes
        self.now = ObjectSettings()
        self.results: Results[ObjectBlock] = Results(free_memory() // 8)
        self.learnt_now = Learnt()
        self._screen = Screen(core)
        self._frames: OrderedDict[FrameKey, Kept] = OrderedDict()
        self._about: Hashable = None
        self._revision = 0
        core.listen(self._heard)

    def _heard(self, event: Event) -> None:
        """Follow a segmentation that is complete now."""
        if isinstance(event, RoundFinished) and event.bench == self.strokes.name and self._follows:
            self.core.worker.poke(self.name)

    @property
    def bench(self) -> ObjectBench:
        """The objects, and what people said of them."""
        return self.core.bench(ObjectBench)

    @property
    def _follows(self) -> list[str]:
        """The images whose objects follow the segmentation."""
        return [key for key, book in self.bench.books.items() if book.held.how is not None]

    def concerns(self, image: str) -> bool:
        """Tell whether an image has objects, or is to have."""
        book = self.bench.books.get(image)
        return book is not None and book.held.used

    # ------------------------------------------------------------------ what is wanted

    def turn(self) -> ObjectTurn:
        """Return what is wanted of the worker now."""
        core, bench = self.core, self.bench
        with core.lock:
            there = [k for k, b in bench.books.items() if b.held.used and k not in core.missing]
            clicks = {k: tuple(bench.books[k].clicks.items()) for k in there}
            views = [v for v in list(core.views.values())[::-1] if v.image in there]
            follows = [key for key in self._follows if key in there]
            about = self._depends(follows, clicks)
            if about != self._about:
                self._about, self._revision = about, self._revision + 1
            return ObjectTurn(
                self._revision,
                self._lacking(there, views),
                views,
                self.learnt_now,
                clicks,
                named(tuple(bench.classes.values()), self.now.classifier, self.now.columns),
                self,
                self.results,
                self.frame_of,
                lambda view: self.core.document.sheet(view.image).cuts.shape(view.plane),
            )

    def _depends(self, follows: list[str], clicks: Mapping[str, Any]) -> Hashable:
        """Return all that the answer depends on."""
        followed = None
        if follows:
            regions = tuple((k, self.core.document.sheet(k).region) for k in follows)
            wanted = [key for key in clicked_frames(dict(clicks)) if key[0] in follows]
            ready = tuple(key for key in wanted if self.ready(key))
            followed = self.strokes.bench.revision, regions, ready
        return self.bench.revision, followed, self.now

    def _lacking(self, there: list[str], views: list[View]) -> str:
        if not there:
            return NONE_YET
        for view in views:
            key = view.image, self.frame_of(view)
            if not self.ready(key):
                return self.waits_for(view.image)
        return ""

    def waits_for(self, image: str) -> str:
        """Return what must be done before the objects of an image can be had."""
        book = self.bench.books[image]
        if not book.held.used:
            return NONE_YET
        return VOLUME if book.size[0] > 1 else AFTER

    def frame_of(self, view: View) -> int:
        """Return the frame that a view shows a plane of."""
        return view.position.get("t", 0)

    # ------------------------------------------------------------------ where objects come from

    def ready(self, key: FrameKey) -> bool:
        """Tell whether the objects of a frame can be had now."""
        book = self.bench.books.get(key[0])
        if book is None or not book.held.used:
            return False
        if book.held.kept:
            return True
        sheet = self.core.document.sheet(key[0])
        planes = range(key[1] * book.size[0], (key[1] + 1) * book.size[0])
        return all(
            self._screen.standing(key[0], plane=sheet.position(p)).state == "current"
            for p in planes
        )

    def frame(self, key: FrameKey) -> Found | None:
        """Return the objects of a frame, measured; None where they cannot be had now."""
        with self.core.lock:
            if key[0] not in self.bench.books or not self.ready(key):
                return None
            book, pixels = self.bench.books[key[0]], self.core.pixels(key[0])
            held, exchanged = book.held, self.core.exchanged.get(key[0], 0)
            own = book.frame(key[1]) if held.kept else None
            region = self.core.document.sheet(key[0]).region
            answers = id(own) if held.kept else (self.strokes.bench.revision, region)
            now, tables = self.now, tuple(one.table for one in book.joined)
            about = held, answers, exchanged, now.ring, now.extractors, book.joined
            kept = self._frames.get(key)
        if kept is None or kept.about != about:
            labels = self._segmented(key, held, book, pixels) if own is None else own
            kept = Kept(
                about,
                measured(*key, labels, pixels, now.ring, extractors=now.extractors, tables=tables),
            )
        with self.core.lock:
            self._frames[key] = kept
            self._frames.move_to_end(key)
            while len(self._frames) > MOST_FRAMES:
                self._frames.popitem(last=False)
        return kept.found

    def latest(self, image: str) -> dict[int, Labels]:
        """Return the objects of an image that are shown now, frame by frame."""
        frames: dict[int, Labels] = {}
        for number in self.results.numbers(image):
            found = self.results.blocks((image, number))[-1].found
            frames[found.frame] = found.labels
        return frames

    def _segmented(self, key: FrameKey, held: Held, book: Book, pixels: Image) -> Labels:
        """Return the objects that are in the segmentation of a frame now."""
        sheet, how = self.core.document.sheet(key[0]), held.how or Finding()
        classes = np.zeros(book.size, np.uint16)
        chance = None if how.boundary is None else np.zeros(book.size, np.float32)
        for z in range(book.size[0]):
            number = key[1] * book.size[0] + z
            whole = Box.of(book.size[1:])
            blocks = self.strokes.results.blocks((key[0], number), whole)
            region = sheet.cuts.region(number, sheet.region)
            classes[z] = show(blocks, whole, region=region).values
            if chance is not None:
                likely = show(blocks, whole, layer="probability", label=how.boundary, region=region)
                chance[z] = np.nan_to_num(likely.values)  # there is none outside of the region
        return found_in(classes, how, pixels, chance)

    def learnt(self, now: Learnt) -> None:
        """Take note of what was learnt."""
        self.learnt_now = now

    # ------------------------------------------------------------------ settings

    def set_object_model(self, /, **values: Any) -> None:
        """Choose how classes of objects are learnt: fields of `ObjectSettings`."""
        with self.core.lock:
            unknown = values.keys() - ObjectSettings.__dataclass_fields__.keys()
            if unknown:
                known = ", ".join(ObjectSettings.__dataclass_fields__)
                raise ParameterError(
                    f"No setting {sorted(unknown)[0]!r} of objects. Known: {known}."
                )
            for name in ("columns", "extractors"):
                if values.get(name) is not None:
                    values[name] = tuple(values[name])
            new = replace(self.now, **values)
            if new == self.now:
                return
            self.now = new
            self.core.settings_changed()
            self.core.tell(SettingsChanged())
            self.core.worker.poke(self.name, cancels="all")

    def settings(self) -> Mapping[str, Any]:
        """Return what ``settings.json`` keeps."""
        columns = None if self.now.columns is None else list(self.now.columns)
        own = {"classifier": self.now.classifier, "columns": columns, "ring": self.now.ring}
        return {"objects": own | {"extractors": list(self.now.extractors)}}

    def facts(self) -> Mapping[str, Any]:
        """Return nothing: what is learnt is learnt again when a project is opened."""
        return {}

    def keep(self, folder: Path) -> None:
        """Write nothing: objects and clicks are in the snapshot."""

    def restore(self, folder: Path, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
        """Go on as it was saved."""
        given = settings.get("objects", {})
        try:
            found = dict(checks.mapping(given, "settings of objects"))
            unknown = sorted(found.keys() - {one.name for one in fields(ObjectSettings)})
            if unknown:
                raise ParameterError(f"there is none called {short(unknown[0], 30)!r}")
            for name in ("columns", "extractors"):
                if found.get(name) is not None:
                    found[name] = tuple(found[name])
            self.now = ObjectSettings(**found)
        except (TypeError, ValueError) as error:
            raise FormatError(
                f"{folder / 'settings.json'} does not hold settings of objects: "
                f"{checks.reason(error)}"
            ) from error
        return ""

    def image_changed(self, image: str) -> None:
        """Forget what was measured on an image."""
        self.results.drop(image=image)
        for key in [k for k in self._frames if k[0] == image]:
            del self._frames[key]


def found_in(
    classes: np.ndarray[Any, Any],
    how: Finding,
    pixels: Image,
    chance: NDArray[np.float32] | None = None,
) -> Labels:
    """Return the objects in the classes of a frame.

    Parameters
    ----------
    classes : (z, y, x) int array
        Of all pixels; a plane has depth one.
    how : Finding
        How they are found.
    pixels : Image
        Which knows the size of a pixel.
    chance : (z, y, x) float32 array, optional
        The probability of the class between objects, where one parts them.
    """
    solid = len(classes) > 1
    axes = "zyx" if solid else "yx"
    spacing = {a: s for a, s in pixels.spacing.items() if a in axes}
    named_image = Image(classes if solid else classes[0], axes, spacing=spacing, unit=pixels.unit)
    beside = None if chance is None else chance.reshape(named_image.shape)
    found: Labels = objects_of(named_image, how=how, boundary_probability=beside)
    return found.reshape(classes.shape)
