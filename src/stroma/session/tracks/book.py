"""What is known of the tracks of one movie, and how a correction changes it; no files, no images.

An object is named by its frame and its label there; a link by the earlier and the later object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stroma.errors import ParameterError
from stroma.session.core import checks

Node = tuple[int, int]
"""Frame and label of an object."""

Row = tuple[int, ...]
"""A node, or the two nodes of a link one after the other."""

WIDTH = {"objects": 2, "links": 4, "pinned": 4, "forbidden": 4, "removed": 2}
"""Numbers in a row of each table."""

MOST = 2**40


@dataclass(frozen=True)
class Delta:
    """What changed in the tracks of a movie.

    Parameters
    ----------
    image : str
        Key of the movie.
    plane : int
        Number of the plane that was worked on.
    gone, come : mapping of str to tuple of rows
        By table, what was taken out and what was put in.
    source : (before, after)
        Where the label images are.
    """

    image: str
    plane: int = 0
    gone: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    come: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    source: tuple[str, str] = ("", "")

    @property
    def size(self) -> int:
        """How many rows of tables it changed."""
        return sum(map(len, (*self.gone.values(), *self.come.values())))

    def reversed(self) -> Delta:
        """Return the change back."""
        return Delta(self.image, self.plane, self.come, self.gone, self.source[::-1])

    def followed_by(self, later: Delta) -> Delta:
        """Return this change and a later one as one."""
        gone, come = {}, {}
        for table in WIDTH:
            out, back = set(self.gone.get(table, ())), set(self.come.get(table, ()))
            away, new = set(later.gone.get(table, ())), set(later.come.get(table, ()))
            gone[table] = tuple(sorted((out | (away - back)) - new))
            come[table] = tuple(sorted((back - away) | (new - out)))
        return Delta(self.image, self.plane, gone, come, (self.source[0], later.source[1]))

    def without(self, image: str) -> Delta | None:
        """Return what is left when an image is closed."""
        return None if image == self.image else self

    def to_json(self) -> dict[str, Any]:
        """Return the change as plain values."""
        tables = {"gone": dict(self.gone), "come": dict(self.come)}
        return {"image": self.image, "plane": self.plane, "source": list(self.source), **tables}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Delta:
        """Return the change that ``to_json`` gave plain values for."""
        before, after = checks.listed(values["source"], "places of labels")
        plane = checks.whole(values["plane"], "the number of a plane", 0, MOST)
        gone, come = (
            {t: rows(r, t) for t, r in checks.mapping(values[side], "tables").items()}
            for side in ("gone", "come")
        )
        image = checks.key(values["image"])
        return cls(image, plane, gone, come, (str(before), str(after)))


def rows(values: Any, table: str) -> tuple[Row, ...]:
    """Return the rows of a table, checked."""
    width = WIDTH.get(table, 0)
    found = tuple(checks.listed(row, "a row") for row in checks.listed(values, "rows"))
    for row in found:
        if len(row) != width:
            raise ParameterError(f"A row of {str(table)[:30]} has {width} numbers, got {len(row)}.")
        for value in row:
            checks.whole(value, "a number of tracks", 0, MOST)
        if width == WIDTH["links"] and row[0] >= row[2]:  # or following them would not end
            raise ParameterError(f"Links lead to later frames, got {row[0]} and then {row[2]}.")
    return found


def frames_of(sizes: Mapping[str, int]) -> int:
    """Return the number of frames of a movie; a stack that names no time is one along z."""
    return sizes.get("t", sizes.get("z", 1))


class Book:
    """The tracks of one movie, table by table."""

    def __init__(self) -> None:
        self.source = ""
        self.tables: dict[str, set[Row]] = {table: set() for table in WIDTH}

    def change(self, delta: Delta) -> None:
        """Make a change."""
        self.source = delta.source[1]
        for table, known in self.tables.items():
            known.difference_update(delta.gone.get(table, ()))
            known.update(delta.come.get(table, ()))

    def to(self, image: str, plane: int, wanted: Mapping[str, set[Row]], source: str) -> Delta:
        """Return the change that makes tables what is wanted; tables that are not named stay."""
        gone = {t: tuple(sorted(self.tables[t] - new)) for t, new in wanted.items()}
        come = {t: tuple(sorted(new - self.tables[t])) for t, new in wanted.items()}
        return Delta(image, plane, gone, come, (self.source, source))

    def require(self, nodes: Iterable[Node]) -> None:
        """Check that objects are there.

        Raises
        ------
        ParameterError
            If one is not, or was deleted.
        """
        for frame, label in nodes:
            if (frame, label) not in self.tables["objects"]:
                raise ParameterError(f"There is no object {label} in frame {frame}.")
            if (frame, label) in self.tables["removed"]:
                raise ParameterError(f"Object {label} of frame {frame} was deleted; undo that.")

    def next_of(self, node: Node) -> list[Node]:
        """Return what an object becomes."""
        return sorted((r[2], r[3]) for r in self.tables["links"] if r[:2] == node)


Correction = tuple[set[Row], set[Row], set[Row]]
"""Links that are made sure of, links that are cut and must not come back, objects deleted."""


def link(book: Book, nodes: Sequence[Node]) -> Correction:
    """Let the first object become the second, and nothing else."""
    return {_pair(*nodes)}, set(), set()


def unlink(book: Book, nodes: Sequence[Node]) -> Correction:
    """Let the first object not become the second."""
    pair = _pair(*nodes)
    if pair not in book.tables["links"]:
        raise ParameterError(f"{_said(nodes[0])} and {_said(nodes[1])} are not linked.")
    return set(), {pair}, set()


def divide(book: Book, nodes: Sequence[Node]) -> Correction:
    """Let the first object divide into the two others."""
    mother, one, two = nodes
    return {_pair(mother, one), _pair(mother, two)}, set(), set()


def merge(book: Book, nodes: Sequence[Node]) -> Correction:
    """Let the first two objects become the third."""
    one, two, later = nodes
    return {_pair(one, later), _pair(two, later)}, set(), set()


def swap(book: Book, nodes: Sequence[Node]) -> Correction:
    """Let two objects of a frame exchange what becomes of them."""
    one, two = nodes
    if one[0] != two[0]:
        raise ParameterError(f"Swap two objects of one frame, got frames {one[0]} and {two[0]}.")
    after = [book.next_of(node) for node in nodes]
    if not any(after):
        raise ParameterError(f"Neither {_said(one)} nor {_said(two)} goes on; nothing to swap.")
    old = {_pair(a, b) for a, found in zip(nodes, after, strict=True) for b in found}
    new = {_pair(a, b) for a, found in zip(nodes, after[::-1], strict=True) for b in found}
    return new, old - new, set()


def delete(book: Book, nodes: Sequence[Node]) -> Correction:
    """Let objects be none."""
    return set(), set(), set(nodes)


KINDS = {
    "link": (link, 2),
    "unlink": (unlink, 2),
    "divide": (divide, 3),
    "merge": (merge, 3),
    "swap": (swap, 2),
    "delete": (delete, 1),
}
"""Corrections by name, and how many objects each takes."""


def fits(kind: str, frames: Sequence[int]) -> bool:
    """Tell whether a correction can be made of as many objects as there are frames, and of these.

    Parameters
    ----------
    kind : str
        Name of the correction.
    frames : sequence of int
        Of the objects, in any order: earlier ones become later ones.
    """
    made = sorted(frames)
    if len(made) != KINDS[kind][1]:
        return False
    if kind == "swap":
        return made[0] == made[1]
    if kind == "merge":
        return made[1] < made[2]
    return kind == "delete" or made[0] < made[1]


def corrected(book: Book, kind: str, nodes: Sequence[Node]) -> dict[str, set[Row]]:
    """Return the tables of links after a correction.

    A link that is made sure of takes the place of the others of its objects, also of those that
    were made sure of before: the last word counts.

    Raises
    ------
    ParameterError
        If objects are not there, or are too few, too many or twice the same.
    """
    make, count = KINDS[kind]
    if len(nodes) != count or len(set(nodes)) != count:
        raise ParameterError(f"{kind} takes {count} different objects, got {len(nodes)}.")
    book.require(nodes)
    sure, cut, removed = make(book, nodes)
    known = book.tables
    froms, tos = {r[:2] for r in sure}, {r[2:] for r in sure}

    def kept(table: str) -> set[Row]:
        return {
            r
            for r in known[table]
            if r not in cut
            and (r in sure or not (r[:2] in froms or r[2:] in tos))
            and not (r[:2] in removed or r[2:] in removed)
        }

    return {
        "links": kept("links") | sure,
        "pinned": kept("pinned") | sure,
        "forbidden": (known["forbidden"] | cut) - sure,
        "removed": known["removed"] | removed,
    }


def _pair(earlier: Node, later: Node) -> Row:
    if earlier[0] >= later[0]:
        raise ParameterError(
            f"A link leads to a later frame, got {_said(earlier)} and then {_said(later)}."
        )
    return (*earlier, *later)


def _said(node: Node) -> str:
    return f"object {node[1]} of frame {node[0]}"
