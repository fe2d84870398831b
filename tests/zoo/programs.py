"""Model packages of others, with small networks, as the format has them."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import nn

from stroma.features.strokenet.learned_onnx import Graph

SPACE = "yx"


class Small(nn.Module):
    """A network that sees cells of two pixels, and some of their neighbours."""

    def __init__(self, channels: int = 1, outputs: int = 2) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(channels, 4, 3, padding=1)
        self.deep = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(4, outputs, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs."""
        x = torch.relu(self.first(x))
        x = self.deep(nn.functional.avg_pool2d(x, 2))
        return self.last(nn.functional.interpolate(x, scale_factor=2.0))


def small(**how: int) -> Small:
    """Return the network, in use."""
    return Small(**how).eval().requires_grad_(False)


def scripted(module: nn.Module, channels: int = 1) -> bytes:
    """Return a network as TorchScript."""
    return saved(module, torch.rand(1, channels, 16, 16))


def saved(module: nn.Module, example: torch.Tensor | None = None) -> bytes:
    """Return a module as TorchScript: traced, where there is an example of what it sees."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = torch.jit.script(module) if example is None else torch.jit.trace(module, example)
        torch.jit.save(made, file)
    return file.getvalue()


def in_onnx(module: Small, **more: list[str | int]) -> bytes:
    """Return the network in ONNX, written by hand; more inputs are named with their sides."""
    graph = Graph()

    def layer(x: str, one: nn.Conv2d) -> str:
        return graph.convolution(x, one.weight.numpy(), one.bias.numpy())

    x = graph.mean_of_cells(graph.relu(layer("image", module.first)), 2)
    x = layer(x, module.deep)
    scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
    x = graph.add(
        "Resize", [x, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric"
    )
    sides = ["n", module.first.in_channels, "y", "x"]
    return graph.model({"image": sides, **more}, layer(x, module.last))


ZSCORE = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}]
"""Every image has a mean of 0 and a spread of 1 before the network sees it."""


def described(
    *,
    channels: int = 1,
    names: tuple[str, ...] = ("inside", "border"),
    size: Any = None,
    halo: int | None = 16,
    pre: list[Any] | None = None,
    post: list[Any] | None = None,
    out_scale: float = 1.0,
    offset: int = 0,
    weights: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a description in format 0.5."""
    size = {"min": 32, "step": 8} if size is None else size
    ours = [f"c{i}" for i in range(channels)]
    axes: list[dict[str, Any]] = [{"type": "batch"}, {"type": "channel", "channel_names": ours}]
    axes += [{"type": "space", "id": a, "size": size} for a in SPACE]
    ends: list[dict[str, Any]] = [{"type": "batch"}]
    ends.append({"type": "channel", "channel_names": list(names)})
    for a in SPACE:
        same = {"tensor_id": "raw", "axis_id": a, "offset": offset}
        more = {} if halo is None else {"halo": halo}
        ends.append({"type": "space", "id": a, "size": same, "scale": out_scale, **more})
    return {
        "type": "model",
        "format_version": "0.5.4",
        "authors": [{"name": "A. Author"}],
        "inputs": [{"id": "raw", "axes": axes, "preprocessing": pre or []}],
        "outputs": [{"id": "found", "axes": ends, "postprocessing": post or []}],
        "weights": weights or {"onnx": {"source": "net.onnx"}},
    }


def written(path: Path, said: dict[str, Any], **files: bytes) -> Path:
    """Write a package; "__" in names of files stands for a dot."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rdf.yaml", yaml.safe_dump(said))
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return path


def seeing(path: Path) -> Path:
    """Write a package in ONNX whose network can see for models of strokes."""
    said = described(pre=ZSCORE, post=[{"id": "sigmoid"}])
    return written(path, said, net__onnx=in_onnx(small()))


def refused(path: Path) -> Path:
    """Write a package whose network is a program, which needs consent."""
    said = described(weights={"torchscript": {"source": "net.pt"}}, pre=ZSCORE)
    return written(path, said, net__pt=scripted(small()))
