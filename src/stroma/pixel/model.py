"""The few-stroke model: strokes on an image in, a class for every pixel out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stroma.data.classes import Class
from stroma.errors import (
    FormatError,
    ParameterError,
)
from stroma.features.cache import FeatureCache
from stroma.pixel.choices.aliases import (
    alias_param,
    defaults_for,
    initial_param,
    translated,
)
from stroma.pixel.door import is_many
from stroma.pixel.files import plain as files
from stroma.pixel.files.saved import Fitted, Saved
from stroma.pixel.files.storage import load, require_same_features, to_state
from stroma.pixel.learning import Learning
from stroma.pixel.param import Param
from stroma.pixel.predicting.predict import Trained
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.results import How, collected
from stroma.pixel.showing.feature_image import feature_image, labelled_features, native_features
from stroma.pixel.showing.reduced import reduced
from stroma.pixel.training.learn import Memory


class ConvpaintModel(Learning):
    """A feature extractor, a classifier, and the parameters of both.

    Made from at most one of an alias, a saved model, a ``Param``, or the name of an extractor (to
    which further parameters can be given); from nothing, it is the alias "vgg". Loads no weights.

    Parameters
    ----------
    alias : str, optional
        A named configuration: "stroma" (recommended where nothing is to be downloaded), "vgg",
        "vgg-m", "vgg-l", "dino", "gaussian", "ilastik", ...
    model_path : str or Path, optional
        A saved model: ``.pkl`` (everything) or ``.yml`` (parameters only).
    param : Param, optional
        Parameters; those left at None are filled in.
    fe_name : str, optional
        A feature extractor, or several joined by "+".
    **kwargs
        With ``fe_name``: parameters, see `Param`.

    Raises
    ------
    ParameterError
        If more than one of the four is given, or parameters without ``fe_name``.
    """

    def __init__(
        self,
        alias: str | None = None,
        model_path: str | Path | None = None,
        param: Param | None = None,
        fe_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        forms = {"alias": alias, "model_path": model_path, "param": param, "fe_name": fe_name}
        given = [name for name, value in forms.items() if value is not None]
        if len(given) > 1:
            raise ParameterError(
                f"Give only one of alias, model_path, param and fe_name, got {' and '.join(given)}."
            )
        if kwargs and fe_name is None:
            raise ParameterError(
                f"Further parameters ({', '.join(kwargs)}) go with fe_name only. "
                f"Make the model first, then call set_params({', '.join(kwargs)}=...)."
            )
        self.cache = FeatureCache()
        self._locked: str | None = None
        self._fitted: Fitted | None = None
        self._memory: Memory = {}
        self._classes: tuple[Class, ...] = ()
        if model_path is not None:
            self._restore(load(Path(model_path)), str(model_path))
        elif alias is not None:
            self._param = alias_param(alias)
        else:
            self._param = initial_param(param, fe_name, kwargs)
        Recipe.of(self._param)  # an extractor that cannot be made is refused here, not in training

    # ------------------------------------------------------------------ prediction

    def segment(
        self,
        image: Any,
        in_channels: Sequence[int] | None = None,
        skip_norm: bool = False,
        use_dask: bool = False,
        *,
        out: str | Path | None = None,
        device: str | None = None,
        fe_use_device: str | None = None,
        use_device: str | None = None,
    ) -> Any:
        """Return the most probable class of every pixel.

        Parameters
        ----------
        image : array-like, Image, path, or list of these
            As for ``train``.
        in_channels : list of int, optional
            Channels to use; those of the training unless given.
        skip_norm : bool
            Take the pixel values as they are.
        use_dask : bool
            Run blocks on dask.distributed: the client in use, the scheduler of dask's
            configuration, or the processors of this machine.
        out : str or Path, optional
            Write to this ``.zarr``, ``.tif`` or ``.ome.tif`` as blocks become ready, and continue
            it after an interruption; one image only.
        device : {"auto", "gpu", "cpu", "cuda", "mps"}, optional
            Where networks run in this call; as ``fe_use_gpu`` says unless given.
        fe_use_device, use_device : str, optional
            The same, by the names newer versions of the original give it.

        Returns
        -------
        (z, y, x) or (y, x) array of uint8, or of uint16 if a label is above 255
            The image's axes without channels; a list of such for a list of images; the path if
            ``out`` is given.
        """
        place = self._device(device, fe_use_device, use_device)
        how = How(in_channels, skip_norm, use_dask, place)
        return collected(self, image, how, out=out, probabilities=False)

    def predict_probas(
        self,
        image: Any,
        in_channels: Sequence[int] | None = None,
        skip_norm: bool = False,
        use_dask: bool = False,
        *,
        out: str | Path | None = None,
        device: str | None = None,
        fe_use_device: str | None = None,
        use_device: str | None = None,
    ) -> Any:
        """Return the probability of every class at every pixel.

        Parameters are those of ``segment``.

        Returns
        -------
        (K, z, y, x) or (K, y, x) float32 array
            Classes first, in the order of ``classes_``; a list of such for a list of images; the
            path if ``out`` is given.
        """
        place = self._device(device, fe_use_device, use_device)
        how = How(in_channels, skip_norm, use_dask, place)
        return collected(self, image, how, out=out, probabilities=True)

    def trained(self, *, skip_norm: bool = False, device: str | None = None) -> Trained:
        """Return what prediction needs; later training does not change it.

        Raises
        ------
        NotTrainedError
            If there is no classifier yet.
        WeightsError
            If the pretrained weights are missing, or not those of the training.
        """
        fitted = self._require_fitted()
        recipe = Recipe.of(self._param, skip_norm=skip_norm, device=self._device(device))
        fitted.require_same_weights(recipe.pipeline.provenance())
        return Trained(recipe, fitted.classifier, None if skip_norm else fitted.statistics)

    # ------------------------------------------------------------------ features

    def get_feature_image(
        self,
        data: Any,
        annotations: Any = None,
        restore_input_form: bool = True,
        memory_mode: bool = False,
        img_ids: str | int | Sequence[str | int] | None = None,
        in_channels: Sequence[int] | None = None,
        skip_norm: bool = False,
        *,
        pca_components: int = 0,
        kmeans_clusters: int = 0,
        use_device: str | None = None,
    ) -> Any:
        """Return the features of images.

        Parameters
        ----------
        data : array-like, Image, path, or list of these
            As for ``train``.
        annotations : array-like, path, or list of these, optional
            Restrict to the planes that have labels (with ``restore_input_form=False``).
        restore_input_form : bool
            Return features at every pixel of the image. Otherwise those of the grid the classifier
            works on: after ``image_downsample``, and one per patch where all features are patches'.
        memory_mode : bool
            Register the annotations, as ``train`` does.
        img_ids : str or list of str, optional
            Names of the images in memory.
        in_channels : list of int, optional
            Channels to use.
        skip_norm : bool
            Take the pixel values as they are.
        pca_components : int
            Return so many principal components of each image's features, from 0 to 1, instead.
        kmeans_clusters : int
            Return the (y, x) or (z, y, x) cluster of every pixel, from 1, instead.
        use_device : str, optional
            Where networks run in this call.

        Returns
        -------
        (F, y, x) or (F, z, y, x) float32 array
            Or a list of such, for a list of images. With ``restore_input_form=False``, always a
            list of (F, z, h, w); with annotations, a list of (F, 1, h, w) and a list of (1, h, w)
            labels, one per plane with labels; in memory mode also their coordinates
            ((3, 1, h, w): z, y, x, in working pixels), image names, and the scale.
        """
        place = self._device(use_device)
        recipe = replace(Recipe.of(self._param, skip_norm=skip_norm, device=place), exact=True)
        if pca_components or kmeans_clusters:
            if annotations is not None or not restore_input_form:
                raise ParameterError(
                    "pca_components and kmeans_clusters are for whole images: leave out "
                    "annotations and restore_input_form."
                )
            whole = self.get_feature_image(
                data, in_channels=in_channels, skip_norm=skip_norm, use_device=use_device
            )
            sizes = {"components": pca_components, "clusters": kmeans_clusters}
            return (
                [reduced(f, **sizes) for f in whole] if is_many(data) else reduced(whole, **sizes)
            )
        if annotations is None:
            if memory_mode:
                raise ParameterError("memory_mode=True registers annotations; give annotations.")
            images = list(data) if is_many(data) else [data]
            sources = [self.open(one, in_channels) for one in images]
            form = feature_image if restore_input_form else native_features
            made = [form(source, recipe) for source in sources]
            return made[0] if restore_input_form and not is_many(data) else made
        strokes = self._given(data, annotations, in_channels, memory_mode, img_ids).strokes
        if memory_mode:
            known = Recipe.of(self._param, skip_norm=skip_norm)
            self._memory, _ = self._learned(strokes, known, memory_mode, cap=self._cap)
        if restore_input_form:
            restored = [feature_image(s.source, recipe) for s in strokes.values()]
            return restored if is_many(data) else restored[0]
        found = labelled_features(strokes, recipe)
        return found if memory_mode else found[:2]

    # ------------------------------------------------------------------ files

    def save(
        self, model_path: str | Path, create_pkl: bool = True, create_yml: bool = True
    ) -> None:
        """Write the model to ``.pkl`` (everything) and ``.yml`` (parameters only).

        Parameters
        ----------
        model_path : str or Path
            With or without one of these endings.
        create_pkl, create_yml : bool
            Which files to write.

        Raises
        ------
        FileError
            If a file cannot be written; an older one is then left as it was.

        Warns
        -----
        UserWarning
            If the model is not trained, so that ``.pkl`` holds no classifier.
        """
        if create_pkl and self._fitted is None:
            warnings.warn(
                "The model is not trained yet, so the .pkl holds its parameters only.",
                stacklevel=2,
            )
        path = Path(model_path)
        stem = path.with_suffix("") if path.suffix in (".pkl", ".yml") else path
        if create_pkl:
            saved = Saved(self._param, self._fitted, self.classes, self._memory)
            files.write(stem.with_name(stem.name + ".pkl"), to_state(saved))
        if create_yml:
            self._param.save(stem.with_name(stem.name + ".yml"))

    def _restore(self, saved: Saved, source: str) -> None:
        try:
            param = translated(saved.param)
            self._param = param.filled(defaults_for(param))
            recipe = Recipe.of(self._param)
        except ParameterError as error:
            raise FormatError(f"{source}: {error}") from error
        if saved.fitted is not None:
            require_same_features(saved.fitted, recipe, source)
        self._fitted, self._memory = saved.fitted, saved.memory
        self._classes = saved.classes
        if self._fitted is None:
            self._param.classifier = None
