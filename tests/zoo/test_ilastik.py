"""Projects of ilastik: images, strokes, classes and features are taken over, and nothing is run."""

import numpy as np
import pytest

from stroma.errors import FormatError, MissingFileError, UnknownNameError
from stroma.io import write_image
from stroma.session import Session
from stroma.session.migrate import move_in
from stroma.zoo.taken import take

BLOCK = np.array([[1, 0], [0, 2]], np.uint8)


def painted(strokes, label):
    return np.argwhere(strokes.labels == label).tolist()


def test_strokes_classes_and_features_of_a_project(ilp, image):
    chosen = [("GaussianSmoothing", 1.6), ("HessianOfGaussianEigenvalues", 3.5)]
    path = ilp("p.ilp", "cells.tif", "yx", [(BLOCK[..., None], "[3:5,10:12,0:1]", "yxc")],
               features=chosen)  # fmt: skip
    taken = take(path)
    [picture] = taken.pictures
    assert taken.program == "ilastik 1.4.0"
    assert (picture.path, picture.image.sizes) == (image, {"y": 20, "x": 30})
    assert painted(picture.strokes, 1) == [[3, 10]]
    assert painted(picture.strokes, 2) == [[4, 11]]
    assert [(c.name, c.color) for c in taken.classes] == [
        ("nucleus", "#ff0000"),
        ("rest", "#0082c8"),
    ]
    assert taken.param["fe_layers"] == ["gaussian_s1.6", "hessian_s3.5"]
    assert any("Python code" in said for said in taken.left)


def test_old_projects_keep_channels_of_strokes_last(ilp, tmp_path):
    values = np.zeros((2, 20, 30), np.uint8)
    write_image(tmp_path / "two.tif", values, axes="cyx")
    block = [(BLOCK[..., None], "[3:5,10:12,0:1]", "")]
    old = take(ilp("old.ilp", "two.tif", "cyx", block, version="1.2.2post1"))
    assert painted(old.pictures[0].strokes, 1) == [[3, 10]]
    moved = [(BLOCK[None], "[0:1,3:5,10:12]", "")]
    new = take(ilp("new.ilp", "two.tif", "cyx", moved, version="1.3.3"))
    assert (new.pictures[0].strokes.labels == old.pictures[0].strokes.labels).all()


def test_volumes_get_features_of_volumes_where_they_were_chosen(ilp, tmp_path):
    write_image(tmp_path / "v.tif", np.zeros((4, 20, 30), np.uint8), axes="zyx")
    block = [(BLOCK[None, ..., None], "[2:3,3:5,10:12,0:1]", "zyxc")]
    chosen = [("LaplacianOfGaussian", 1.0)]
    solid = take(ilp("s.ilp", "v.tif", "zyx", block, features=chosen, planes=False))
    flat = take(ilp("f.ilp", "v.tif", "zyx", block, features=chosen, planes=True))
    assert (solid.param["fe_name"], flat.param["fe_name"]) == ("ilastik_3d", "ilastik_2d")
    assert painted(solid.pictures[0].strokes, 2) == [[2, 4, 11]]


def test_a_project_becomes_one_of_ours(ilp, image, tmp_path):
    path = ilp("p.ilp", "cells.tif", "yx", [(BLOCK[..., None], "[3:5,10:12,0:1]", "yxc")],
               features=[("GaussianSmoothing", 1.0)])  # fmt: skip
    moved = move_in(take(path), tmp_path / "out", name="p", mode="paused")
    with Session.open(moved.project) as session:
        [one] = session.images
        assert [c.name for c in session.classes] == ["nucleus", "rest"]
        assert session.settings.param.fe_layers == ["gaussian_s1.0"]
        assert session.painted_pixels(one.key) == 2


def test_images_are_found_where_they_are_now(ilp, image, tmp_path):
    path = ilp("p.ilp", "C:\\data\\far.tif", "yx", [])
    with pytest.raises(FormatError, match=r"far\.tif is not there. Name its folder"):
        take(path)
    (tmp_path / "there").mkdir()
    image.rename(tmp_path / "there" / "far.tif")
    far = tmp_path / "there" / "far.tif"
    assert take(path, [tmp_path / "there"]).pictures[0].path == far
    assert take(path, [far]).pictures[0].path == far


