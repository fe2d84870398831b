"""Networks whose features front ends use: their names, what projects keep of them."""

import json
import shutil

import numpy as np
import pytest
from tests.random_network import random_network
from tests.session.scene import paint_halves, settle
from tests.zoo.programs import ZSCORE, described, in_onnx, refused, seeing, small, written

from stroma.errors import ConsentError, FormatError, MissingFileError, UnknownNameError
from stroma.features import EXTRACTORS
from stroma.features.build import part_names
from stroma.session import Session
from stroma.workflow.exchange import seeing_networks
from stroma.workflow.exchange.seeing_networks import ROOM, title_of


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Names are forgotten afterwards."""
    monkeypatch.setattr(EXTRACTORS, "_added", {})


@pytest.fixture
def package(tmp_path):
    pytest.importorskip("onnxruntime")
    return seeing(tmp_path / "my nuclei.zip")


@pytest.fixture
def halves():
    image = np.random.default_rng(0).normal(100, 5, (64, 96)).astype(np.float32)
    image[:, 48:] += 60
    return image


@pytest.fixture
def project(tmp_path, package, halves):
    """A closed project that sees with the package, which is gone, and how it was called."""
    with Session.create(tmp_path / "a.stroma") as session:
        name = session.see_with(package)
        paint_halves(session, session.add_image(halves))
        settle(session)
        assert session.status.trained == session.revision
    package.unlink()
    EXTRACTORS._added.clear()
    return tmp_path / "a.stroma", name


def test_a_project_goes_on_to_see_with_its_own_copy(project):
    folder, name = project
    assert name.startswith("my_nuclei_")
    with Session.open(folder) as session:
        assert session.notices == ()
        features = session.settings.param.fe_name
        assert features == f"texture_2d+color_2d+{name}"
        assert title_of(features) == "Stroma's features and my nuclei.zip"
        settle(session)
        assert session.status.trained == session.revision


def test_a_session_in_memory_gives_the_copy_to_the_project_it_is_saved_in(package, tmp_path):
    with Session() as session:
        name = session.see_with(package, own=False)
        assert title_of(session.settings.param.fe_name) == "Features of my nuclei.zip"
        session.save_as(tmp_path / "b.stroma")
    kept = tmp_path / "b.stroma" / ROOM / name / package.name
    assert kept.read_bytes() == package.read_bytes()


def gone(folder, name):
    shutil.rmtree(folder / ROOM)
    return "is gone"


def other(folder, name):
    file = next((folder / ROOM / name).iterdir())
    file.write_bytes(file.read_bytes() + b"0")
    return "not the one"


def elsewhere(folder, name):
    file = next((folder / ROOM / name).iterdir())
    moved = folder.parent / "elsewhere.zip"
    file.rename(moved)
    file.symlink_to(moved)
    return "outside of the project"


def above(folder, name):
    settings = json.loads((folder / "settings.json").read_text())
    settings["networks"][name]["file"] = "../../../secret.zip"
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder.parent / "secret.zip").write_bytes(b"secret")
    return "outside of the project"


def program(folder, name):
    settings = json.loads((folder / "settings.json").read_text())
    settings["networks"][name] = {"digest": "0", "program": "net.zip"}
    (folder / "settings.json").write_text(json.dumps(settings))
    return "--trust NUMBER"


def fetched(folder, name):
    settings = json.loads((folder / "settings.json").read_text())
    settings["networks"][name] = {"digest": "0", "id": "affable-shark"}
    (folder / "settings.json").write_text(json.dumps(settings))
    return "was not fetched"


@pytest.mark.parametrize("harm", [gone, other, elsewhere, above, program, fetched])
def test_a_project_opens_without_its_network_and_says_why(project, harm, tmp_path, monkeypatch):
    monkeypatch.setenv("STROMA_CACHE", str(tmp_path / "cache"))
    said = harm(*project)
    with Session.open(project[0]) as session:
        assert said in session.notices[0].message
        assert session.settings.param.fe_name == "texture_2d+color_2d"
        assert len(session.images) == 1


def test_another_network_of_the_same_name_is_not_taken_for_it(project, tmp_path):
    folder, name = project
    said = described(pre=ZSCORE)  # its channels come as they are
    seeing_networks.register(name, written(tmp_path / "b.zip", said, net__onnx=in_onnx(small())))
    with Session.open(folder) as session:
        assert "another one of that name" in session.notices[0].message


@pytest.mark.parametrize(("made", "used"), [("inner", "outputs"), ("outputs", "inner")])
def test_other_features_of_the_same_network_are_not_taken_for_those_of_a_project(
    tmp_path, made, used
):
    path = random_network().save(tmp_path / "nuclei.safetensors")
    seeing_networks.register("nuclei", path, which=made)
    with Session.create(tmp_path / "a.stroma") as session:
        session.set_params(fe_name="nuclei", fe_layers=None, fe_scalings=[1])
    EXTRACTORS._added.clear()
    seeing_networks.register("nuclei", path, which=used)
    with Session.open(tmp_path / "a.stroma") as session:
        wanted = {"inner": "nuclei:inner=FILE", "outputs": "nuclei=FILE"}[made]
        assert f"stroma --network {wanted} paint" in session.notices[0].message


def test_features_that_nobody_knows_any_more_do_not_keep_a_project_closed(package, tmp_path):
    seeing_networks.register("zoo_nuclei", package)
    with Session.create(tmp_path / "a.stroma") as session:
        session.set_params(fe_name="zoo_nuclei", fe_layers=None, fe_scalings=None)
    settings = json.loads((tmp_path / "a.stroma" / "settings.json").read_text())
    del settings["networks"]
    (tmp_path / "a.stroma" / "settings.json").write_text(json.dumps(settings))
    EXTRACTORS._added.clear()
    with Session.open(tmp_path / "a.stroma") as session:
        assert "network='zoo_nuclei=FILE'" in session.notices[0].message


def test_what_cannot_see_is_refused_and_changes_nothing(tmp_path):
    path = refused(tmp_path / "a.zip")
    (tmp_path / "a.tif").write_bytes(b"none")
    with Session.create(tmp_path / "a.stroma") as session:
        for source, error in (
            (path, ConsentError),
            (tmp_path / "b.zip", MissingFileError),
            (tmp_path / "a.tif", FormatError),
        ):
            with pytest.raises(error):
                session.see_with(source)
        assert session.settings.param.fe_name == "texture_2d+color_2d"
        assert not (session.path / ROOM).exists()
    with pytest.raises(UnknownNameError, match="network='zoo_a=FILE'"):
        part_names("zoo_a")
