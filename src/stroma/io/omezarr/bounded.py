"""Chunks that unpack to what the metadata says, and never to more.

A few thousand bytes can stand for gigabytes. So every compressor is asked, before it begins, how
much it will give; those whose data do not tell are stopped where it becomes too much.
"""

from __future__ import annotations

import asyncio
import bz2
import lzma
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import zarr
from numcodecs.abc import Codec as Numcodec
from zarr.abc.codec import BytesBytesCodec, Codec
from zarr.codecs import ShardingCodec

from stroma.errors import FormatError

MAX_CHUNK = 2**31
"""Bytes of a chunk in memory; larger ones are refused (2 GiB)."""

SLACK = 2**12
"""Bytes that a compressor may give beyond the values, for checksums."""

UNTOLD = 2**24
"""Bytes that a frame may give beyond the values where it does not say how many (16 MiB)."""

_V2 = 2


def bounded(array: zarr.Array[Any]) -> zarr.Array[Any]:
    """Return an array whose compressors give no more than a chunk holds.

    Raises
    ------
    FormatError
        If its chunks are empty, or too large to be held.
    """
    size = math.prod(array.chunks) * array.dtype.itemsize
    if not size or size > MAX_CHUNK:
        raise FormatError(
            f"An array has chunks of {tuple(array.chunks)} samples; they are read from 1 sample to "
            f"{MAX_CHUNK >> 20} MiB. Save it in smaller ones."
        )
    inner = array._async_array
    metadata = inner.metadata
    if metadata.zarr_format == _V2:
        if metadata.compressor is None:
            return array
        most = size * (8 if metadata.filters else 1)
        changed = replace_compressor(metadata, _Bounded2(metadata.compressor, most + SLACK))
    else:
        changed = replace(metadata, codecs=tuple(map(_guarded, metadata.codecs)))
    return zarr.Array(type(inner)(changed, inner.store_path, config=inner.config))


def replace_compressor(metadata: Any, compressor: Any) -> Any:
    """Return metadata of version 2 with another compressor."""
    changed = object.__new__(type(metadata))
    changed.__dict__.update(metadata.__dict__)
    changed.__dict__["compressor"] = compressor
    return changed


def _guarded(codec: Codec) -> Codec:
    if isinstance(codec, ShardingCodec):
        return replace(codec, codecs=tuple(map(_guarded, codec.codecs)))
    return _Bounded3(codec) if isinstance(codec, BytesBytesCodec) else codec


