"""Compiled loops over the pixels of objects, each within its own box.

All work on (z, y, x) labels, a plane having depth one; they run on one thread, release the GIL and
write rows ``first`` to ``end`` of their results, so that callers share out the objects.
"""

from __future__ import annotations

import numpy as np

from stroma.compiled import Array, jit


@jit
def mark(labels: Array, seen: Array) -> None:
    """Set ``seen`` for every label there is."""
    for label in labels.flat:
        seen[label] = True


@jit
def locate(labels: Array, row: Array, count: Array, sums: Array, box: Array) -> None:
    """Add up pixels and coordinates of all objects, and find their boxes."""
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                label = labels[z, y, x]
                if label == 0:
                    continue
                i = row[label]
                count[i] += 1
                sums[i, 0] += z
                sums[i, 1] += y
                sums[i, 2] += x
                box[i, 0] = min(box[i, 0], z)
                box[i, 1] = min(box[i, 1], y)
                box[i, 2] = min(box[i, 2], x)
                box[i, 3] = max(box[i, 3], z + 1)
                box[i, 4] = max(box[i, 4], y + 1)
                box[i, 5] = max(box[i, 5], x + 1)


@jit
def cut(labels: Array, code: int, box: Array) -> Array:
    """Return the pixels of an object as 1, in its box with a margin of one pixel."""
    shape = (box[3] - box[0] + 2, box[4] - box[1] + 2, box[5] - box[2] + 2)
    mask = np.zeros(shape, np.uint8)
    for z in range(box[0], box[3]):
        for y in range(box[1], box[4]):
            for x in range(box[2], box[5]):
                if labels[z, y, x] == code:
                    mask[z - box[0] + 1, y - box[1] + 1, x - box[2] + 1] = 1
    return mask


@jit
def forms(
    first: int,
    end: int,
    labels: Array,
    codes: Array,
    box: Array,
    centre: Array,
    directions: Array,
    second: Array,
    euler: Array,
    perimeter: Array,
    crossings: Array,
) -> None:
    """Write what follows from the mask of each object.

    Parameters
    ----------
    second : (n, 3, 3) float64
        Sums of products of coordinates from the centre, in pixels.
    euler : (n,) int64
        Parts minus holes (in volumes: minus tunnels plus hollows).
    perimeter : (n,) float64
        That of the first plane.
    crossings : (n, D) int64
        How often each of the D directions leaves or enters the object.
    """
    for i in range(first, end):
        mask = cut(labels, codes[i], box[i])
        start = centre[i] - box[i, :3] + 1
        _second_moments(mask, start, second[i])
        euler[i] = _euler(mask)
        perimeter[i] = _perimeter(mask[1])
        for k in range(len(directions)):
            crossings[i, k] = _crossings(mask, directions[k])


@jit
def _second_moments(mask: Array, centre: Array, out: Array) -> None:
    depth, height, width = mask.shape
    zz = yy = xx = zy = zx = yx = 0.0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if mask[z, y, x]:
                    a, b, c = z - centre[0], y - centre[1], x - centre[2]
                    zz += a * a
                    yy += b * b
                    xx += c * c
                    zy += a * b
                    zx += a * c
                    yx += b * c
    out[0, 0], out[1, 1], out[2, 2] = zz, yy, xx
    out[0, 1] = out[1, 0] = zy
    out[0, 2] = out[2, 0] = zx
    out[1, 2] = out[2, 1] = yx


@jit
def _euler(mask: Array) -> int:
    """Count corners - sides + faces - cubes of the closed pixels that make up the object."""
    total = 0
    for z in range(mask.shape[0] - 1):
        for y in range(mask.shape[1] - 1):
            for x in range(mask.shape[2] - 1):
                a, b = mask[z, y, x], mask[z, y, x + 1]
                c, d = mask[z, y + 1, x], mask[z, y + 1, x + 1]
                e, f = mask[z + 1, y, x], mask[z + 1, y, x + 1]
                g = mask[z + 1, y + 1, x]
                corner = a | b | c | d | e | f | g | mask[z + 1, y + 1, x + 1]
                total += corner - (a | b | c | d) - (a | b | e | f) - (a | c | e | g)
                total += (a | b) + (a | c) + (a | e)
                total -= a
    return total


@jit
def _perimeter(mask: Array) -> float:
    """Return the length of the border, from how each of its pixels is joined to others of it.

    Benkrid and Crookes, "Design and FPGA implementation of a perimeter estimator".
    """
    height, width = mask.shape
    border = np.zeros(mask.shape, np.uint8)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            inner = mask[y - 1, x] & mask[y + 1, x] & mask[y, x - 1] & mask[y, x + 1]
            border[y, x] = mask[y, x] & (1 - inner)
    total = 0.0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if not border[y, x]:
                continue
            side = border[y - 1, x] + border[y + 1, x] + border[y, x - 1] + border[y, x + 1]
            corner = border[y - 1, x - 1] + border[y - 1, x + 1]
            corner += border[y + 1, x - 1] + border[y + 1, x + 1]
            if 2 <= side <= 3 and corner <= 2:
                total += 1.0
            elif (side == 0 and corner == 2) or (side == 1 and corner == 3):
                total += np.sqrt(2.0)
            elif side == 1 and 1 <= corner <= 2:
                total += (1 + np.sqrt(2.0)) / 2
    return total


@jit
def _crossings(mask: Array, step: Array) -> int:
    """Count neighbours in one direction of which one is in the object and one is not."""
    total = 0
    dz, dy, dx = step
    for z in range(max(0, -dz), mask.shape[0] - max(0, dz)):
        for y in range(max(0, -dy), mask.shape[1] - max(0, dy)):
            for x in range(max(0, -dx), mask.shape[2] - max(0, dx)):
                total += mask[z, y, x] != mask[z + dz, y + dy, x + dx]
    return total
