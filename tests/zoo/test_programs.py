"""Packages of others run block by block as on whole images, and programs only with consent."""

from __future__ import annotations

import hashlib
import json
import pickle
import re

import numpy as np
import pytest
import torch
from tests.zoo import commands, programs
from tests.zoo.programs import described, in_onnx, scripted, small, written

from stroma.errors import ConsentError, FormatError, ParameterError
from stroma.io import read_image, write_image
from stroma.workflow.applying.load import load
from stroma.workflow.exchange.package import export
from stroma.workflow.exchange.presentation import Card

SCRIPT = {"torchscript": {"source": "net.pt"}}


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    """Images fall into several blocks."""
    monkeypatch.setattr("stroma.training.predicting.predict.SIDE", {2: (48, 48), 3: (16, 48, 48)})


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(100, 20, (104, 120)).astype(np.float32)


def alone(module, image, *, after=lambda x: x):
    """Return what a network says of a whole image, channels first."""
    with torch.inference_mode():
        values = torch.from_numpy(np.atleast_3d(image.T).T[None])
        return after(module(values))[0].numpy()


def zscore(image):
    return (image - image.mean()) / image.std()


def test_onnx_runs_on_blocks_as_on_the_whole_image(tmp_path, image):
    pytest.importorskip("onnxruntime")
    steps = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}]
    said = described(pre=steps, post=[{"id": "sigmoid"}])
    network = load(written(tmp_path / "a.zip", said, net__onnx=in_onnx(small())))
    assert network.channel_names == ["inside", "border"]
    assert (network.module.halo, network.module.stride) == ((16, 16), (8, 8))
    wanted = alone(small(), zscore(image), after=torch.sigmoid)
    np.testing.assert_allclose(network.segment(image), wanted, atol=1e-5)


def test_a_program_runs_with_the_consent_that_names_it_alone(tmp_path, image):
    data = scripted(small())
    package = written(tmp_path / "a.zip", described(weights=SCRIPT), net__pt=data)
    number = hashlib.sha256(data).hexdigest()[:32]
    with pytest.raises(ConsentError, match=rf"TorchScript, net\.pt, by A\. Author.*{number}"):
        load(package)
    for other in ("0" * 32, number[:12], number[:31], "torchscript", ""):
        with pytest.raises(ConsentError):
            load(package, trust=other)
    network = load(package, trust=number)
    np.testing.assert_allclose(network.segment(image), alone(small(), image), atol=1e-5)
    assert load(package, trust=[number]).fingerprint() == network.fingerprint()
    assert pickle.loads(pickle.dumps(network.module)).program.package.path == package


PYTHON = """
import torch

class Net(torch.nn.Module):
    def __init__(self, factor):
        super().__init__()
        open({made!r}, "w").close()
        self.factor = torch.nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x):
        return torch.cat([x * self.factor, x], 1)
"""


def test_python_in_a_package_runs_with_consent_only(tmp_path, image):
    source = PYTHON.format(made=str(tmp_path / "made")).encode()
    torch.save({"factor": torch.tensor(3.0)}, tmp_path / "w.pt")
    how = {"source": "net.py", "callable": "Net", "kwargs": {"factor": 1}}
    said = described(weights={"pytorch_state_dict": {"source": "w.pt", "architecture": how}})
    files = {"net__py": source, "w__pt": (tmp_path / "w.pt").read_bytes()}
    package = written(tmp_path / "a.zip", said, **files)
    with pytest.raises(ConsentError, match=r"Python, Net in net\.py") as refused:
        load(package)
    assert not (tmp_path / "made").exists()
    network = load(package, trust=number_in(refused))
    np.testing.assert_allclose(network.segment(image)[0], 3 * image, rtol=1e-6)
    of_library = {"import_from": "os", "callable": "system", "kwargs": {"command": "true"}}
    said["weights"]["pytorch_state_dict"]["architecture"] = of_library
    with pytest.raises(FormatError, match="which is not run"):
        load(written(tmp_path / "b.zip", said, **files), trust="0" * 32)


