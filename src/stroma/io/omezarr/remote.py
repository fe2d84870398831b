"""Zarr folders on a web server, read chunk by chunk as they are asked for."""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.parse
import urllib.request
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

_NOTHING: tuple[str, ...] = ()


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

    def _read(self, key: str, part: ByteRequest | None) -> bytes | None:
        where = f"{self.address}/{urllib.parse.quote(key)}"
        most = MAX_METADATA if key.rpartition("/")[2] in METADATA else MOST
        asked = urllib.request.Request(where, headers=_headers(part))
        try:
            with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
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
