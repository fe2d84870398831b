"""Channels as they are: what a network of others gives that does not say what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stroma.targets.contract import Result
from stroma.targets.restore import Restore


@dataclass(frozen=True)
class Channels(Restore):
    """Values of some channels, which stay what they are.

    Not in the table of targets: there is nothing to learn for it that `Restore` does not.

    Parameters
    ----------
    names : tuple of str
        Of the channels.
    """

    result: ClassVar[Result] = "channels"

    names: tuple[str, ...] = ()

    def channels(self) -> tuple[str, ...]:
        """Return their names."""
        return self.names
