"""What Bio-Formats reads: through bioio-bioformats where there is one, else through a stand-in."""

import os
import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tifffile

from stroma.errors import FormatError
from stroma.io import read_image, series_of

STANDINS = Path(__file__).parent / "standins"
INSTALLED = find_spec("bioio_bioformats") is not None


@pytest.fixture(scope="module")
def java():
    """Start Bio-Formats: the one that BIOFORMATS_JAR names, else what the package fetches."""
    if not INSTALLED:
        pytest.skip("no bioio-bioformats, which needs Java: pip install 'stroma-seg[bioformats]'")
    if jar := os.environ.get("BIOFORMATS_JAR"):
        import bffile  # noqa: F401 (names what is fetched)
        import scyjava

        scyjava.config.endpoints.clear()
        scyjava.config.set_java_constraints(fetch="never")
        scyjava.config.add_classpath(jar)
    from bioio_bioformats import Reader

    try:
        return Reader.bioformats_version()
    except Exception as error:
        pytest.skip(f"Bio-Formats does not start: {error}")


def values(shape=(2, 3, 4, 40, 60)):
    return np.random.default_rng(0).integers(0, 900, shape).astype(np.uint16)


def written(path: Path) -> Path:
    """Write an image that Bio-Formats takes for one of its own formats, by its ending."""
    said = {"TimeIncrement": 2, "TimeIncrementUnit": "min"}
    for axis, size, unit in (("X", 200, "nm"), ("Y", 200, "nm"), ("Z", 1.5, "µm")):
        said |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": unit}
    named = {"Name": ["dye 0", "dye 1", "dye 2"]}
    tifffile.imwrite(path, values(), metadata={"axes": "TCZYX", "Channel": named, **said}, ome=True)
    return path


def check(image):
    assert image.axes == "tczyx"
    assert dict(image.spacing) == {"z": 1500.0, "y": 200.0, "x": 200.0, "t": 120.0}
    assert (image.unit, image.channels) == ("nm", ("dye 0", "dye 1", "dye 2"))
    np.testing.assert_array_equal(image.read(), values())
    box = image.at(t=1, c=2).read({"z": slice(1, 4, 2), "y": slice(3, 39, 5), "x": slice(7, 50)})
    np.testing.assert_array_equal(box, values()[1, 2, 1:4:2, 3:39:5, 7:50])
    few = image.array[1, :, 0:4:2, 3:39:5, 7]
    np.testing.assert_array_equal(few, values()[1, :, 0:4:2, 3:39:5, 7])
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(again.at(t=0, c=0, z=3).read(), values()[0, 0, 3])
    with ThreadPoolExecutor(4) as pool:
        planes = list(pool.map(lambda z: image.at(t=0, c=1, z=z).read(), range(4)))
    np.testing.assert_array_equal(planes, values()[0, 1])


@pytest.mark.usefixtures("java")
def test_bioformats_reads_what_tifffile_wrote(tmp_path):
    from stroma.io.microscopes import bioformats

    check(bioformats.read(written(tmp_path / "cells.ome.tif")))


@pytest.mark.usefixtures("java")
def test_bioformats_reads_a_foreign_ending_by_the_one_door(tmp_path):
    wanted = values((5, 12, 20))
    header = "NRRD0004\ntype: uint16\ndimension: 3\nsizes: 20 12 5\nendian: little\nencoding: raw\n"
    path = tmp_path / "cells.nrrd"
    path.write_bytes(header.encode() + b"\n" + wanted.tobytes())
    np.testing.assert_array_equal(read_image(path).read(), wanted)


