import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from stroma import weights
from stroma.errors import FormatError, MissingFileError

BIAS = "features.0.bias"


@pytest.mark.parametrize(
    "name",
    [
        "vgg16.safetensors",
        "vgg16.pth",
        "vgg16-397923af.pth",
        "timm/vgg16.tv_in1k/model.safetensors",
        "vgg16.tv_in1k/model.safetensors",
    ],
)
def test_a_folder_of_weights_is_searched_by_name(vgg, tmp_path, monkeypatch, name):
    path = tmp_path / "mine" / name
    path.parent.mkdir(parents=True)
    if name.endswith(".pth"):
        torch.save({key: torch.tensor(value) for key, value in vgg.items()}, path)
    else:
        save_file(vgg, path)
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path / "mine"))
    loaded = weights.load("vgg16", [BIAS])
    np.testing.assert_array_equal(loaded.values[BIAS], vgg[BIAS])
    assert loaded.origin.file == str(path)
    assert weights.status("vgg16") == "here"


def test_a_folder_that_lacks_some_weights_leaves_them_to_the_hub(
    published, vgg, tmp_path, monkeypatch
):
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    loaded = weights.load("vgg16", [BIAS])
    np.testing.assert_array_equal(loaded.values[BIAS], vgg[BIAS])
    assert published.requests


def test_a_path_wins_over_the_environment(vgg, tmp_path, monkeypatch):
    save_file(vgg, tmp_path / "a.safetensors")
    save_file({key: value + 1 for key, value in vgg.items()}, tmp_path / "b.safetensors")
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path / "b.safetensors"))
    loaded = weights.load("vgg16", [BIAS], path=tmp_path / "a.safetensors")
    np.testing.assert_array_equal(loaded.values[BIAS], vgg[BIAS])


def test_a_path_without_these_weights_is_an_error_that_lists_names(tmp_path):
    with pytest.raises(MissingFileError, match=r"vgg16-397923af\.pth"):
        weights.load("vgg16", [BIAS], path=tmp_path)


def test_a_file_without_the_tensors_says_which_are_missing(tmp_path):
    save_file({"other": np.zeros(3, np.float32)}, tmp_path / "x.safetensors")
    with pytest.raises(FormatError, match=r"lacks 1 of 1 tensors, among them 'features\.0\.bias'"):
        weights.load("vgg16", [BIAS], path=tmp_path / "x.safetensors")


def test_a_checkpoint_may_wrap_its_tensors(vgg, tmp_path):
    state = {"model": {BIAS: torch.tensor(vgg[BIAS])}, "epoch": 3}
    torch.save(state, tmp_path / "x.pth")
    loaded = weights.load("vgg16", [BIAS], path=tmp_path / "x.pth")
    np.testing.assert_array_equal(loaded.values[BIAS], vgg[BIAS])


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("code in a file was run",))


def test_code_in_a_pickled_file_is_not_run(tmp_path):
    torch.save({BIAS: Evil()}, tmp_path / "x.pth")
    with pytest.raises(FormatError, match="lacks 1 of 1 tensors"):
        weights.load("vgg16", [BIAS], path=tmp_path / "x.pth")
    (tmp_path / "y.pth").write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(FormatError, match="damaged, or not a plain table"):
        weights.load("vgg16", [BIAS], path=tmp_path / "y.pth")


def test_a_truncated_file_is_refused(vgg, tmp_path):
    path = tmp_path / "x.safetensors"
    save_file(vgg, path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(FormatError, match="truncated"):
        weights.load("vgg16", [BIAS], path=path)


def test_other_kinds_of_files_are_refused(tmp_path):
    (tmp_path / "x.h5").write_bytes(b"")
    with pytest.raises(FormatError, match="ends in none of"):
        weights.load("vgg16", [BIAS], path=tmp_path / "x.h5")
