"""Which processor a network runs on."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from stroma.errors import ParameterError

Device = Literal["auto", "cpu", "cuda", "mps"]


def check(device: str) -> None:
    """Refuse what is not the name of a device.

    Raises
    ------
    ParameterError
        If it is none of the names in ``Device``.
    """
    if device not in get_args(Device):
        raise ParameterError(
            f"device is one of {', '.join(map(repr, get_args(Device)))}, got {device!r}."
        )


def available() -> tuple[str, ...]:
    """Return the devices of this machine, the best first; the last is the processor."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return (*(name for name, here in present.items() if here), "cpu")


def resolve(device: str) -> torch.device:
    """Return the device meant; ``auto`` is the best one this machine has.

    Raises
    ------
    ParameterError
        If the name is not known, or this machine has no such device.
    """
    check(device)
    here = available()
    if device == "auto":
        device = here[0]
    elif device not in here:
        raise ParameterError(
            f"The device {device!r} was asked for, but torch finds none on this machine. "
            f"Use 'auto' or 'cpu'."
        )
    return torch.device(device)
