"""Networks of CAREamics become ours, and give images as CAREamics does, in its intensities."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.zoo import commands

from stroma.errors import FormatError, ParameterError
from stroma.io import read_image, write_image
from stroma.networks.careamics import CAREamics
from stroma.targets.restore import Restore
from stroma.testing import check_network
from stroma.training.files.exported import exported
from stroma.training.learning.learner import Learner
from stroma.training.predicting import predict
from stroma.workflow.applying.load import load
from stroma.zoo.networks.taken import is_foreign

ORACLES = Path(__file__).parent / "oracles"
NAMES = ("n2v2", "channels", "care")


def file_of(name):
    return ORACLES / f"careamics_{name}.ckpt"


@pytest.fixture(scope="module")
def said():
    return dict(np.load(ORACLES / "careamics.npz"))


@pytest.fixture
def held():
    return torch.load(file_of("channels"), weights_only=True)


@pytest.mark.parametrize(
    ("ndim", "params"),
    [
        (2, {"depth": 2}),
        (2, {"depth": 2, "blur": True, "norm": False}),
        (3, {"depth": 1, "blur": True}),
        (2, {"depth": 1, "residual": True, "end": "elu", "outputs": 2}),
        (2, {"depth": 2, "apart": True, "outputs": 4}),
    ],
)
def test_the_network_keeps_the_contract(ndim, params):
    others = dict(params)
    fixed = others.pop("outputs", None)

    class Built(CAREamics):
        """Gives as many outputs as are asked for, of which some networks cannot give any number."""

        def __init__(self, channels, outputs, **how):
            super().__init__(channels, fixed or outputs, features=2, **how)
            self.kept = outputs

        def forward(self, images):
            found = super().forward(images)
            return torch.cat([found, found], 1)[:, : self.kept] if fixed else found

    check_network(Built, ndim=ndim, **others)


@pytest.mark.parametrize("name", NAMES)
def test_images_are_those_that_careamics_makes(name, said):
    image, wanted = said[f"image_{name}"].astype(np.float32), said[f"output_{name}"]
    network = load(file_of(name))
    found = network.segment(image if len(image) > 1 else image[0])
    assert wanted.std() > 1
    assert np.abs(found.reshape(wanted.shape) - wanted).max() < 1e-3


def test_blocks_and_the_saved_network_give_the_same(said, monkeypatch, tmp_path):
    network = load(file_of("n2v2"))
    image = np.tile(said["image_n2v2"][0].astype(np.float32), (5, 4))
    whole = network.segment(image)
    monkeypatch.setitem(predict.SIDE, 2, (32, 48))
    saved = load(network.save(tmp_path / "mine.safetensors"))
    assert saved.fingerprint() == network.fingerprint()
    assert np.abs(saved.segment(image) - whole).max() < 1e-3


def test_what_is_exported_scales_as_the_network_does(said):
    network = load(file_of("channels"))
    image = said["image_channels"].astype(np.float32)
    found = exported(network.about, network.module)(torch.from_numpy(image)[None])[0].numpy()
    gain, offset = (np.reshape(n, (2, 1, 1)) for n in (network.target.gain, network.target.offset))
    assert np.abs(found * gain + offset - said["output_channels"]).max() < 1e-3


def test_the_command_writes_a_restored_image(said, tmp_path, capsys):
    image, wanted = said["image_n2v2"][0].astype(np.float32), said["output_n2v2"]
    noisy = write_image(tmp_path / "noisy.tif", image, axes="yx")
    commands.run(capsys, "segment", file_of("n2v2"), noisy, "--out", tmp_path / "out")
    found = read_image(tmp_path / "out" / "noisy_restored.tif").read()
    assert np.abs(found - wanted).max() < 1e-3
    told = commands.run(capsys, "import", file_of("n2v2"), "--out", tmp_path, "--json")
    assert "Noise2Void 2 in 2-D, 2 steps of 8 features" in json.loads(told)["took"][0]


def changed(held, path, change):
    change(held)
    torch.save(held, path)
    return path


def model(held):
    return held["hyper_parameters"]["algorithm_config"]["model"]


def norm(held):
    return held["datamodule_hyper_parameters"]["data_config"]["normalization"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h["hyper_parameters"]["algorithm_config"].update(algorithm="hdn"), "for hdn"),
        (lambda h: model(h).update(architecture="LVAE"), "its network is LVAE"),
        (lambda h: model(h).update(pool_kernel=3), "pool_kernel is 3"),
        (lambda h: model(h).update(depth=2), "cannot be built"),
        (lambda h: model(h).update(depth=10**9), "cannot be built"),
        (lambda h: model(h).update(num_channels_init=2**20), "cannot be built"),
        (lambda h: model(h).update(final_activation="Softmax"), "cannot be built"),
        (lambda h: model(h).pop("depth"), "not as these are"),
        (lambda h: norm(h).update(input_mins=None), "does not hold the statistics"),
        (lambda h: norm(h).update(input_mins=[1.0, 2.0, 3.0]), "not as these are"),
        (lambda h: norm(h).update(input_maxes=[float("nan")] * 2), "not as these are"),
        (lambda h: norm(h).update(name="own"), "scaled by own"),
        (lambda h: h.pop("datamodule_hyper_parameters"), "does not say how intensities"),
        (lambda h: h.update(state_dict={}), "no tensors by name"),
    ],
)
def test_other_checkpoints_are_refused_by_name(held, tmp_path, change, message):
    path = changed(held, tmp_path / "other.ckpt", change)
    assert is_foreign(path)
    with pytest.raises(FormatError, match=message) as told:
        load(path)
    assert "other.ckpt" in str(told.value)


class Harmful:
    def __reduce__(self):
        return (exec, ("raise SystemExit('run')",))


def test_what_would_run_code_is_refused(held, tmp_path):
    path = changed(held, tmp_path / "bad.ckpt", lambda h: h.update(callbacks=Harmful()))
    with pytest.raises(FormatError, match=r"bad\.ckpt cannot be read without running code"):
        load(path)


def test_statistics_of_older_checkpoints_and_none_are_read(held, said, tmp_path):
    image = said["image_channels"].astype(np.float32)

    def older(values):
        data = values["datamodule_hyper_parameters"]["data_config"]
        del data["normalization"], data["patching"]
        data.update(image_means=[3.0, 5.0], image_stds=[247.0, 295.0], patch_size=[32, 32])

    network = load(changed(held, tmp_path / "older.ckpt", older))
    assert network.about.patch == (32, 32)
    wanted = said["output_channels"]
    assert np.abs(network.segment(image) - wanted).max() < 1e-3
    held["datamodule_hyper_parameters"]["data_config"]["normalization"] = {"name": "none"}
    plain = load(changed(held, tmp_path / "plain.ckpt", lambda h: None))
    low, span = np.array([3.0, 5.0])[:, None, None], np.array([247.0, 295.0])[:, None, None]
    found = plain.segment(((image - low) / span).astype(np.float32))
    assert np.abs(found * span + low - wanted).max() < 1e-3


def test_units_of_a_target_have_a_number_per_channel():
    with pytest.raises(ParameterError, match="one number per channel"):
        Restore(2, gain=(1.0,), offset=(0.0,))


def test_a_training_begins_with_it_in_its_units(said):
    base = load(file_of("n2v2"))
    image = said["image_n2v2"][0].astype(np.float32)
    taught = Learner(steps=1, device="cpu").fit(image, None, base=base)
    assert (taught.target, taught.about.scale()) == (base.target, base.about.scale())
    assert taught.about.origin["program"] == "CAREamics"
    assert abs(taught.segment(image).mean() - image.mean()) < image.std()
