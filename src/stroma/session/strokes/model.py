"""The model of a session: how it learns, from what, and what of it is kept."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.data.classes import Class
from stroma.errors import FormatError, ParameterError, ShapeError, StromaError
from stroma.features.cache import free_memory
from stroma.pixel.choices.aliases import alias_param
from stroma.pixel.model import ConvpaintModel
from stroma.session.core import checks
from stroma.session.core.core import Core
from stroma.session.core.results import Results
from stroma.session.events import SettingsChanged
from stroma.session.strokes import operations as ops
from stroma.session.strokes.applied import Applied
from stroma.session.strokes.bench import Strokes
from stroma.session.strokes.blocks import Block
from stroma.session.strokes.channels import count
from stroma.session.strokes.learner import Learner
from stroma.session.strokes.saved import NETWORK, saved_model, saved_network, unknown_features
from stroma.session.strokes.settings import Settings
from stroma.session.strokes.turn import StrokeTurn
from stroma.session.strokes.wish import Wish, wish_of
from stroma.workflow.exchange import seeing_networks

if TYPE_CHECKING:
    from stroma.training.model import Network

INSTEAD = "Until then the model sees with the features that are usual here."


class StrokeModel:
    """A model that learns from what is painted; a `Learning`.

    Methods that change something return as soon as it is done in memory; training and prediction
    happen in the worker, which tells the listeners.

    Parameters
    ----------
    core : Core
        Where strokes are painted.
    model : ConvpaintModel
        The first model; may be trained.
    mode : {"live", "demand", "paused"}
        Train after every stroke; only when asked; or do nothing by itself.
    """

    name = Strokes.name

    def __init__(self, core: Core, model: ConvpaintModel, mode: str) -> None:
        self.core = core
        self.now = Settings(mode=mode, param=model.get_params())
        self.results: Results[Block] = Results(free_memory() // 4)
        self.learner = Learner(model, -1 if model.classifier is None else 0)
        self._warmed: set[Hashable] = set()

    @property
    def bench(self) -> Strokes:
        """What is painted."""
        return self.core.bench(Strokes)

    @property
    def is_live(self) -> bool:
        """Whether what is under way is given up for what was painted last."""
        return self.now.mode == "live"

    def concerns(self, image: str) -> bool:
        """Tell that every image may be painted on."""
        return True

    def turn(self) -> StrokeTurn:
        """Return what is wanted of the worker now."""
        with self.core.lock:
            wish, learner = self.wish(), self.learner
        return StrokeTurn(wish, learner, lambda: self.learner, self.results, self._warmed)

    def wish(self) -> Wish:
        """Return what is wanted of rounds now."""
        with self.core.lock:
            return wish_of(self.core, self.now)

    def image_changed(self, image: str) -> None:
        """Forget the results of an image; of one that was closed, also that it was chosen."""
        self.results.drop(image=image)
        if image in self.now.chosen and image not in self.core.document.sheets:
            self.now = self._of_open_images(self.now)  # else a later one with its key were chosen
            self.core.settings_changed()
        if self.learner.applied is not None:
            self.learner.applied.forget(image)

    def _of_open_images(self, settings: Settings) -> Settings:
        """Return settings in which no image is chosen that is not there."""
        there = self.core.document.sheets
        return replace(settings, chosen=tuple(key for key in settings.chosen if key in there))

    # ------------------------------------------------------------------ settings

    def set_mode(self, mode: str) -> None:
        """Train "live" after every stroke, on "demand" only, or do nothing ("paused")."""
        self._set(mode=mode)

    def set_training(self, train_on: str, images: Sequence[str] = ()) -> None:
        """Train on the strokes of "all" images, of the "image" painted on last, or of "chosen".

        Parameters
        ----------
        train_on : {"all", "image", "chosen"}
            Of which.
        images : sequence of str
            Keys of those that are chosen.

        Raises
        ------
        ParameterError
            If none is chosen, or there is no such image.
        """
        if train_on == "chosen" and not images:
            raise ParameterError("Choose the images to learn from first.")
        for key in images:
            self.core.document.sheet(key)  # which says if there is no such image
        self._set(train_on=train_on, chosen=tuple(images), answers=True)

    def set_channels(self, channels: Sequence[int] | None) -> None:
        """Use only some channels of the images; None uses all."""
        self._set(channels=None if channels is None else tuple(channels), answers=True)

    def set_alias(self, alias: str) -> None:
        """Take the parameters of a named configuration."""
        self._set(param=alias_param(alias), answers=True)

    def set_params(self, /, **values: Any) -> None:
        """Set parameters of the model, see `Param`; all of them or, if one is wrong, none."""
        trial = ConvpaintModel(param=self.now.param)
        trial.set_params(**values)
        self._set(param=trial.get_params(), answers=True)

    def see_with(self, source: str | Path, *, own: bool = True) -> str:
        """Take what a trained network sees as features, and return what these are called.

        A project keeps a copy of the network's file, or its id.

        Parameters
        ----------
        source : str or Path
            Whatever `stroma.load` takes as a network: a package of bioimage.io, its id, ...
        own : bool
            Keep features of Stroma beside those of the network.

        Raises
        ------
        MissingFileError, WeightsError
            If it cannot be had.
        ParameterError
            If it is no network, or one whose features cannot be had.
        ConsentError
            If it is a program of others, which a session never runs.
        MissingExtraError
            If what networks need is not installed.
        """
        project = self.core.project
        folder = None if project is None else project.folder
        name = seeing_networks.name_features(source, folder=folder)
        self.set_params(**seeing_networks.params_with(name, own=own))
        return name

    def _set(self, *, answers: bool = False, **values: Any) -> None:
        """Change settings; ``answers`` says whether the model's answer depends on them."""
        core = self.core
        with core.lock:
            new = replace(self.now, **values)
            if new == self.now:
                return
            self.now = new
            if answers:
                self.bench.revision += 1
            core.settings_changed()
            core.tell(SettingsChanged())
            cancels = answers or new.mode == "paused"
            core.worker.poke(self.name, cancels="all" if cancels else "nothing")

    def set_model(self, model: ConvpaintModel | Network) -> None:
        """Go on with another model; if it is trained, it answers until the next training.

        Its parameters and channels become the settings, and the classes it names join those that
        are there, as one step of undo. Images and strokes stay. The model belongs to the session
        from then on; a project is saved with it at once. A network changes no settings: it
        answers as it is, and what is trained on strokes afterwards is a model of strokes.

        Raises
        ------
        ShapeError
            If it was trained on other channels than an image has; nothing is changed then.
        ParameterError
            If it is a network that finds something else than classes.
        FileError
            If the project cannot be saved; the model is in use all the same.
        """
        learner, core = self._learner(model), self.core
        with core.lock:
            if learner.answers:
                self._require_fit(learner)
            core.do(ops.SetClasses(_named(model, tuple(self.bench.classes.values()))))
            channels = learner.channels if learner.trained is not None else self.now.channels
            param = learner.param.copy()
            param.clf_max_pixels = self.now.param.clf_max_pixels  # a round's, not the model's
            self.now = replace(self.now, param=param, channels=channels)
            self.bench.revision += 1
            if learner.answers:
                self._take(learner)
            core.settings_changed()
            core.tell(SettingsChanged())
            core.worker.poke(self.name, cancels="all", revision=self.bench.revision)

    def _learner(self, model: ConvpaintModel | Network) -> Learner:
        if isinstance(model, ConvpaintModel):
            return Learner(model, taken=True)
        fresh = ConvpaintModel(param=self.now.param)
        return Learner(fresh, taken=True, applied=Applied(model))

    def _take(self, learner: Learner) -> None:
        learner.model.cache = self.learner.cache
        learner.revision = self.bench.revision
        self.learner = learner
        self.core.worker.take(self.name, learner.revision)

    def _require_fit(self, learner: Learner) -> None:
        for image in self.core.all_images():
            if image.missing:
                continue
            try:
                learner.require_fit(image.image)
            except ShapeError as error:
                if learner.applied is not None:
                    said = f"The network does not fit the image {image.name!r}, and was not taken."
                    raise ShapeError(f"{said} {error}") from error
                raise ShapeError(
                    f"The model was not taken: it was trained on other channels than those of the "
                    f"image {image.name!r} ({max(1, count(image.image))}). Take one that was "
                    f"trained on such images, or close the image first."
                ) from error

    # ------------------------------------------------------------------ the model

    @property
    def model(self) -> ConvpaintModel:
        """The model, as it was last trained; not to be changed."""
        model = self.learner.model
        model.classes = tuple(self.bench.classes.values())
        return model

    @property
    def network(self) -> Network | None:
        """The network that answers in the place of a model of strokes, if one does."""
        applied = self.learner.applied
        return None if applied is None else applied.network

    def copy(self) -> ConvpaintModel:
        """Return a copy of the model that further training does not change.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        """
        model = copy.copy(self.model)  # what training replaces, it replaces whole
        model.trained()
        return model

    def train(self) -> None:
        """Start a round on all labelled pixels, whatever the mode."""
        self.core.worker.ask(self.name)

    def _restore_network(self, folder: Path, *, is_current: bool) -> str:
        network, said = saved_network(folder)
        self.learner = Learner(ConvpaintModel(param=self.now.param))
        if network is not None:
            self.learner = self._learner(network)
            self.learner.revision = self.bench.revision - (0 if is_current else 1)
        self.core.worker.resume(self.name, self.learner.revision)
        return said

    # ------------------------------------------------------------------ what is kept

    def settings(self) -> Mapping[str, Any]:
        """Return what ``settings.json`` keeps."""
        found = seeing_networks.facts(self.now.param.fe_name)
        return {**self.now.to_json(), **({"networks": found} if found else {})}

    def facts(self) -> Mapping[str, Any]:
        """Return what a snapshot says of the model."""
        is_current = self.learner.revision == self.bench.revision
        applied = self.learner.applied is not None
        return {"is_current": is_current, "taken": self.learner.taken, "network": applied}

    def keep(self, folder: Path) -> None:
        """Write the model into a project, nothing while there is none, and what it sees with."""
        seeing_networks.keep(self.now.param.fe_name, folder)
        if self.network is not None:
            self.network.save(folder / NETWORK)
        elif self.learner.trained is not None:
            self.model.save(folder / "model.pkl", create_yml=False)

    def restore(self, folder: Path, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
        """Go on as it was saved, and return what people should know of that."""
        try:
            given = Settings.from_json(settings) if settings else Settings()
        except (StromaError, TypeError, KeyError) as error:
            raise FormatError(
                f"{folder / 'settings.json'} does not hold the settings of a project: "
                f"{checks.reason(error)}"
            ) from error
        told = seeing_networks.restore(settings.get("networks"), folder)
        told = told or unknown_features(given.param)
        if told:
            given = replace(given, param=alias_param("stroma"))
        self.now = self._of_open_images(given)
        if told:
            self.learner = Learner(ConvpaintModel(param=self.now.param))
            return f"{told} {INSTEAD}"
        if facts.get("network") is True:
            return self._restore_network(folder, is_current=facts.get("is_current") is True)
        model, said = saved_model(folder)
        self.learner = Learner(model or ConvpaintModel(param=self.now.param))
        if model is not None and self.learner.trained is not None:
            is_current = facts.get("is_current") is True
            self.learner.taken = is_current and facts.get("taken") is True
            self.learner.revision = self.bench.revision - (0 if is_current else 1)
        self.core.worker.resume(self.name, self.learner.revision)
        return said


def _named(model: ConvpaintModel | Network, present: Sequence[Class]) -> tuple[Class, ...]:
    """Return the classes of a model; those it has no name for are left as they are."""
    labels = {c.label for c in present}
    return tuple(c for c in model.classes if c.label not in labels or c != Class(c.label))
