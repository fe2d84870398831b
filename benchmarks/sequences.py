"""Networks that remember, and those that learn without labels, on scikit-learn's digits.

    python benchmarks/sequences.py --picture frames.png
    python benchmarks/sequences.py --ladder

The first lets digits fly through small frames and predicts the next five, each from the one before:
by drawing them anew ("direct") or by moving the last frame ("warp"). What is compared is the peak
signal-to-noise ratio, with that of a frame that does not change; seconds are of one processor. The
second learns digits from 100 labels, with and without 1272 other images, and is scored on the last
425, five times: the mean error, and each.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from stroma.networks.ladder import dense_ladder
from stroma.networks.next_frame import NextFrame, rolled_out
from stroma.training.contract import Batch
from stroma.training.ways.objectives import NextFrames

SIDE, SEEN, AHEAD = 24, 4, 5
KEPT = 200
"""Digits of which no film is learned from."""


def films(count: int, seed: int, *, kept: bool) -> torch.Tensor:
    """Return (count, frames, 1, y, x) films of one digit that flies straight on and is reflected.

    Speeds are up to two pixels a frame along each axis, not zero, and no whole numbers.
    """
    rng = np.random.default_rng(seed)
    digits = load_digits().images / 16.0
    chosen = digits[:KEPT] if kept else digits[KEPT:]
    found = [_film(chosen[rng.integers(len(chosen))], rng) for _ in range(count)]
    return torch.from_numpy(np.stack(found)).float()[:, :, None]


def _film(digit: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    room = SIDE - 9.0
    place, speed = rng.uniform(0, room, 2), rng.uniform(0.7, 2, 2) * rng.choice([-1, 1], 2)
    frames = np.zeros((SEEN + AHEAD, SIDE, SIDE))
    for frame in frames:
        y, x = place.astype(int)
        fy, fx = place - (y, x)
        for dy, wy in ((0, 1 - fy), (1, fy)):
            for dx, wx in ((0, 1 - fx), (1, fx)):
                frame[y + dy : y + dy + 8, x + dx : x + dx + 8] += wy * wx * digit
        place = place + speed
        beyond = (place < 0) | (place > room)
        speed = np.where(beyond, -speed, speed)
        place = np.where(place < 0, -place, np.where(place > room, 2 * room - place, place))
    return frames


def psnr(found: torch.Tensor, true: torch.Tensor) -> list[float]:
    """Return the peak signal-to-noise ratio of every step, in dB, the mean over films."""
    error = (found - true).square().mean((-3, -2, -1)).clamp_min(1e-10)
    return (-10 * error.log10()).mean(0).tolist()


def trained(how: str, steps: int, *, rate: float = 6e-3) -> torch.nn.Module:
    """Return a network that learned to predict, each frame from its own predictions."""
    torch.manual_seed(0)
    model = NextFrame(1, how=how).train()
    optimiser = torch.optim.AdamW(model.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    objective = NextFrames(AHEAD)
    for step in range(steps):
        frames = films(8, 1000 + step, kept=False)
        loss = objective.step(model, Batch(frames, None, None, step)).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return model.eval()


def predict(steps: list[int], picture: Path | None) -> None:
    """Train both ways, and print how good each step is."""
    known = films(64, 1, kept=True)
    true = known[:, SEEN:]
    last = known[:, SEEN - 1 : SEEN].expand_as(true)
    print("| way | steps | " + " | ".join(f"frame {n + 1}" for n in range(AHEAD)), "|")
    print("|---|---|" + "---|" * AHEAD)
    _row("last frame", "", psnr(last, true))
    _row("nothing, all dark", "", psnr(torch.zeros_like(true), true))
    shown = {"truth": true, "last frame": last}
    for count in steps:
        for how in ("direct", "warp"):
            began = time.process_time()
            model = trained(how, count)
            with torch.no_grad():
                found = rolled_out(model, known[:, :SEEN], AHEAD)
            _row(how, f"{count} ({time.process_time() - began:.0f} s)", psnr(found, true))
            shown[how] = found
    if picture is not None:
        draw(known[:, :SEEN], shown, picture)


def _row(*cells: Any) -> None:
    *names, values = cells
    print(f"| {' | '.join(names)} | {' | '.join(f'{v:.1f}' for v in values)} |", flush=True)


def draw(seen: torch.Tensor, shown: dict[str, torch.Tensor], path: Path) -> None:
    """Write the frames of a film that were seen, and what follows in every way."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(shown), SEEN + AHEAD, figsize=(9, 1.05 * len(shown)))
    for row, (name, frames) in zip(axes, shown.items(), strict=True):
        every = torch.cat([seen[3], frames[3]])
        for n, (axis, frame) in enumerate(zip(row, every, strict=True)):
            axis.imshow(frame[0], cmap="gray", vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
            if n == 0:
                axis.set_ylabel(name, fontsize=8)
    figure.tight_layout(pad=0.4)
    figure.savefig(path, dpi=110)


def ladder(seeds: int, steps: int) -> None:
    """Learn digits from 100 labels, with and without what is not labelled."""
    digits = load_digits()
    images = torch.from_numpy(digits.data / 16.0).float()
    truth = torch.from_numpy(digits.target)
    errors: dict[str, list[float]] = {"labels alone": [], "ladder": []}
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(images))
        chosen = [order[truth[order] == n][:10] for n in range(10)]
        labelled = np.concatenate(chosen)
        rest = np.setdiff1d(order, labelled)
        learned, tested = rest[: len(rest) * 3 // 4], rest[len(rest) * 3 // 4 :]
        for name, weights in (("labels alone", (0.0,) * 5), ("ladder", (1000.0, 10.0, 1, 1, 1))):
            model = _ladder(images, truth, labelled, learned, weights, seed, steps)
            with torch.no_grad():
                wrong = model(images[tested]).argmax(1) != truth[tested]
            errors[name].append(100 * float(wrong.float().mean()))
    for name, found in errors.items():
        each = ", ".join(f"{e:.1f}" for e in found)
        print(f"| {name} | {np.mean(found):.1f} % | {each} |")


def _ladder(
    images: torch.Tensor,
    truth: torch.Tensor,
    labelled: NDArray[np.intp],
    others: NDArray[np.intp],
    weights: tuple[float, ...],
    seed: int,
    steps: int,
) -> torch.nn.Module:
    torch.manual_seed(seed)
    model = dense_ladder(64, 10, features=(200, 100, 50), weights=weights).train()
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    rng = np.random.default_rng(seed)
    target = torch.eye(10)[truth]
    for step in range(steps):
        for group in optimiser.param_groups:  # falls to 0 in the last third
            group["lr"] = 2e-3 * min(1.0, 3 * (1 - step / steps))
        some = rng.choice(others, 100, replace=False)
        index = np.concatenate([labelled, some])
        known = torch.zeros(len(index), 1)
        known[: len(labelled)] = 1
        costs = model.costs(images[index], target[index], known)
        optimiser.zero_grad()
        (costs.supervised + costs.denoising).backward()
        optimiser.step()
    return model.eval()


def main(args: list[str] | None = None) -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", default="60,240", help="of training, joined by commas")
    parser.add_argument("--picture", type=Path, help="file to draw a film to")
    parser.add_argument("--ladder", action="store_true", help="learn digits instead")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="only see that it runs")
    given = parser.parse_args(args)
    torch.set_num_threads(1)
    if given.smoke:
        predict([1], None)
        ladder(1, 2)
    elif given.ladder:
        ladder(given.seeds, 600)
    else:
        predict([int(n) for n in given.steps.split(",")], given.picture)


if __name__ == "__main__":
    main()
