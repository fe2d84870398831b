"""What the program's exit codes mean."""

from __future__ import annotations

from stroma.errors import Cancelled, MissingExtraError, WeightsError

SOME_FAILED, UNUSABLE, MISSING, CANCELLED = 1, 2, 3, 130


def exit_code(error: BaseException) -> int:
    """Return the code for an error that ends the program."""
    if isinstance(error, Cancelled):
        return CANCELLED
    return MISSING if isinstance(error, MissingExtraError | WeightsError) else UNUSABLE
