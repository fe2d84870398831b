"""Networks become model packages that bioimageio.core runs, and come back as they were."""

import gc
import json
import warnings
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.random_network import random_network
from tests.zoo import commands

from stroma.errors import ConsentError, FormatError, ParameterError
from stroma.io import write_image
from stroma.workflow.applying.load import load
from stroma.workflow.exchange.package import PYDANTIC, export, works
from stroma.workflow.exchange.presentation import Card

pytest.importorskip("bioimageio.spec", exc_type=ImportError)
pytestmark = pytest.mark.skipif(not works(), reason=f"bioimageio.spec needs pydantic {PYDANTIC}")

CARD = Card("disks and veins", "Finds disks.", ("A. Author",))


@pytest.fixture(scope="module")
def network():
    return random_network(training={"scores": {"mIoU": 0.5}})


@pytest.fixture(scope="module")
def package(network, tmp_path_factory):
    return export(network, tmp_path_factory.mktemp("zoo") / "model.zip", CARD)


def test_a_licence_that_limits_what_weights_are_for_goes_along(tmp_path, caplog):
    origin = {"program": "Cellpose-SAM", "licence": "CC-BY-NC-4.0 (no commercial use)"}
    network = random_network(plan={"taken over": origin})
    with pytest.raises(ParameterError, match=r"CC-BY-NC-4\.0 \(no commercial use\)\. A package"):
        export(network, tmp_path / "free.zip", CARD)
    made = export(network, tmp_path / "n.zip", replace(CARD, license="CC-BY-NC-4.0"))
    assert "no commercial use" in made.notes[0]
    assert load(made.path).about.origin == origin
    assert "Licence of the weights of Cellpose-SAM" in caplog.messages[-1]


def described(path: Path) -> dict:
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n in ("rdf.yaml", "bioimageio.yaml"))
        return yaml.safe_load(archive.read(name))


def image() -> np.ndarray:
    return np.random.default_rng(1).normal(100, 20, (150, 330)).astype(np.float32)


def test_a_package_says_how_it_is_run(package, network):
    said = described(package.path)
    assert said["format_version"].startswith("0.5")
    assert package.weights == ("pytorch_state_dict", "torchscript")
    [given], [found] = said["inputs"], said["outputs"]
    steps = [axis["size"]["step"] for axis in given["axes"] if axis["type"] == "space"]
    assert steps == list(network.module.stride)
    halos = [axis["halo"] for axis in found["axes"] if axis["type"] == "space"]
    assert halos == list(network.module.halo)
    assert [p["id"] for p in given["preprocessing"]][:2] == [
        *("ensure_dtype", "zero_mean_unit_variance"),
    ]
    assert said["config"]["stroma"]["result"] == "classes"


@pytest.mark.parametrize("weights", ["pytorch_state_dict", "torchscript"])
def test_bioimageio_core_finds_it_correct(package, weights):
    core = pytest.importorskip("bioimageio.core")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library itself
        summary = core.test_model(package.path, weight_format=weights, devices=["cpu"])
        gc.collect()  # files that it leaves open
    assert summary.status == "passed", summary.format()


def test_a_package_comes_back_as_the_network_that_it_was(package, network):
    again = load(package.path)
    assert again.fingerprint() == network.fingerprint()
    assert [c.name for c in again.classes] == [c.name for c in network.classes]
    assert (again.segment(image()) == network.segment(image())).all()


@pytest.mark.parametrize("target", ["rays", "flows", "distances", "boundary", "spots", "denoise"])
def test_every_target_is_packed(target, tmp_path):
    made = random_network(target=target)
    packed = export(made, tmp_path / "m.zip", CARD)
    assert load(packed.path).fingerprint() == made.fingerprint()
    [output] = described(packed.path)["outputs"]
    [channels] = [axis for axis in output["axes"] if axis["type"] == "channel"]
    assert len(channels["channel_names"]) == len(made.target.channels())


def test_the_commands_write_a_package_and_segment_with_it(network, tmp_path, capsys):
    network.save(tmp_path / "disks.safetensors")
    packed = tmp_path / "disks.zip"
    said = commands.run(capsys, "export", tmp_path / "disks.safetensors", "--bioimageio", packed)
    assert "pytorch_state_dict, torchscript" in said
    picture = write_image(tmp_path / "a.tif", image(), axes="yx")
    out = tmp_path / "out"
    done = json.loads(commands.run(capsys, "segment", packed, picture, "--out", out, "--json"))
    assert [file["status"] for file in done["files"]] == ["done"]


def test_it_runs_as_a_package_of_others_does_where_our_settings_are_not_there(
    package, network, tmp_path
):
    def plain(said):
        del said["config"]["stroma"]

    path = rewritten(package.path, tmp_path / "plain.zip", plain)
    with zipfile.ZipFile(path) as archive:
        program = archive.read("weights_torchscript.pt")
    lent = load(path, trust=sha256(program).hexdigest())
    image = np.random.default_rng(2).normal(100, 20, (288, 336)).astype(np.float32)
    assert lent.module.halo == network.module.halo
    np.testing.assert_allclose(lent.segment(image), network.predict_probas(image), atol=1e-4)


def test_what_is_no_package_is_refused_by_name(package, network, tmp_path):
    with pytest.raises(FormatError, match=r"A model package is a \.zip"):
        export(network, tmp_path / "m.tar", CARD)
    with pytest.raises(FormatError, match="cannot be written"):
        export(network, tmp_path / "m.zip", Card("x"))
    assert not (tmp_path / "m.zip").exists()
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(FormatError, match=r"a\.zip is no model package"):
        load(tmp_path / "a.zip")


