"""Building what a file describes, no further than the tensors in it go.

A few bytes can describe a network of any width, depth and number. What it is built of is counted
before it is made, and refused when it is more than the file has tensors for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from stroma.errors import FormatError

SLACK = 2**24
"""Values that may be made beside those of the file: some networks make others to measure them."""

LEAST = 2**8
"""Values that a tensor counts as, if it has fewer: making one takes its time."""

LARGEST = 2**20
"""Numbers up to this are no size that matters, whatever they are."""

Made = TypeVar("Made")


def within(tensors: Iterable[torch.Tensor], make: Callable[[], Made], described: Any) -> Made:
    """Return what is made of a description, if it has no more values than a file has bytes.

    Values of networks have four bytes, so that there is room.

    Parameters
    ----------
    tensors : iterable of tensor
        What the file holds; those that share their memory count once.
    make : callable
        What makes it.
    described : object
        What it is made of: plain values, in lists and mappings.

    Raises
    ------
    FormatError
        If it has more, or its description has numbers that are larger.
    """
    storages = [tensor.untyped_storage() for tensor in tensors]
    held = sum({one.data_ptr(): one.nbytes() for one in storages}.values())
    _require_up_to(max(held, LARGEST), described)
    with _Budget(held + SLACK):
        return make()


def _require_up_to(most: int, value: Any) -> None:
    """Refuse whole numbers so large that a list of as many would fill the memory."""
    if isinstance(value, int) and abs(value) > most:
        raise _too_large()
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            _require_up_to(most, inner)


class _Budget(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the values of tensors that are made in this thread, before they are.

    Parameters
    ----------
    most : int
        How many there may be.
    """

    def __init__(self, most: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.left = most

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[Any],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Count what is made of a shape, or like another; all else is made of what was counted."""
        told = kwargs or {}
        if shape := _shape_of(func, args):
            self.left -= max(math.prod(shape), LEAST)
            if self.left < 0:
                raise _too_large()
        return func(*args, **told)


def _shape_of(func: Any, args: tuple[Any, ...]) -> Sequence[int]:
    """Return the shape of a tensor that is made of no values of others; empty if it is of them."""
    first: Any = args[0] if args else ()
    if func is torch.ops.aten.empty_like.default:
        first = list(first.shape)
    listed = isinstance(first, list | tuple) and all(isinstance(n, int) for n in first)
    return tuple(first) if listed else ()


def _too_large() -> FormatError:
    return FormatError("it is described as larger than the tensors that are there")
