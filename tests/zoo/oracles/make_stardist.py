"""Write stardist2d, stardist3d and stardist.npz: what StarDist says of random weights.

Needs stardist and tensorflow (0.9.2 and 2.21 made the files that are here); they are not needed to
run the tests. Run as ``python make_stardist.py``.
"""

import importlib
import json
import shutil
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
models = importlib.import_module("stardist.models")
geometry = importlib.import_module("stardist.geometry")
suppression = importlib.import_module("stardist.nms")
outlines = importlib.import_module("stardist.utils")

FLAT = {"n_rays": 8, "grid": (2, 2), "unet_n_depth": 2, "train_patch_size": (64, 64)}
SOLID = {
    "rays": 12,
    "grid": (1, 2, 2),
    "anisotropy": (2.0, 1.0, 1.0),
    "unet_n_depth": 1,
    "unet_batch_norm": True,
    "train_patch_size": (16, 32, 32),
}
SMALL = {"n_channel_in": 1, "unet_n_filter_base": 4, "net_conv_after_unet": 6}


def written(name, kind, config, shape):
    """Save a network with random weights as StarDist does; return what it says of an image."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model = getattr(models, f"StarDist{kind}D")(config, name=name, basedir=str(HERE))
    rng = np.random.default_rng(kind)
    layers = model.keras_model.layers
    for layer in layers:
        values = [v + rng.normal(0, 0.1, v.shape) for v in layer.get_weights()]
        layer.set_weights([np.abs(v) + 0.5 if "variance" in w.name else v
                           for v, w in zip(values, layer.weights, strict=True)])  # fmt: skip
    image = rng.gamma(2, 40, shape).astype(np.float32).round()
    low, high = np.percentile(image, (1, 99.8))
    ready = (image - low) / (high - low)
    first = model.predict(ready)
    heads = {layer.name: layer for layer in layers}
    kernel, bias = heads["dist"].get_weights()
    spread = 3 / first[1].std()
    heads["dist"].set_weights([kernel * spread, (bias - first[1].mean((0, 1) if kind == 2 else
                               (0, 1, 2))) * spread + 6])  # fmt: skip
    kernel, bias = heads["prob"].get_weights()
    logit = np.log(first[0] / (1 - first[0]))
    heads["prob"].set_weights([kernel * 2 / logit.std(), (bias - logit.mean()) * 2 / logit.std()])
    model.keras_model.save_weights(str(folder / "weights_best.h5"))
    (folder / "thresholds.json").write_text(json.dumps({"prob": 0.6, "nms": 0.3}))
    shutil.rmtree(folder / "logs", ignore_errors=True)
    model = getattr(models, f"StarDist{kind}D")(None, name=name, basedir=str(HERE))
    depth, rays = model.predict(ready)[:2]
    return {
        f"image{kind}": image.astype(np.float16),
        f"depth{kind}": depth.round(4),
        f"rays{kind}": rays.astype(np.float32).round(3),
    }


def picture():
    """Return depth and rays of a picture of touching ellipses, disturbed, and their objects."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:112, :128]
    labels = np.zeros(y.shape, np.int32)
    for number in range(1, 25):
        row, column = 12 + 22 * ((number - 1) // 6), 12 + 20 * ((number - 1) % 6)
        high, wide = rng.uniform(7, 12, 2)
        inside = ((y - row) / high) ** 2 + ((x - column) / wide) ** 2 < 1
        labels[inside & (labels == 0)] = number
    depth = outlines.edt_prob(labels) * rng.uniform(0.8, 1, labels.shape)
    rays = geometry.star_dist(labels, n_rays=32, mode="cpp")
    rays = rays * rng.normal(1, 0.05, rays.shape)
    depth, rays = depth.astype(np.float16).astype(np.float32), rays.astype(np.float16)
    points, scores, kept = suppression.non_maximum_suppression(
        rays.astype(np.float32), depth, prob_thresh=0.5, nms_thresh=0.4
    )
    objects = geometry.polygons_to_label(kept, points, labels.shape, prob=scores)
    return {
        "depth": depth.astype(np.float16),
        "rays": rays * (depth[..., None] > 0.5).astype(np.float16),
        "objects": objects.astype(np.uint8),
    }


if __name__ == "__main__":
    flat = models.Config2D(**FLAT, **SMALL)
    solid = models.Config3D(**SOLID, **SMALL)
    np.savez_compressed(
        HERE / "stardist.npz",
        **picture(),
        **written("stardist2d", 2, flat, (96, 112)),
        **written("stardist3d", 3, solid, (10, 32, 32)),
    )
