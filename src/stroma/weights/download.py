"""From the hub into our cache: single tensors by range, or the whole file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from stroma.weights import http, hub
from stroma.weights.catalogue import Entry, Source
from stroma.weights.http import Part, Remote
from stroma.weights.keymaps import KEYMAPS, wanted_keys
from stroma.weights.local import SAFETENSORS
from stroma.weights.safetensors import (
    PREFIX,
    TensorInfo,
    decode,
    header_length,
    parse_header,
    read_header,
)
from stroma.weights.store import Shelf, atomic

Progress = Callable[[int, int], None]
"""Told the bytes fetched so far, and the bytes to fetch."""

FIRST_BYTES = 1 << 16
"""Fetched at first; enough for most headers."""

LONGEST_RUN = 1 << 24
"""Neighbouring tensors are fetched together up to this many bytes."""


def to_shelf(
    entry: Entry, source: Source, wanted: Callable[[str], bool], progress: Progress | None = None
) -> None:
    """Fetch the wanted tensors of a source that our cache does not hold yet.

    Parameters
    ----------
    entry, source : Entry, Source
        Repository, file and revision.
    wanted : callable
        Tells of a tensor, by our name, whether it is wanted.
    progress : callable, optional
        Told the bytes fetched so far, and the bytes to fetch.

    Raises
    ------
    NotThereError, DeniedError, UnreachableError
        If the hub has no such file, refuses it, or cannot be reached.
    FormatError
        If the file there is damaged.
    """
    shelf = Shelf(entry.repository, source)
    remote = _pinned(shelf)
    if not source.file.endswith(SAFETENSORS):
        _fetch_whole(shelf, remote, progress)
        return
    try:
        first = http.read_range(remote, 0, FIRST_BYTES)
    except http.NoRangesError:
        _fetch_whole(shelf, remote, progress)
        return
    shelf.resolve(first.commit)
    remote = _pinned(shelf)
    infos = _header(remote, first)
    shelf.list_contents(infos)
    chosen = set(wanted_keys(KEYMAPS[entry.keymap], list(infos), wanted)) - set(shelf.keys())
    _fetch_tensors(shelf, remote, {key: infos[key] for key in chosen}, progress)


def _pinned(shelf: Shelf) -> Remote:
    """Return where the file lies, at the commit that was resolved before."""
    return hub.remote(shelf.repository, Source(shelf.source.file, shelf.revision))


def _header(remote: Remote, first: Part) -> dict[str, TensorInfo]:
    end = PREFIX + header_length(first.data, remote.url)
    raw = first.data[PREFIX:end]
    if end > len(first.data):
        raw += http.read_range(remote, len(first.data), end).data
    return parse_header(raw, first.size, remote.url)


def _fetch_tensors(
    shelf: Shelf, remote: Remote, infos: dict[str, TensorInfo], progress: Progress | None
) -> None:
    total, done = sum(info.stop - info.start for info in infos.values()), 0
    for run in _runs(infos):
        start, stop = infos[run[0]].start, infos[run[-1]].stop
        data = http.read_range(remote, start, stop).data
        for key in run:
            info = infos[key]
            raw = data[info.start - start : info.stop - start]
            shelf.write(key, decode(raw, info, remote.url))
        done += stop - start
        if progress:
            progress(done, total)


def _runs(infos: dict[str, TensorInfo]) -> Iterator[Sequence[str]]:
    """Yield the keys of neighbours in the file, to be fetched together."""
    run: list[str] = []
    for key in sorted(infos, key=lambda k: (infos[k].start, infos[k].stop)):
        gap = run and infos[key].start != infos[run[-1]].stop
        if run and (gap or infos[key].stop - infos[run[0]].start > LONGEST_RUN):
            yield run
            run = []
        run.append(key)
    if run:
        yield run


def _fetch_whole(shelf: Shelf, remote: Remote, progress: Progress | None) -> None:
    pauses = iter(http.PAUSES)
    while True:
        try:
            with http.open_whole(remote) as reply:
                shelf.resolve(reply.commit)
                _write_whole(shelf, reply, remote, progress)
                return
        except http.BROKEN as error:
            http.wait(pauses, error, remote)


def _write_whole(
    shelf: Shelf, reply: http.Reply, remote: Remote, progress: Progress | None
) -> None:
    done = 0
    with atomic(shelf.file) as file:
        for chunk in reply.chunks():
            file.write(chunk)
            done += len(chunk)
            if progress:
                progress(done, reply.length or done)
        http.require_all(done, reply.length)
        file.flush()
        if shelf.file.suffix == SAFETENSORS:
            read_header(Path(file.name), remote.url)
