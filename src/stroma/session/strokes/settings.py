"""What a session is told beside strokes: how to learn, from what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stroma.errors import ParameterError
from stroma.pixel.choices.aliases import alias_param
from stroma.pixel.param import Param
from stroma.session.core import checks

MODES = ("live", "demand", "paused")
TRAINED_ON = ("all", "image", "chosen")
LIVE_PIXELS = 2000
"""Labelled pixels per class that live training looks at."""


@dataclass(frozen=True)
class Settings:
    """How a session learns.

    Parameters
    ----------
    mode : {"live", "demand", "paused"}
        Train after every stroke; only when asked, predicting what is looked at; nothing by itself.
    train_on : {"all", "image", "chosen"}
        Strokes of all images, of the one painted on last, or of some.
    chosen : tuple of str
        Keys of these.
    channels : tuple of int or None
        Channels in use; all, unless given.
    param : Param
        Parameters of the model; not to be changed in place.
    """

    mode: str = "live"
    train_on: str = "all"
    chosen: tuple[str, ...] = field(default=(), kw_only=True)
    channels: tuple[int, ...] | None = None
    param: Param = field(default_factory=lambda: alias_param("stroma"))

    def __post_init__(self) -> None:
        """Check the values."""
        if self.mode not in MODES:
            raise ParameterError(f"A mode is one of {', '.join(MODES)}, got {self.mode!r}.")
        if self.train_on not in TRAINED_ON:
            raise ParameterError(
                f"A session trains on one of {', '.join(TRAINED_ON)}, got {self.train_on!r}."
            )
        if not all(isinstance(key, str) for key in self.chosen):
            raise ParameterError(f"Chosen images are given by their keys, got {self.chosen!r}.")
        if self.channels is not None:
            wrong = [c for c in self.channels if isinstance(c, bool) or not isinstance(c, int)]
            if wrong or not self.channels or min(self.channels) < 0:
                raise ParameterError(f"Channels are numbers from 0, got {self.channels!r}.")

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "mode": self.mode,
            "train_on": self.train_on,
            "chosen": list(self.chosen),
            "channels": None if self.channels is None else list(self.channels),
            "param": dict(self.param.items()),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Settings:
        """Return settings from what ``to_json`` gave.

        Raises
        ------
        ParameterError, UnknownNameError
            If a value is not allowed.
        """
        channels, given = values["channels"], values["param"]
        if not isinstance(given, Mapping) or not (channels is None or isinstance(channels, list)):
            raise ParameterError("Parameters are given by name, and channels as a list.")
        param = Param()
        param.set(**given)
        chosen = None if channels is None else tuple(channels)
        images = tuple(checks.listed(values.get("chosen", []), "chosen images"))
        return cls(str(values["mode"]), str(values["train_on"]), chosen, param, chosen=images)
