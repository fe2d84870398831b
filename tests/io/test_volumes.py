"""Volumes of electron microscopes and of scanners: MRC and NIfTI, with what is special to them."""

import gzip
import importlib
import os
import sys

import numpy as np
import pytest
from tests.io.corpus import values

from stroma.errors import FormatError, MissingExtraError, ShapeError
from stroma.io import ending_of, gzipped, read_image, read_strokes, stem_of

mrcfile = pytest.importorskip("mrcfile")
nibabel = pytest.importorskip("nibabel")

RAS, LAS = np.diag([1.0, 1, 1, 1]), np.diag([-1.0, 1, 1, 1])


def save_nifti(path, array, affine=RAS):
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def changed(path, at, data):
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "stem", "ending"),
    [
        ("a/brain.nii.gz", "brain", ".nii.gz"),
        ("Brain.NII.GZ", "Brain", ".nii.gz"),
        ("map.1.mrc", "map.1", ".mrc"),
        ("cells.OME.tif", "cells", ".tif"),
        ("cells.tar.gz", "cells.tar", ".gz"),
        ("cells", "cells", ""),
    ],
)
def test_the_longest_known_ending_is_that_of_a_name(name, stem, ending):
    assert (stem_of(name), ending_of(name)) == (stem, ending)


def save_mrc(path, array, **header):
    with mrcfile.new(path, array) as file:
        for name, value in header.items():
            file.header[name] = value
    return path


def test_a_box_of_a_large_file_is_read_alone(tmp_path):
    row, side = values(99, dtype=np.int16), 2**13  # 8 GB, of which a row is written
    mrc = save_mrc(tmp_path / "a.mrc", row[None], nx=side, ny=side, nz=64, mz=64, ispg=1)
    header = nibabel.Nifti1Header()
    header.set_data_shape((side, side, 64))
    header.set_data_dtype(np.int16)
    header["vox_offset"], nii = 352, tmp_path / "a.nii"
    nii.write_bytes(header.binaryblock + bytes(4) + row.tobytes())
    for path in (mrc, nii):
        os.truncate(path, 1024 + 2 * 64 * side**2)
        box = read_image(path).read({"z": slice(0, 2), "y": slice(0, 3), "x": slice(9, 99)})
        np.testing.assert_array_equal(box[0, 0], row[9:])
        assert not box[1:].any()


def test_planes_of_an_mrc_may_be_called_otherwise(tmp_path):
    path = save_mrc(tmp_path / "a.mrc", values(5, 8, 9, dtype=np.int16))
    assert read_image(path).axes == "zyx"
    assert read_image(path, axes="tyx").axes == "tyx"


@pytest.mark.parametrize(
    ("at", "data", "said"),
    [
        (12, b"\x04\0\0\0", "complex values"),
        (12, b"\x65\0\0\0", "mode '101'"),
        (92, b"\xff\xff\xff\x7f", "cut short or damaged"),
        (92, b"\xff\xff\xff\xff", "declares -1 bytes"),
        (0, b"\xff\xff\xff\x7f", "cut short or damaged"),
        (64, b"\x07\0\0\0", "not 1, 2 and 3 in some order"),
        (208, b"PNG ", "Map ID"),
        (88, b"\xf5\1\0\0" + bytes(4), None),  # volumes, of which each has as many sections
        (36, bytes(4), None),  # no sampling: no size of a voxel
    ],
)
def test_an_mrc_that_cannot_be_read_is_refused_by_name(tmp_path, at, data, said):
    path = save_mrc(tmp_path / "a.mrc", values(5, 8, 9, dtype=np.int16))
    changed(path, at, data)
    if said is None:
        assert read_image(path).sizes["z"] == 5
        return
    with pytest.raises(FormatError, match=rf"a\.mrc .*{said}"):
        read_image(path)


@pytest.mark.parametrize(
    ("at", "data", "said"),
    [
        (344, b"ni1\0", "another file"),
        (70, b"\x20\0", "complex64"),
        (70, b"\x63\0", "type 99"),
        (40, b"\x08\x08", "declares 2056 dimensions"),
        (42, b"\xff\xff", "cut short or damaged"),
        (108, np.float32(1e30).tobytes(), "cut short or damaged"),
        (108, np.float32(np.nan).tobytes(), "NaN"),
        (112, np.float32([1, np.inf]).tobytes(), "intercept"),
        (40, np.int16([6, 9, 8, 1, 1, 1, 5]).tobytes(), "axes 'ayx'"),
    ],
)
def test_a_nifti_that_cannot_be_read_is_refused_by_name(tmp_path, at, data, said):
    path = save_nifti(tmp_path / "a.nii", values(9, 8, 5, dtype=np.int16))
    changed(path, at, data)
    with pytest.raises(FormatError, match=rf"a\.nii .*({said})"):
        read_image(path)


def test_a_packed_file_that_is_cut_says_so_when_it_is_read(tmp_path):
    path = save_nifti(tmp_path / "a.nii", values(90, 80, 5, dtype=np.int16))
    packed = tmp_path / "a.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()[:-20]))
    with pytest.raises(FormatError, match=r"a\.nii\.gz is cut short"):
        read_image(packed).read()
    packed.write_bytes(gzip.compress(path.read_bytes())[:-200])
    with pytest.raises(FormatError, match=r"a\.nii\.gz cannot be read"):
        read_image(packed).read()


def test_a_packed_file_that_fills_the_memory_is_refused_before_it_is_unpacked(
    tmp_path, monkeypatch
):
    path = save_nifti(tmp_path / "a.nii.gz", np.zeros((90, 80, 5), np.int16))
    monkeypatch.setattr(gzipped, "MOST_UNPACKED", 50_000)
    with pytest.raises(FormatError, match=r"a\.nii\.gz unpacks to .*gunzip"):
        read_image(path)


@pytest.mark.parametrize(("ending", "library"), [(".mrc", "mrcfile"), (".nii.gz", "nibabel")])
def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch, ending, library):
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"1")
    monkeypatch.delitem(sys.modules, f"stroma.io.{'mrc' if ending == '.mrc' else 'nifti'}", False)
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"{library}.*\[formats\]"):
        read_image(path)
    monkeypatch.undo()
    importlib.import_module(library)


def test_labels_of_a_nifti_are_those_of_its_image_if_both_lie_alike(tmp_path):
    labels = values(9, 8, 5, dtype=np.uint8) % 3
    image = read_image(save_nifti(tmp_path / "a.nii", values(9, 8, 5, dtype=np.int16), LAS))
    same = save_nifti(tmp_path / "same.nii.gz", labels, LAS)
    np.testing.assert_array_equal(read_strokes(same, image).labels, labels.T)
    turned = save_nifti(tmp_path / "turned.nii", labels, RAS)
    with pytest.raises(ShapeError, match=r"turned\.nii is stored as RAS .* LAS"):
        read_strokes(turned, image)
    unsaid = save_nifti(tmp_path / "unsaid.nii", labels, None)
    np.testing.assert_array_equal(read_strokes(unsaid, image).labels, labels.T)


def test_labels_of_an_mrc_are_read(tmp_path):
    image = read_image(save_mrc(tmp_path / "a.mrc", values(5, 8, 9, dtype=np.float32)))
    labels = values(5, 8, 9, dtype=np.uint8).astype(np.int8) % 3
    found = read_strokes(save_mrc(tmp_path / "labels.mrc", labels), image)
    np.testing.assert_array_equal(found.labels, labels)
