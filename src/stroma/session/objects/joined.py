"""Tables of other programs that joined the objects of an image, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from stroma.errors import ParameterError
from stroma.session.core import checks
from stroma.session.core.operations import Operation, plain
from stroma.session.core.packs import packed, unpacked_as
from stroma.workflow.measuring.other_tables import OtherTable

MOST_VALUES = 20_000_000
MOST_NAMES = 10_000


@dataclass(frozen=True)
class Joined:
    """Measures of objects that another program made.

    Parameters
    ----------
    source : str
        Where they come from, for people.
    names : tuple of str
        Of the measures.
    rows : int
        How many objects it knows.
    keys, values : bytes
        Frame and number of every row, and its measures, compressed.
    """

    source: str
    names: tuple[str, ...]
    rows: int
    keys: bytes
    values: bytes

    def __post_init__(self) -> None:
        """Check that everything is there."""
        checks.text(self.source, "where a table comes from")
        names = checks.listed(self.names, "names of measures")
        checks.whole(self.rows, "the number of rows", 0, MOST_VALUES)
        if len(names) > MOST_NAMES or len(set(names)) < len(names):
            raise ParameterError(f"A table has at most {MOST_NAMES} measures, each once.")
        if len(names) * self.rows > MOST_VALUES:
            raise ParameterError(
                f"A table of up to {MOST_VALUES:,} values is joined here. Join it with: stroma "
                "objects"
            )
        object.__setattr__(self, "names", tuple(checks.text(n, "a measure") for n in names))
        object.__setattr__(self, "keys", checks.data(self.keys))
        object.__setattr__(self, "values", checks.data(self.values))
        _ = self.table

    @classmethod
    def of(cls, table: OtherTable) -> Joined:
        """Return a table of another program."""
        names = tuple(table.measures)
        values: Any = np.array([table.measures[n] for n in names], np.float64)
        keys = packed(table.keys, "<i8")
        return cls(table.source, names, len(table.keys), keys, packed(values, "<f8"))

    @cached_property
    def table(self) -> OtherTable:
        """The table."""
        try:
            keys: Any = unpacked_as(self.keys, (self.rows, 2), "<i8")
            values: Any = unpacked_as(self.values, (len(self.names), self.rows), "<f8")
        except ValueError as error:
            raise ParameterError(f"A table that joined objects is damaged: {error}.") from error
        return OtherTable(self.source, keys, dict(zip(self.names, values, strict=True)))

    def to_json(self) -> dict[str, Any]:
        """Return this as plain values."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_json(cls, values: Any) -> Joined:
        """Return what ``to_json`` gave plain values for, checked."""
        given: Mapping[str, Any] = checks.mapping(values, "a table that joined objects")
        return cls(**{f.name: given[f.name] for f in fields(cls)})


def tables_of(values: Any) -> tuple[Joined, ...]:
    """Return tables from plain values."""
    return tuple(map(Joined.from_json, checks.listed(values, "tables that joined objects")))


def with_table(there: Sequence[Joined], new: Joined) -> tuple[Joined, ...]:
    """Return tables with one more; it takes the place of one of the same name."""
    return (*(one for one in there if one.source != new.source), new)


@dataclass(frozen=True)
class JoinTable(Operation):
    """Let measures of another program join the objects of an image; as `Joined` has them.

    Parameters
    ----------
    image : str
        Key of the image.
    """

    op = "join table"
    image: str
    source: str
    names: tuple[str, ...]
    rows: int
    keys: bytes
    values: bytes

    def __post_init__(self) -> None:
        """Check the values."""
        own = Joined(self.source, self.names, self.rows, self.keys, self.values)
        for f in fields(Joined):
            object.__setattr__(self, f.name, getattr(own, f.name))

    @property
    def joined(self) -> Joined:
        """The table."""
        return Joined(self.source, self.names, self.rows, self.keys, self.values)
