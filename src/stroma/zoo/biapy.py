"""Configurations of BiaPy, as recipes for ``stroma learn``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stroma.errors import FormatError, short
from stroma.zoo.taken import text_of

ENDINGS = (".yml", ".yaml")
MARKS = ("PROBLEM", "DATA")
"""Sections that every configuration of BiaPy has."""

TARGETS = {
    "SEMANTIC_SEG": "semantic",
    "DETECTION": "spots",
    "DENOISING": "denoise",
    "IMAGE_TO_IMAGE": "restore",
    "CLASSIFICATION": "classify",
}
"""What a problem is to us; instances are told by their channels, others have no counterpart."""

CHANNELS = (
    *(("A", "affinities"), ("R", "rays"), ("D", "distances"), ("F", "boundary")),
    *(("C", "boundary"), ("B", "boundary"), ("P", "centres")),
)
"""What channels of instances are to us, the first that is there."""

NETWORKS = {
    "unet": "unet",
    "attention_unet": "unet",
    "resunet": "resenc",
    "resunet++": "resenc",
    "resunet_se": "resenc",
    "seunet": "unet",
}
OPTIMISERS = {"ADAMW": "adamw", "ADAM": "adamw", "SGD": "sgd"}


@dataclass(frozen=True)
class TakenRecipe:
    """A recipe, made of a configuration.

    Parameters
    ----------
    values : mapping of str to object
        What `stroma.workflow.learning.recipe.recipe_of` takes.
    took, left : sequence of str
        What was taken over, and what could not be.
    """

    values: Mapping[str, Any]
    took: tuple[str, ...]
    left: tuple[str, ...]


def is_biapy(path: Path) -> bool:
    """Tell whether a file is a configuration of BiaPy."""
    if path.suffix.lower() not in ENDINGS or not path.is_file():
        return False
    try:
        said = _said(path)
    except FormatError:
        return False
    return all(isinstance(said.get(mark), Mapping) for mark in MARKS)


def take(path: Path) -> TakenRecipe:
    """Return the recipe that a configuration stands for.

    Raises
    ------
    FormatError
        If it is none, or of a problem that is not solved here.
    """
    flat = dict(_flat(_said(path)))
    values: dict[str, Any] = {"target": _target(flat, path)}
    took, used = [f"{flat['PROBLEM.TYPE']}: target {values['target']}"], {"PROBLEM.TYPE"}
    left: list[str] = []
    for key, (name, convert) in RULES.items():
        if key not in flat:
            continue
        used.add(key)
        found = convert(flat[key])
        if found is None:
            left.append(f"{key} {short(flat[key], 40)}: nothing here is the same")
        else:
            values[name] = found
            took.append(f"{key}: {name} {short(found, 40)}")
    used |= {"PROBLEM.INSTANCE_SEG.DATA_CHANNELS"}
    left += [f"{key} {short(flat[key], 40)}{WHY.get(key, '')}" for key in flat if key not in used]
    if values.get("target") == "denoise":
        values.pop("labels", None)
    return TakenRecipe(values, tuple(took), tuple(left))


class _Loader(yaml.SafeLoader):
    """Reads YAML in which nothing refers to another part, which is how few bytes unfold to many."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read on, unless what comes refers to another part."""
        if self.check_event(yaml.AliasEvent):
            where = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="a part refers to another", problem_mark=where)
        return super().compose_node(parent, index)


def _said(path: Path) -> Mapping[str, Any]:
    try:
        said = yaml.load(text_of(path), _Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FormatError(f"{path} is no YAML: {short(error)}.") from error
    if not isinstance(said, Mapping):
        raise FormatError(f"{path} is not a configuration of BiaPy.")
    return said


def _flat(said: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield values by their whole names, with points between the sections."""
    for key, value in said.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _target(flat: Mapping[str, Any], path: Path) -> str:
    problem = str(flat.get("PROBLEM.TYPE"))
    if problem == "INSTANCE_SEG":
        channels = flat.get("PROBLEM.INSTANCE_SEG.DATA_CHANNELS", "BC")
        letters = "".join(map(str, channels)) if isinstance(channels, list) else str(channels)
        found = next((target for letter, target in CHANNELS if letter in letters), None)
        if found:
            return found
        raise FormatError(f"{path} has channels of instances {short(channels)}, not known here.")
    if problem not in TARGETS:
        raise FormatError(
            f"{path} is of the problem {short(problem)}, which is not solved here. Solved are "
            f"{', '.join([*TARGETS, 'INSTANCE_SEG'])}."
        )
    return TARGETS[problem]


def _patch(value: Any) -> list[int] | None:
    """Return the sides of patches, without the channels that follow them."""
    sides = value
    if isinstance(value, str):
        try:
            sides = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return None
    if not isinstance(sides, list | tuple) or not all(isinstance(n, int) for n in sides):
        return None
    return [int(n) for n in sides[:-1]] if len(sides) in (3, 4) else None


def _number(least: float, most: float) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return value if fits and least <= value <= most else None

    return convert


def _one_of(table: Mapping[str, Any]) -> Callable[[Any], Any]:
    return lambda value: table.get(str(value))


def _path(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


RULES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "PROBLEM.NDIM": ("ndim", _one_of({"2D": 2, "3D": 3})),
    "DATA.TRAIN.PATH": ("images", _path),
    "DATA.TRAIN.GT_PATH": ("labels", _path),
    "DATA.PATCH_SIZE": ("patch", _patch),
    "DATA.VAL.SPLIT_TRAIN": ("validation", _number(0.01, 0.9)),
    "DATA.VAL.CROSS_VAL_NFOLD": ("folds", _number(2, 20)),
    "MODEL.ARCHITECTURE": ("network", _one_of(NETWORKS)),
    "TRAIN.BATCH_SIZE": ("batch", _number(1, 4096)),
    "TRAIN.LR": ("rate", _number(1e-9, 1)),
    "TRAIN.OPTIMIZER": ("optimiser", _one_of(OPTIMISERS)),
    "AUGMENTOR.ENABLE": ("augment", _one_of({"True": True, "False": False})),
    "SYSTEM.SEED": ("seed", _number(0, 2**31)),
}
"""Key of BiaPy -> key of a recipe, and what returns its value; None where none is the same."""

WHY = {
    "TRAIN.EPOCHS": ": a training here has a time; give minutes",
    "TRAIN.PATIENCE": ": a training here has a time; give minutes",
    "DATA.VAL.PATH": ": what is kept from training is a share of all; add it to the images",
    "DATA.TEST.PATH": ": stroma segment takes these images",
    "DATA.TEST.GT_PATH": ": stroma evaluate takes these labels",
    "DATA.NORMALIZATION.TYPE": ": intensities are scaled as nnU-Net does; see `stroma recipe`",
}
