"""A model that learns: from strokes, or from pixels that are alike; and what it has learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class, complete, require_classes
from stroma.errors import NotTrainedError
from stroma.features.cache import FeatureCache
from stroma.features.part import Feed
from stroma.pixel.channels import mode, mode_of, require_channels
from stroma.pixel.choices.classifiers import TITLES, fit, unfitted
from stroma.pixel.configured import Configured
from stroma.pixel.devices import device_of
from stroma.pixel.door import Source, is_many, open_image
from stroma.pixel.files.saved import Fitted
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.training.foreground import separated
from stroma.pixel.training.given import Given, given_strokes
from stroma.pixel.training.joining import Join, require_known
from stroma.pixel.training.learn import Labelled, Memory, learn, require_every_class
from stroma.pixel.training.shares import shares_of, weighed
from stroma.pixel.training.unlabelled import clustered

GROUPED = 8_000
"""Pixels of all groups together, found without strokes, that a classifier is fitted to."""


class Learning(Configured):
    """What a model has learned, how it learns, and how it sees images from then on."""

    cache: FeatureCache
    _fitted: Fitted | None
    _memory: Memory
    _classes: tuple[Class, ...]

    # ------------------------------------------------------------------ what was learned

    @property
    def classifier(self) -> Any:
        """The fitted classifier; None while untrained."""
        return None if self._fitted is None else self._fitted.classifier

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The (K,) labels the model tells apart, ascending; probability k is of ``classes_[k]``."""
        return np.array(self._require_fitted().classifier.classes_)

    @property
    def feature_names_(self) -> list[str]:
        """The names of the features the classifier was fitted to."""
        return list(self._require_fitted().feature_names)

    @property
    def shares_(self) -> dict[str, float]:
        """What filters and each network have to say, by their extractors; see ``clf="families"``.

        They are 1 together. With other classifiers, which see all features at once, there are none.
        """
        pipeline = Recipe.of(self._param).pipeline
        return shares_of(self._require_fitted().classifier, pipeline, str(self._param.fe_name))

    @property
    def in_channels_(self) -> tuple[int, ...] | None:
        """The channels that were selected in training; None where all were used."""
        return self._require_fitted().in_channels

    @property
    def classes(self) -> tuple[Class, ...]:
        """Names and colours of the classes; set it to an iterable of `Class`."""
        labels = [c.label for c in self._classes]
        if self._fitted is not None:
            labels += self._fitted.classifier.classes_.tolist()
        return complete(self._classes, labels)

    @classes.setter
    def classes(self, classes: Iterable[Class]) -> None:
        self._classes = require_classes(classes)

    def _device(self, *asked: str | None) -> str | None:
        """Return where networks run: as locked, else as asked for in a call."""
        return self._locked or device_of(*asked)

    @property
    def _cap(self) -> int:
        """Labelled pixels per class that are trained on, at most."""
        return int(self._param.clf_max_pixels or 0)

    def _has_learned(self) -> bool:
        return self._fitted is not None or bool(self._memory)

    def _require_fitted(self) -> Fitted:
        if self._fitted is None:
            raise NotTrainedError(
                "No trained classifier found. Call train(image, annotations) first, or load a "
                "trained model (.pkl).",
                told="There is no trained model yet. Paint strokes of two classes, or open a "
                "trained model.",
            )
        return self._fitted

    # ------------------------------------------------------------------ training

    def train(
        self,
        image: Any,
        annotations: Any,
        memory_mode: bool = False,
        img_ids: str | int | Sequence[str | int] | None = None,
        use_rf: bool = False,
        allow_writing_files: bool = False,
        in_channels: Sequence[int] | None = None,
        skip_norm: bool = False,
        *,
        device: str | None = None,
        fe_use_device: str | None = None,
        clf_use_device: str | None = None,
    ) -> Any:
        """Fit the classifier to the labelled pixels of one or several images.

        When anything fails, the model stays as it was.

        Parameters
        ----------
        image : array-like, Image, path, or list of these
            2-D (y, x), 3-D (z, y, x; or c, y, x by ``channel_mode``) or 4-D (c, z, y, x).
        annotations : array-like, path, or list of these
            Labels 1 to 65535, 0 where unlabelled, of the shape of the image without channels. Files
            of strokes (see ``read_strokes``) may name the classes, which the model takes over.
        memory_mode : bool
            Remember the strokes of each image, and train on those of all images seen so far.
            Strokes given for a known image replace its earlier ones.
        img_ids : str or list of str, optional
            Names of the images in memory; required for lists in memory mode.
        use_rf : bool
            Fit a random forest, whatever ``clf`` says.
        allow_writing_files : bool
            Accepted for compatibility; training writes no files.
        in_channels : list of int, optional
            Channels to use; remembered, and used by ``segment`` too.
        skip_norm : bool
            Take the pixel values as they are.
        device : {"auto", "gpu", "cpu", "cuda", "mps"}, optional
            Where networks run in this call; as ``fe_use_gpu`` says unless given.
        fe_use_device : str, optional
            The same, by the name newer versions of the original give it.
        clf_use_device : str, optional
            Accepted for compatibility; classifiers are fitted on the processor.

        Returns
        -------
        Classifier
            The fitted classifier, also kept in the model.

        Raises
        ------
        LabelError
            If there are no strokes, or those of one class only.
        ShapeError, ImageError, ParameterError, FitError
            If images and annotations do not fit, or cannot be used.
        """
        strokes, named = self._given(image, annotations, in_channels, memory_mode, img_ids)
        device_of(clf_use_device)
        place = self._device(device, fe_use_device)
        recipe = Recipe.of(self._param, skip_norm=skip_norm, device=place)
        chosen = None if in_channels is None else tuple(int(c) for c in in_channels)
        kind, blank = unfitted(self._param, use_rf=use_rf)
        self._fit(strokes, recipe, kind, blank, chosen, cap=self._cap, memory_mode=memory_mode)
        self._classes += named
        return self.classifier

    def cluster(
        self,
        image: Any,
        *,
        classes: int = 4,
        samples: int = 20_000,
        in_channels: Sequence[int] | None = None,
        join: Join = "ward",
        rng: int = 0,
    ) -> Any:
        """Fit the classifier to groups of pixels that are alike, without any strokes.

        Some pixels of all images together are grouped by their features; the groups are the
        classes from then on, the same in every image that is segmented. When anything fails, the
        model stays as it was.

        Parameters
        ----------
        image : array-like, Image, path, or list of these
            As for ``train``.
        classes : int
            How many, 2 to 64.
        samples : int
            Pixels that are looked at.
        in_channels : list of int, optional
            Channels to use; remembered, and used by ``segment`` too.
        join : {"ward", "complete"}
            How the many small groups that are found at first become ``classes``: those by which
            pixels come to lie least further from the middle of their group, or those that are
            nearest whatever their size, by which a few odd pixels may be a class.
        rng : int
            Seed.

        Returns
        -------
        Classifier
            The fitted classifier, also kept in the model.

        Raises
        ------
        ImageError
            If there is too little in the images for so many classes.
        ShapeError, ParameterError, FitError
            If the images cannot be used.
        """
        require_known(join)
        sources, chosen = self._opened(image, in_channels)
        recipe = Recipe.of(self._param)
        found = clustered(
            sources,
            recipe,
            classes=classes,
            samples=samples,
            cache=self.cache,
            join=join,
            rng=rng,
        )
        self._fit_groups(found, recipe, chosen)
        self._classes = tuple(Class(k, f"group {k}") for k in range(1, classes + 1))
        return self.classifier

    def separate(
        self,
        image: Any,
        *,
        samples: int = 20_000,
        in_channels: Sequence[int] | None = None,
        rng: int = 0,
    ) -> tuple[int, ...]:
        """Fit the classifier to what stands out of images and what is around it, without strokes.

        Like ``cluster``, but how many groups there are follows from the image, and some of them
        are told to be objects: where the features are those of a vision transformer, the groups
        that it looks at; with other features, those that avoid the border.

        Parameters
        ----------
        image, samples, in_channels, rng
            As for ``cluster``.

        Returns
        -------
        tuple of int
            The classes that stand out.

        Raises
        ------
        ImageError
            If all that is looked at is alike.
        ShapeError, ParameterError, FitError
            If the images cannot be used.
        """
        sources, chosen = self._opened(image, in_channels)
        recipe = Recipe.of(self._param)
        found = separated(sources, recipe, samples=samples, cache=self.cache, rng=rng)
        self._fit_groups(found.images, recipe, chosen)
        self._classes = tuple(
            Class(k, f"{'object' if k in found.front else 'background'} {k}")
            for k in self.classes_.tolist()
        )
        return found.front

    def _opened(
        self, image: Any, in_channels: Sequence[int] | None
    ) -> tuple[dict[str, Source], tuple[int, ...] | None]:
        """Return one or several images, by number, and the channels that are used of them."""
        asked, images = str(self._param.channel_mode), image if is_many(image) else [image]
        chosen = None if in_channels is None else tuple(int(c) for c in in_channels)
        return {str(i): open_image(one, asked, chosen) for i, one in enumerate(images)}, chosen

    def _fit_groups(
        self, found: Mapping[str, Labelled], recipe: Recipe, chosen: tuple[int, ...] | None
    ) -> None:
        """Fit a classifier to a part of the pixels of groups, which features alone told apart."""
        count = len(np.unique(np.concatenate([one.points.label for one in found.values()])))
        cap = min(self._cap, max(1, GROUPED // count))
        self._fit(found, recipe, *unfitted(self._param), chosen, cap=cap)

    def _fit(
        self,
        strokes: Mapping[str, Labelled],
        recipe: Recipe,
        kind: str,
        blank: Any,
        chosen: tuple[int, ...] | None,
        *,
        cap: int,
        memory_mode: bool = False,
    ) -> None:
        """Fit a classifier to labelled pixels; nothing changes when that fails."""
        entries, common = self._learned(strokes, recipe, memory_mode, cap=cap)
        require_every_class(entries, recipe.factor, self._classes)
        filled = [e for e in entries.values() if len(e.y)]
        X = np.concatenate([e.X for e in filled]) if filled else np.zeros((0, 1), np.float32)
        y = np.concatenate([e.y for e in filled]) if filled else np.zeros(0, np.uint16)
        source = next(iter(strokes.values())).source
        feed = Feed(source.channels, rgb=source.rgb)
        places = [(e.at, len(e.y)) for e in filled]
        blank = weighed(blank, X, y, places, recipe.pipeline.families(feed))
        classifier = fit(blank, X, y, cap)
        if memory_mode:
            self._memory = entries
        names = tuple(recipe.pipeline.names(feed))
        weights = tuple(recipe.pipeline.provenance())
        count = len(source.channels)
        self._fitted = Fitted(
            kind, classifier, count, chosen, names, common, weights, rgb=source.rgb
        )
        self._param.classifier = TITLES.get(kind, kind)

    def _given(
        self,
        image: Any,
        annotations: Any,
        in_channels: Sequence[int] | None,
        memory_mode: bool,
        img_ids: Any,
    ) -> Given:
        return given_strokes(
            image,
            annotations,
            channel_mode=mode_of(str(self._param.channel_mode), self._fitted, image, annotations),
            in_channels=in_channels,
            memory_mode=memory_mode,
            img_ids=img_ids,
            classes=self.classes if memory_mode else self._classes,
        )

    def _learned(
        self, strokes: Mapping[str, Labelled], recipe: Recipe, memory_mode: bool, *, cap: int
    ) -> tuple[Memory, Any]:
        """Return what would be known with these strokes, and common statistics."""
        return learn(
            self._memory if memory_mode else {},
            strokes,
            recipe,
            pooled=self._param.norm_from == "training",
            cap=cap,
            cache=self.cache,
        )

    def reset_classifier(self) -> None:
        """Forget the classifier and the training memory."""
        self._fitted = None
        self._param.classifier = None
        self.reset_training()

    def reset_training(self) -> None:
        """Forget the images and strokes remembered in memory mode; the classifier stays."""
        self._memory = {}

    # ------------------------------------------------------------------ images

    def open(self, image: Any, in_channels: Sequence[int] | None = None) -> Source:
        """Return an image as this model sees it: channels selected as in training.

        Raises
        ------
        ShapeError
            If the model was trained on another number of channels.
        """
        fitted = self._fitted
        if in_channels is None and fitted is not None and fitted.in_channels is not None:
            in_channels = fitted.in_channels
        asked = str(self._param.channel_mode)
        source = open_image(image, mode(asked, fitted), in_channels)
        if fitted is not None:
            require_channels(source, fitted, asked)
        return source