class _Bounded2(Numcodec):  # type: ignore[misc]
    """A compressor of version 2 that gives so many bytes at most."""

    def __init__(self, inner: Any, most: int) -> None:
        self.inner = inner
        self.most = most
        self.codec_id = inner.codec_id

    def encode(self, buf: Any) -> Any:
        """Compress."""
        return self.inner.encode(buf)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decompress, if that is no more than it may be."""
        found = unpacked(self.codec_id, bytes(memoryview(buf).cast("B")), self.most)
        return self.inner.decode(buf, out) if found is None else found

    def get_config(self) -> Any:
        """Return the parameters of the compressor."""
        return self.inner.get_config()


@dataclass(frozen=True)
class _Bounded3(BytesBytesCodec):
    """A compressor of version 3 that gives no more than its chunk holds."""

    inner: BytesBytesCodec

    @property
    def is_fixed_size(self) -> bool:  # type: ignore[override]
        """Whether it always gives the same number of bytes."""
        return self.inner.is_fixed_size

    def to_dict(self) -> Any:
        """Return the parameters of the compressor."""
        return self.inner.to_dict()

    def evolve_from_array_spec(self, array_spec: Any) -> Any:
        """Return the compressor as it is for an array."""
        return _Bounded3(self.inner.evolve_from_array_spec(array_spec))

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        """Return how many bytes it gives, where that can be told."""
        return self.inner.compute_encoded_size(input_byte_length, chunk_spec)

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        name = str(self.inner.to_dict().get("name", ""))
        values = chunk_spec.dtype
        item = values.to_native_dtype().itemsize if hasattr(values, "to_native_dtype") else 0
        most = math.prod(chunk_spec.shape) * (item or np.dtype(values).itemsize) + SLACK
        found = await asyncio.to_thread(unpacked, name, chunk_bytes.to_bytes(), most)
        if found is not None:
            return chunk_spec.prototype.buffer.from_bytes(found)
        return await self.inner._decode_single(chunk_bytes, chunk_spec)

    async def _encode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        return await self.inner._encode_single(chunk_bytes, chunk_spec)


def unpacked(name: str, packed: bytes, most: int) -> bytes | None:
    """Return what a compressor gives, or None where it may be asked itself.

    Raises
    ------
    FormatError
        If it would give more than so many bytes.
    """
    kind = name.removeprefix("numcodecs.").lower()
    told = _TOLD.get(kind)
    if told is not None:
        size = told(packed)
        if size > most:
            raise _too_much(most)
        return None
    stream = _STREAMS.get(kind)
    return None if stream is None else stream(packed, most)


def _too_much(most: int) -> FormatError:
    return FormatError(
        f"A chunk unpacks to more than the {most - SLACK} bytes that its metadata says. It is "
        "damaged, or made to fill the memory; copy or export the image again."
    )


def _blosc_size(packed: bytes) -> int:
    return int.from_bytes(packed[4:8], "little")


def _lz4_size(packed: bytes) -> int:
    return int.from_bytes(packed[:4], "little")


def _zstd_size(packed: bytes) -> int:
    """Return the size in the header of a frame (RFC 8878), or the least it may be refused for."""
    if len(packed) < 6 or packed[:4] != b"\x28\xb5\x2f\xfd":
        return 0
    flag, single, dictionary = packed[4] >> 6, packed[4] >> 5 & 1, packed[4] & 3
    width = (1 if single else 0, 2, 4, 8)[flag]
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[dictionary]
    if not width:
        return max(0, _zstd_most(packed, at) - UNTOLD)
    found = int.from_bytes(packed[at : at + width], "little")
    return found + 256 if flag == 1 else found


def _zstd_most(packed: bytes, at: int) -> int:
    """Return how much the blocks of a frame can give: 128 KiB each, or as much as they say."""
    most, last = 0, 0
    while not last and at + 3 <= len(packed):
        head = int.from_bytes(packed[at : at + 3], "little")
        last, kind, size = head & 1, head >> 1 & 3, head >> 3
        most += 2**17 if kind == 2 else min(size, 2**17)
        at += 3 + (1 if kind == 1 else size)
    return most


def _inflated(packed: bytes, most: int) -> bytes:
    """Unpack zlib or gzip, with as many members as there are."""
    parts, left = [], most
    while packed:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        parts.append(stream.decompress(packed, left + 1))
        left -= len(parts[-1])
        if left < 0 or stream.unconsumed_tail:
            raise _too_much(most)
        if not stream.eof:
            raise ValueError("a compressed chunk is cut short")
        packed = stream.unused_data
    return b"".join(parts)


def _streamed(open_stream: Callable[[], Any]) -> Callable[[bytes, int], bytes]:
    def unpack(packed: bytes, most: int) -> bytes:
        stream = open_stream()
        found: bytes = stream.decompress(packed, most + 1)
        if len(found) > most:
            raise _too_much(most)
        if not stream.eof:
            raise ValueError("a compressed chunk is cut short")
        return found

    return unpack


_TOLD: dict[str, Callable[[bytes], int]] = {
    "blosc": _blosc_size,
    "lz4": _lz4_size,
    "zstd": _zstd_size,
}
_STREAMS: dict[str, Callable[[bytes, int], bytes]] = {
    "zlib": _inflated,
    "gzip": _inflated,
    "bz2": _streamed(bz2.BZ2Decompressor),
    "lzma": _streamed(lzma.LZMADecompressor),
}
