"""A session as code: what repeats it without the session."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from stroma.pixel.choices.aliases import alias_param
from stroma.pixel.param import Param

BASE = "stroma"


@dataclass(frozen=True)
class Lesson:
    """One image with its strokes, as files.

    Parameters
    ----------
    image, strokes : str
        Paths.
    axes : str or None
        Axes of the image, where the file does not name them.
    series : int
        Which image of the file.
    spacing : dict of str to float
        Size of a pixel in µm, where the file does not say it; empty where it does.
    """

    image: str
    strokes: str
    axes: str | None = None
    series: int = 0
    spacing: dict[str, float] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether the path alone says which image it is."""
        return self.axes is None and self.series == 0 and not self.spacing


def differing(param: Param) -> dict[str, Any]:
    """Return the parameters that differ from those of the alias "stroma"."""
    base = alias_param(BASE)
    return {
        key: value
        for key, value in param.items()
        if key != "classifier" and value is not None and value != base.get(key)
    }


def as_code(lessons: Iterable[Lesson], param: Param, channels: tuple[int, ...] | None) -> str:
    """Return a Python program that trains on files and segments their images."""
    given = list(lessons)
    changes = "".join(f", {key}={value!r}" for key, value in differing(param).items())
    selected = "" if channels is None else f", in_channels={list(channels)}"
    lines = [
        *_images(given),
        "strokes = [",
        *(f"    {lesson.strokes!r}," for lesson in given),
        "]",
        f"model = ConvpaintModel({BASE!r})",
        *([f"model.set_params({changes[2:]})"] if changes else []),
        f"model.train(images, strokes{selected})",
        "labels = model.segment(images)",
        'model.save("model.pkl")',
    ]
    return "\n".join(lines) + "\n"


def as_code_with(model: str, lessons: Iterable[Lesson]) -> str:
    """Return a Python program that segments images with a saved model."""
    lines = [
        *_images(list(lessons), "import stroma"),
        f"model = stroma.load({model!r})",
        "labels = model.segment(images)",
    ]
    return "\n".join(lines) + "\n"


def _images(
    lessons: Sequence[Lesson], first: str = "from stroma import ConvpaintModel"
) -> list[str]:
    """Return the first lines of a program: what it imports, and the images."""
    imports = ["from dataclasses import replace"] if any(one.spacing for one in lessons) else []
    imports += ["", first] if imports else [first]
    if not all(lesson.is_plain for lesson in lessons):
        imports.append("from stroma.io import read_image")
    return [*imports, "", "images = [", *(f"    {_image(lesson)}," for lesson in lessons), "]"]


def _image(lesson: Lesson) -> str:
    if lesson.is_plain:
        return repr(lesson.image)
    read = f"read_image({lesson.image!r}, axes={lesson.axes!r}, series={lesson.series})"
    if not lesson.spacing:
        return read
    return f"replace({read}, spacing={lesson.spacing!r}, unit='µm')"


def as_command(lessons: Iterable[Lesson], param: Param) -> str:
    """Return the commands that train on files and segment their images."""
    given = list(lessons)
    options = [f"--set {shlex.quote(f'{k}={_yaml(v)}')}" for k, v in differing(param).items()]
    pairs = [f"{shlex.quote(one.image)} {shlex.quote(one.strokes)}" for one in given]
    train = " ".join(["stroma train", *pairs, "--model model.pkl", *options, *_axes(given)])
    return f"{train}\n{as_command_with('model.pkl', given)}"


def as_command_with(model: str, lessons: Iterable[Lesson]) -> str:
    """Return the command that segments images with a saved model."""
    given = list(lessons)
    names = [shlex.quote(lesson.image) for lesson in given]
    parts = ["stroma segment", shlex.quote(model), *names, "--out results", *_axes(given)]
    return " ".join(parts) + "\n"


def _axes(lessons: Sequence[Lesson]) -> list[str]:
    axes = {lesson.axes for lesson in lessons} - {None}
    return [f"--axes {shlex.quote(str(a))}" for a in axes]


def _yaml(value: Any) -> str:
    """Return a value as YAML on one line."""
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**6)
    return text.removesuffix("...\n").strip()


def strokes_name(key: str, name: str) -> str:
    """Return a file name for the strokes of an image, safe on every system."""
    return f"{key}_{safe_stem(name)}_strokes.tif"


def safe_stem(name: str) -> str:
    """Return the name of an image without its format, as a file may be named on every system."""
    stem = PurePosixPath(name).name.split(".")[0]
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in stem)[:80] or "image"
