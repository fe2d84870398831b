"""A small transformer on the objects of a few frames, which says who comes from whom.

Gallusser and Weigert, Trackastra: Transformer-based cell tracking for live-cell microscopy, 2024,
arXiv:2405.15700: attention among the objects of a window of frames, by where they are to each
other, and a softmax over the parents of each object in which it may have none. Objects look at
those nearby only, so that time and memory grow with their number and not with its square.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

RELATIVE = 6
"""Numbers that say where one object is to another: place (z, y, x), distance, frames, nearness."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work in one thread: several wait for one another longer than they share work.

    The matrices of a window are small. Two threads took seven times the processor time of one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Attention(nn.Module):
    """One layer: every object takes up what those nearby say, by what they are and where.

    Parameters
    ----------
    width : int
        Numbers that describe an object.
    heads : int
        Ways of looking at others at once.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.offer = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.bias = nn.Sequential(nn.Linear(RELATIVE, width), nn.GELU(), nn.Linear(width, heads))
        self.place = nn.Linear(RELATIVE, width)
        self.out = nn.Linear(width, width)
        self.own = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, near: Tensor, where: Tensor, there: Tensor) -> Tensor:
        """Return the (n, width) objects after one look around.

        Parameters
        ----------
        x : (n, width) Tensor
            The objects.
        near : (n, k) int64 Tensor
            Those that each looks at.
        where : (n, k, RELATIVE) Tensor
            Where they are to it.
        there : (n, k) bool Tensor
            False where there are fewer than k.
        """
        n, k = near.shape
        asked = self.ask(self.before(x)).view(n, 1, self.heads, -1)
        key, value = self.offer(self.before(x)).chunk(2, dim=1)
        keys = key[near].view(n, k, self.heads, -1)
        score = (asked * keys).sum(-1) / keys.shape[-1] ** 0.5 + self.bias(where)
        score = score.masked_fill(~there[..., None], -1e4)
        values = (value[near] + self.place(where)).view(n, k, self.heads, -1)
        seen = (score.softmax(dim=1)[..., None] * values).sum(dim=1).reshape(n, -1)
        x = x + self.out(seen)
        found: Tensor = x + self.own(self.after(x))
        return found


class Parents(nn.Module):
    """Logits of pairs: how likely the one is the parent of the other.

    Parameters
    ----------
    measures : int
        What is known of an object.
    columns : int
        What is measured of a pair.
    width, heads, layers : int
        Size of the transformer.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, measures: int, columns: int, *, width: int = 32, heads: int = 4, layers: int = 2
    ) -> None:
        super().__init__()
        self.object = nn.Linear(measures, width)
        self.layers = nn.ModuleList(Attention(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.pair = nn.Sequential(
            nn.Linear(2 * width + columns + RELATIVE, 2 * width),
            nn.GELU(),
            nn.Linear(2 * width, width),
            nn.GELU(),
            nn.Linear(width, 1),
        )
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("scale", torch.ones(columns))

    def forward(
        self,
        measured: Tensor,
        near: Tensor,
        where: Tensor,
        there: Tensor,
        pairs: Tensor,
        columns: Tensor,
        between: Tensor,
    ) -> Tensor:
        """Return the (m,) logits of pairs.

        Parameters
        ----------
        measured : (n, measures) Tensor
            The objects.
        near, where, there
            As for `Attention.forward`.
        pairs : (m, 2) int64 Tensor
            The earlier and the later of each.
        columns : (m, columns) Tensor
            What is measured of them.
        between : (m, RELATIVE) Tensor
            Where the later is to the earlier.
        """
        x = self.object(measured)
        for layer in self.layers:
            x = layer(x, near, where, there)
        x = self.norm(x)
        known = ((columns - self.mean) / self.scale).clamp(-8, 8)
        both = torch.cat([x[pairs[:, 0]], x[pairs[:, 1]], known, between], dim=1)
        found: Tensor = self.pair(both)[:, 0]
        return found


def parental(logits: Tensor, child: Tensor, objects: int) -> Tensor:
    """Return the logarithm of the chance of each pair: a softmax over the parents of a child.

    That it has none of them is one more way, with a logit of 0.

    Parameters
    ----------
    logits : (m,) Tensor
        Of the pairs.
    child : (m,) int64 Tensor
        Later object of each.
    objects : int
        How many there are.
    """
    most = torch.zeros(objects, dtype=logits.dtype)
    most = most.scatter_reduce(0, child, logits.detach(), "amax")
    shifted = torch.exp(logits - most[child])
    total = torch.exp(-most).scatter_add(0, child, shifted)
    return logits - most[child] - torch.log(total[child])