def changed(package: Path, to: Path, **files: bytes | None) -> Path:
    """Copy a package with other files, or without."""
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            other = files.get(Path(name).stem, old.read(name))
            if other is not None:
                new.writestr(name, other)
    return to


def test_damaged_packages_are_refused_and_run_nothing(package, tmp_path):
    import pickle

    class Runs:
        def __reduce__(self):
            return open, (str(tmp_path / "made"), "w")

    bad = {"weights": pickle.dumps(Runs(), protocol=2)}
    with pytest.raises(FormatError, match="not those it was written with"):
        load(changed(package.path, tmp_path / "b.zip", **bad))
    said = described(package.path)
    del said["weights"]["pytorch_state_dict"]["sha256"]
    without = {"rdf": yaml.safe_dump(said).encode(), "bioimageio": yaml.safe_dump(said).encode()}
    with pytest.raises(FormatError, match=r"c\.zip cannot be read without running code"):
        load(changed(package.path, tmp_path / "c.zip", **bad, **without))
    assert not (tmp_path / "made").exists()
    del said["config"]["stroma"]
    other = {key: yaml.safe_dump(said).encode() for key in without}
    with pytest.raises(ConsentError, match=r"d\.zip holds its network as a program: TorchScript"):
        load(changed(package.path, tmp_path / "d.zip", **other))


def rewritten(package: Path, to: Path, change) -> Path:
    """Copy a package with another description; what is said of its weights no longer holds."""
    said = described(package)
    text = change(said)
    text = (yaml.safe_dump(said) if text is None else text).encode()
    return changed(package, to, rdf=text, bioimageio=text)


def doubled() -> str:
    """Return YAML in which each of forty mappings merges the one before it twice."""
    levels = [f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, 40)]
    return "\n".join(["type: model", "a0: &a0 {x: 1}", *levels])


@pytest.mark.parametrize(
    "text", [doubled(), "[" * 5000, "type: 2001-99-99", "a: !!int x", "\0", ""]
)
def test_descriptions_that_unfold_or_are_none_are_refused_by_name(package, tmp_path, text):
    with pytest.raises(FormatError, match=r"odd\.zip"):
        load(rewritten(package.path, tmp_path / "odd.zip", lambda said: text))


@pytest.mark.parametrize(
    "level", ["[*a{0}, *a{0}]", "{{x: *a{0}, y: *a{0}}}", "!!pairs [x: *a{0}]"]
)
def test_descriptions_with_parts_within_parts_are_refused(package, tmp_path, level):
    levels = [f"a{i}: &a{i} {level.format(i - 1)}" for i in range(1, 200)]
    text = "\n".join(["type: model", "a0: &a0 [x, x]", *levels])
    with pytest.raises(FormatError, match=r"odd\.zip .* unfolds to more"):
        load(rewritten(package.path, tmp_path / "odd.zip", lambda said: text))


@pytest.mark.parametrize("value", [[], 3, "x", {"stroma": []}, {"pytorch_state_dict": [1]}])
@pytest.mark.parametrize("name", ["config", "weights"])
def test_parts_of_a_description_of_another_kind_are_refused_by_name(package, tmp_path, name, value):
    with pytest.raises((FormatError, ConsentError), match=r"odd\.zip"):
        load(rewritten(package.path, tmp_path / "odd.zip", lambda said: said.update({name: value})))


@pytest.mark.parametrize(
    ("key", "value"), [("classes", [{}]), ("classes", 3), ("params", []), ("patch", None)]
)
def test_what_describes_a_network_badly_is_refused_by_name(package, tmp_path, key, value):
    def change(said):
        said["config"]["stroma"]["about"][key] = value

    with pytest.raises(FormatError, match=r"odd\.zip"):
        load(rewritten(package.path, tmp_path / "odd.zip", change))


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_weights_that_unfold_are_not_unpacked(package, network, tmp_path, kind):
    import torch

    small = torch.zeros(1).expand(10**9)  # four bytes for a billion values
    torch.save({"a": small}, tmp_path / "w.pt")
    with (
        zipfile.ZipFile(tmp_path / "w.pt") as plain,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", kind) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))

    def wider(said):
        del said["weights"]["pytorch_state_dict"]["sha256"]
        said["config"]["stroma"]["about"]["params"]["features"] = [10**4, 10**4]

    package = rewritten(package.path, tmp_path / "p.zip", wider)
    odd = changed(package, tmp_path / "odd.zip", weights=(tmp_path / "packed.pt").read_bytes())
    said = "packed" if kind == zipfile.ZIP_DEFLATED else "larger than it is"
    with pytest.raises(FormatError, match=rf"odd\.zip.*{said}"):
        load(odd)


def test_what_is_packed_more_tightly_than_weights_is_not_unpacked(package, tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("rdf.yaml", yaml.safe_dump(described(package.path)))
        bomb.writestr("weights.pt", bytes(2**22))
    with pytest.raises(FormatError, match=r"b\.zip: weights\.pt unpacks to 4194304 bytes"):
        load(tmp_path / "b.zip")


def test_a_package_with_damaged_bytes_is_refused_by_name(package, tmp_path):
    whole = bytearray(package.path.read_bytes())
    whole[60:400] = bytes(340)
    (tmp_path / "cut.zip").write_bytes(whole)
    with pytest.raises(FormatError, match=r"cut\.zip"):
        load(tmp_path / "cut.zip")
