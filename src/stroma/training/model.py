"""A trained network, as users have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from stroma.blocks.box import Box
from stroma.blocks.result import BlockResult
from stroma.data.classes import Class, complete, numbered, require_classes
from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.metrics.shared import by_name
from stroma.targets.several import Several
from stroma.training.feeding.data import cases_of
from stroma.training.feeding.open import opened
from stroma.training.files import about as files
from stroma.training.files.about import About
from stroma.training.files.hashed import hashed
from stroma.training.files.names import require_network_name
from stroma.training.predicting.collecting import show
from stroma.training.predicting.components import Rule, only_largest
from stroma.training.predicting.directions import through
from stroma.training.predicting.each_object import (
    class_scores,
    classed,
    require_of_objects,
)
from stroma.training.predicting.found import find_classes, without_channels
from stroma.training.predicting.lent import require_ours
from stroma.training.predicting.members import Head, joined, members
from stroma.training.predicting.predictor import NetworkPredictor
from stroma.training.predicting.preparing import predictor_for
from stroma.training.predicting.results import as_given, collector_for
from stroma.training.predicting.sweep import swept
from stroma.training.predicting.variants import of_diameter, of_head

Cancel = Callable[[], bool]


class Network:
    """A network and what it means: applied like a model of strokes, and kept in one file.

    Made by ``stroma.learn`` or read by ``stroma.load``. Everything but the tensors is in
    ``about``.

    Parameters
    ----------
    module : nn.Module
        The network.
    about : About
        What it is.
    """

    def __init__(self, module: nn.Module, about: About) -> None:
        self.module = module.eval().requires_grad_(False)
        self.about = about
        self.target = about.built_target()
        self._classes = about.named_classes()

    # ------------------------------------------------------------------ what it is

    @property
    def ndim(self) -> int:
        """Axes that it looks along: 2 (planes) or 3 (volumes)."""
        return self.about.ndim

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The labels it tells apart; probability k is of ``classes_[k]``."""
        labels = getattr(self.target, "labels", None)
        if labels is None:
            raise ParameterError(
                f"A network that learned {self.about.target!r} has no classes; its results are "
                f"{self.target.result}."
            )
        return np.array(labels, np.int64)

    @property
    def classes(self) -> tuple[Class, ...]:
        """Names and colours of the classes, without 0; set it to an iterable of `Class`."""
        labels = getattr(self.target, "labels", ())
        return complete(self._classes, [n for n in labels if n])

    @classes.setter
    def classes(self, classes: Sequence[Class]) -> None:
        self._classes = require_classes(classes)

    @property
    def channel_names(self) -> list[str]:
        """Names of what is predicted for every pixel; of the classes, where there are some."""
        if getattr(self.target, "labels", None) is None:
            return list(self.target.channels())
        return [self._names[int(label)] for label in self.classes_]

    @property
    def _names(self) -> dict[int, str]:
        """Names of classes by label, as far as they are known."""
        known = (*self._classes, *self.classes)
        return {0: "background", **{c.label: c.name for c in known}}

    @property
    def scores_(self) -> Mapping[str, float]:
        """Scores on the part of the data that was kept from training; of classes by their names.

        Of targets with options of decoding, with those that were chosen, as the network is used.
        """
        said = self.about.training
        scores = {**said.get("scores", {}), **said.get("tuned scores", {})}
        return by_name(scores, self._names)

    @property
    def decoding_(self) -> Mapping[str, Any]:
        """Options of the target's ``decode``, as they were best on what was kept from training."""
        return dict(self.about.training.get("decode", {}))

    @property
    def of_objects(self) -> bool:
        """Whether it tells classes of objects apart, which are given with an image."""
        return bool(getattr(self.target, "objects", False))

    @property
    def blind(self) -> bool:
        """Whether it predicts the pixels of an image without seeing them.

        Then what it says is fitted to every image: see ``stroma.training.ways.mixture``.
        """
        every = [getattr(one, "blind", False) for one in members(self.module)]
        return all(every) and bool(getattr(self.target, "alone", False))

    @property
    def largest_(self) -> Rule:
        """Groups of classes of which only the largest part is kept, where that was better."""
        return tuple(tuple(group) for group in self.about.training.get("largest", ()))

    @property
    def history_(self) -> list[dict[str, float]]:
        """One row per round of the training."""
        return list(self.about.training.get("history", []))

    @property
    def plan_(self) -> Mapping[str, Any]:
        """How it was decided to be as it is."""
        return dict(self.about.plan)

    @property
    def heads(self) -> dict[str, Network]:
        """Of several targets: networks that are this one, each for one of them, by name."""
        target = self.target
        if not isinstance(target, Several):
            return {}
        return {name: self._head(name, target) for name in target.targets}

    def _head(self, name: str, target: Several) -> Network:
        kept = replace(self.about, classes=tuple(asdict(c) for c in self._classes))
        about = of_head(kept, name, target, self.decoding_)
        place = target.places[name]
        every = [Head(one, place.start, place.stop) for one in members(self.module)]
        return Network(joined(every), about)

    # ------------------------------------------------------------------ prediction

    def open(self, image: Any) -> Image:
        """Return an image as this network sees it.

        Raises
        ------
        ShapeError
            If it has another number of channels, or no z for a network of volumes.
        """
        return opened(image, self.about.channels, ndim=self.ndim, feed=self.about.feed)

    def sized(self, diameter: float) -> Network:
        """Return the network for images whose objects are of another size.

        Parameters
        ----------
        diameter : float
            Of most objects, in pixels of the images.

        Raises
        ------
        ParameterError
            If the size of objects does not matter to the network, or there is no such size.
        """
        return Network(self.module, of_diameter(self.about, self.target, diameter))

    def predictor(
        self, image: Image, *, mirror: bool | None = None, device: str = "auto"
    ) -> NetworkPredictor:
        """Return what predicts blocks of an image; it pickles."""
        often = self.about.training.get("mirror", False) if mirror is None else mirror
        return predictor_for(self.module, self.about, self.target, image, bool(often), device)

    def blocks(
        self,
        image: Image,
        *,
        region: Box | None = None,
        mirror: bool | None = None,
        device: str = "auto",
        use_dask: bool = False,
        cancel: Cancel | None = None,
        **tunable: Any,
    ) -> Iterator[BlockResult]:
        """Yield labels and probabilities block by block, plane by plane of each block.

        Parameters
        ----------
        image : Image
            From `open`.
        region : Box, optional
            Only blocks that touch these rows and columns.
        mirror : bool, optional
            Take the mean over all mirror images, 4 or 8 times the work; as it was decided at the
            training, unless given.
        device : {"auto", "cpu", "cuda", "mps"}
            Where to run.
        use_dask : bool
            Run on the workers of dask.distributed.
        cancel : callable, optional
            Asked before every block.
        **tunable
            Options of the target's ``decode``, instead of ``decoding_``.
        """
        yield from find_classes(
            self,
            image,
            self.classes_,
            region=region,
            tunable=tunable,
            mirror=mirror,
            device=device,
            use_dask=use_dask,
            cancel=cancel,
        )

    def segment(
        self,
        image: Any,
        *,
        mirror: bool | None = None,
        device: str = "auto",
        use_dask: bool = False,
        directions: bool = False,
        objects: Any = None,
        **tunable: Any,
    ) -> Any:
        """Return what the network says of an image: labels, for a network of classes.

        Parameters
        ----------
        image : array-like, Image, path, or list of these
            With the channels of the training.
        mirror : bool, optional
            Take the mean over all mirror images, 4 or 8 times the work; as it was decided at the
            training, unless given.
        device : {"auto", "cpu", "cuda", "mps"}
            Where to run.
        use_dask : bool
            Run blocks on the workers of dask.distributed.
        directions : bool
            A network of planes looks at a volume along z, y and x; see
            `stroma.training.predicting.directions`.
        objects : label image, path or Image, optional
            Objects of the image by number, for a network that learned their classes.
        **tunable
            Options of the target's ``decode``, instead of ``decoding_``.

        Returns
        -------
        (t, z, y, x), as far as the image has these axes, array of uint8 or uint16
            For targets with other results, these: of "classify" the (t, z, K) probabilities of
            the classes, in the order of ``classes_``, and where it learned classes of objects an
            `ObjectTable` with that of each; of several targets the result of each by its name. A
            list for a list of images.
        """
        how: dict[str, Any] = {"mirror": mirror, "device": device, "use_dask": use_dask}
        if self.of_objects or objects is not None:
            require_of_objects(self, objects is not None, use_dask=use_dask, directions=directions)
            how = {"mirror": mirror, "device": device, **tunable}
            if isinstance(image, list | tuple):
                pairs = zip(image, objects, strict=True)
                return [self.segment(one, objects=own, **how) for one, own in pairs]
            return classed(self, self.open(image), objects, self.classes, **how)
        if isinstance(image, list | tuple):
            return [self.segment(one, directions=directions, **how, **tunable) for one in image]
        opened = self.open(image)
        if directions:
            return through(self, opened, tunable=tunable, **how)
        collector = collector_for(self, opened, tunable)
        show(self, opened, collector, **how)
        return as_given(self, collector.result(), opened)

    def finished(self, labels: NDArray[np.unsignedinteger[Any]]) -> Any:
        """Return the labels of a whole image as they are in the end: see ``largest_``.

        Parameters
        ----------
        labels : (t, z, y, x), as far as the image has these axes, array
            From `blocks`; changed in place.
        """
        if self.largest_:
            for index in np.ndindex(labels.shape[: -self.ndim]):
                labels[index] = only_largest(labels[index], self.largest_)
        return labels

    def predict_probas(
        self,
        image: Any,
        *,
        mirror: bool | None = None,
        device: str = "auto",
        use_dask: bool = False,
    ) -> Any:
        """Return what is predicted for every pixel, before it is decoded.

        Parameters are those of `segment`.

        Returns
        -------
        (K, t, z, y, x), as far as the image has these axes, float32 array
            For classes, their probabilities in the order of ``classes_``; a list for a list.
        """
        how: dict[str, Any] = {"mirror": mirror, "device": device, "use_dask": use_dask}
        if isinstance(image, list | tuple):
            return [self.predict_probas(one, **how) for one in image]
        opened = self.open(image)
        count = len(self.target.channels())
        result = np.zeros((count, *without_channels(opened)), np.float32)
        for part in swept(self, opened, **how):
            place: tuple[Any, ...] = (slice(None), *part.position.values(), *part.core)
            result[place] = part.values
        return result

    def evaluate(
        self,
        images: Any,
        labels: Any,
        *,
        objects: Any = None,
        ignore: int | Sequence[int] = (),
        **how: Any,
    ) -> dict[str, float]:
        """Return the scores of this network on labelled images, over all their pixels.

        Those of one class end in its name.

        Parameters
        ----------
        images, labels, objects
            As for ``stroma.learn``; classes of objects as names by number for every image.
        ignore : int or sequence of int
            Labels of pixels that do not count.
        **how
            As for `segment`.
        """
        if self.of_objects:
            many = [one if isinstance(one, list) else [one] for one in (images, objects, labels)]
            tables = self.segment(many[0], objects=many[1], **how)
            return by_name(class_scores(tables, many[2], self.classes), self._names)
        if self.target.truth == "category":
            labels = numbered(labels, self.classes)
        cases = cases_of(images, labels, truth=self.target.truth, ndim=self.ndim, ignore=ignore)
        results = [self.segment(case.image, **how) for case in cases]
        truths = [case.truth(case.area) for case in cases]
        return by_name(self.target.score(results, truths), self._names)

    # ------------------------------------------------------------------ files

    def save(self, path: str | Path) -> Path:
        """Write the network to one ``.safetensors`` file.

        Raises
        ------
        ParameterError
            If the name ends otherwise, or this is one of the `heads` of a network, which is kept as
            a whole, or a program of others.
        """
        if any(isinstance(one, Head) for one in members(self.module)):
            raise ParameterError("This is a part of a network. Save the network that it is of.")
        require_ours(self.about)
        target = require_network_name(path)
        kept = tuple(asdict(c) for c in self._classes)
        files.write(target, replace(self.about, classes=kept), self.module)
        return target

    @classmethod
    def load(cls, path: str | Path) -> Network:
        """Read a network; runs no code of the file."""
        about, module = files.read(Path(path))
        return cls(module, about)

    def fingerprint(self) -> str:
        """Return a hash of everything the results depend on."""
        return hashed(self.about, self.module, options=self.decoding_, largest=self.largest_)
