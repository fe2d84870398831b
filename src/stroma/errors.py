"""What can go wrong, as one small tree; every error is also a built-in one.

A message says what is wrong, what was given, what is allowed and what to do next.
"""

import re

AXES = {"t": "times", "z": "planes", "c": "channels"}

SIZES = re.compile(r"\{'[tczyx]': \d+(?:, '[tczyx]': \d+)*\}")
"""Sizes of an image along its axes, as Python prints them."""

SHAPES = re.compile(r"\((\d+(?:, ?\d+)+)\)")
"""Sides of an array."""


class StromaError(Exception):
    """Base of every error that Stroma raises on purpose.

    Parameters
    ----------
    *args
        The message, for people who call Stroma from Python; it may name parameters.
    told : str, optional
        The same for people who paint: what front ends show instead (see `for_people`). Left out
        where the message is fit for both.
    """

    def __init__(self, *args: object, told: str = "") -> None:
        super().__init__(*args)
        self.told = told

    def __str__(self) -> str:
        """Return the message as written (``KeyError`` would quote it)."""
        return " ".join(str(arg) for arg in self.args)


class ParameterError(StromaError, ValueError):
    """A parameter has a value, or a combination of values, that is not allowed."""


class UnknownNameError(ParameterError, KeyError):
    """A name (parameter, extractor, class, alias, format) is not known."""


class ShapeError(StromaError, ValueError):
    """An array has the wrong number of dimensions, shape or channels."""


class ImageError(StromaError, ValueError):
    """The pixel values of an image cannot be used (NaN, infinite, complex)."""


class LabelError(StromaError, ValueError):
    """Strokes are missing, of one class only, or not integers from 0 to 65535."""


class FitError(StromaError, ValueError):
    """A classifier could not be fitted to the given strokes."""


class NotTrainedError(StromaError, ValueError):
    """A result was asked of a model that has no classifier yet."""


class FileError(StromaError, OSError):
    """A file cannot be read or written; the message names it."""


class MissingFileError(FileError, FileNotFoundError):
    """A file that was named does not exist."""


class FormatError(FileError, ValueError):
    """A file is damaged, not what its name says, or not safe to load."""


class ConsentError(StromaError, PermissionError):
    """A file holds a program that is not run unless the user says so; the message names it."""


class WeightsError(FileError):
    """Pretrained weights are neither here nor to be had."""


DISTRIBUTION = "stroma-seg"
"""Name on the package index, which is not that of the module: another project has that one."""


def install(extra: str = "") -> str:
    """Return the command that installs Stroma, or one of its extras."""
    return f"pip install '{DISTRIBUTION}[{extra}]'" if extra else f"pip install {DISTRIBUTION}"


class MissingExtraError(StromaError, ImportError):
    """An optional dependency is not installed."""


class WorkerError(StromaError, RuntimeError):
    """Distributed workers are missing or died."""


class DeviceError(StromaError, RuntimeError):
    """A graphics processor has too little memory left."""


class ContractError(StromaError, AssertionError):
    """A part does not do what its contract promises."""


class Cancelled(StromaError):
    """The work was cancelled by who asked for it."""


def short(value: object, most: int = 80) -> str:
    """Return what a file says as one line of limited length, to be repeated in a message.

    Parameters
    ----------
    value : object
        Text, or anything with one.
    most : int
        Characters that are kept.
    """
    text = " ".join(str(value)[: 8 * most].split())
    text = "".join(c if c.isprintable() else "�" for c in text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def for_people(error: BaseException) -> str:
    """Return what a front end shows of an error: words of the page, not of Python."""
    return with_sizes(getattr(error, "told", "") or str(error))


def with_sizes(text: str) -> str:
    """Return a message in which the sizes of images are written as people write them."""
    text = SIZES.sub(_sizes, text)
    return SHAPES.sub(lambda found: found[1].replace(", ", " x ").replace(",", " x "), text)


def _sizes(found: re.Match[str]) -> str:
    """Write {'z': 3, 'y': 256, 'x': 200} as "3 planes of 256 x 200"."""
    sizes = dict(re.findall(r"'(\w)': (\d+)", found[0]))
    plane = " x ".join(sizes[axis] for axis in "yx" if axis in sizes)
    outer = ", ".join(f"{sizes[axis]} {word}" for axis, word in AXES.items() if axis in sizes)
    return f"{outer} of {plane}" if outer and plane else outer or plane
