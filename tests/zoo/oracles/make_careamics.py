"""Write careamics_*.ckpt and careamics.npz: what networks of CAREamics give, with random weights.

Needs careamics (0.3.5 made the files that are here); it is not needed to run the tests.
Run as ``python make_careamics.py``.
"""

import importlib
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
lightning = importlib.import_module("lightning")
config = importlib.import_module("careamics.config")
modules = importlib.import_module("careamics.lightning.modules")
callbacks = importlib.import_module("careamics.lightning.callbacks.config_saver_callback")
factory = importlib.import_module("careamics.dataset.normalization.normalization_factory")
training = importlib.import_module("careamics.config.lightning.training_configuration")
norms = importlib.import_module("careamics.config.data.normalization_config")

CASES = {
    "n2v2": {
        "algorithm": {"algorithm": "n2v", "loss": "n2v"},
        "model": {"n2v2": True, "depth": 2, "use_batch_norm": True},
        "norm": norms.MeanStdConfig(input_means=[90.0], input_stds=[55.0]),
        "axes": "YX",
        "shape": (1, 24, 32),
    },
    "channels": {
        "algorithm": {"algorithm": "n2v", "loss": "n2v"},
        "model": {"in_channels": 2, "num_classes": 2, "depth": 1, "use_batch_norm": False},
        "norm": norms.MinMaxConfig(input_mins=[3.0, 5.0], input_maxes=[250.0, 300.0]),
        "axes": "CYX",
        "shape": (2, 16, 20),
    },
    "care": {
        "algorithm": {"algorithm": "care", "loss": "mae"},
        "model": {"conv_dims": 3, "depth": 1, "residual": True, "use_batch_norm": True},
        "norm": norms.MeanStdConfig(
            input_means=[90.0], input_stds=[55.0], target_means=[400.0], target_stds=[120.0]
        ),
        "axes": "ZYX",
        "shape": (1, 6, 12, 16),
    },
}


def made(case):
    """Return a module with random weights, whose statistics are not those of nothing."""
    torch.manual_seed(0)
    model = {"architecture": "UNet", "num_channels_init": 8, **case["model"]}
    said = {**case["algorithm"], "model": model}
    if said["algorithm"] == "n2v":
        said["n2v_config"] = {"strategy": "median" if model.get("n2v2") else "uniform"}
    kind = modules.CAREModule if said["algorithm"] == "care" else modules.N2VModule
    module = kind(said)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d):
                part.running_mean.normal_(0, 0.1)
                part.running_var.uniform_(0.5, 2)
        module.model.final_conv.weight *= 5
    return module.eval()


def written(name):
    """Write a checkpoint; return an image and what is made of it."""
    case = CASES[name]
    module, space = made(case), case["shape"][1:]
    patching = {"name": "stratified", "patch_size": [8, *[64] * (len(space) - 1)][-len(space) :]}
    if len(space) == 2:
        patching["patch_size"] = [64, 64]
    data = config.DataConfig(
        mode="training",
        data_type="array",
        axes=case["axes"],
        patching=patching,
        channels=None,
        normalization=case["norm"],
    )
    saver = callbacks.ConfigSaverCallback("0.3.5", name, training.TrainingConfig(), data)
    trainer = lightning.Trainer(
        accelerator="cpu", logger=False, callbacks=[saver], enable_progress_bar=False
    )
    trainer.strategy.connect(module)
    trainer.save_checkpoint(HERE / f"careamics_{name}.ckpt")
    image = np.random.default_rng(0).gamma(2, 50, case["shape"]).astype(np.float32).round()
    scale = factory.create_normalization(case["norm"])
    with torch.no_grad():
        ready = torch.from_numpy(scale(image)[0])[None].float()
        output = scale.denormalize(module.model(ready))[0].numpy()
    return {f"image_{name}": image.astype(np.float16), f"output_{name}": output.astype(np.float32)}


if __name__ == "__main__":
    every = {}
    for name in CASES:
        every |= written(name)
    np.savez_compressed(HERE / "careamics.npz", **every)