@pytest.mark.parametrize("other", [{"callable": "Parameter"}, {"kwargs": {"factor": 2}}])
def test_consent_to_python_is_to_what_is_called_in_it_too(tmp_path, other):
    source = PYTHON.format(made=str(tmp_path / "made")).encode()
    torch.save({"factor": torch.tensor(3.0)}, tmp_path / "w.pt")
    files = {"net__py": source, "w__pt": (tmp_path / "w.pt").read_bytes()}
    how = {"source": "net.py", "callable": "Net", "kwargs": {"factor": 1}}
    said = described(weights={"pytorch_state_dict": {"source": "w.pt", "architecture": how}})
    with pytest.raises(ConsentError) as refused:
        load(written(tmp_path / "a.zip", said, **files))
    how.update(other)
    with pytest.raises(ConsentError):
        load(written(tmp_path / "b.zip", said, **files), trust=number_in(refused))
    assert not (tmp_path / "made").exists()


def number_in(refused):
    """Return the number that a refusal names."""
    return re.search(r"trust=.([0-9a-f]{32})", str(refused.value))[1]


def test_onnx_is_taken_before_programs(tmp_path, image):
    pytest.importorskip("onnxruntime")
    weights = {**SCRIPT, "onnx": {"source": "net.onnx"}}
    said = described(weights=weights)
    package = written(tmp_path / "a.zip", said, net__onnx=in_onnx(small()), net__pt=b"no script")
    np.testing.assert_allclose(load(package).segment(image), alone(small(), image), atol=1e-4)


def test_onnx_that_needs_more_than_an_image_is_refused_by_name(tmp_path):
    pytest.importorskip("onnxruntime")
    network = in_onnx(small(), age=["n"])
    package = written(tmp_path / "odd.zip", described(), net__onnx=network)
    with pytest.raises(FormatError, match=r"odd\.zip: its network does not take .*age"):
        load(package)


def in_script(tmp_path, module, **said):
    channels = said.get("channels", 1)
    data = scripted(module, channels)
    package = written(tmp_path / "a.zip", described(weights=SCRIPT, **said), net__pt=data)
    return load(package, trust=hashlib.sha256(data).hexdigest())


