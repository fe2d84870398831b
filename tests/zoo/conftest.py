"""Files as other programs write them, made anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stroma.io import write_image

FEATURES = (
    *("GaussianSmoothing", "LaplacianOfGaussian", "GaussianGradientMagnitude"),
    *("DifferenceOfGaussians", "StructureTensorEigenvalues", "HessianOfGaussianEigenvalues"),
)
SCALES = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)


def tags(axes: str) -> str:
    """Return axis tags as vigra writes them."""
    return json.dumps({"axes": [{"key": a, "typeFlags": 2, "resolution": 0} for a in axes]})


@pytest.fixture
def ilp(tmp_path):
    """Return what writes a project of ilastik: one image, blocks of strokes, features."""
    h5py = pytest.importorskip("h5py")

    def write(name, image, axes, blocks, *, features=(), version="1.4.0", planes=True):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            file["ilastikVersion"] = version.encode()
            file["workflowName"] = b"Pixel Classification"
            raw = file.create_group("Input Data/infos/lane0000/Raw Data")
            raw["filePath"], raw["location"] = image.encode(), b"FileSystem"
            raw["nickname"], raw["axistags"] = Path(image).stem.encode(), tags(axes).encode()
            group = file.create_group("PixelClassification")
            group["LabelNames"] = np.array([b"nucleus", b"rest"])
            group["LabelColors"] = np.array([[255, 0, 0], [0, 130, 200]])
            group["ClassifierForests/pickled_type"] = b"cposix\nsystem\n."
            for i, (values, where, named) in enumerate(blocks):
                block = group.create_dataset(f"LabelSets/labels000/block{i:04}", data=values)
                block.attrs["blockSlice"] = where
                if named:
                    block.attrs["axistags"] = tags(named)
            chosen = np.zeros((6, 7), bool)
            for feature, scale in features:
                chosen[FEATURES.index(feature), SCALES.index(scale)] = True
            file["FeatureSelections/FeatureIds"] = np.array([f.encode() for f in FEATURES])
            file["FeatureSelections/Scales"] = np.array(SCALES)
            file["FeatureSelections/SelectionMatrix"] = chosen
            file["FeatureSelections/ComputeIn2d"] = np.array([planes] * 7)
        return path

    return write


@pytest.fixture
def image(tmp_path):
    """An image of 20 x 30 pixels."""
    values = np.random.default_rng(0).integers(0, 255, (20, 30), np.uint8)
    return write_image(tmp_path / "cells.tif", values, axes="yx")
