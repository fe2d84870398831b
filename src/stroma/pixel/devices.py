"""Where a call computes, in the words of every version of the original."""

from __future__ import annotations

from stroma.errors import ParameterError

WORDS = {"gpu": "auto", "auto": "auto", "cpu": "cpu", "cuda": "cuda", "mps": "mps"}
"""Words for devices; "gpu" is the graphics card where there is one, as "auto" is."""


def device_of(*asked: str | None) -> str | None:
    """Return the first device that was asked for, in our words; None where none was.

    Raises
    ------
    ParameterError
        If the word is not known.
    """
    for word in asked:
        if word is None:
            continue
        if word not in WORDS:
            raise ParameterError(f"A device is one of {', '.join(map(repr, WORDS))}, got {word!r}.")
        return WORDS[word]
    return None


def locked_device(device: str, part: str) -> str | None:
    """Return the device that features are bound to from now on; None for none.

    Raises
    ------
    ParameterError
        If a word is not known.
    """
    if part not in ("fe", "clf", "both"):
        raise ParameterError(f"part is 'fe', 'clf' or 'both', got {part!r}.")
    return None if device == "off" else device_of(device)
