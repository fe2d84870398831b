"""Packages of the collection of bioimage.io, fetched by their ids into our own cache.

Which server has them is what ``bioimageio.spec`` says (``BIOIMAGEIO_COLLECTION_HTTP_PATTERN``).
Of a package only the files are fetched that are read.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from stroma.errors import FormatError, MissingExtraError, WeightsError, install, short
from stroma.weights import hub
from stroma.weights.http import (
    BROKEN,
    PAUSES,
    NotThereError,
    Remote,
    UnreachableError,
    open_whole,
    require_all,
    wait,
)
from stroma.weights.store import atomic, cache_folder
from stroma.zoo.packages.package import (
    MAX_FILE,
    MAX_TEXT,
    NAMES,
    Package,
    parsed,
    require_same,
)

LOG = logging.getLogger(__name__)

PATTERN = "BIOIMAGEIO_COLLECTION_HTTP_PATTERN"


@dataclass(frozen=True)
class Fetched(Package):
    """A package whose files are fetched when they are first read.

    Parameters
    ----------
    address : str
        Of its description; other files lie beside it.
    """

    address: str = ""

    def read(self, name: str, *, most: int = MAX_FILE, sha256: str = "") -> bytes:
        """Return a file of the package, fetching it first where it is not here, or damaged.

        Raises
        ------
        WeightsError
            If it cannot be had.
        FormatError
            If it is damaged or too large.
        """
        kept = _kept(name)
        file = self.path / kept
        inside = file.resolve().is_relative_to(self.path.resolve())
        if not kept or not inside or (file.is_file() and hub.is_offline()):
            return super().read(kept, most=most, sha256=sha256)
        if file.is_file():
            try:
                return super().read(kept, most=most, sha256=sha256)
            except FormatError:
                LOG.info("%s is fetched again: what is kept of it is damaged", name)
        where = name if kept != name else urljoin(self.address, quote(name))
        download(where, file, most, check=partial(require_same, sha256=sha256, said=where))
        return super().read(kept, most=most)


def is_here(name: str) -> bool:
    """Tell whether the description of an id was fetched on this machine before."""
    return (_folder(name) / NAMES[1]).is_file()


def _folder(name: str) -> Path:
    return cache_folder() / "packages" / name


def fetched(name: str) -> Fetched:
    """Return the package of an id, with its description here.

    Raises
    ------
    WeightsError
        If there is none, or it cannot be reached.
    MissingExtraError
        If ``bioimageio.spec``, which knows the server, is not installed.
    """
    folder = _folder(name)
    address = _pattern(name).replace("{bioimageio_id}", name)
    if not is_here(name):
        try:
            download(address, folder / NAMES[1], MAX_TEXT, check=partial(parsed, path=address))
        except NotThereError as error:
            raise WeightsError(
                f"There is no file {name}, and bioimage.io has no model of that id ({error}) Give "
                "the file of a model, or look its id up there."
            ) from error
        except UnreachableError as error:
            raise UnreachableError(
                f"{error} Get the package where there is a network, and give its file instead."
            ) from error
    return Fetched(folder, address=address)


def download(address: str, path: Path, most: int, *, check: Callable[[bytes], object]) -> None:
    """Fetch a file to where it is kept, which appears there whole or not at all.

    Parameters
    ----------
    address : str
        Where it is.
    path : Path
        Where it goes.
    most : int
        Bytes that it has at most.
    check : callable
        Raises where it is not what it should be; then it is not kept.

    Raises
    ------
    WeightsError
        If it cannot be had.
    FormatError
        If it is larger, or not what it should be.
    """
    if hub.is_offline():
        raise WeightsError(
            f"{address} is not here, and HF_HUB_OFFLINE is set. Put the file at {path}."
        )
    remote = Remote(address)
    pauses = iter(PAUSES)
    while True:
        try:
            data = b"".join(_pieces(remote, most))
            break
        except BROKEN as error:
            wait(pauses, error, remote)
    check(data)
    with atomic(path) as file:
        file.write(data)


def _kept(name: str) -> str:
    """Return under which name a file is kept: its own; of one elsewhere its address tells."""
    if not re.match(r"https?://", name):
        return name
    last = urlsplit(name).path.rpartition("/")[2]
    plain = re.sub(r"[^\w.-]", "_", last)[-60:]
    return f"{hashlib.sha256(name.encode()).hexdigest()[:16]}-{plain}"


def _pieces(remote: Remote, most: int) -> Iterator[bytes]:
    got = 0
    with open_whole(remote) as reply:
        for piece in reply.chunks():
            got += len(piece)
            if got > most:
                raise FormatError(f"{remote.url} is larger than {most >> 20} MiB.")
            yield piece
        require_all(got, reply.length)


def _pattern(name: str) -> str:
    """Return the address of descriptions, with a place for the id."""
    if given := os.environ.get(PATTERN):
        return given
    try:
        from bioimageio.spec import settings
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"There is no file {short(name)}. If it is the id of a model of bioimage.io: that is "
            f"fetched with {error.name}. Install it with: {install('zoo')}"
        ) from error
    return str(settings.collection_http_pattern)
