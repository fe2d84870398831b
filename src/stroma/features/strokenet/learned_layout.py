"""The shape of the network of `StrokeNet`, and what follows from it: halo, stride, names."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Layout:
    """Widths of a network for strokes.

    Parameters
    ----------
    widths : tuple of int
        Filters of the levels on the way down, from full resolution; every level halves it.
    back : tuple of int
        Filters of the levels on the way back.
    depths : tuple of int
        3 x 3 convolutions of every level on the way down.
    fine, coarse : int
        Features from the finest level and from the second.
    own : int
        Features of every channel alone, at either of two resolutions.
    """

    widths: tuple[int, ...] = (16, 32, 64, 112)
    back: tuple[int, ...] = (24, 32, 64, 112)
    depths: tuple[int, ...] = (1, 2, 2, 3)
    fine: int = 24
    coarse: int = 16
    own: int = 2

    def scaled(self, factor: float) -> Layout:
        """Return a layout with ``factor`` times as many filters at every level, in eights."""
        widths, back = (
            tuple(8 * max(1, round(filters * factor / 8)) for filters in every)
            for every in (self.widths, self.back)
        )
        return replace(self, widths=widths, back=back)

    def convolutions(self, level: int) -> list[tuple[int, int]]:
        """Return inputs and outputs of the convolutions of a level on the way down."""
        own = self.widths[level]
        before = self.widths[level - 1] if level else own
        return [(before, own), *[(own, own)] * (self.depths[level] - 1)]

    @property
    def stride(self) -> int:
        """Side, in pixels, of a cell of the coarsest level."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def margins(self) -> tuple[int, ...]:
        """Cells around the core that are kept at every level on the way back.

        A convolution needs one more on every side than its output, an enlargement by two half of
        its output's and one more; the coarsest level has no convolution there.
        """
        margins, known = [], 0
        for _ in self.widths[1:]:
            margins.append(known + 1)
            known = margins[-1] // 2 + 1
        return (*margins, known)

    @property
    def halo(self) -> int:
        """Pixels of context, a multiple of the stride."""
        cells = 0
        for level in range(len(self.widths) - 1, -1, -1):
            cells = max(cells, self.margins[level]) + self.depths[level]
            cells *= 2 if level else 1
        first = cells + 1
        return -(-first // self.stride) * self.stride

    @property
    def features(self) -> int:
        """Number of features of all channels together."""
        return self.fine + self.coarse


LAYOUT = Layout()
"""What we train and ship."""
