"""Opening zarr folders that others made: only regular files are read, none is too large."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import zarr
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore

from stroma.errors import FormatError, MissingExtraError, install
from stroma.io.address import address_of
from stroma.io.omezarr.remote import MAX_METADATA, METADATA, WebFiles

Node = zarr.Group | zarr.Array[Any]


def open_node(path: Path) -> Node:
    """Return the group or array in a folder, or at an address, to be read only."""
    address = address_of(path)
    store = _remote(address) if address else RegularFiles(path, read_only=True)
    return zarr.open(store=store, mode="r")


def _remote(address: str) -> WebFiles:
    """Return the folder at an address of the web, or in a bucket.

    Raises
    ------
    MissingExtraError
        If what reads buckets is not installed.
    """
    if not address.startswith("s3:"):
        return WebFiles(address)
    try:
        from stroma.io.omezarr.bucket import BucketFiles
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("stroma"):
            raise
        raise MissingExtraError(
            f"{address} is in a bucket, which is read by {error.name}. Install it with: "
            f"{install('cloud')}"
        ) from error
    return BucketFiles(address)


class RegularFiles(LocalStore):
    """A folder of which only regular files are read: a pipe would wait, a device never end."""

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Read a file, or a part of it."""
        self._check(key)
        return await super().get(key, prototype, byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Read parts of files."""
        wanted = list(key_ranges)
        for key, _ in wanted:
            self._check(key)
        return await super().get_partial_values(prototype, wanted)

    def get_sync(self, key: str, **options: Any) -> Any:
        """Read a file, or a part of it, at once (zarr does so since 3.1.6)."""
        self._check(key)
        return super().get_sync(key, **options)

    def _check(self, key: str) -> None:
        path = self.root / key
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return
        if stat.S_ISDIR(found.st_mode):
            return
        if not stat.S_ISREG(found.st_mode):
            raise FormatError(f"{path} is a pipe or a device, not a file. Copy the image again.")
        if path.name in METADATA and found.st_size > MAX_METADATA:
            raise FormatError(
                f"{path} has {found.st_size} bytes; up to {MAX_METADATA} are read of metadata."
            )