@pytest.mark.usefixtures("java")
def test_bioformats_lists_scenes_and_reads_the_one_that_is_asked_for(tmp_path):
    from stroma.io.microscopes import bioformats

    path = tmp_path / "many&series=3&sizeX=64&sizeY=48&sizeC=2&rgb=1.fake"
    path.write_bytes(b"\n")
    assert [dict(s.sizes) for s in bioformats.list_series(path)] == [{"c": 2, "y": 48, "x": 64}] * 3
    one, two = (bioformats.read(path, series=i).at(c=0).read()[0, :50] for i in (0, 2))
    assert (one[0], two[0]) == (0, 2)  # the number of the scene is written into its corner
    with pytest.raises(FormatError, match=r"3 images, so there is no number 3"):
        bioformats.read(path, series=3)


@pytest.mark.usefixtures("java")
def test_a_file_that_bioformats_cannot_read_is_refused_by_name(tmp_path):
    (tmp_path / "cells.oir").write_bytes(b"OLYMPUSRAWFORMAT" + b"x" * 99)
    with pytest.raises(FormatError, match=r"cells\.oir cannot be read: java"):
        read_image(tmp_path / "cells.oir")
    with pytest.raises(FormatError, match=r"cells\.oir cannot be read"):
        series_of(tmp_path / "cells.oir")


def in_its_place(folder, code, **variables):
    """Run code where the stand-in is installed; return what it printed."""
    before = f"import numpy as np; from test_bioformats import *; folder = Path({str(folder)!r})\n"
    paths = [str(STANDINS), str(Path(__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **variables}
    command = [sys.executable, "-W", "error::UserWarning", "-c", before + code]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def held(path, **scenes):
    with path.open("wb") as file:
        np.savez(file, **scenes)
    return path


def test_an_image_is_read_lazily_with_what_it_tells(tmp_path):
    held(tmp_path / "cells.oir", one=values())
    in_its_place(tmp_path, "check(read_image(folder / 'cells.oir'))")


def test_scenes_are_listed_and_chosen(tmp_path):
    held(tmp_path / "slide.vsi", label=values((1, 1, 1, 8, 9, 3)), scan=values((1, 2, 1, 70, 80)))
    said = in_its_place(
        tmp_path,
        "path = folder / 'slide.vsi'\n"
        "print(*map(str, series_of(path)), sep='; ')\n"
        "print(read_image(path).rgb, read_image(path).sizes, len(read_image(path).notes))\n"
        "scan = read_image(path, series=1)\n"
        "print(scan.axes, scan.notes, (scan.read() == values((1, 2, 1, 70, 80))[0, :, 0]).all())\n",
    )
    assert said.splitlines() == [
        "0 'label' (8 y x 9 x x 3 s); 1 'scan' (2 c x 70 y x 80 x)",
        "True {'c': 3, 'y': 8, 'x': 9} 1",
        "cyx () True",
    ]


@pytest.mark.parametrize(
    ("content", "java", "wanted"),
    [
        ("broken", {}, "FormatError: .*cells.oir cannot be read"),
        ("cut", {}, "FormatError: .*cells.oir cannot be read: java.io.EOFException"),
        ("whole", {"STANDIN_NO_JAVA": "1"}, "MissingExtraError: .*did not start: Failed to down"),
    ],
)
def test_what_goes_wrong_is_told_by_the_name_of_the_file(tmp_path, content, java, wanted):
    path = held(tmp_path / "cells.oir", one=values() if content == "whole" else values() * 0 + 999)
    if content == "broken":
        path.write_bytes(b"anything")
    code = (
        "try: read_image(folder / 'cells.oir').read()\n"
        "except Exception as error: print(type(error).__name__, error, sep=': ')\n"
    )
    assert re.match(wanted, in_its_place(tmp_path, code, **java))


@pytest.mark.skipif(INSTALLED, reason="bioio-bioformats is installed")
def test_without_the_package_the_message_says_how_to_get_it(tmp_path):
    (tmp_path / "cells.oir").write_bytes(b"anything")
    with pytest.raises(FormatError, match=r"pip install 'stroma-seg\[bioformats\]'"):
        read_image(tmp_path / "cells.oir")
