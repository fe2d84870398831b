"""What can be done to the tracks of a movie, as plain values for the journal."""

from __future__ import annotations

from dataclasses import dataclass

from stroma.errors import ParameterError
from stroma.session.core import checks
from stroma.session.core.operations import Operation
from stroma.session.events import Event
from stroma.session.tracks.book import KINDS, Node, Row, rows


@dataclass(frozen=True)
class SetTracks(Operation):
    """Take over the objects of a movie and their links, as a solver found them.

    Parameters
    ----------
    image : str
        Key of the movie.
    source : str
        Where its label images are; empty if they are in memory only.
    objects : tuple of (frame, label)
        What was found.
    links : tuple of (frame, label, frame, label)
        What becomes of what.
    """

    op = "tracks"
    image: str
    source: str
    objects: tuple[Row, ...]
    links: tuple[Row, ...]

    def __post_init__(self) -> None:
        """Check the rows."""
        if not isinstance(self.source, str) or len(self.source) > checks.MAX_NAME * 4:
            raise ParameterError("Where label images are is a text of up to 4000 characters.")
        object.__setattr__(self, "objects", rows(self.objects, "objects"))
        object.__setattr__(self, "links", rows(self.links, "links"))


@dataclass(frozen=True)
class CorrectTracks(Operation):
    """Correct tracks by hand.

    Parameters
    ----------
    image : str
        Key of the movie.
    kind : {"link", "unlink", "divide", "merge", "swap", "delete"}
        What is done.
    objects : tuple of (frame, label)
        To what.
    """

    op = "correct tracks"
    image: str
    kind: str
    objects: tuple[Node, ...]

    def __post_init__(self) -> None:
        """Check the objects."""
        if self.kind not in KINDS:
            raise ParameterError(
                f"No correction {str(self.kind)[:30]!r}. Known: {', '.join(KINDS)}."
            )
        object.__setattr__(self, "objects", rows(self.objects, "objects"))


@dataclass(frozen=True)
class TracksChanged(Event):
    """Links, or objects, of the tracks of a movie changed."""

    image: str
