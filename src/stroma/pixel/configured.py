"""The parameters of a model, and what may be changed when."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stroma.errors import ParameterError
from stroma.features import EXTRACTORS
from stroma.features.build import (
    default_scalings,
    extractor,
    installed,
    layer_keys,
    part_names,
    within,
)
from stroma.features.contract import Extractor
from stroma.pixel.choices.aliases import (
    default_param,
    defaults_for,
    extractor_defaults,
    require_param,
)
from stroma.pixel.devices import locked_device
from stroma.pixel.param import FEATURE_KEYS, Param
from stroma.pixel.predicting.recipe import Recipe


class Configured(ABC):
    """What a model can be told, in the words of the reference; what it does is its own."""

    _param: Param
    _locked: str | None

    @abstractmethod
    def _has_learned(self) -> bool:
        """Tell whether something would be lost if the features changed."""

    @abstractmethod
    def reset_classifier(self) -> None:
        """Forget what was learned."""

    @staticmethod
    def get_fe_models_types() -> dict[str, type]:
        """Return all extractors whose dependencies are installed: names and types."""
        return installed()

    @staticmethod
    def get_default_params() -> Param:
        """Return the parameters of the default model."""
        return default_param()

    def get_param(self, key: str) -> Any:
        """Return the value of a parameter."""
        return self.get_params().get(key)

    def get_params(self) -> Param:
        """Return a copy of all parameters."""
        return self._param.copy()

    def set_param(self, key: str, val: Any, ignore_warnings: bool = False) -> None:
        """Set a parameter.

        An untrained model takes any; on a trained one, a parameter that changes the features
        raises, unless ``ignore_warnings`` says to forget the training. None restores the default.

        Raises
        ------
        ParameterError
            If the value is not allowed, or the model is trained on other features.
        UnknownNameError
            If there is no such parameter.
        """
        self._require_settable([key])
        self._change({key: val}, ignore_warnings)

    def set_params(
        self, param: Param | None = None, ignore_warnings: bool = False, **kwargs: Any
    ) -> None:
        """Set several parameters, from a `Param` or by name; None leaves a parameter as it is.

        All are set, or none.

        Raises
        ------
        ParameterError
            As for ``set_param``; also if both forms are given.
        """
        if param is not None and kwargs:
            raise ParameterError("Give either a Param or parameters by name, not both.")
        if param is not None:
            values = {k: v for k, v in require_param(param).items() if k != "classifier"}
        else:
            self._require_settable(kwargs)
            values = kwargs
        self._change({k: v for k, v in values.items() if v is not None}, ignore_warnings)

    def _require_settable(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._param.get(key)
            if key == "classifier":
                raise ParameterError(
                    "The parameter 'classifier' says what was fitted, so only training sets it. "
                    "Choose what to fit with 'clf'."
                )

    def _change(self, values: Mapping[str, Any], forget: bool) -> None:
        trial = self._param.copy()
        if "fe_name" in values and values["fe_name"] not in (None, trial.fe_name):
            trial.fe_layers = trial.fe_scalings = None
        trial.set(**values)
        trial = trial.filled(defaults_for(trial))
        changed = {k for k, v in trial.items() if v != self._param.get(k)}
        if changed & FEATURE_KEYS:
            Recipe.of(trial)
            self._require_untrained(changed & FEATURE_KEYS, forget)
        self._param = trial

    def _require_untrained(self, keys: set[str], forget: bool) -> None:
        if not self._has_learned():
            return
        if not forget:
            raise ParameterError(
                f"The model was trained with another {' and '.join(sorted(keys))}. Make a new "
                f"model, or pass ignore_warnings=True to change it and forget the training.",
                told="The model was trained with other settings of its features. Train again to "
                "change them.",
            )
        self.reset_classifier()

    @staticmethod
    def create_fe(
        name: str, use_gpu: bool | None = None, layers: Sequence[str | int] | None = None
    ) -> Extractor:
        """Return a feature extractor by name, without putting it into a model.

        Parameters
        ----------
        name : str
            A registered extractor.
        use_gpu : bool, optional
            Compute on the graphics card.
        layers : sequence of str or int, optional
            Keys of layers, or their positions.

        Raises
        ------
        UnknownNameError, ParameterError
            If there is no such extractor or layer, or the name stands for several.
        """
        parts = part_names(name)
        if len(parts) > 1:
            raise ParameterError(
                f"{name!r} combines the extractors {' and '.join(parts)}. Create one at a time, or "
                f"a model of them: ConvpaintModel(fe_name={name!r})."
            )
        return extractor(parts[0], layers=layers, device="auto" if use_gpu else "cpu")

    @property
    def ndim(self) -> int:
        """2 if it looks at planes, 3 if at volumes."""
        return len(Recipe.of(self._param).axes)

    def get_fe_defaults(self) -> Param:
        """Return the parameters a model has by default with this extractor."""
        return extractor_defaults(str(self._param.fe_name))

    def lock_device(self, device: str = "off", part: str = "both") -> None:
        """Bind features to a device, whatever later calls ask for; "off" ends it.

        Parameters
        ----------
        device : {"auto", "gpu", "cpu", "cuda", "mps", "off"}
            Where networks run.
        part : {"fe", "clf", "both"}
            What is bound; classifiers always run on the processor.
        """
        locked = locked_device(device, part)
        if part != "clf":
            self._locked = locked

    def get_fe_proposed_scalings(self) -> list[list[int]]:
        """Return lists of scalings that go well with the extractor; any others work too."""
        parts = part_names(str(self._param.fe_name))
        default = default_scalings(parts[0])
        if len(parts) > 1 or default == [1]:
            return [[1]] if len(parts) > 1 else [[1], [1, 2]]
        return [[1], [1, 2], [1, 2, 4], [1, 2, 4, 8]]

    def get_fe_description(self) -> str:
        """Return what the extractor computes, in a sentence for each of its parts."""
        parts = map(within, part_names(str(self._param.fe_name)))
        return " ".join(str(EXTRACTORS[part].__doc__).strip().splitlines()[0] for part in parts)

    def get_fe_layer_keys(self) -> list[str] | None:
        """Return the layers the extractor offers; None if it has none, or is a combination."""
        parts = part_names(str(self._param.fe_name))
        return layer_keys(parts[0]) if len(parts) == 1 else None
