"""Write plans.json: what nnU-Net's own planner plans for 60 geometries.

Needs nnunetv2 (2.8.1 made the file that is here) and what it imports; none of it is needed to run
the tests. Run as ``python make_plans.py``.
"""

import contextlib
import importlib
import io
import json
import os
from pathlib import Path
from unittest import mock

import numpy as np
import torch

for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
    os.environ.setdefault(name, "unused")

module = importlib.import_module(
    "nnunetv2.experiment_planning.experiment_planners.default_experiment_planner"
)

GEOMETRIES = 60
MEMORY = (0.5, 1, 2, 4, 8, 12, 16, 24)


class Planner(module.ExperimentPlanner):
    """The planner, given a fingerprint instead of a folder."""

    def __init__(self, given):
        with contextlib.suppress(Exception):
            super().__init__("unused", given["memory_gb"])
        for key, value in DEFAULTS.items():
            setattr(self, key, value)
        self.UNet_vram_target_GB = given["memory_gb"]
        self.UNet_base_num_features = given["base"]
        self.dataset_json = {
            "channel_names": {str(i): "x" for i in range(given["channels"])},
            "labels": {str(i): i for i in range(given["classes"])},
            "numTraining": len(given["shapes"]),
        }
        self.dataset_fingerprint = {
            "spacings": given["spacings"],
            "shapes_after_crop": given["shapes"],
            "median_relative_size_after_cropping": 1.0,
            "foreground_intensity_properties_per_channel": {},
        }

    def determine_reader_writer(self):
        return type(self)

    def save_plans(self, plans):
        pass


def defaults():
    """Run the constructor as far as it sets constants: it reads files after the first lines."""
    with contextlib.ExitStack() as stack:
        put = stack.enter_context
        put(mock.patch.object(module, "maybe_convert_to_dataset_name", return_value="unused"))
        put(mock.patch.object(module, "load_json", return_value={}))
        files = "get_filenames_of_train_images_and_targets"
        put(mock.patch.object(module, files, return_value={}))
        put(mock.patch.object(module, "isfile", lambda p: "fingerprint" in str(p)))
        plain = module.ExperimentPlanner("unused")
    return {k: v for k, v in vars(plain).items() if k != "dataset_json"}


DEFAULTS = defaults()


def drawn(number):
    """Return a geometry: even ones are volumes."""
    rng = np.random.default_rng(number)
    cases = int(rng.integers(3, 40))
    base = [32, 32, 16][number % 3]
    if number % 2 == 0:
        anisotropy = float(rng.choice([1, 1.5, 2, 3, 4, 5, 6, 8]))
        middle = np.array([rng.integers(20, 400), *rng.integers(60, 600, 2)])
        middle[0] = max(8, int(middle[0] / anisotropy))
        spacing = np.array([anisotropy, 1, rng.choice([1, 1, 1.3])]) * rng.uniform(0.2, 2)
        order = rng.permutation(3) if number % 10 == 0 else np.arange(3)
    else:
        middle = np.array([1, *rng.integers(90, 1800, 2)])
        spacing = np.array([999.0, 1, 1])
        order = np.arange(3)
    spread = rng.uniform(0.8, 1.25, (cases, 3))
    shapes = np.maximum(1, np.rint(middle * (spread if number % 2 == 0 else [1, 1, 1] * spread)))
    if number % 2:
        shapes[:, 0] = 1
    spacings = spacing * (rng.uniform(0.9, 1.1, (cases, 3)) if number % 2 == 0 else 1)
    return {
        "shapes": shapes[:, order].astype(int).tolist(),
        "spacings": spacings[:, order].round(4).tolist()
        if number % 2 == 0
        else np.tile(spacing, (cases, 1)).tolist(),
        "channels": int(rng.integers(1, 4)),
        "classes": int(rng.integers(2, 9)),
        "memory_gb": float(MEMORY[number % len(MEMORY)]),
        "base": base,
    }


def told(configuration):
    """Return what is compared of a configuration."""
    kwargs = configuration["architecture"]["arch_kwargs"]
    return {
        "spacing": [float(v) for v in configuration["spacing"]],
        "patch": [int(v) for v in configuration["patch_size"]],
        "batch": int(configuration["batch_size"]),
        "strides": [[int(v) for v in s] for s in kwargs["strides"]],
        "kernels": [[int(v) for v in k] for k in kwargs["kernel_sizes"]],
        "features": [int(v) for v in kwargs["features_per_stage"]],
        "batch_dice": bool(configuration.get("batch_dice", False)),
    }


def planned(given):
    """Return the planner's plan."""
    planner = Planner(given)
    with contextlib.redirect_stdout(io.StringIO()), torch.device("meta"):
        plans = planner.plan_experiment()
    found = {k: told(v) for k, v in plans["configurations"].items() if "architecture" in v}
    return {"order": plans["transpose_forward"], **found}


if __name__ == "__main__":
    module.shutil.copy = lambda *a: None
    table = []
    for number in range(GEOMETRIES):
        given = drawn(number)
        table.append({"given": given, "planned": planned(given)})
        print(number, table[-1]["planned"].keys(), flush=True)
    Path(__file__).with_name("plans.json").write_text(json.dumps(table), encoding="utf-8")
