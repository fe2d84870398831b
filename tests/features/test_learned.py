import numpy as np
import pytest

from stroma.errors import FormatError
from stroma.features.strokenet.learned_weights import read_weights, write_weights


def test_weights_are_kept_in_half_precision(tmp_path):
    weights = {"a.weight": np.array([[1.0, 0.1]], np.float32)}
    write_weights(tmp_path / "w.npz", weights)
    found = read_weights((tmp_path / "w.npz").read_bytes(), "w.npz")
    assert found["a.weight"].dtype == np.float32
    np.testing.assert_array_equal(found["a.weight"], np.float16(weights["a.weight"]))


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"PK\x03\x04 torn"])
def test_a_file_that_is_not_weights_is_named(raw):
    with pytest.raises(FormatError, match=r"strokes\.npz"):
        read_weights(raw, "strokes.npz")


def test_objects_of_python_are_not_read(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.array([print], dtype=object))
    with pytest.raises(FormatError, match=r"w\.npz"):
        read_weights((tmp_path / "w.npz").read_bytes(), "w.npz")
