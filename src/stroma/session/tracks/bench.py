"""What a session keeps of tracks in memory, and how that changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stroma.errors import ParameterError
from stroma.session.core import checks
from stroma.session.core.bench import Done
from stroma.session.core.operations import Operation
from stroma.session.core.sheet import Sheet
from stroma.session.events import Event
from stroma.session.tracks.book import WIDTH, Book, Delta, Row, corrected, frames_of, rows
from stroma.session.tracks.operations import CorrectTracks, SetTracks, TracksChanged


class TrackBench:
    """The tracks of all movies."""

    name = "tracks"
    operations: Sequence[type[Operation]] = (SetTracks, CorrectTracks)

    def __init__(self) -> None:
        self.revision = 0
        self.books: dict[str, Book] = {}
        self._sheets: dict[str, Sheet] = {}

    def apply(self, operation: Operation) -> Done:
        """Do something; images that are named are there."""
        if isinstance(operation, SetTracks):
            delta = self._set(operation)
            kind = "track"
        else:
            assert isinstance(operation, CorrectTracks)
            delta = self._corrected(operation)
            kind = f"{operation.kind} tracks"
        return Done(self.replay(delta), kind, delta)

    def _set(self, operation: SetTracks) -> Delta:
        book = self.books[operation.image]
        frames = frames_of(self._sheets[operation.image].sizes)
        objects, links = set(operation.objects), set(operation.links)
        if any(frame >= frames for frame, _ in objects):
            name = self._sheets[operation.image].name
            raise ParameterError(f"{name!r} has {frames} frames; some objects are in later ones.")
        _require_ends(links, objects)
        wanted = {"objects": objects, "links": links}
        if objects != book.tables["objects"]:  # what was said of others says nothing of these
            wanted |= {"pinned": set(), "forbidden": set(), "removed": set()}
        return book.to(operation.image, 0, wanted, operation.source)

    def _corrected(self, operation: CorrectTracks) -> Delta:
        book = self.books[operation.image]
        tables = corrected(book, operation.kind, operation.objects)
        sizes = self._sheets[operation.image].sizes
        plane = operation.objects[0][0] * (sizes.get("z", 1) if "t" in sizes else 1)
        return book.to(operation.image, plane, tables, book.source)

    def replay(self, change: Delta) -> Sequence[Event]:
        """Make a change once more."""
        self.books[change.image].change(change)
        self.revision += 1
        return [TracksChanged(change.image)]

    def image_opened(self, sheet: Sheet) -> None:
        """Begin with nothing."""
        self.books[sheet.key], self._sheets[sheet.key] = Book(), sheet

    def image_closed(self, image: str) -> None:
        """Forget its tracks."""
        del self.books[image], self._sheets[image]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        kept = {
            image: {"source": b.source, **{t: sorted(known) for t, known in b.tables.items()}}
            for image, b in self.books.items()
            if b.tables["objects"]
        }
        return {"movies": kept, "revision": self.revision}

    def read(self, values: Mapping[str, Any]) -> None:
        """Take over what ``to_json`` gave."""
        self.revision = checks.whole(values["revision"], "a revision", 0, 2**53)
        for image, kept in checks.mapping(values["movies"], "movies").items():
            tables = checks.mapping(kept, "tables")
            come = {table: rows(tables[table], table) for table in WIDTH}
            _require_ends(come["links"], set(come["objects"]))
            self.books[image].change(Delta(image, 0, {}, come, ("", str(tables["source"]))))

    def change_to_json(self, change: Delta) -> dict[str, Any]:
        """Return a change as plain values."""
        return change.to_json()

    def read_change(self, values: Mapping[str, Any]) -> Delta:
        """Return the change that ``change_to_json`` gave plain values for."""
        return Delta.from_json(values)


def _require_ends(links: Iterable[Row], objects: set[Row]) -> None:
    if not all(row[:2] in objects and row[2:] in objects for row in links):
        raise ParameterError("Links lead from objects to objects of later frames.")