def test_what_packages_do_before_and_after_is_done(tmp_path, image):
    pre = [
        {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
        {"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 0}},
        {"id": "clip", "kwargs": {"min": 0.1, "max": 0.9}},
        {"id": "scale_linear", "kwargs": {"gain": [2.0], "offset": -1, "axis": "channel"}},
    ]
    post = [{"id": "softmax"}, {"id": "binarize", "kwargs": {"threshold": 0.5}}]
    network = in_script(tmp_path, small(), pre=pre, post=post)
    ready = (image - image.min()) / (image.max() - image.min())
    ready = 2 * ready.clip(0.1, 0.9) - 1
    wanted = alone(small(), ready.astype(np.float32), after=lambda x: x.softmax(1)) > 0.5
    assert (network.segment(image) != wanted).mean() < 1e-3


def test_channels_are_measured_together_where_a_package_says_so(tmp_path):
    image = np.random.default_rng(0).normal(50, [[[5]], [[20]]], (2, 64, 64)).astype(np.float32)
    pre = [{"id": "zero_mean_unit_variance", "kwargs": {}}]
    network = in_script(tmp_path, small(channels=2), pre=pre, channels=2)
    wanted = alone(small(channels=2), zscore(image))
    np.testing.assert_allclose(network.segment(image), wanted, atol=1e-4)


class Valid(torch.nn.Module):
    """Gives two pixels less at every side."""

    def forward(self, x):
        return torch.cat([torch.nn.functional.avg_pool2d(x, 5, 1)] * 2, 1)


def test_networks_whose_outputs_are_smaller_give_every_pixel(tmp_path, image):
    network = in_script(tmp_path, Valid(), halo=None, offset=-4)
    wanted = alone(Valid(), image)
    found = network.segment(image)
    assert found.shape == (2, *image.shape)
    np.testing.assert_allclose(found[:, 2:-2, 2:-2], wanted, rtol=1e-5)


def test_a_program_with_fewer_results_than_are_described_is_refused(tmp_path, image, monkeypatch):
    module = in_script(tmp_path, small()).module
    monkeypatch.setattr(module, "parts", (None, *module.parts))
    with pytest.raises(FormatError, match="gives 1 results where its description names 2"):
        module(torch.from_numpy(image[None, None]))


class Coarse(torch.nn.Module):
    """Gives means of cells."""

    def forward(self, x):
        return torch.cat([torch.nn.functional.avg_pool2d(x, 2)] * 2, 1)


def test_networks_whose_outputs_are_coarser_give_every_pixel(tmp_path, image):
    network = in_script(tmp_path, Coarse(), out_scale=2.0, halo=4)
    cells = alone(Coarse(), image).repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(network.segment(image), cells, rtol=1e-5)


class Strict(torch.nn.Module):
    """Takes images of one size only."""

    def forward(self, x):
        return torch.cat([x.reshape(1, 1, 32, 32) * 2, x], 1)


def test_networks_of_one_size_are_shown_windows_of_that_size(tmp_path, image):
    data = programs.saved(Strict())
    said = described(weights=SCRIPT, size=32, halo=None)
    package = written(tmp_path / "a.zip", said, net__pt=data)
    network = load(package, trust=hashlib.sha256(data).hexdigest())
    assert network.module.halo is None
    np.testing.assert_allclose(network.segment(image)[0], 2 * image, rtol=1e-5)


def test_the_format_before_is_read_too(tmp_path, image):
    said = {
        "type": "model",
        "format_version": "0.4.10",
        "inputs": [
            {
                "name": "raw",
                "axes": "byxc",
                "shape": {"min": [1, 32, 32, 1], "step": [0, 8, 8, 0]},
                "preprocessing": [
                    {
                        "name": "zero_mean_unit_variance",
                        "kwargs": {"mode": "fixed", "mean": 100, "std": 20, "axes": "yx"},
                    }
                ],
            }
        ],
        "outputs": [
            {
                "name": "found",
                "axes": "byxc",
                "shape": {
                    "reference_tensor": "raw",
                    "scale": [1, 1, 1, 0],
                    "offset": [0, 0, 0, 1],
                },
                "halo": [0, 16, 16, 0],
            }
        ],
        "weights": SCRIPT,
    }

    class Last(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = small()

        def forward(self, x):
            return self.inner(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    data = programs.saved(Last(), torch.rand(1, 16, 16, 1))
    package = written(tmp_path / "a.zip", said, net__pt=data)
    network = load(package, trust=hashlib.sha256(data).hexdigest())
    wanted = alone(small(), (image - 100) / 20)
    np.testing.assert_allclose(network.segment(image), wanted, atol=1e-5)


class Stars(torch.nn.Module):
    """Finds bright squares of eight pixels: rays of four pixels at their middles, on a grid."""

    def forward(self, x):
        middle = torch.nn.functional.avg_pool2d(x, 9, 1, 4)[..., ::2, ::2]
        rays = torch.full_like(middle, 4.0).repeat(1, 8, 1, 1)
        return torch.cat([(middle / 64).clamp(0, 1), rays], 1)


def test_objects_of_stardist_are_made_by_our_target(tmp_path):
    image = np.zeros((96, 96), np.float32)
    places = [(20, 20), (48, 48), (70, 30), (46, 80)]
    for y, x in places:
        image[y - 4 : y + 5, x - 4 : x + 5] = 64
    kwargs = {"prob_threshold": 0.9, "nms_threshold": 0.3, "n_rays": 8, "grid": [2, 2], "b": 2}
    post = [{"id": "stardist_postprocessing", "kwargs": kwargs}]
    names = ("probability", *(f"ray{i}" for i in range(8)))
    network = in_script(tmp_path, Stars(), out_scale=2.0, names=names, post=post)
    assert network.target.result == "instances"
    found = network.segment(image)
    assert sorted(np.unique(found)) == [0, 1, 2, 3, 4]
    assert all(found[y, x] for y, x in places)


class Arrows(torch.nn.Module):
    """Sees arrows that were painted: along y, along x, and the foreground."""

    def forward(self, x):
        return torch.cat([x[:, :2], (x[:, 2:] - 0.5) * 10], 1)


def test_objects_of_cellpose_are_made_by_our_target(tmp_path):
    from stroma.targets.flows import flows_of

    truth = np.zeros((64, 64), int)
    truth[8:22, 10:24], truth[36:50, 30:48] = 1, 2
    image = np.concatenate([5 * flows_of(truth), truth[None] > 0]).astype(np.float32)
    kwargs = {"cellprob_threshold": 0.0, "flow_threshold": 0.8, "do_3D": False}
    post = [{"id": "cellpose_flow_dynamics", "kwargs": kwargs}]
    names = ("flow_y", "flow_x", "cellprob")
    network = in_script(tmp_path, Arrows(), channels=3, names=names, post=post, halo=None)
    found = network.segment(image)
    assert (found > 0).sum() == (truth > 0).sum()
    assert len(np.unique(found)) == 3


def test_what_is_made_in_the_end_by_python_is_left_and_said(tmp_path, image):
    post = [{"id": "sigmoid"}, {"id": "custom", "source": "p.py", "callable": "F"}]
    network = in_script(tmp_path, small(), post=post)
    assert network.target.result == "channels"
    assert "which is Python" in network.plan_["taken over"]["left"][0]


def test_it_is_applied_to_files_but_not_kept_in_others(tmp_path, image, capsys):
    data = scripted(small())
    package = written(tmp_path / "a.zip", described(weights=SCRIPT), net__pt=data)
    number = hashlib.sha256(data).hexdigest()[:32]
    picture = write_image(tmp_path / "cells.tif", image, axes="yx")
    how = ("segment", package, picture, "--out", tmp_path / "out", "--json")
    done = json.loads(commands.run(capsys, *how, "--trust", number))
    [path] = done["files"][0]["outputs"]
    assert path.endswith("cells_channels.tif")
    made = read_image(path)
    assert made.kept_axes == "cyx"
    np.testing.assert_allclose(made.read(), alone(small(), image), atol=1e-4)
    network = load(package, trust=number)
    with pytest.raises(ParameterError, match=r"a\.zip is a program of others"):
        network.save(tmp_path / "a.safetensors")
    with pytest.raises(ParameterError, match=r"a\.zip is a program of others"):
        export(network, tmp_path / "b.zip", Card("a program"))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"names": ("one",)}, "gives 1 channels, and it gives 2"),
        ({"offset": 8}, "is larger than the image"),
        ({"pre": [{"id": "custom", "kwargs": {}}]}, "custom, which is not done here"),
        ({"pre": [{"id": "binarize", "kwargs": {"threshold": "x"}}]}, "goes with numbers"),
        ({"post": [{"id": "scale_mean_variance"}]}, "scale_mean_variance, which is not done"),
        ({"size": {"min": "x"}}, "does not say what its network takes"),
        ({"channels": 3}, "does not take"),
    ],
)
def test_packages_that_are_not_as_they_say_are_refused_by_name(tmp_path, said, message):
    data = scripted(small())
    package = written(tmp_path / "odd.zip", described(weights=SCRIPT, **said), net__pt=data)
    with pytest.raises(FormatError, match=rf"odd\.zip.*{message}"):
        load(package, trust=hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("weights", [SCRIPT, {"onnx": {"source": "net.pt"}}])
def test_damaged_programs_are_refused_by_name(tmp_path, weights):
    pytest.importorskip("onnxruntime")
    package = written(tmp_path / "odd.zip", described(weights=weights), net__pt=b"none")
    with pytest.raises(FormatError, match=r"odd\.zip: its .* cannot be read"):
        load(package, trust=hashlib.sha256(b"none").hexdigest())


def test_a_folder_is_a_package_and_leads_nowhere_else(tmp_path, image):
    import zipfile

    data = scripted(small())
    package = written(tmp_path / "a.zip", described(weights=SCRIPT), net__pt=data)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path / "a")
    number = hashlib.sha256(data).hexdigest()
    assert load(tmp_path / "a", trust=number).channel_names == ["inside", "border"]
    away = described(weights={"torchscript": {"source": "../a.zip"}})
    (tmp_path / "a" / "rdf.yaml").write_text(programs.yaml.safe_dump(away))
    with pytest.raises(FormatError, match=r"has no \.\./a\.zip"):
        load(tmp_path / "a", trust=number)
