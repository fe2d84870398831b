"""Small ONNX models written by hand: the few messages and fields that a chain of filters needs.

ONNX files are protocol buffers: every field is its number and type, then its value. The numbers
are those of ``onnx.proto`` (ONNX IR version 8, operators version 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

VARINT, BYTES, FLOAT_BITS = 0, 2, 5

IR_VERSION, OPERATORS = 8, 13

TENSOR_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 7}


def varint(value: int) -> bytes:
    """Return an integer in groups of 7 bits; negative ones as 64-bit complements."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(key: int, value: int) -> bytes:
    """Return an integer field."""
    return varint(key << 3 | VARINT) + varint(value)


def text(key: int, value: bytes | str) -> bytes:
    """Return a field of bytes, text, or a message."""
    raw = value.encode() if isinstance(value, str) else value
    return varint(key << 3 | BYTES) + varint(len(raw)) + raw


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return text(1, name) + number(3, value) + number(20, 2)
    if isinstance(value, str):
        return text(1, name) + text(4, value) + number(20, 3)
    return text(1, name) + b"".join(number(8, v) for v in value) + number(20, 7)


def _tensor(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    dims = b"".join(number(1, n) for n in values.shape)
    kind = number(2, TENSOR_TYPES[values.dtype])
    return dims + kind + text(8, name) + text(9, np.ascontiguousarray(values).tobytes())


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    """Describe a float32 input or output; a side that is a name is free."""
    sides = [number(1, side) if isinstance(side, int) else text(2, side) for side in shape]
    dims = b"".join(text(1, side) for side in sides)
    return text(1, name) + text(2, text(1, number(1, 1) + text(2, dims)))


@dataclass
class Graph:
    """A model that grows node by node; every method returns the name of what it computes."""

    nodes: list[bytes] = field(default_factory=list)
    tensors: list[bytes] = field(default_factory=list)

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add constant values."""
        name = f"c{len(self.tensors)}"
        self.tensors.append(_tensor(name, values))
        return name

    def add(self, operator: str, inputs: Sequence[str], **attributes: int | str | list[int]) -> str:
        """Add a node."""
        name = f"n{len(self.nodes)}"
        fields = [text(1, i) for i in inputs] + [text(2, name), text(3, name), text(4, operator)]
        fields += [text(5, _attribute(key, value)) for key, value in attributes.items()]
        self.nodes.append(b"".join(fields))
        return name

    def convolution(
        self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32], groups: int = 1
    ) -> str:
        """Add a convolution that keeps the size; beyond the borders there are zeros."""
        side = weight.shape[2]
        inputs = [x, self.constant(weight), self.constant(bias)]
        pads, shape = [side // 2] * 4, [side, side]
        return self.add("Conv", inputs, kernel_shape=shape, pads=pads, group=groups)

    def relu(self, x: str) -> str:
        """Add the positive part."""
        return self.add("Relu", [x])

    def mean_of_cells(self, x: str, side: int) -> str:
        """Add a reduction by means of cells."""
        return self.add("AveragePool", [x], kernel_shape=[side] * 2, strides=[side] * 2)

    def enlarged(self, x: str, factor: int) -> str:
        """Add a bilinear enlargement."""
        scales = self.constant(np.array([1, 1, factor, factor], np.float32))
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self.add("Resize", [x, "", scales], **how)

    def cut(self, x: str, margin: int) -> str:
        """Add a crop by a margin on every side."""
        if margin == 0:
            return x
        ends = [self.constant(np.array([n, n], np.int64)) for n in (margin, -margin)]
        return self.add("Slice", [x, *ends, self.constant(np.array([2, 3], np.int64))])

    def channels(self, x: str, start: int, stop: int) -> str:
        """Add a selection of channels."""
        bounds = [self.constant(np.array([n], np.int64)) for n in (start, stop, 1)]
        return self.add("Slice", [x, *bounds])

    def model(self, inputs: dict[str, Sequence[int | str]], output: str) -> bytes:
        """Return the file's bytes."""
        graph = [text(1, node) for node in self.nodes] + [text(2, "stroma")]
        graph += [text(5, tensor) for tensor in self.tensors]
        graph += [text(11, _value(name, shape)) for name, shape in inputs.items()]
        graph += [text(12, _value(output, ["n", "c", "y", "x"]))]
        opset = text(8, text(1, "") + number(2, OPERATORS))
        return number(1, IR_VERSION) + opset + text(7, b"".join(graph))
