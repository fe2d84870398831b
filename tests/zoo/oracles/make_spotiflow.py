"""Write spotiflow2d, spotiflow3d and spotiflow.npz: what Spotiflow finds with random weights.

Needs spotiflow (0.6.5 made the files that are here); it is not needed to run the tests.
Run as ``python make_spotiflow.py``.
"""

import importlib
from pathlib import Path

import numpy as np
import torch
import yaml

HERE = Path(__file__).parent
models = importlib.import_module("spotiflow.model.spotiflow")
configs = importlib.import_module("spotiflow.model.config")

CASES = {
    "spotiflow2d": ({"levels": 2, "n_convs_per_level": 2, "kernel_size": 3}, (32, 40)),
    "spotiflow3d": (
        {"levels": 1, "n_convs_per_level": 2, "is_3d": True, "grid": (2, 2, 2)},
        (8, 16, 24),
    ),
}


def made(params):
    """Return a network with random weights, whose statistics are not those of nothing."""
    torch.manual_seed(0)
    net = models.Spotiflow(configs.SpotiflowModelConfig(initial_fmaps=6, **params))
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d):
                part.running_mean.normal_(0, 0.1)
                part.running_var.uniform_(0.5, 2)
        net._flow[6].bias[0] += 1.5 * net._flow[6].weight.abs().mean() * 50
    return net.eval()


def written(name):
    """Write a folder; return an image, and the points and heat of it."""
    params, shape = CASES[name]
    net = made(params)
    image = np.random.default_rng(0).gamma(2, 40, shape).round().astype(np.float32)
    with torch.no_grad():
        seen = net(torch.zeros(1, 1, *shape) + torch.rand(1, 1, *shape))["heatmaps"][0]
        net._post.last_convs[0].block[0].weight *= 2 / seen.std()
    _, told = net.predict(image, verbose=False, device="cpu", n_tiles=(1,) * len(shape))
    threshold = float(np.quantile(told.heatmap, 0.5))
    net._prob_thresh = [threshold]
    net.save(HERE / name, which="best", update_thresholds=True)
    points, told = net.predict(image, verbose=False, device="cpu", n_tiles=(1,) * len(shape))
    held = torch.load(HERE / name / "best.pt", weights_only=True)
    assert yaml.safe_load((HERE / name / "thresholds.yaml").read_text())
    print(name, len(points), sum(t.numel() for t in held["state_dict"].values()))
    return {
        f"image_{name}": image.astype(np.float16),
        f"points_{name}": points.astype(np.float32),
        f"heat_{name}": told.heatmap.astype(np.float32).round(5),
    }


if __name__ == "__main__":
    every = {}
    for name in CASES:
        every |= written(name)
    np.savez_compressed(HERE / "spotiflow.npz", **every)
