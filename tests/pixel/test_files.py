"""Model files: nothing runs, nothing absurd is allocated, old files survive failed writes."""

import io
import os
import pickle
import struct
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.errors import FileError, FormatError, MissingFileError, ParameterError
from stroma.pixel.files import plain as files

STATE = {
    "name": "nuclei µ",
    "none": None,
    "flags": [True, False],
    "numbers": [0, -1, 255, 65536, 2**40, -(2**63), 0.5, float("inf")],
    "nested": {"same": "same", "again": "same", "empty": [{}, []]},
    "arrays": {
        "f2": np.arange(6, dtype=np.float16).reshape(2, 3),
        "i8": np.array(7, np.int64),
        "none": np.zeros((0, 5), np.float32),
        "b": np.array([True, False]),
    },
}


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


class Payload:
    """A pickle that runs a command when opened without care."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


class Param:
    pass


Param.__module__ = "napari_convpaint.conv_paint_param"


def document(state):
    return {"format": "stroma-model", "version": 1, "state": state}


def fast_pickle(value):
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=4)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()


def npy(header, payload=b""):
    text = header.encode().ljust(117) + b"\n"  # numpy pads headers to a multiple of 64 bytes
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + payload


def test_state_comes_back_as_written(tmp_path):
    path = tmp_path / "model.pkl"
    files.write(path, STATE)
    assert same(files.read(path), STATE)
    assert [p.name for p in tmp_path.iterdir()] == ["model.pkl"]


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text(), plain, max_size=4))
def test_any_plain_value_comes_back(state):
    assert same(files.loads(files.dumps(state)), state)


def test_arrays_come_back_writable_and_contiguous():
    array = files.loads(files.dumps({"a": np.arange(12.0).reshape(3, 4).T}))["a"]
    assert array.flags.writeable
    assert array.flags.c_contiguous
    np.testing.assert_array_equal(array, np.arange(12.0).reshape(3, 4).T)


def test_any_pickle_reader_sees_only_builtins():
    plain = pickle.loads(files.dumps(STATE))
    assert plain["format"] == "stroma-model"
    assert type(plain["state"]["arrays"]["f2"]) is bytes


def test_numpy_numbers_and_tuples_become_plain():
    state = files.loads(files.dumps({"a": np.float32(0.5), "b": (1, np.int16(2)), "c": np.True_}))
    assert same(state, {"a": 0.5, "b": [1, 2], "c": True})


@pytest.mark.parametrize(
    "value",
    [object(), b"bytes", {1: 2}, {1, 2}, 2**63, Path(), np.array([object()]), np.array(["a"]), 1j],
)
def test_what_is_not_plain_is_refused_when_writing(value):
    with pytest.raises(ParameterError, match=r"state\['a'\]\[1\]"):
        files.dumps({"a": [0, value]})


def test_a_state_that_holds_itself_is_refused_when_writing():
    loop = {}
    loop["loop"] = loop
    with pytest.raises(ParameterError, match="deep"):
        files.dumps(loop)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_a_command_is_refused_and_runs_nothing(tmp_path, protocol):
    marker, path = tmp_path / "marker", tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(document({"x": Payload(marker)}), protocol))
    with pytest.raises(FormatError, match=r"evil\.pkl.*system.*runs code"):
        files.read(path)
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists(), "the payload is harmless, so the test shows nothing"


HOSTILE = {
    "global": b"cos\nsystem\n(S'true'\ntR.",
    "inst": b"(S'true'\nios\nsystem\n.",
    "obj": b"(cos\nsystem\nS'true'\no.",
    "stack_global": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
    "build": b"\x80\x04}}b.",
    "persid": b"Pname\n.",
    "binpersid": b"\x80\x04K\x01Q.",
    "extension": b"\x80\x02\x82\x01.",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_every_instruction_that_can_run_code_is_refused(data):
    with pytest.raises(FormatError, match="runs code"):
        files.loads(data)


@pytest.mark.parametrize("data", [HOSTILE["global"], HOSTILE["stack_global"]])
def test_the_second_lock_refuses_classes_by_itself(data):
    with pytest.raises(FormatError, match=r"os\.system"):
        files._Plain(io.BytesIO(data)).load()


@pytest.mark.parametrize("data", [HOSTILE["persid"], HOSTILE["binpersid"]])
def test_the_second_lock_refuses_persistent_objects_by_itself(data):
    with pytest.raises(FormatError, match="refer"):
        files._Plain(io.BytesIO(data)).load()


def test_a_model_of_the_original_is_refused_with_directions(tmp_path, monkeypatch):
    module = type(sys)("napari_convpaint.conv_paint_param")
    module.Param = Param
    monkeypatch.setitem(sys.modules, "napari_convpaint", type(sys)("napari_convpaint"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    path = tmp_path / "old.pkl"
    path.write_bytes(pickle.dumps({"classifier": None, "param": Param()}))
    with pytest.raises(FormatError, match=r"old\.pkl.*convpaint.*Param.*\.yml.*train again"):
        files.read(path)


def laughs():
    value = ["ha"] * 10
    for _ in range(30):
        value = [value] * 10
    return pickle.dumps(document({"x": value}), 4)


def test_references_that_unfold_into_a_huge_value_are_refused():
    with pytest.raises(FormatError, match="not one that Stroma wrote"):
        files.loads(laughs())


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",
        b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"abc.",
        b"\x80\x04B" + struct.pack("<I", 2**32 - 1) + b"abc.",
        b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"}.",
        b"\x80\x04\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.",
        b"\x80\x04]r" + struct.pack("<I", 2**31 - 1) + b".",
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"abc.",
    ],
    ids=["bytes", "text", "bytes32", "frame", "long", "memo", "bytearray"],
)
def test_declared_sizes_are_not_believed(data):
    tracemalloc.start()
    with pytest.raises(FormatError):
        files.loads(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


HEADERS = {
    "1 TB": "{'descr': '<f8', 'fortran_order': False, 'shape': (137438953472,), }",
    "negative": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }",
    "overflow": "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 9223372036854775808), }",
    "object": "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "fields": "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
    "text": "{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }",
    "slow to read": "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1" * 5000 + "), }",
    "code": "__import__('os').system('true')",
    "float shape": "{'descr': '<f8', 'fortran_order': False, 'shape': (1.0,), }",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_array_headers_are_not_believed(header):
    data = fast_pickle(document({"x": npy(header, bytes(8))}))
    tracemalloc.start()
    with pytest.raises(FormatError, match=r"state\['x'\]"):
        files.loads(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_an_array_of_pickled_objects_is_refused():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match="not the header of a numeric array"):
        files.loads(fast_pickle(document({"x": buffer.getvalue()})))


@pytest.mark.parametrize("depth", [40, 100_000])
def test_deep_nesting_is_refused(depth):
    opening = b"\x80\x04}(\x8c\x06format\x8c\x0cstroma-model\x8c\x07versionK\x01\x8c\x05state"
    with pytest.raises(FormatError, match="deep"):
        files.loads(opening + b"]" * depth + b"a" * (depth - 1) + b"u.")


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80", b"not a pickle", b"\x80\x04.", b"\x80\x04N", b"\x80\x04}u.", b"\x80\x04]]s.",
     b"\x80\x04N)a.", b"\x80\x04(K\x01.", b"\x80\x04}]K\x01s.", b"\x80\x63}."],
    ids=repr,
)  # fmt: skip
def test_damaged_files_are_named(tmp_path, data):
    path = tmp_path / "odd.pkl"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"odd\.pkl"):
        files.read(path)


def test_a_file_cut_anywhere_is_refused():
    data = files.dumps({"a": np.arange(3), "b": ["text", 1.5]})
    for end in range(len(data)):
        with pytest.raises(FormatError):
            files.loads(data[:end])


@given(st.binary(max_size=60))
def test_random_bytes_are_refused(data):
    with pytest.raises(FormatError):
        files.loads(data)


@given(st.data())
def test_a_flipped_byte_gives_a_state_or_a_format_error(data):
    good = bytearray(files.dumps({"a": np.arange(3), "b": ["text", 1.5, None], "c": {"d": 7}}))
    good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        state = files.loads(bytes(good))
    except FormatError:
        return
    assert type(state) is dict


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ([], "not a model"),
        ({"format": "other", "version": 1, "state": {}}, "not a model"),
        (
            {"format": "stroma-model", "version": 2, "state": {}},
            "version 2.*pip install stroma-seg -U",
        ),
        ({"format": "stroma-model", "version": "1", "state": {}}, "version"),
        ({"format": "stroma-model", "version": True, "state": {}}, "version"),
        ({"format": "stroma-model", "version": 1}, "no state"),
        ({"format": "stroma-model", "version": 1, "state": {"a": {1: 2}}}, "keys"),
    ],
)
def test_other_plain_pickles_are_refused(value, match):
    with pytest.raises(FormatError, match=match):
        files.loads(fast_pickle(value))


def test_data_after_the_end_is_refused():
    with pytest.raises(FormatError, match="follows the end"):
        files.loads(files.dumps({}) + b"x")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"gone\.pkl"):
        files.read(tmp_path / "gone.pkl")


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(FileError, match=tmp_path.name):
        files.read(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nowhere.*model\.pkl"):
        files.write(tmp_path / "nowhere" / "model.pkl", STATE)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "model.pkl"
    files.write(path, {"old": 1})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(FileError, match=r"model\.pkl cannot be written: the disk is full"):
        files.write(path, {"new": 2})
    assert files.read(path) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["model.pkl"]


def test_an_unpickled_state_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.pkl"
    files.write(path, {"old": 1})
    with pytest.raises(ParameterError):
        files.write(path, {"new": object()})
    assert files.read(path) == {"old": 1}


@pytest.mark.skipif(os.name == "nt", reason="permission bits are a Unix matter")
def test_a_written_file_has_ordinary_permissions(tmp_path):
    files.write(tmp_path / "model.pkl", {})
    (tmp_path / "plain").touch()
    mode = (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "model.pkl").stat().st_mode == mode


def test_pathlike_and_text_paths_are_accepted(tmp_path):
    files.write(str(tmp_path / "model.pkl"), {"a": 1})
    assert files.read(str(tmp_path / "model.pkl")) == {"a": 1}
