"""Measurements of objects: named columns, one row for each object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ShapeError, UnknownNameError
from stroma.registry import suggestion

LABEL = "label"


@dataclass(frozen=True, eq=False)
class ObjectTable(Mapping[str, NDArray[Any]]):
    """One row for each object of a label image, in named columns; names say the unit.

    Parameters
    ----------
    columns : mapping of str to (n,) array
        "label" is the object's number in its label image, "t" its frame where there are several.

    Raises
    ------
    ShapeError
        If columns are of different lengths, or there is no column "label".
    """

    columns: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        """Check the columns."""
        lengths = {np.shape(column) for column in self.columns.values()}
        if LABEL not in self.columns or len(lengths) != 1 or len(next(iter(lengths))) != 1:
            raise ShapeError(
                f"A table of objects has a column {LABEL!r}, and columns of one length; got "
                f"{', '.join(map(str, list(self.columns)[:10]))} of {sorted(lengths)[:4]}."
            )

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column."""
        if name not in self.columns:
            hint = suggestion(name, list(self.columns))
            raise UnknownNameError(f"The table of objects has no column {name!r}. {hint}")
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns."""
        return iter(self.columns)

    def __len__(self) -> int:
        """Return the number of columns, as a mapping does; ``rows`` is that of objects."""
        return len(self.columns)

    @property
    def rows(self) -> int:
        """The number of objects."""
        return len(self.columns[LABEL])

    def matrix(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the (n, F) values of some columns."""
        if not names:
            return np.zeros((self.rows, 0))
        return np.stack([np.asarray(self[name], np.float64) for name in names], axis=1)

    def extended(self, columns: Mapping[str, NDArray[Any]]) -> ObjectTable:
        """Return the table with more columns, or others of the same names."""
        return ObjectTable({**self.columns, **columns})


def stacked(tables: Sequence[ObjectTable]) -> ObjectTable:
    """Return the rows of several tables as one; all have the same columns.

    Raises
    ------
    ShapeError
        If there is no table, or they differ in their columns.
    """
    kinds = {tuple(table) for table in tables}
    if len(kinds) != 1:
        raise ShapeError(f"Tables of objects to join have the same columns; got {len(kinds)} sets.")
    return ObjectTable({n: np.concatenate([t[n] for t in tables]) for n in tables[0]})
