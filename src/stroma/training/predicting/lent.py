"""Networks that are programs of others: they run like ours, and stay where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from stroma.errors import ParameterError
from stroma.targets.channels import Channels
from stroma.targets.contract import Target
from stroma.training.files.about import About

PROGRAM = "program"
"""What such a network is called among ours."""


@dataclass(frozen=True)
class Lent(About):
    """What is known of a network whose program is kept in a file of others.

    Parameters
    ----------
    source : str
        That file.
    names : tuple of str
        Of its channels, where these are the result.
    """

    source: str = ""
    names: tuple[str, ...] = ()

    def built_target(self) -> Target:
        """Return what its channels mean; themselves where nobody says it."""
        return Channels(names=self.names) if self.names else super().built_target()

    def built(self) -> nn.Module:
        """Refuse to build it anew: nothing but the file can.

        Raises
        ------
        ParameterError
            Always.
        """
        raise ParameterError(
            f"The network in {self.source} is a program of others, which is applied, but neither "
            "trained nor kept in another file. Keep that one."
        )


def require_ours(about: Any) -> None:
    """Refuse to keep a network that is a program of others in a file of ours.

    Raises
    ------
    ParameterError
        If it is one.
    """
    if isinstance(about, Lent):
        about.built()
