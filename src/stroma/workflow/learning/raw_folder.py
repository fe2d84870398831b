"""Raw datasets of nnU-Net, read as they are: a folder with ``dataset.json``.

Images are ``imagesTr/CASE_0000.tif``, with one file per channel, labels ``labelsTr/CASE.tif``; the
JSON names channels and labels. Both layouts of it are read, that of version 2 ("channel_names",
labels by name) and of version 1 ("modality", names by label).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import AXES, Image
from stroma.errors import FormatError, MissingFileError, ParameterError, ShapeError
from stroma.io import read_image
from stroma.weights.settings import json_of
from stroma.workflow.applying.find import natural

CONTENTS = "dataset.json"
CHANNEL = re.compile(r"_(\d{4})$")
IGNORE = "ignore"
UNIT = "mm"
"""Of spacing, where a file does not say."""


@dataclass(frozen=True, eq=False)
class RawFolder:
    """What a raw dataset holds.

    Parameters
    ----------
    images : list of Image
        With their channels, by name.
    labels : list of Path
        One for each.
    ignore : tuple of int
        Labels of pixels that nobody knows.
    classes : tuple of Class
        Names of labels.
    """

    images: list[Image]
    labels: list[Path]
    ignore: tuple[int, ...]
    classes: tuple[Class, ...]


def is_raw_folder(path: Any) -> bool:
    """Tell whether something is the folder of a raw dataset."""
    return isinstance(path, str | Path) and (Path(path) / CONTENTS).is_file()


def read_raw_folder(path: str | Path) -> RawFolder:
    """Return what a raw dataset holds for training; reads no pixels of lazy formats.

    Raises
    ------
    FormatError
        If its JSON is damaged, or a file of a case is of a format that no reader knows.
    MissingFileError
        Naming what is missing.
    ParameterError
        If its labels are regions, which overlap.
    """
    folder = Path(path)
    said = json_of(folder / CONTENTS)
    names = _by_number(said.get("channel_names", said.get("modality")), folder)
    labels = _labels(said.get("labels"), folder)
    ending = str(said.get("file_ending", ".nii.gz"))
    cases = _cases(folder / "imagesTr", ending)
    images = [_image(case, files, names) for case, files in cases.items()]
    return RawFolder(
        images,
        [_label_file(folder / "labelsTr", case, ending) for case in cases],
        tuple(value for name, value in labels.items() if name == IGNORE),
        tuple(Class(v, n) for n, v in labels.items() if v and n != IGNORE),
    )


def _by_number(said: Any, folder: Path) -> list[str]:
    """Return names of channels, which are given by number."""
    if not isinstance(said, dict) or sorted(said) != sorted(map(str, range(len(said)))):
        raise FormatError(
            f"{folder / CONTENTS} names no channels: channel_names is like "
            '{"0": "fluorescence"}, numbered from 0.'
        )
    return [str(said[str(n)]) for n in range(len(said))]


def _labels(said: Any, folder: Path) -> dict[str, int]:
    """Return labels by name."""
    if not isinstance(said, dict) or not said:
        raise FormatError(
            f'{folder / CONTENTS} names no labels: labels is like {{"background": 0, "cell": 1}}.'
        )
    if all(str(key).isdecimal() for key in said):
        return {str(name): int(value) for value, name in said.items()}
    regions = [name for name, value in said.items() if isinstance(value, list | tuple)]
    if regions:
        raise ParameterError(
            f"{folder} has labels that are regions of several values ({', '.join(regions)}), which "
            "overlap; classes do not. Give every value a name of its own in dataset.json."
        )
    return {str(name): int(value) for name, value in said.items()}


def _cases(folder: Path, ending: str) -> dict[str, list[Path]]:
    """Return the files of every case, by channel."""
    if not folder.is_dir():
        raise MissingFileError(f"There is no folder {folder}; nnU-Net's images lie in imagesTr.")
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir(), key=natural):
        stem = file.name.removesuffix(ending)
        if file.name.endswith(ending) and (number := CHANNEL.search(stem)):
            found.setdefault(stem[: number.start()], []).append(file)
    if not found:
        raise MissingFileError(
            f"There are no images in {folder} that end in _0000{ending}, as {CONTENTS} says."
        )
    return found


def _label_file(folder: Path, case: str, ending: str) -> Path:
    file = folder / f"{case}{ending}"
    if not file.exists():
        raise MissingFileError(f"There are no labels {file}. Every case of imagesTr needs some.")
    return file


def _image(case: str, files: Sequence[Path], names: Sequence[str]) -> Image:
    """Return the image of a case: its channels on one another."""
    parts = [_alone(read_image(file)) for file in files]
    first = parts[0]
    spacing = _spacing(files[0].with_name(f"{case}.json"), first)
    unit = first.unit or UNIT
    if len(parts) == 1 and first.sizes.get("c", 1) == len(names):
        named = tuple(names) if "c" in first.axes else ()
        return replace(first, channels=named, spacing=spacing, unit=unit)
    if len(parts) != len(names):
        raise MissingFileError(
            f"{case} has {len(parts)} files and there are {len(names)} channels "
            f"({', '.join(names)}); they are {files[0].parent / case}_0000 and so on."
        )
    if any(part.shape != first.shape or "c" in part.axes for part in parts):
        shapes = ", ".join(str(part.shape) for part in parts)
        raise ShapeError(f"The channels of {case} are not of one size, or colours: {shapes}.")
    at = sum(a in first.axes for a in AXES[: AXES.index("c")])
    axes = f"{first.axes[:at]}c{first.axes[at:]}"
    array = _Channels(tuple(parts), at)
    return Image(array, axes, spacing, unit, tuple(names), source=str(files[0]))


def _alone(image: Image) -> Image:
    return image.at(c=0) if image.sizes.get("c") == 1 else image


def _spacing(file: Path, image: Image) -> Mapping[str, float]:
    """Return the spacing in the JSON beside a TIFF, z first; that of the image without."""
    if not file.is_file():
        return image.spacing
    values = json_of(file).get("spacing")
    axes = [a for a in "zyx" if a in image.sizes]
    if not isinstance(values, list) or len(values) < len(axes):
        raise FormatError(f"{file} has no spacing for {', '.join(axes)}.")
    return {a: float(v) for a, v in zip(axes, values[-len(axes) :], strict=True)}


@dataclass(frozen=True, eq=False)
class _Channels:
    """Images of one channel each, as one array."""

    parts: tuple[Image, ...]
    at: int

    @property
    def shape(self) -> tuple[int, ...]:
        sides = self.parts[0].shape
        return (*sides[: self.at], len(self.parts), *sides[self.at :])

    @property
    def dtype(self) -> Any:
        return np.result_type(*(part.dtype for part in self.parts))

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        keys = [*key, *(slice(None),) * (len(self.shape) - len(key))]
        channel = keys.pop(self.at)
        axes = self.parts[0].kept_axes
        index = dict(zip(axes, keys, strict=True))
        if isinstance(channel, int):
            return np.asarray(self.parts[channel].at(**index).read())
        chosen = [part.at(**index).read() for part in self.parts[channel]]
        axis = sum(not isinstance(k, int) for k in keys[: self.at])
        return np.stack(chosen, axis).astype(self.dtype, copy=False)