def test_a_dataset_of_an_hdf5_file_is_found_by_its_name(ilp, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["other"] = np.zeros((9, 9), np.uint8)
        file["volume/data"] = np.ones((20, 30), np.uint8)
    taken = take(ilp("p.ilp", "d.h5/volume/data", "yx", []))
    assert taken.pictures[0].image.sizes == {"y": 20, "x": 30}
    assert taken.pictures[0].image.read_with["series"] == 1


@pytest.mark.parametrize(
    ("where", "said"), [("[0:2,40:42,0:1]", "changed since"), ("[0:9,0:2,0:1]", "damaged")]
)
def test_strokes_that_do_not_fit_are_said(ilp, image, where, said):
    with pytest.raises(FormatError, match=said):
        take(ilp("p.ilp", "cells.tif", "yx", [(BLOCK[..., None], where, "yxc")]))


def test_other_files_are_refused_by_name(tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "x.ilp").write_bytes(b"no HDF5 at all")
    with pytest.raises(FormatError, match=r"x\.ilp"):
        take(tmp_path / "x.ilp")
    with h5py.File(tmp_path / "y.ilp", "w") as file:
        file["workflowName"] = b"Counting"
    with pytest.raises(FormatError, match=r"y\.ilp is no project .* \(it says 'Counting'\)"):
        take(tmp_path / "y.ilp")
    with pytest.raises(MissingFileError, match=r"z\.ilp"):
        take(tmp_path / "z.ilp")
    (tmp_path / "x.doc").write_text("")
    with pytest.raises(UnknownNameError, match=r"\.ilp"):
        take(tmp_path / "x.doc")


def linked(path, name, target):
    """Let something of a project lie in another file."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "a") as file:
        if name in file:
            del file[name]
        file[name] = h5py.ExternalLink(str(target), "/secret")


@pytest.fixture
def secret(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = np.full((20, 30), 77, np.uint8)
    return tmp_path / "other.h5"


def inside(path, **more):
    """Let the image lie in a project."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "a") as file:
        raw = file["Input Data/infos/lane0000/Raw Data"]
        del raw["location"]
        raw["location"], raw["datasetId"] = b"ProjectInternal", b"one"
        if more:
            file.create_dataset("Input Data/local_data/one", **more)
    return path


def test_an_image_that_lies_in_the_project_is_read_when_it_is_looked_at(ilp):
    values = np.arange(600, dtype=np.uint8).reshape(20, 30)
    [picture] = take(inside(ilp("p.ilp", "in.tif", "yx", []), data=values)).pictures
    assert (picture.image.read() == values).all()
    [large] = take(
        inside(ilp("l.ilp", "in.tif", "yx", []), shape=(2**20, 2**20), dtype="u1", chunks=(64, 64))
    ).pictures
    assert not large.image.read({"y": slice(9), "x": slice(9)}).any()


@pytest.mark.parametrize(
    "name", ["Input Data/local_data/one", "PixelClassification", "Input Data/infos/lane0000"]
)
def test_what_lies_in_another_file_is_not_read(ilp, secret, name):
    path = inside(ilp("p.ilp", "in.tif", "yx", []), data=np.zeros((20, 30), np.uint8))
    linked(path, name, secret)
    with pytest.raises(FormatError, match=r"p\.ilp"):
        take(path)


def test_strokes_and_names_in_another_file_are_not_read(ilp, image, secret):
    path = ilp("p.ilp", "cells.tif", "yx", [(BLOCK[..., None], "[3:5,10:12,0:1]", "yxc")])
    for name in ("labels000/block0000", "labels000/block0001"):
        linked(path, f"PixelClassification/LabelSets/{name}", secret)
    linked(path, "PixelClassification/LabelNames", secret)
    linked(path, "FeatureSelections/SelectionMatrix", secret)
    taken = take(path)
    assert (taken.pictures[0].strokes, taken.classes, taken.param) == (None, (), {})


@pytest.mark.parametrize("name", ["PixelClassification/LabelNames", "FeatureSelections/Scales"])
def test_lists_too_long_to_be_lists_are_refused_by_name(ilp, image, name):
    h5py = pytest.importorskip("h5py")
    path = ilp("p.ilp", "cells.tif", "yx", [], features=[("GaussianSmoothing", 1.0)])
    with h5py.File(path, "a") as file:
        del file[name]
        file.create_dataset(name, (2**36,), "f8", chunks=(2**10,))
    with pytest.raises(FormatError, match=r"p\.ilp.*bytes under"):
        take(path)
