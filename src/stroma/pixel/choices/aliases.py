"""Configurations by name, and what a model is unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stroma.errors import ParameterError, UnknownNameError
from stroma.features.build import (
    COMBINATIONS,
    default_layers,
    default_scalings,
    known_names,
    part_names,
)
from stroma.pixel.param import Param
from stroma.registry import suggestion

VGG_LAYERS = (
    "features.0 Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
    "features.2 Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
    "features.5 Conv2d(64, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
    "features.7 Conv2d(128, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
    "features.10 Conv2d(128, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
)

ALIASES: dict[str, dict[str, Any]] = {
    "stroma": {"fe_name": "texture_2d+color_2d", "clf": "ensemble", "edge_smoothing": 8},
    "stroma-lite": {
        "fe_name": "texture_2d+color_2d+efficientnet_lite0+strokenet",
        "fe_layers": [None, None, ["stage1", "stage2", "stage3", "stage5"], None],
        "fe_order": 1,
        "clf": "families",
        "edge_smoothing": 8,
    },
    "stroma-3d": {"fe_name": "texture_3d", "clf": "ensemble", "edge_smoothing": 2},
    "vgg": {"fe_name": "vgg16", "fe_layers": list(VGG_LAYERS[:1]), "fe_scalings": [1, 2, 4]},
    "vgg-m": {"fe_name": "vgg16", "fe_layers": list(VGG_LAYERS[:3]), "fe_scalings": [1, 2, 4]},
    "vgg-l": {"fe_name": "vgg16", "fe_layers": list(VGG_LAYERS), "fe_scalings": [1, 2, 4, 8]},
    "dino": {"fe_name": "dinov2_vits14_reg"},
    "dinov2": {"fe_name": "dinov2_vits14_reg"},
    "dinov3": {"fe_name": "dinov3_vits16plus"},
    "dino-jafar": {"fe_name": "jafar:dinov2_vits14_reg"},
    "dinov2-jafar": {"fe_name": "jafar:dinov2_vits14_reg"},
    "dinov3-jafar": {"fe_name": "jafar:dinov3_vits16plus"},
    "hr-dino": {"fe_name": "both:dinov2_vits14_reg"},
    "hr-dino-hybrid": {
        "fe_name": "weka_2d+both:dinov2_vits14_reg",
        "fe_order": 1,
        "clf": "logistic",
    },
    "gaussian": {"fe_name": "gaussian_features"},
    "ilastik": {"fe_name": "ilastik_2d"},
    "cellpose": {"fe_name": "cellpose_backbone"},
    "lite": {"fe_name": "efficientnet_lite0", "unpatch_guided": True},
}


def base_defaults() -> Param:
    """Return the parameters that hold whatever the extractor is."""
    return Param(
        channel_mode="single",
        normalize=2,
        norm_from="image",
        image_downsample=1,
        seg_smoothening=1,
        edge_smoothing=0,
        crf=0.0,
        tile_annotations=True,
        tile_image=False,
        use_dask=False,
        unpatch_order=1,
        unpatch_guided=False,
        fe_order=0,
        fe_use_min_features=False,
        fe_use_gpu=False,
        clf="catboost",
        clf_iterations=100,
        clf_learning_rate=0.1,
        clf_depth=5,
        clf_max_pixels=50_000,
    )


def default_param() -> Param:
    """Return the parameters of the default model: the first layer of VGG16 on three scales."""
    return Param(**ALIASES["vgg"]).filled(base_defaults())


def extractor_defaults(name: str) -> Param:
    """Return the parameters a model has by default when built on an extractor."""
    parts = part_names(name)
    param = base_defaults()
    param.fe_name = name
    if len(parts) == 1:
        param.fe_layers, param.fe_scalings = default_layers(parts[0]), default_scalings(parts[0])
    else:
        param.fe_scalings = [default_scalings(part) for part in parts]
    return param


def alias_param(alias: str) -> Param:
    """Return the parameters of a named configuration.

    Raises
    ------
    UnknownNameError
        If there is no such alias.
    """
    if not isinstance(alias, str) or alias not in ALIASES:
        raise UnknownNameError(
            f"Alias {alias!r} not found in the standard models. {_instead_of(alias)}"
        )
    given = Param(**ALIASES[alias])
    return given.filled(extractor_defaults(str(given.fe_name)))


def _instead_of(alias: Any) -> str:
    """Return what was probably meant by something that is not an alias."""
    if isinstance(alias, Param):
        return "Pass parameters as param=..."
    if str(alias).endswith((".pkl", ".yml")):
        return f"Pass the path of a saved model as model_path={str(alias)!r}."
    if alias in known_names():
        return f"It is a feature extractor: pass it as fe_name={alias!r}."
    return suggestion(str(alias), list(ALIASES))


def require_param(param: Any) -> Param:
    """Return parameters, checked to be a `Param`.

    Raises
    ------
    ParameterError
        If they are something else.
    """
    if not isinstance(param, Param):
        raise ParameterError(
            f"Parameters are given as a Param, got {type(param).__name__}. "
            f"Write Param(normalize=2, ...), or give them by name."
        )
    return param


def translated(param: Param) -> Param:
    """Return parameters of Convpaint in our terms.

    Its combinations take no scalings or layers but those of their parts, whatever is written.
    """
    if param.fe_name not in COMBINATIONS:
        return param
    made = param.copy()
    for key in ("fe_scalings", "fe_layers"):
        value = made.get(key)
        if value and not all(v is None or isinstance(v, list) for v in value):
            made.set_single(key, None)
    return made


def defaults_for(param: Param) -> Param:
    """Return what fills the gaps in parameters."""
    return default_param() if param.fe_name is None else extractor_defaults(param.fe_name)


def initial_param(param: Param | None, fe_name: str | None, given: Mapping[str, Any]) -> Param:
    """Return the parameters of a new model, from a `Param` or the name of an extractor."""
    if param is None and fe_name is None:
        return default_param()
    if param is not None:
        made = translated(require_param(param))
        made = made.filled(defaults_for(made))
    else:
        made = extractor_defaults(str(fe_name))
        made.set(**{key: value for key, value in given.items() if value is not None})
    made.classifier = None
    return made
