"""A picture of who came from whom: every track a line over time, divisions as forks."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from stroma.data.tracks import Floats, Tracks
from stroma.io.atomic import replaced
from stroma.io.tracks.movie import Movie

ROW, FRAME, MARGIN = 12, 14, 50
WIDEST = 2000
"""Pixels of the picture from the first frame to the last, at most."""

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")


def write(folder: Path, tracks: Tracks, movie: Movie | None, stem: str) -> list[Path]:
    """Write ``STEM_lineage.svg``: time from left to right, a row for each track.

    Families are together, each in a colour, those that divide first. Pointing at a line shows the
    number of the track and its frames.
    """
    found = tracks.detections
    numbers = movie.numbers if movie is not None else tuple(range(found.frames))
    row = rows(tracks)
    step = min(FRAME, WIDEST / max(1, found.frames))
    width = 2 * MARGIN + step * max(1, found.frames - 1)
    height = 2 * MARGIN + ROW * max(1, tracks.count)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        'font-family="sans-serif" font-size="9">',
        f"<title>{escape(stem)}: {tracks.count} tracks</title>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    parts += _axis(numbers, step, height)
    parts += _lines(tracks, row, numbers, step)
    path = folder / f"{stem}_lineage.svg"
    with replaced(path) as temporary:
        temporary.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")
    return [path]


def rows(tracks: Tracks) -> Floats:
    """Return the row of each track: families with divisions first, daughters around mothers."""
    children: dict[int, list[int]] = {}
    for track, mother in enumerate(tracks.mother.tolist(), 1):
        children.setdefault(mother, []).append(track)
    roots = sorted(children.get(0, []), key=lambda t: (t not in children, t))
    row, place = np.zeros(tracks.count + 1), 0
    waiting = [(root, False) for root in reversed(roots)]
    while waiting:  # without recursion: lineages may be long
        track, seen = waiting.pop()
        own = children.get(track, [])
        if not own:
            row[track] = place
            place += 1
        elif seen:
            row[track] = float(np.mean(row[own]))
        else:
            waiting += [(track, True), *((child, False) for child in reversed(own))]
    return row


def _axis(numbers: tuple[int, ...], step: float, height: float) -> list[str]:
    every = max(1, round(60 / step))
    return [
        f'<text x="{MARGIN + i * step:.1f}" y="{MARGIN - 16}" text-anchor="middle">{number}</text>'
        f'<line x1="{MARGIN + i * step:.1f}" y1="{MARGIN - 12}" x2="{MARGIN + i * step:.1f}" '
        f'y2="{height - MARGIN:.0f}" stroke="#dddddd"/>'
        for i, number in enumerate(numbers)
        if i % every == 0
    ]


def _lines(tracks: Tracks, row: Floats, numbers: tuple[int, ...], step: float) -> list[str]:
    frame, family = tracks.detections.frame, families(tracks)
    parts = []
    for earlier, later in tracks.lineage.tolist():
        x1 = MARGIN + step * frame[tracks.ends[earlier - 1, 1]]
        x2 = MARGIN + step * frame[tracks.ends[later - 1, 0]]
        y1, y2 = (MARGIN + ROW * row[t] for t in (earlier, later))
        parts.append(
            f'<path d="M{x1:.1f} {y1:.1f}V{y2:.1f}H{x2:.1f}" fill="none" '
            f'stroke="{COLOURS[family[later] % len(COLOURS)]}"/>'
        )
    for track, (first, last) in enumerate(tracks.ends.tolist(), 1):
        x1, x2 = (MARGIN + step * frame[i] for i in (first, last))
        y, colour = MARGIN + ROW * row[track], COLOURS[family[track] % len(COLOURS)]
        parts.append(
            f'<line x1="{x1:.1f}" y1="{y:.1f}" x2="{max(x2, x1 + 2):.1f}" y2="{y:.1f}" '
            f'stroke="{colour}" stroke-width="3"><title>track {track}, frames '
            f"{numbers[frame[first]]} to {numbers[frame[last]]}</title></line>"
            f'<text x="{x2 + 4:.1f}" y="{y + 3:.1f}">{track}</text>'
        )
    return parts


def families(tracks: Tracks) -> list[int]:
    """Return the first ancestor of each track; mothers begin before their daughters."""
    found = list(range(tracks.count + 1))
    for track, mother in enumerate(tracks.mother.tolist(), 1):
        if mother:
            found[track] = found[mother]
    return found
