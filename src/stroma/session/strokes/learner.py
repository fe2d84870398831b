"""The model of a session, and training it again and again without doing twice what was done."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import ParameterError, ShapeError
from stroma.features.cache import FeatureCache
from stroma.pixel.door import Points, Source
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.param import FEATURE_KEYS, Param
from stroma.pixel.predicting.panels import Panel, panels_of
from stroma.pixel.predicting.predict import Trained
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.tasks import Task
from stroma.pixel.training.warm import tasks_at
from stroma.session.core.view import View
from stroma.session.strokes.applied import Applied
from stroma.session.strokes.channels import count
from stroma.session.strokes.settings import LIVE_PIXELS, Settings
from stroma.session.strokes.wish import Wish


class Learner:
    """A model that is replaced only by one that was trained with success.

    Parameters
    ----------
    model : ConvpaintModel
        The first model; may be trained.
    revision : int
        The revision it was trained on; -1 for none.
    taken : bool
        Whether it was trained elsewhere.
    applied : Applied, optional
        A network that answers in its place, until it is trained.
    """

    def __init__(
        self,
        model: ConvpaintModel,
        revision: int = -1,
        *,
        taken: bool = False,
        applied: Applied | None = None,
    ) -> None:
        self.model = model
        self.revision = revision
        self.applied = applied
        self.taken = taken and (model.classifier is not None or applied is not None)
        self.param = model.get_params()
        self.channels: tuple[int, ...] | None = None
        self.images: tuple[str, ...] = ()
        self.trained: Trained | None = None
        if model.classifier is not None:
            model.reset_training()  # a loaded model remembers strokes, but not their images
            self.trained = model.trained()
            self.channels = model.in_channels_
        self._remembered: dict[str, Hashable] = {}

    @property
    def answers(self) -> bool:
        """Whether there is anything that tells classes apart."""
        return self.trained is not None or self.applied is not None

    def require_fit(self, image: Image) -> None:
        """Check that it can be applied to an image.

        Raises
        ------
        ShapeError
            If it was trained on other channels.
        """
        if self.applied is not None:
            self.applied.network.open(image)
        else:
            self.source(image)

    @property
    def cache(self) -> FeatureCache:
        """Features, kept between rounds."""
        return self.model.cache

    def source(self, image: Image) -> Source:
        """Return an image as the model that is there sees it.

        Raises
        ------
        ShapeError
            If it was trained on other channels.
        """
        try:
            return self.model.open(image, None if self.channels is None else list(self.channels))
        except (ShapeError, ParameterError) as error:
            raise ShapeError(
                f"The model was trained on other channels than those of this image, which has "
                f"{max(1, count(image))}. Use channels that all images have and train again, or "
                "keep each kind of image in a project of its own."
            ) from error

    def panels(self, image: Image, view: View, box: Box) -> list[Panel]:
        """Return what makes up a box of a view's plane; nothing while there is no model."""
        if self.trained is None or not box.area:
            return []
        return panels_of(
            self.source(image),
            self.trained.recipe,
            self.trained.statistics,
            position=view.position,
            box=box,
            classes=len(self.trained.classifier.classes_),
            first=view.middle,
        )

    def learn(self, wish: Wish, points: dict[str, Points], param: Param) -> None:
        """Train on the strokes of a wish; if that fails, everything stays as it was.

        Parameters
        ----------
        wish : Wish
            What to learn from.
        points : dict of str to Points
            The labelled pixels of its material.
        param : Param
            Parameters to train with.
        """
        model = self._model(param, wish.settings)
        model.classes = wish.classes
        cap = most_learnt(wish.settings)
        versions = {m.key: (m.version, cap) for m in wish.material}
        if self._remembered.keys() - versions.keys():
            model.reset_training()
            self._remembered = {}
        new = [k for k, v in versions.items() if self._remembered.get(k) != v] or list(versions)
        channels = wish.settings.channels
        model.train(
            [wish.images[key] for key in new],
            [points[key] for key in new],
            memory_mode=True,
            img_ids=new,
            in_channels=None if channels is None else list(channels),
        )
        self._remembered |= {key: versions[key] for key in new}
        self.model, self.param, self.channels = model, param, channels
        self.images, self.revision, self.taken = tuple(versions), wish.revision, False
        self.trained, self.applied = model.trained(), None

    def _model(self, param: Param, settings: Settings) -> ConvpaintModel:
        """Return the model to train: the present one, unless its features are others."""
        now = self.model.get_params()
        same = all(now.get(key) == param.get(key) for key in FEATURE_KEYS)
        if same and (self.trained is None or settings.channels == self.channels):
            self.model.set_params(**{k: v for k, v in param.items() if k != "classifier"})
            return self.model
        model = ConvpaintModel(param=param)
        model.cache = self.cache
        self._remembered = {}
        return model


def tasks_before(source: Source, recipe: Recipe, view: View, box: Box) -> list[Task]:
    """Return the blocks of a view's plane that touch a box, while there is no model."""
    if not box.area:
        return []
    panels = panels_of(source, recipe, None, position=view.position, box=box)
    return [task for panel in panels for task in panel.tasks]


def param_for(settings: Settings, *, full: bool) -> Param:
    """Return the parameters of a round; a quick one looks at fewer labelled pixels."""
    param = settings.param.copy()
    if not full:
        param.clf_max_pixels = min(LIVE_PIXELS, param.clf_max_pixels or LIVE_PIXELS)
    return param


def most_learnt(settings: Settings) -> int | None:
    """Return how many pixels of a class and an image any round looks at, where that is known.

    On a working grid of other pixels, what is looked at is known only there.
    """
    recipe = Recipe.of(settings.param)
    same = all(abs(factor) <= 1 for factor in recipe.factors)
    return settings.param.clf_max_pixels if same else None


def needed(wish: Wish, points: dict[str, Points], param: Param) -> Iterable[Task]:
    """Yield the blocks whose features a round needs, as far as these can be foreseen."""
    if param.norm_from == "training":
        return  # statistics, and so features, are known only when all images have been measured
    recipe = Recipe.of(param)
    for key, labelled in points.items():
        yield from tasks_at(wish.source(key), labelled, recipe)
