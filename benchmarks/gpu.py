"""What a graphics processor is good for here: deep features, steps of training, a whole training.

    python benchmarks/gpu.py RUN                everything that waits for one, in ten minutes
    python benchmarks/gpu.py RUN --minutes 5    the same, with less training
    python benchmarks/gpu.py --smoke            on the processor, tiny, to see that everything runs

First the features of VGG16 and DINOv2 with random weights, computed on the processor and on the
graphics processor: how far they are apart, and how long they take. Then steps of training of the
network for strokes, in single and in mixed precision. What is left of the time trains that network
in the folder RUN, which a later run goes on with, and exports its weights there. Without a
graphics processor it says so and does nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from deep import LARGEST, random_weights

DEEP = {"vgg16": LARGEST, "dinov2_vits14_reg": None}
"""Extractors that are compared, and the largest tensor that is written of their weights."""

RESERVED = 0.5
"""Minutes that are kept for export and for what was not foreseen."""


def main(arguments: list[str] | None = None) -> None:
    """Run everything that fits in the time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="of the training")
    parser.add_argument("--minutes", type=float, default=10, help="for all of it")
    parser.add_argument("--smoke", action="store_true", help="tiny, on the processor")
    given = parser.parse_args(arguments)
    if given.folder is None and not given.smoke:
        parser.error("Give the folder of the training, which a later run can go on with.")
    began = time.monotonic()
    device = "cpu" if given.smoke else graphics_processor()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch) / "run"
        names = list(DEEP)[: 1 if given.smoke else None]
        features(device, names, side=140 if given.smoke else 1036, weights=Path(scratch))
        steps(device, size=2 if given.smoke else 64, count=2 if given.smoke else 30)
        left = given.minutes - (time.monotonic() - began) / 60 - RESERVED
        train(device, folder, minutes=left, smoke=given.smoke)


def graphics_processor() -> str:
    """Return the name of the graphics processor for torch, or stop with a clear message."""
    import torch

    if torch.cuda.is_available():
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
        return "cuda"
    if torch.backends.mps.is_available():
        print(f"Apple's graphics processor, torch {torch.__version__}")
        return "mps"
    sys.exit(
        f"No graphics processor: torch {torch.__version__} sees neither CUDA nor MPS, so nothing "
        "was measured. Install a build of torch for your device, or try everything on the "
        "processor with --smoke."
    )


def features(device: str, names: list[str], *, side: int, weights: Path) -> None:
    """Print how far deep features on a device are from those of the processor, and their times."""
    from stroma.features.build import extractor

    os.environ["STROMA_WEIGHTS"] = str(weights)
    print(f"\n| features of {side} x {side} | processor | {device} | largest difference |")
    print("|---|---|---|---|")
    for name in names:
        random_weights(name, weights, DEEP[name])
        makers = [extractor(name, device=where) for where in ("cpu", device)]
        halo = makers[0].halo or 0
        shape = (3, side + 2 * halo, side + 2 * halo)
        block = np.random.default_rng(0).standard_normal(shape, np.float32)
        (here, slow), (there, fast) = (timed(make, block) for make in makers)
        apart = max(difference(a.values, b.values) for a, b in zip(here, there, strict=True))
        print(f"| {name} | {slow:.3f} s | {fast:.3f} s | {apart:.1e} |")


def timed(compute: Callable[..., Any], block: Any) -> tuple[Any, float]:
    """Return what a second call gives, and its seconds; the first one loads and compiles."""
    compute(block)
    began = time.perf_counter()
    made = compute(block)
    return made, time.perf_counter() - began


def difference(expected: Any, found: Any) -> float:
    """Return the largest difference, relative to the largest value."""
    return float(np.abs(expected - found).max() / np.abs(expected).max())


def steps(device: str, *, size: int, count: int) -> None:
    """Print how long a step of training takes, in single and in mixed precision."""
    import torch

    from stroma.training.strokes.batches import Batches, unpacked
    from stroma.training.strokes.objective import Learner

    batch = unpacked(Batches(0, size=size)[0], 0).to(torch.device(device))
    print(f"\n| a step with {size} episodes | time | loss |\n|---|---|---|")
    for name, mixed in (("single precision", False), ("mixed precision", True)):
        torch.manual_seed(0)
        model = Learner().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
        for i in range(2 * count):
            if i == count:
                began = time.perf_counter()
            loss = model.outcome(batch, mixed=mixed).loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            last = loss.item()
        print(f"| {name} | {1000 * (time.perf_counter() - began) / count:.0f} ms | {last:.3f} |")


def train(device: str, folder: Path, *, minutes: float, smoke: bool) -> None:
    """Train the network for strokes, and export it; where it goes on, for as long again."""
    from stroma.training.strokes.export import checkpoint, export
    from stroma.training.strokes.loop import CHECKPOINT, Settings, Training
    from stroma.training.strokes.report import curve, kinds

    before = 0.0
    if (folder / CHECKPOINT).exists():
        before = checkpoint(folder)["seconds"] / 60
    if smoke:
        settings = Settings(steps=3, batch=2, side=32, workers=0, validation=8)
    else:
        workers = max(1, (os.cpu_count() or 2) - 1)
        settings = Settings(
            minutes=before + minutes, batch=64, rate=3e-3, workers=workers, device=device
        )
    Training(folder, settings).run()
    export(folder, folder / "strokenet.npz")
    print("\n" + "\n".join(line for line in curve(folder).splitlines() if "validation" in line))
    if not smoke:
        print("\n" + kinds(folder))
    print(f"Weights: {folder / 'strokenet.npz'}")


if __name__ == "__main__":
    main()
