"""Write cellpose_small and cellpose.npz: what Cellpose says of random weights and of a picture.

Needs cellpose below 4 (3.1.1.3 made the files that are here); it is not needed to run the tests.
Run as ``python make_cellpose.py``.
"""

import importlib
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
networks = importlib.import_module("cellpose.resnet_torch")
dynamics = importlib.import_module("cellpose.dynamics")
transforms = importlib.import_module("cellpose.transforms")


def network():
    """Return a small network whose statistics are not those of nothing."""
    torch.manual_seed(0)
    made = networks.CPnet([2, 4, 6, 8, 10], 3, 3, diam_mean=30.0)
    with torch.no_grad():
        for part in made.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.running_mean.normal_(0, 0.1)
                part.running_var.uniform_(0.5, 2)
        made.diam_labels.fill_(24.0)
    return made.eval()


def disks():
    """Return touching disks of several sizes, by number."""
    labels = np.zeros((96, 112), np.int32)
    y, x = np.mgrid[:96, :112]
    places = [(20, 20, 12), (20, 45, 13), (48, 30, 14), (70, 60, 18), (30, 80, 16), (75, 95, 11)]
    for number, (row, column, radius) in enumerate(places, 1):
        inside = (y - row) ** 2 + (x - column) ** 2 < radius**2
        labels[inside & (labels == 0)] = number
    return labels


if __name__ == "__main__":
    net = network()
    with torch.no_grad():
        first = net(torch.rand(1, 2, 40, 48))[0].transpose(0, 1).flatten(1)
        net.output[2].bias -= first.mean(1)
        net.output[2].bias /= first.std(1)
        net.output[2].weight /= first.std(1)[:, None, None, None]
    net.save_model(str(HERE / "cellpose_small"))
    image = np.random.default_rng(0).gamma(2, 40, (40, 48)).round().astype(np.float32)
    ready = transforms.normalize_img(np.stack([image, 0 * image], -1))
    with torch.no_grad():
        output = net(torch.from_numpy(ready.transpose(2, 0, 1)[None].astype(np.float32)))[0]
    labels = disks()
    flows = dynamics.masks_to_flows(labels)
    flows = flows + np.random.default_rng(1).normal(0, 0.1, flows.shape)
    flows = flows.astype(np.float16).astype(np.float32)
    inside = np.where(labels > 0, 2.0, -2.0).astype(np.float32)
    masks = dynamics.resize_and_compute_masks(5 * flows, inside, niter=200, flow_threshold=0.4)
    np.savez_compressed(
        HERE / "cellpose.npz",
        image=image.astype(np.float16),
        output=output[0].numpy().round(4),
        flows=flows.astype(np.float16),
        inside=labels > 0,
        masks=np.asarray(masks, np.uint8),
    )
