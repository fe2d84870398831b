"""Zarr folders on a web server, read chunk by chunk as they are asked for."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import itertools
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from typing import Any

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype

from stroma.errors import FileError, FormatError

SECONDS = 30
"""How long a server may be silent."""

MOST = 2**31
"""Bytes of one answer (2 GiB, as much as a chunk may have)."""

MAX_METADATA = 2**26
"""Bytes of metadata that are fetched, as much as is read of a file (64 MiB)."""

METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
"""Files that hold metadata."""

NOT_THERE = (403, 404, 410)
"""What servers answer for files that are not there; stores of objects say 403."""

KEPT = 2**28
"""Bytes of files that were read last, of all servers together (256 MiB): a view that is painted on
is read again and again."""

_NOTHING: tuple[str, ...] = ()
_NUMBERS = itertools.count()


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens addresses of the web, and (where a server leads elsewhere) nothing else."""
    made = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        made.add_handler(handler)
    return made


class Kept:
    """Files that were read last, as many as fit.

    Parameters
    ----------
    most : int
        Bytes.
    """

    def __init__(self, most: int = KEPT) -> None:
        self.most = most
        self._files: OrderedDict[tuple[int, str], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[int, str]) -> bytes | None:
        """Return a file, if it is there."""
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
            return self._files.get(key)

    def put(self, key: tuple[int, str], data: bytes) -> None:
        """Keep a file; those that were read before go, as far as needed."""
        if len(data) > self.most // 4:
            return
        with self._lock:
            self._size += len(data) - len(self._files.pop(key, b""))
            self._files[key] = data
            while self._size > self.most:
                self._size -= len(self._files.popitem(last=False)[1])


_KEPT = Kept()


class WebFiles(Store):
    """A folder on a web server, to be read only. It pickles as its address.

    Parameters
    ----------
    address : str
        Of the folder, without a slash at its end.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, address: str) -> None:
        super().__init__(read_only=True)
        self.address = address
        self._number = next(_NUMBERS)

    def __eq__(self, other: object) -> bool:
        """Tell whether another store is the same folder."""
        return isinstance(other, WebFiles) and other.address == self.address

    def __str__(self) -> str:
        """Return the address."""
        return self.address

    def __reduce__(self) -> Any:
        """Pickle as the address."""
        return WebFiles, (self.address,)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return a file, or a part of it; None where there is none."""
        data = await asyncio.to_thread(self._read, key, byte_range)
        return None if data is None else prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of files."""
        wanted = [self.get(key, prototype, part) for key, part in key_ranges]
        return list(await asyncio.gather(*wanted))

    async def exists(self, key: str) -> bool:
        """Tell whether there is a file."""
        return await asyncio.to_thread(self._read, key, None) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse to write."""
        raise FileError(f"{self.address} is read only.")

    async def delete(self, key: str) -> None:
        """Refuse to remove."""
        raise FileError(f"{self.address} is read only.")

    async def list(self) -> AsyncIterator[str]:
        """Return nothing: servers do not say what they have."""
        for name in _NOTHING:
            yield name

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Return nothing: servers do not say what they have."""
        for name in _NOTHING:
            yield name

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Return nothing: servers do not say what they have."""
        for name in _NOTHING:
            yield name

    def fingerprint(self) -> tuple[int, str]:
        """Return the size of the metadata of the folder, and a digest of it."""
        digest, size = hashlib.blake2b(digest_size=16), 0
        for name in METADATA:
            data = self._read(name, None)
            if data is not None:
                size += len(data)
                digest.update(name.encode() + data)
        return size, digest.hexdigest()

    def _read(self, key: str, part: ByteRequest | None) -> bytes | None:
        if part is not None:
            return self._fetch(key, part)
        known = _KEPT.get((self._number, key))
        data = self._fetch(key, None) if known is None else known
        if data is not None and known is None:
            _KEPT.put((self._number, key), data)
        return data

    def _fetch(self, key: str, part: ByteRequest | None) -> bytes | None:
        where = f"{self.address}/{urllib.parse.quote(key)}"
        most = MAX_METADATA if key.rpartition("/")[2] in METADATA else MOST
        asked = urllib.request.Request(where, headers=_headers(part))
        try:
            with _opener().open(asked, timeout=SECONDS) as answer:
                data: bytes = answer.read(most + 1)
                partial = answer.status == http.client.PARTIAL_CONTENT
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in NOT_THERE:
                return None
            raise FileError(f"{where} cannot be read: the server answers {error.code}.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise FileError(
                f"{where} cannot be read: {reason}. Is the address right, and the server up?"
            ) from error
        if len(data) > most:
            raise FormatError(f"{where} is larger than {most >> 20} MiB.")
        return data if partial or part is None else _cut(data, part)


def _headers(part: ByteRequest | None) -> dict[str, str]:
    """Return the header that asks for a part of a file."""
    if isinstance(part, RangeByteRequest):
        return {"Range": f"bytes={part.start}-{part.end - 1}"}
    if isinstance(part, OffsetByteRequest):
        return {"Range": f"bytes={part.offset}-"}
    return {"Range": f"bytes=-{part.suffix}"} if isinstance(part, SuffixByteRequest) else {}


def _cut(data: bytes, part: ByteRequest) -> bytes:
    """Return a part of a file that a server gave as a whole."""
    if isinstance(part, RangeByteRequest):
        return data[part.start : part.end]
    return data[part.offset :] if isinstance(part, OffsetByteRequest) else data[-part.suffix :]
