"""Networks with a memory of earlier frames.

ConvLSTM: Shi et al. 2015, arXiv:1506.04214. Networks are functions of frames and a state:
``frames (B, T, C, y, x), state -> (B, T, K, y, x), state``; `Stateful` keeps the state of a
stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn

from stroma.errors import ParameterError
from stroma.networks.contract import cropped, padded
from stroma.networks.unet import UNet

Tensor = torch.Tensor
Memory = tuple[Tensor, Tensor]
"""Output and cell of a ConvLSTM, (B, F, y, x) each."""

State = tuple[Memory, ...]
"""The memories of a network, one for each of its cells."""

Where = Literal["bottleneck", "stacked", "every"]


class ConvLSTM(nn.Module):
    """A cell whose gates are convolutions of what comes in and what went out before.

    Parameters
    ----------
    inputs, width : int
        Features that come in and go out.
    kernel : int
        Side of the kernel.
    """

    def __init__(self, inputs: int, width: int, kernel: int = 3) -> None:
        super().__init__()
        self.width = width
        self.gates = nn.Conv2d(inputs + width, 4 * width, kernel, padding=kernel // 2)
        with torch.no_grad():  # a cell that remembers is the better one to begin with
            assert self.gates.bias is not None
            self.gates.bias[width : 2 * width] = 1.0

    def forward(self, frames: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Return (B, T, F, y, x) outputs for (B, T, C, y, x) frames, and what is remembered."""
        if memory is None:
            empty = frames.new_zeros(frames.shape[0], self.width, *frames.shape[3:])
            memory = (empty, empty)
        output, cell = memory
        found = []
        for frame in frames.unbind(1):
            gates = self.gates(torch.cat([frame, output], 1))
            enter, keep, leave, new = gates.chunk(4, 1)
            cell = keep.sigmoid() * cell + enter.sigmoid() * new.tanh()
            output = leave.sigmoid() * cell.tanh()
            found.append(output)
        return torch.stack(found, 1), (output, cell)


class Recurrent(nn.Module):
    """A U-Net with ConvLSTM cells.

    Parameters
    ----------
    channels, outputs : int
        Channels of frames, and of what is predicted for each.
    where : {"bottleneck", "stacked", "every"}
        One cell at the coarsest resolution; two, one upon the other (for change of change); or
        one at every resolution.
    cell_kernel : int
        Side of the kernels of the cells.
    **params
        Of the U-Net.
    """

    ndim = 2

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        where: Where = "bottleneck",
        cell_kernel: int = 3,
        **params: Any,
    ) -> None:
        super().__init__()
        self.frames = UNet(channels, outputs, ndim=2, **params)
        features = list(params.get("features", (16, 32, 64, 128)))
        last = len(features) - 1
        levels = {"bottleneck": [last], "stacked": [last, last], "every": list(range(last + 1))}
        if where not in levels:
            raise ParameterError(f"No place {where!r} for cells. Known: {', '.join(levels)}.")
        self.levels = levels[where]
        self.cells = nn.ModuleList(
            ConvLSTM(features[level], features[level], cell_kernel) for level in self.levels
        )

    @property
    def stride(self) -> tuple[int, ...]:
        """That of the U-Net."""
        return self.frames.stride

    @property
    def halo(self) -> tuple[int, ...] | None:
        """None: what is remembered spreads with every frame."""
        return None

    def forward(self, frames: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return outputs for frames, and the state after the last of them."""
        batch, times = frames.shape[:2]
        space = frames.shape[3:]
        x = padded(frames.flatten(0, 1), self.stride)
        memories: list[Memory | None] = list(state) if state else [None] * len(self.cells)
        kept: list[Memory] = []
        bridges: list[Tensor] = []
        cells = list(zip(self.levels, self.cells, strict=True))
        for level, stage in enumerate(self.frames.encoder):
            x = stage(x)
            for at, cell in cells:
                if at == level:
                    y, memory = cell(x.reshape(batch, times, *x.shape[1:]), memories[len(kept)])
                    kept.append(memory)
                    x = y.flatten(0, 1)
            bridges.append(x)
        found = self.frames.decode(bridges)
        found = cropped(found, space)
        return found.reshape(batch, times, *found.shape[1:]), tuple(kept)


class Stateful(nn.Module):
    """A recurrent network that remembers each of its streams from call to call.

    The weights are those of the network: ``state_dict`` and ``load_state_dict`` are its own.
    Memory is detached: gradients do not reach into earlier calls.

    Parameters
    ----------
    model : nn.Module
        ``model(frames, state) -> (outputs, state)``.
    batchsize, timesteps : int, optional
        Streams and frames per call, checked if given.
    """

    def __init__(
        self, model: nn.Module, *, batchsize: int | None = None, timesteps: int | None = None
    ) -> None:
        super().__init__()
        self.model, self.batchsize, self.timesteps = model, batchsize, timesteps
        self._state: Any = None

    def forward(self, frames: Tensor) -> Tensor:
        """Return outputs for the next frames (B, T, C, y, x) of every stream."""
        for name, given, wanted in (
            ("streams", frames.shape[0], self.batchsize),
            ("frames per call", frames.shape[1], self.timesteps),
        ):
            if wanted is not None and given != wanted:
                raise ParameterError(
                    f"The network was made for {wanted} {name}, got {given}. Give as many, or "
                    "make it with other numbers and load the same weights."
                )
        self._require_same(frames)
        outputs, state = self.model(frames, self._state)
        self._state = _detached(state)
        result: Tensor = outputs
        return result

    def _require_same(self, frames: Tensor) -> None:
        known = None if self._state is None else _first(self._state).shape[0]
        if known is not None and known != frames.shape[0]:
            raise ParameterError(
                f"The network remembers {known} streams, got {frames.shape[0]}. Call "
                "reset_states() before another video."
            )

    def reset_states(self, streams: Sequence[int] | None = None) -> None:
        """Forget every stream, or some of them."""
        if streams is None or self._state is None:
            self._state = None
            return
        self._state = _emptied(self._state, list(streams))

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return the weights, by the names they have in the network."""
        return self.model.state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        """Load weights of the network."""
        return self.model.load_state_dict(state_dict, *args, **kwargs)


def _detached(state: Any) -> Any:
    return state.detach() if isinstance(state, Tensor) else tuple(_detached(s) for s in state)


def _first(state: Any) -> Tensor:
    return state if isinstance(state, Tensor) else _first(state[0])


def _emptied(state: Any, streams: list[int]) -> Any:
    if not isinstance(state, Tensor):
        return tuple(_emptied(s, streams) for s in state)
    kept = state.clone()
    kept[streams] = 0
    return kept
