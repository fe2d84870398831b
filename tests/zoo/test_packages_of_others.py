"""Model packages that others wrote, of networks that are known here."""

import json
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from stroma.errors import FormatError
from stroma.workflow.applying.load import load

h5py = pytest.importorskip("h5py")
ORACLES = Path(__file__).parent / "oracles"


def written(path, said, **files):
    """Write a package with a description and files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rdf.yaml", yaml.safe_dump({"type": "model", **said}))
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return path


def of_stardist(**changes):
    """Return the description and the weights as StarDist's own export has them."""
    folder = ORACLES / "stardist2d"
    config = json.loads((folder / "config.json").read_text())
    stars = {
        "python_version": "0.9.2",
        "thresholds": json.loads((folder / "thresholds.json").read_text()),
        "weights": "stardist_weights.h5",
        "config": config,
        **changes,
    }
    weights = {"tensorflow_saved_model_bundle": {"source": "TF_SavedModel.zip"}}
    return {"config": {"stardist": stars}, "weights": weights}


def of_cellpose(data, **more):
    return {"weights": {"pytorch_state_dict": {"source": "cp.pth", **more}}}


def test_a_package_of_stardist_is_the_network_of_its_folder(tmp_path):
    data = (ORACLES / "stardist2d" / "weights_best.h5").read_bytes()
    package = written(tmp_path / "stars.zip", of_stardist(), stardist_weights__h5=data)
    assert load(package).fingerprint() == load(ORACLES / "stardist2d").fingerprint()


def test_a_package_of_cellpose_is_the_network_of_its_file(tmp_path):
    data = (ORACLES / "cellpose_small").read_bytes()
    said = of_cellpose(data, sha256=sha256(data).hexdigest())
    package = written(tmp_path / "cells.zip", said, cp__pth=data)
    assert load(package).fingerprint() == load(ORACLES / "cellpose_small").fingerprint()
    other = of_cellpose(data, sha256=64 * "0")
    with pytest.raises(FormatError, match="not those it was written with"):
        load(written(tmp_path / "b.zip", other, cp__pth=data))
    with pytest.raises(FormatError, match=r"c\.zip cannot be read as weights"):
        load(written(tmp_path / "c.zip", of_cellpose(data), cp__pth=data[:1000]))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"weights": {"torchscript": {"source": "a.pt"}}}, "its network takes 0 inputs"),
        ({"inputs": [{}]}, "says that a tensor has axes"),
        ({"inputs": 3, "weights": 3}, "its network takes 0 inputs"),
        (of_stardist(config={}), "not as these are"),
        (of_stardist(config=[1]), "not as these are"),
        (of_stardist(thresholds={"prob": "x"}), "not as these are"),
        (of_stardist(weights="../other.h5"), r"has no \.\./other\.h5"),
    ],
)
def test_other_packages_are_refused_by_name_and_nothing_is_run(tmp_path, said, message):
    data = (ORACLES / "stardist2d" / "weights_best.h5").read_bytes()
    package = written(tmp_path / "odd.zip", said, stardist_weights__h5=data)
    with pytest.raises(FormatError, match=rf"odd\.zip.*{message}"):
        load(package)
