"""Zarr folders in buckets (s3://bucket/image.zarr), read chunk by chunk through obstore.

Who asks, in which region and of which server is what the usual variables say (``AWS_REGION``,
``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL`` ...). Without a key, nobody signs: public buckets are
read so.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import S3Store
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest

from stroma.errors import FileError, FormatError, short
from stroma.io.omezarr.remote import MAX_METADATA, METADATA, MOST, SECONDS, WebFiles

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
"""Variables of which one is set where requests are to be signed."""

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class BucketFiles(WebFiles):
    """A folder in a bucket, to be read only. It pickles as its address."""

    def __reduce__(self) -> Any:
        """Pickle as the address."""
        return BucketFiles, (self.address,)

    @cached_property
    def _bucket(self) -> S3Store:
        endpoint = next((os.environ[n] for n in ENDPOINTS if os.environ.get(n)), None)
        how: dict[str, Any] = {} if _signed() else {"skip_signature": True}
        if endpoint:
            how["endpoint"] = endpoint
        options: Any = {
            "timeout": f"{SECONDS}s",
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
        }
        return S3Store.from_url(
            self.address, client_options=options, retry_config={"max_retries": 3}, **how
        )

    def _fetch(self, key: str, part: ByteRequest | None) -> bytes | None:
        where = f"{self.address}/{key}"
        metadata = key.rpartition("/")[2] in METADATA
        most = MAX_METADATA if metadata else MOST
        try:
            found = obstore.get(self._bucket, key, options=_options(part))
            first, last = found.range
            if last - first > most:
                raise FormatError(f"{where} is larger than {most >> 20} MiB.")
            return bytes(found.bytes())
        except FileNotFoundError:
            return None
        except PermissionDeniedError as error:
            if metadata or not _signed():  # so public buckets say that there is no such file
                return None
            raise FileError(
                f"{where} is refused, though requests are signed. Ask who has the bucket that your "
                "key may read files (s3:GetObject) and, as chunks may be left out, see which there "
                "are (s3:ListBucket)."
            ) from error
        except BaseError as error:
            raise FileError(
                f"{where} cannot be read: {short(error, 300)} Is the address right? Set AWS_REGION "
                "to the bucket's region, AWS_ENDPOINT_URL for servers other than Amazon's, and "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where it is not public."
            ) from error


def _signed() -> bool:
    """Tell whether requests are to be signed."""
    return any(os.environ.get(name) for name in KEYS)


def _options(part: ByteRequest | None) -> Any:
    """Return what asks for a part of a file."""
    if part is None:
        return None
    if isinstance(part, RangeByteRequest):
        return {"range": (part.start, part.end)}
    if isinstance(part, OffsetByteRequest):
        return {"range": {"offset": part.offset}}
    return {"range": {"suffix": part.suffix}}
