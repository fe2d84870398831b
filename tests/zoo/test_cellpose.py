"""``_seg.npy`` of Cellpose: masks and plain values are read, and no code is run."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from stroma.errors import FormatError
from stroma.io import read_image
from stroma.session.migrate import move_in
from stroma.zoo.pickled import _STANDINS, plain_values
from stroma.zoo.taken import take


class Runs:
    """Runs code when it is unpickled."""

    def __init__(self, function, *args):
        self.told = function, args

    def __reduce__(self):
        return self.told


def masks() -> np.ndarray:
    labels = np.zeros((20, 30), np.uint16)
    labels[2:6, 3:9], labels[10:15, 4:20] = 1, 2
    return labels


def seg(path: Path, **more: object) -> Path:
    content = {
        "masks": masks(),
        "outlines": masks(),
        "filename": "cells.tif",
        "flows": [np.zeros((20, 30, 3), np.uint8), None, np.float32(0.5)],
        "est_diam": np.float64(12.5),
        "ismanual": np.array([True, False]),
        "chan_choose": [0, 0],
        **more,
    }
    np.save(path, content, allow_pickle=True)
    return path


def test_masks_become_a_label_image(image, tmp_path):
    taken = take(seg(tmp_path / "cells_seg.npy"))
    [picture] = taken.pictures
    assert picture.path == image
    assert taken.took == ("2 objects", "1 of them drawn by hand")
    moved = move_in(taken, tmp_path / "out", name="cells")
    assert moved.objects == (tmp_path / "out" / "cells_objects.tif",)
    assert (read_image(moved.objects[0]).read() == masks()).all()
    assert any("est_diam 12.5" in said for said in moved.left)


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_gives_the_same_values(protocol):
    given = {
        "a": np.arange(6, dtype=">i2").reshape(2, 3),
        "f": np.asfortranarray(np.ones((2, 3))),
        "n": np.float32(2.5),
        "list": [1, "two", None, (True, b"3")],
        "objects": np.array([None, {"x": 1}], object),
    }
    found = plain_values(pickle.dumps(given, protocol=protocol))
    assert (found["a"] == given["a"]).all()
    assert (found["f"] == given["f"]).all()
    assert found["n"] == 2.5
    assert found["list"] == [1, "two", None, [True, b"3"]]
    assert found["objects"] == [None, {"x": 1}]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "args"),
    [(open, ("made", "w")), (eval, ("1",)), (np.load, ("x.npy",)), (np.dtype, ("O",))],
)
def test_code_is_never_run(tmp_path, monkeypatch, function, args, protocol):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"masks": Runs(function, *args)}, protocol=protocol)
    with pytest.raises(FormatError):
        plain_values(data)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_names_code_is_refused_by_name(tmp_path):
    path = seg(tmp_path / "cells_seg.npy", extra=Runs(print, "run"))
    with pytest.raises(FormatError, match=r"cells_seg\.npy cannot be read safely.*print"):
        take(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04.",
        b"\x80\x04]r\xff\xff\xff\x7f.",  # a place for two billion values
        pickle.dumps(np.arange(5))[:-9] + b".",
        pickle.dumps(np.zeros(4)).replace(b"K\x04", b"K\x7f"),  # more values than bytes
        b"\x80\x04\x96\xff\xff\xff\xff\xff\xff\x00\x00",
    ],
)
def test_damaged_pickles_are_refused(data):
    with pytest.raises(FormatError):
        plain_values(data)


def shared(kind: type, levels: int):
    """Return values within values, each twice: a few hundred bytes for 2 ** levels of them."""
    made = kind(["x"])
    for _ in range(levels):
        made = kind([made, made])
    return made


@pytest.mark.parametrize("kind", [list, tuple])
def test_values_within_values_do_not_unfold(kind):
    found = plain_values(pickle.dumps(shared(kind, 5)))
    assert found[0] is found[1]
    with pytest.raises(FormatError, match="unfolds to more"):
        plain_values(pickle.dumps(shared(kind, 28)))
    ring: list = []
    ring.append(ring)
    with pytest.raises(FormatError, match="holds itself"):
        plain_values(pickle.dumps(ring))


NAMED_BY_TUPLES = (
    b"\x80\x02}(X\x01\x00\x00\x00x" + b"\x85" + b"2\x86" * 40 + b"Nu.",  # {(((x, x), ...): None}
    b"\x80\x02}X\x01\x00\x00\x00x" + b"\x85" + b"2\x86" * 40 + b"Ns.",
    b"\x80\x02(X\x01\x00\x00\x00x" + b"\x85" + b"2\x86" * 40 + b"Nd.",
)


@pytest.mark.parametrize("data", NAMED_BY_TUPLES)
def test_names_that_take_forever_to_be_told_apart_are_refused(data):
    with pytest.raises(FormatError, match="other names than texts and numbers"):
        plain_values(data)


@pytest.mark.parametrize(
    "data",
    [
        b"c_codecs\nencode\n(" + b"X\x01\x00\x00\x00x" + b"\x85" + b"2\x86" * 40 + b"tR.",
        b"cnumpy\ndtype\n(" + b"X\x01\x00\x00\x00x" + b"\x85" + b"2\x86" * 40 + b"tR.",
    ],
)
def test_what_should_be_a_text_is_not_written_out(data):
    with pytest.raises(FormatError):
        plain_values(data)


@pytest.mark.parametrize("name", [*_STANDINS])
def test_a_file_cannot_change_how_the_next_one_is_read(name):
    module, attribute = name
    state = b"N}X\x04\x00\x00\x00madeNs\x86b."
    for told in (state, state.replace(b"\x04\x00\x00\x00made", b"\x0c\x00\x00\x00__defaults__")):
        with pytest.raises(FormatError):
            plain_values(f"c{module}\n{attribute}\n".encode() + told)
    given = {"a": np.arange(3), "n": np.float32(2.5), "b": b"\xff"}
    for protocol in range(6):
        found = plain_values(pickle.dumps(given, protocol=protocol))
        assert (found["a"].tolist(), found["n"], found["b"]) == ([0, 1, 2], 2.5, b"\xff")


@pytest.mark.parametrize(
    "more",
    [
        {"filename": "n" * 5000},
        {"filename": "a\0b"},
        {"filename": np.arange(3)},
        {"filename": shared(list, 20)},
        {"flows": np.zeros((2, 3))},
        {"ismanual": [[1], [2, 3]]},
        {"ismanual": np.array(["a", "b"])},
        {"ismanual": shared(list, 20)},
    ],
)
def test_what_is_beside_the_masks_may_be_anything(tmp_path, more):
    [picture] = take(seg(tmp_path / "odd_seg.npy", **more)).pictures
    assert (picture.objects == masks()).all()


def test_objects_without_their_image_are_taken_all_the_same(tmp_path):
    taken = take(seg(tmp_path / "alone_seg.npy"))
    assert any("not there; name it" in said for said in taken.left)
    assert taken.pictures[0].objects.max() == 2


@pytest.mark.parametrize("content", [np.zeros(3), {"masks": "none"}, {"masks": np.zeros((2, 2))}])
def test_other_arrays_are_refused(tmp_path, content):
    np.save(tmp_path / "a_seg.npy", content, allow_pickle=True)
    with pytest.raises(FormatError, match=r"a_seg\.npy"):
        take(tmp_path / "a_seg.npy")
