"""Recipes: a command of the program with all that it is given, as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any, get_type_hints

import typer
import yaml

from stroma.errors import FormatError, MissingFileError, short
from stroma.io.address import address_of
from stroma.registry import suggestion
from stroma.zoo.packages.package import id_in

COMMAND = "command"
"""The key that names the command."""

NETWORKS = "see-with"
"""The key with networks that are feature extractors, as `stroma --network` makes them."""

WIDTH = 98
LEFT_OUT = ("help", "trust")
"""What is in no recipe; consent to programs is who runs it's to give, not who wrote it's."""

ALONE = ("run", "recipe")
"""Commands that are about recipes themselves."""


@dataclass(frozen=True)
class Given:
    """Something that a command takes.

    Parameters
    ----------
    key : str
        What a recipe calls it: the option without its dashes, or the name of the argument.
    part : object
        What the command line knows of it.
    is_path : bool
        Whether it names files.
    """

    key: str
    part: Any
    is_path: bool

    @property
    def is_argument(self) -> bool:
        """Whether it is given by its place, not by a name."""
        return not any(name.startswith("-") for name in self.part.opts)

    @property
    def is_flag(self) -> bool:
        """Whether it is on or off."""
        return bool(getattr(self.part, "is_flag", False))

    @property
    def is_list(self) -> bool:
        """Whether there may be several."""
        return bool(getattr(self.part, "multiple", False)) or self.part.nargs == -1


def given_to(name: str) -> list[Given]:
    """Return everything that a command takes.

    Raises
    ------
    FormatError
        If there is no such command, or it has no recipes.
    """
    from stroma.cli import COMMANDS
    from stroma.cli.app import build

    commands: Mapping[str, Any] = typer.main.get_command(build()).commands  # type: ignore[attr-defined]
    known = [one for one in commands if one not in ALONE]
    if name not in known:
        raise FormatError(f"There is no recipe of {short(name)!r}. {suggestion(name, known)}")
    parts = [p for p in commands[name].params if p.name not in LEFT_OUT]
    kinds = get_type_hints(COMMANDS[name])
    return [Given(_key(part), part, "Path" in repr(kinds[part.name])) for part in parts]


def runs_programs(name: str) -> bool:
    """Tell whether a command takes programs to trust."""
    from stroma.cli import COMMANDS

    return "trust" in get_type_hints(COMMANDS[name])


def written(name: str) -> str:
    """Return a recipe of a command in which every key is explained, and as it is by itself."""
    from stroma.cli import COMMANDS

    summary = str(COMMANDS[name].__doc__).splitlines()[0]
    head = fill(
        f"stroma run does what this file says: {summary} Paths are seen from where it lies.",
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
    )
    parts = [head, f"{COMMAND}: {name}", *map(_explained, given_to(name)), SEEING]
    return "\n\n".join(parts) + "\n"


SEEING = f"""# Trained networks as feature extractors, by the names that `fe_name` has:
# {{nuclei: package.zip}}; with :inner after the name, by what their last convolution works with.
{NETWORKS}: {{}}"""


def networks_of(path: Path) -> list[str]:
    """Return what stands before the command for the networks that a recipe sees with.

    Raises
    ------
    FormatError
        If they are not files by name.
    """
    named = _read(path).get(NETWORKS) or {}
    if not isinstance(named, Mapping):
        raise FormatError(f"{path}: {NETWORKS} is files by name, got {short(named)}.")
    for name, file in named.items():
        if not isinstance(file, str) or not file:
            raise FormatError(
                f"{path}: {short(name)} under {NETWORKS} is a file or an id, got {_shown(file)}."
            )
    return [f"--network={name}={_from(path.parent, file)}" for name, file in named.items()]


def argv_of(path: Path) -> list[str]:
    """Return the command line that a recipe stands for; see also `networks_of`.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is no recipe, or has a key that its command does not know.
    """
    values = dict(_read(path))
    name = str(values.pop(COMMAND, ""))
    values.pop(NETWORKS, None)
    if not name:
        raise FormatError(f"{path} names no {COMMAND}. Write one: stroma recipe FILE --of segment")
    known = {one.key: one for one in given_to(name)}
    unknown = [str(key) for key in values if key not in known]
    if unknown:
        said = " ".join(f"There is no {short(k)!r}. {suggestion(k, list(known))}" for k in unknown)
        raise FormatError(f"{path}: {said}")
    told = {
        key: list(_told(known[key], _placed(path, value, known[key]), path))
        for key, value in values.items()
        if value is not None and value != []
    }
    options = [text for key, texts in told.items() if not known[key].is_argument for text in texts]
    # Arguments come in the order of the command, whatever that of the file.
    arguments = [
        text for key, one in known.items() if one.is_argument for text in told.get(key, ())
    ]
    return [name, *options, "--", *arguments] if arguments else [name, *options]


def _placed(path: Path, value: Any, given: Given) -> Any:
    if not given.is_path:
        return value
    for one in value if isinstance(value, list) else [value]:
        if one is None or isinstance(one, bool | list | Mapping):
            raise FormatError(f"{path}: {given.key} is a file or folder, got {_shown(one)}.")
    return _from(path.parent, value)


def _shown(value: Any) -> str:
    return "nothing" if value is None or value == "" else short(value)


def _key(part: Any) -> str:
    long = [name for name in part.opts if name.startswith("--")]
    return long[0].removeprefix("--") if long else str(part.name)


def _explained(given: Given) -> str:
    part = given.part
    needed = " Needed." if part.required else ""
    text = f"{part.help or ''}{needed}".strip() or "(no explanation)"
    comment = fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
    value = _plain(None if part.required else part.default)
    if given.is_list:
        value = list(value or [])
    shown = yaml.safe_dump(value, default_flow_style=True, width=10**6)
    return f"{comment}\n{given.key}: " + shown.removesuffix("...\n").strip()


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    value = getattr(value, "value", value)
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, str | int | float | bool) else None


def _read(path: Path) -> Mapping[Any, Any]:
    if not path.is_file():
        raise MissingFileError(f"There is no recipe {path}.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"{path} is no recipe: {short(error, 200)}") from error
    if not isinstance(values, Mapping):
        raise FormatError(f"{path} is no recipe: it has no keys.")
    return values


def _from(folder: Path, value: Any) -> Any:
    """Return a path in a recipe as seen from here; addresses and ids as they are."""
    if isinstance(value, list):
        return [_from(folder, one) for one in value]
    text = str(value)
    if address_of(text) or (id_in(text) and not (folder / text).exists()):
        return text
    return str(folder / text)


def _told(given: Given, value: Any, path: Path) -> Iterator[str]:
    """Yield what of the command line says a value."""
    if given.is_flag:
        if not isinstance(value, bool):
            raise FormatError(f"{path}: {given.key} is true or false, got {short(value)}.")
        said: Sequence[str] = given.part.opts if value else given.part.secondary_opts
        yield from said[:1]
        return
    if isinstance(value, Mapping):
        value = [f"{key}={one}" for key, one in value.items()]
    if isinstance(value, list) and not given.is_list:
        raise FormatError(f"{path}: {given.key} is one value, got {short(value)}.")
    for one in value if isinstance(value, list) else [value]:
        yield str(one) if given.is_argument else f"--{given.key}={one}"
