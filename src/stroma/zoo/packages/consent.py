"""Programs in packages, which run only with the consent of the user, given to these very bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from stroma.errors import ConsentError, short

DIGITS = 32
"""Hexadecimal digits that name a program: of fewer, another with the same can be made in hours."""


@dataclass(frozen=True)
class Code:
    """A program in a package.

    Parameters
    ----------
    package : Path
        The package.
    what : str
        What it is, for people: "TorchScript", "Python".
    name : str
        Its file, with what is called in it.
    digest : str
        The first digits of the SHA-256 of its bytes, by which it is trusted.
    authors : tuple of str
        Who wrote it, as the package says.
    """

    package: Path
    what: str
    name: str
    digest: str
    authors: tuple[str, ...] = ()


def digest_of(data: bytes) -> str:
    """Return what names some bytes, and no others."""
    return hashlib.sha256(data).hexdigest()[:DIGITS]


def require_consent(code: Code, trust: Collection[str]) -> None:
    """Refuse to run a program that the user did not name.

    Raises
    ------
    ConsentError
        If it is not among what the user trusts; the message names it.
    """
    if code.digest in {one.strip().lower()[:DIGITS] for one in trust if len(one) >= DIGITS}:
        return
    by = f", by {short(', '.join(code.authors))}" if code.authors else ""
    raise ConsentError(
        f"{code.package} holds its network as a program: {code.what}, {short(code.name)}{by}. A "
        "program can do whatever you can: read, change and send your files. It runs only from the "
        "command line and Python, and only if you trust who made it and say so. That is said with "
        f"trust={code.digest!r}. It is consent to this program alone: another has another number."
    )
