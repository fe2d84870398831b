"""Write nnunet_plain, nnunet_residual and nnunet.npz: what nnU-Net's networks give.

Needs dynamic_network_architectures (0.4.4 made the files that are here); it is not needed to run
the tests. Folders are laid out as nnU-Net 2 does. Run as ``python make_nnunet.py``.
"""

import importlib
import json
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
networks = importlib.import_module("dynamic_network_architectures.architectures.unet")


def told(kind, ndim):
    """Return the plan of a small network."""
    thick = [[1, 3, 3], [3, 3, 3], [3, 3, 3]]
    steps = [[1, 1, 1], [1, 2, 2], [2, 2, 2]]
    depth = {"n_blocks_per_stage": [1, 2, 1], "n_conv_per_stage_decoder": [1, 1]}
    if kind == "PlainConvUNet":
        depth = {"n_conv_per_stage": [2, 1, 2], "n_conv_per_stage_decoder": [2, 2]}
    return {
        "n_stages": 3,
        "features_per_stage": [3, 6, 8],
        "conv_op": f"torch.nn.modules.conv.Conv{ndim}d",
        "kernel_sizes": [k[-ndim:] for k in thick],
        "strides": [s[-ndim:] for s in steps],
        **depth,
        "conv_bias": True,
        "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{ndim}d",
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }


def made(plan, kind, seed):
    """Return a network with random weights."""
    torch.manual_seed(seed)
    loaded = dict(plan)
    for key in ("conv_op", "norm_op", "nonlin"):
        loaded[key] = getattr(torch.nn, plan[key].rpartition(".")[2])
    net = getattr(networks, kind)(1, num_classes=3, deep_supervision=True, **loaded)
    with torch.no_grad():
        for value in net.parameters():
            value += 0.2 * torch.randn_like(value)
    net.decoder.deep_supervision = False
    return net.eval()


def written(name, kind, ndim, folds, shape):
    """Write a folder; return an image and what each fold gives, before the softmax."""
    folder = HERE / name
    plan = told(kind, ndim)
    configuration = "2d" if ndim == 2 else "3d_fullres"
    inner = {
        "patch_size": list(shape),
        "spacing": [3.0, 0.5, 0.5][-ndim:],
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        "architecture": {
            "network_class_name": f"dynamic_network_architectures.architectures.unet.{kind}",
            "arch_kwargs": plan,
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
    }
    fore = {"mean": 100.0, "std": 40.0, "percentile_00_5": 10.0, "percentile_99_5": 250.0}
    plans = {
        "dataset_name": "Dataset001_Small",
        "plans_name": "nnUNetPlans",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {configuration: inner},
        "foreground_intensity_properties_per_channel": {"0": fore},
    }
    dataset = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "vein": 1, "bone": 2}}
    image = np.random.default_rng(ndim).gamma(2, 50, shape).astype(np.float32).round()
    ready = torch.from_numpy((np.clip(image, 10, 250) - 100) / 40)[None, None].float()
    outputs = []
    for fold in range(folds):
        net = made(plan, kind, fold)
        (folder / f"fold_{fold}").mkdir(parents=True, exist_ok=True)
        torch.save(
            {
                "network_weights": net.state_dict(),
                "optimizer_state": {"state": {}, "param_groups": [{"lr": np.float64(0.01)}]},
                "grad_scaler_state": None,
                "logging": {"mean_fg_dice": [np.float64(0.5), np.float32(0.25)]},
                "_best_ema": np.float64(0.75),
                "current_epoch": 1,
                "init_args": {"configuration": configuration, "fold": fold, "plans": plans},
                "trainer_name": "nnUNetTrainer",
                "inference_allowed_mirroring_axes": tuple(range(ndim)),
            },
            folder / f"fold_{fold}" / "checkpoint_final.pth",
        )
        with torch.no_grad():
            outputs.append(net(ready)[0].numpy())
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    return {f"image_{name}": image, f"output_{name}": np.stack(outputs).round(4)}


if __name__ == "__main__":
    np.savez_compressed(
        HERE / "nnunet.npz",
        **written("nnunet_plain", "PlainConvUNet", 3, 1, (8, 16, 24)),
        **written("nnunet_residual", "ResidualEncoderUNet", 2, 2, (24, 32)),
    )
