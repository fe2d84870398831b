"""A training written down: a YAML file with everything that the command line takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, get_type_hints

import yaml

from stroma.errors import (
    FormatError,
    MissingExtraError,
    MissingFileError,
    install,
    short,
)
from stroma.networks import NETWORKS
from stroma.registry import suggestion
from stroma.targets import TARGETS
from stroma.training import OBJECTIVES
from stroma.training.files.names import require_network_name
from stroma.training.planning.options import CHOICES, Options, described
from stroma.workflow.learning.teach import CONFIDENCE

if TYPE_CHECKING:
    from pydantic import ValidationError

WIDTH = 98
PATHS = ("images", "labels", "objects", "teacher", "base", "regions", "model", "folder")


@dataclass(frozen=True)
class Recipe(Options):
    """What is learned from what, how, and where the network goes.

    Parameters
    ----------
    images : str or list of str
        Folder of images, one image, or a list of images. Paths are seen from where this file lies.
    labels : str or list of str, optional
        Folder of their labels, which pair by name (cells.tif with cells.png or cells_labels.tif),
        or a list in the order of the images. Points as CSV files; for denoise, none. For classify a
        table with the columns file and class; none where images has a folder for every class. For
        classes of objects tables with the columns label and class, or marks of QuPath or ImageJ.
    objects : str or list of str, optional
        Folder of label images with the objects of every image, for classify: learn a class for each
        object, not for the image.
    teacher : str, optional
        A model of strokes (.pkl): what it says of pixels is learned, as far as it is certain.
        Labels are then strokes of the images, which count more, or left out.
    confidence : float
        Probability from which on what the teacher says of a pixel is learned.
    base : str, optional
        A trained network (.safetensors) that the training begins with: target, network and patches
        are as of it.
    model : str
        The file that is written, ending in .safetensors.
    regions : str, optional
        Folder of masks, not 0 where an image is annotated; everything else is ignored.
    classes : mapping of int to str
        Names of labels, such as {1: nucleus}.
    folder : str, optional
        For history, curves and pictures, and for going on after an interruption; the model's name
        with _training, unless given.
    """

    images: str | list[str] = "images"
    labels: str | list[str] | None = None
    objects: str | list[str] | None = None
    teacher: str | None = None
    confidence: float = CONFIDENCE
    base: str | None = None
    model: str = "network.safetensors"
    regions: str | None = None
    classes: Mapping[int, str] = field(default_factory=dict)
    folder: str | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        super().__post_init__()
        require_network_name(self.model)

    @property
    def options(self) -> dict[str, Any]:
        """What goes to the learner: everything but files and names."""
        return {f.name: getattr(self, f.name) for f in fields(Options)}

    @property
    def progress_folder(self) -> Path:
        """Where history, curves and pictures go."""
        model = Path(self.model)
        return Path(self.folder) if self.folder else model.with_name(f"{model.stem}_training")


def recipe_of(values: Mapping[str, Any], *, source: str = "The recipe") -> Recipe:
    """Return a recipe of values by name, checked.

    Raises
    ------
    FormatError
        Naming every key that is not known, and every value that cannot be meant.
    ParameterError
        If a value is of the right kind, but not allowed.
    MissingExtraError
        If what checks it is not installed.
    """
    try:
        from pydantic import ConfigDict, ValidationError, create_model
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"Recipes need {error.name}. Install it with: {install('train')}"
        ) from error
    _require_known(values, source)
    hints, blank = get_type_hints(Recipe), asdict(Recipe())
    shape: dict[str, Any] = {n: (hints[n], blank[n]) for n in blank}
    form = create_model("Recipe", __config__=ConfigDict(strict=True, extra="forbid"), **shape)
    try:
        form.model_validate(dict(values))
    except ValidationError as error:
        raise FormatError(_said(error, source)) from error
    return Recipe(**values)


def read_recipe(path: str | Path) -> dict[str, Any]:
    """Return the values of a recipe file, with paths as seen from here.

    Raises
    ------
    MissingFileError, FormatError
        Naming the file.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingFileError(
            f"There is no recipe {str(file)!r}. `stroma recipe {file.name}` writes one."
        )
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FormatError(f"{file} is no YAML: {short(error, 300)}.") from error
    if not isinstance(values, dict):
        raise FormatError(f"{file} holds no keys with values. `stroma recipe` writes an example.")
    recipe_of(values, source=str(file))
    return {k: _from(file.parent, v) if k in PATHS else v for k, v in values.items()}


def written_recipe(values: Mapping[str, Any] | None = None) -> str:
    """Return the text of a recipe in which every key is explained.

    Parameters
    ----------
    values : mapping, optional
        What is not as it is by default.
    """
    chosen = asdict(Recipe(**{"labels": "labels", **(values or {})}))
    said = {**described(Options), **described(Recipe)}
    own = [f.name for f in fields(Recipe) if f.name not in {g.name for g in fields(Options)}]
    parts = ["# What `stroma learn --recipe` does. Keys that are left out are as they are here."]
    for name in [*own, *(f.name for f in fields(Options))]:
        text = fill(said[name] + _one_of(name), WIDTH, initial_indent="# ", subsequent_indent="# ")
        value = chosen[name] if not isinstance(chosen[name], tuple) else list(chosen[name])
        flow = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
        parts.append(f"{text}\n{name}: " + flow.removesuffix("...\n").strip())
    return "\n\n".join(parts) + "\n"


def _one_of(name: str) -> str:
    """Return the values of an option that has few, as the end of an explanation."""
    tables = {"target": TARGETS, "network": NETWORKS, "objective": OBJECTIVES}
    known = list(tables[name]) if name in tables else list(CHOICES.get(name, ()))
    return f" One of {', '.join(known)}." if known else ""


def _from(folder: Path, value: Any) -> Any:
    """Return a path in a recipe as seen from here."""
    if isinstance(value, list):
        return [_from(folder, one) for one in value]
    return value if value is None else str(folder / value)


def _require_known(values: Mapping[Any, Any], source: str) -> None:
    known = [f.name for f in fields(Recipe)]
    unknown = [key for key in values if key not in known]
    if unknown:
        said = " ".join(f"There is no {short(k)!r}. {suggestion(k, known)}" for k in unknown)
        raise FormatError(f"{source}: {said}")


def _said(error: ValidationError, source: str) -> str:
    """Return one sentence for every value that cannot be meant."""
    said: dict[str, str] = {}
    for each in error.errors():
        name = str(each["loc"][0])
        said.setdefault(name, f"{name} cannot be {short(repr(each['input']))} ({each['msg']}).")
    return f"{source}: {' '.join(said.values())}"
