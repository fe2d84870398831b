"""Parts are found by name, in tables of paths that load nothing until asked."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import metadata
from typing import Any

from stroma.errors import MissingExtraError, ParameterError, UnknownNameError, install

MOST = 24
"""Names that a message lists."""


def suggestion(name: str, known: list[str]) -> str:
    """Return the end of an error message: a close name, or what there is."""
    close = difflib.get_close_matches(str(name), known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return f"Known: {', '.join(sorted(known)[:MOST])}{more}."


class Registry(Mapping[str, Any]):
    """A table from names to objects, each given as ``"module:attribute"``.

    Parameters
    ----------
    kind : str
        What the table holds, in the singular, for messages ("feature extractor").
    paths : mapping of str to str
        ``name -> "module:attribute"``; a module is imported when its name is first asked for.
    group : str
        Entry-point group through which other packages add names.
    extras : mapping of str to str
        Name of the optional dependency group a part needs, by name of the part.
    """

    def __init__(
        self,
        kind: str,
        paths: Mapping[str, str],
        *,
        group: str = "",
        extras: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self._own = dict(paths)
        self._group = group
        self._extras = dict(extras or {})
        self._added: dict[str, Any] = {}

    @cached_property
    def paths(self) -> dict[str, str]:
        """All names with their paths; our own win over those of plugins."""
        plugins = metadata.entry_points(group=self._group) if self._group else ()
        return {**{point.name: point.value for point in plugins}, **self._own}

    @property
    def added(self) -> Mapping[str, Any]:
        """What was added while this process ran, by name."""
        return self._added

    def add(self, name: str, part: Any) -> None:
        """Make an object known by name, until this process ends.

        Raises
        ------
        ParameterError
            If the name is taken by another.
        """
        if name in self.paths:
            raise ParameterError(f"There is a {self.kind} {name!r} already. Choose another name.")
        self._added[name] = part

    def __getitem__(self, name: str) -> Any:
        """Return the object of that name, importing its module."""
        if name in self._added:
            return self._added[name]
        if name not in self.paths:
            hint = suggestion(name, list(self))
            raise UnknownNameError(f"No {self.kind} named {name!r}. {hint}")
        module, _, attribute = self.paths[name].partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise self._missing(name, error) from error

    def _missing(self, name: str, error: ModuleNotFoundError) -> Exception:
        extra = self._extras.get(name)
        if extra is None or (error.name or "").startswith("stroma"):
            return error
        return MissingExtraError(
            f"The {self.kind} {name!r} needs {error.name}. Install it with: {install(extra)}"
        )

    def __contains__(self, name: object) -> bool:
        """Tell whether the name is known, without importing anything."""
        return name in self.paths or name in self._added

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter([*self.paths, *self._added])

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self.paths) + len(self._added)
