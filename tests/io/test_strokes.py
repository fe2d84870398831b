"""Strokes of other programs land on the right pixels, with the right class."""

import contextlib
import json
import struct
import zipfile

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.strokes import Strokes
from stroma.errors import FormatError, LabelError, MissingFileError, ShapeError
from stroma.io import read_image, read_strokes, write_strokes
from stroma.io.imagej.read import MAX_ROI_BYTES, class_of
from stroma.io.qupath import geojson

CLASSES = (Class(1, "nucleus", "#ff0000"), Class(2, "Ümlaut", "#00ff00"), Class(300, "far"))


@pytest.fixture
def plane():
    return Image(np.zeros((20, 30), np.uint8), "yx")


@pytest.fixture
def stack():
    return Image(np.zeros((2, 3, 20, 30), np.uint8), "tzyx")


def blobs(shape, labels=(0, 1, 2)):
    rng = np.random.default_rng(0)
    return rng.choice(np.array(labels, np.uint16), shape)


# Label images


@pytest.mark.parametrize("ending", [".png", ".tif", ".ome.tif", ".npy", ".zarr"])
@pytest.mark.parametrize("labels", [(0, 1, 2), (0, 1, 300)])
def test_label_images_round_trip_with_their_classes(tmp_path, plane, ending, labels):
    strokes = Strokes(blobs(plane.shape, labels), "yx", CLASSES)
    path = write_strokes(tmp_path / f"a{ending}", strokes, plane)
    read = read_strokes(path, plane)
    np.testing.assert_array_equal(read.labels, strokes.labels)
    if ending != ".npy":
        assert read.classes == CLASSES


def test_a_stack_of_labels_takes_the_axes_of_its_image(tmp_path):
    image = Image(np.zeros((4, 2, 20, 30)), "tcyx")
    labels = blobs((4, 20, 30))
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric="minisblack")
    read = read_strokes(tmp_path / "a.tif", image)
    assert read.axes == "tyx"
    np.testing.assert_array_equal(read.labels, labels)


def test_three_planes_that_a_tiff_calls_colours_are_labels_of_three_planes(tmp_path):
    labels = blobs((3, 20, 30)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric="rgb", planarconfig="separate")
    read = read_strokes(tmp_path / "a.tif", Image(np.zeros((3, 20, 30)), "zyx"))
    np.testing.assert_array_equal(read.labels, labels)


def test_palette_positions_are_the_labels(tmp_path, plane):
    labels = blobs(plane.shape).astype(np.uint8)
    picture = Picture.fromarray(labels)
    picture.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_strokes(tmp_path / "a.png", plane).labels, labels)


def test_label_images_that_are_none_are_refused(tmp_path, plane):
    np.save(tmp_path / "size.npy", np.zeros((30, 20), np.uint8))
    with pytest.raises(ShapeError, match=r"size\.npy has shape \(30, 20\)"):
        read_strokes(tmp_path / "size.npy", plane)
    np.save(tmp_path / "half.npy", np.full((20, 30), 0.5))
    with pytest.raises(LabelError, match=r"half\.npy holds 0\.5"):
        read_strokes(tmp_path / "half.npy", plane)
    Picture.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / "picture.png")
    with pytest.raises(LabelError, match="not a picture"):
        read_strokes(tmp_path / "picture.png", plane)
    with pytest.raises(MissingFileError, match=r"none\.tif"):
        read_strokes(tmp_path / "none.tif", plane)


# ImageJ


def roi(
    kind,
    *,
    box=(0, 0, 0, 0),
    points=(),
    floats=(),
    line=(0, 0, 0, 0),
    width=0,
    sub_pixel=False,
    name="cell-1",
    group=0,
    position=0,
    z=0,
    t=0,
    color=0,
    subtype=0,
    path=(),
):
    """Return a ROI as the format says, byte by byte."""
    head = bytearray(64)
    struct.pack_into(">4shBx", head, 0, b"Iout", 228, kind)
    struct.pack_into(">4hH", head, 8, *box, len(points))
    struct.pack_into(">4f", head, 18, *line)
    struct.pack_into(">HiI", head, 34, width, len(path), color)
    struct.pack_into(">hh", head, 48, subtype, 128 if sub_pixel else 0)
    body = b"".join(struct.pack(f">{len(points)}h", *(p[i] for p in points)) for i in (0, 1))
    if sub_pixel:
        body += b"".join(struct.pack(f">{len(points)}f", *(p[i] for p in floats)) for i in (0, 1))
    body += struct.pack(f">{len(path)}f", *path)
    second = 64 + len(body)
    struct.pack_into(">ii", head, 56, position, second)
    tail = bytearray(64)
    struct.pack_into(">6i", tail, 0, 0, 0, z, t, second + 64, len(name))
    struct.pack_into(">B", tail, 30, group)
    return bytes(head) + body + bytes(tail) + name.encode("utf-16-be")


def read_roi(tmp_path, image, data, **options):
    (tmp_path / "a.roi").write_bytes(data)
    return read_strokes(tmp_path / "a.roi", image, **options)


def test_roi_rectangle_and_oval_lie_in_their_box(tmp_path, plane):
    box = (2, 3, 8, 13)  # top, left, bottom, right
    labels = read_roi(tmp_path, plane, roi(1, box=box)).labels
    assert (labels[2:8, 3:13] == 1).all()
    assert labels.sum() == 60
    oval = read_roi(tmp_path, plane, roi(2, box=box)).labels
    y, x = np.mgrid[:20, :30] + 0.5
    np.testing.assert_array_equal(oval == 1, ((x - 8) / 5) ** 2 + ((y - 5) / 3) ** 2 <= 1)


@pytest.mark.parametrize("kind", [0, 7, 8])
def test_roi_polygons_have_corners_relative_to_their_box(tmp_path, plane, kind):
    data = roi(kind, box=(2, 3, 6, 8), points=[(0, 0), (5, 0), (5, 4), (0, 4)])
    labels = read_roi(tmp_path, plane, data).labels
    assert labels.sum() == (labels[2:6, 3:8] == 1).sum() == 20


def test_roi_fractions_are_absolute(tmp_path, plane):
    corners = [(3.6, 2.6), (8.4, 2.6), (8.4, 6.4), (3.6, 6.4)]
    data = roi(0, box=(2, 3, 7, 9), points=[(0, 0)] * 4, floats=corners, sub_pixel=True)
    labels = read_roi(tmp_path, plane, data).labels
    assert labels.sum() == (labels[3:6, 4:8] == 1).sum() == 12


@pytest.mark.parametrize("kind", [4, 5, 9])
def test_roi_lines_pass_through_pixel_centres_with_their_width(tmp_path, plane, kind):
    points = [(0, 0), (10, 0)]
    labels = read_roi(tmp_path, plane, roi(kind, box=(5, 4, 5, 14), points=points, width=1)).labels
    assert labels.sum() == labels[5, 4:15].sum() == 11
    default = read_roi(tmp_path, plane, roi(kind, box=(5, 4, 5, 14), points=points)).labels
    assert default[:, 9].sum() == 3
    wide = read_roi(tmp_path, plane, roi(kind, box=(5, 4, 5, 14), points=points), width=5).labels
    assert wide[:, 9].sum() == 5


def test_roi_straight_line_and_points(tmp_path, plane):
    labels = read_roi(tmp_path, plane, roi(3, line=(4, 5, 14, 5), width=1)).labels
    assert labels.sum() == labels[5, 4:15].sum() == 11
    points = roi(10, box=(5, 4, 5, 14), points=[(0, 0), (10, 2)])
    labels = read_roi(tmp_path, plane, points, width=1).labels
    assert np.argwhere(labels).tolist() == [[5, 4], [7, 14]]


def test_roi_composite_has_holes_and_curves(tmp_path, plane):
    square = [0, 2, 2, 1, 12, 2, 1, 12, 12, 1, 2, 12, 4]
    hole = [0, 4, 4, 1, 6, 4, 1, 6, 6, 1, 4, 6, 4]
    labels = read_roi(tmp_path, plane, roi(1, path=square + hole)).labels
    assert labels.sum() == 100 - 4
    flat = [0, 2, 2, 3, 5, 2, 9, 2, 12, 2, 1, 12, 12, 2, 7, 12, 2, 12, 4]  # curves along the sides
    np.testing.assert_array_equal(
        read_roi(tmp_path, plane, roi(1, path=flat)).labels,
        read_roi(tmp_path, plane, roi(1, path=square)).labels,
    )


def test_roi_curve_is_the_bezier_curve(tmp_path, plane):
    bump = [0, 2, 10, 2, 7, 0, 12, 10, 4]  # quadratic: highest point halfway, y = 5
    labels = read_roi(tmp_path, plane, roi(1, path=bump)).labels
    assert np.flatnonzero(labels[:, 6])[0] == 5


@pytest.mark.parametrize(
    ("options", "index"),
    [
        ({"z": 2, "t": 1}, (0, 1)),
        ({"z": 3, "t": 2}, (1, 2)),
        ({"position": 5}, (1, 1)),  # z runs faster than t
    ],
)
def test_roi_positions_are_planes(tmp_path, stack, options, index):
    labels = read_roi(tmp_path, stack, roi(1, box=(0, 0, 2, 2), **options)).labels
    assert labels[index].sum() == labels.sum() == 4


def test_roi_position_counts_channels_unless_they_are_colours(tmp_path):
    data = roi(1, box=(0, 0, 2, 2), position=5)
    channels = Image(np.zeros((3, 6, 20, 30)), "czyx")
    assert read_roi(tmp_path, channels, data).labels[1].any()
    colours = Image(np.zeros((3, 6, 20, 30)), "czyx", rgb=True)
    assert read_roi(tmp_path, colours, data).labels[4].any()


@pytest.mark.parametrize("options", [{}, {"z": 4, "t": 1}, {"z": 1}])
def test_roi_on_no_plane_of_a_stack_is_refused(tmp_path, stack, options):
    with pytest.raises(LabelError, match=r"along [zt]|plane that the image does not have"):
        read_roi(tmp_path, stack, roi(1, box=(0, 0, 2, 2), **options))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nucleus-3", (0, "nucleus")),
        ("nucleus", (0, "nucleus")),
        ("dark cell 12", (0, "dark cell")),
        ("class 2", (2, "")),
        ("Label_7-12", (7, "")),
        ("0012-0345", (0, "")),
        ("0001-0012-0345", (0, "")),
        ("17", (0, "")),
        ("", (0, "")),
    ],
)
def test_names_of_rois_say_their_class(name, expected):
    assert class_of(name) == expected


def test_group_is_the_class_before_the_name(tmp_path, plane):
    data = roi(1, box=(0, 0, 2, 2), group=4, name="tumour-1", color=0xFF112233)
    strokes = read_roi(tmp_path, plane, data)
    assert strokes.classes == (Class(4, "tumour", "#112233"),)
    assert (strokes.labels[:2, :2] == 4).all()


def test_a_roi_without_class_is_refused_by_name(tmp_path, plane):
    with pytest.raises(LabelError, match=r"say no class.*'0012-0345'"):
        read_roi(tmp_path, plane, roi(1, box=(0, 0, 2, 2), name="0012-0345"))


def test_names_get_the_same_label_in_every_file(tmp_path, plane):
    first = read_roi(tmp_path, plane, roi(1, box=(0, 0, 2, 2), name="sky-1"))
    second = read_roi(
        tmp_path, plane, roi(1, box=(0, 0, 2, 2), name="sea-1"), classes=first.classes
    )
    assert [(c.label, c.name) for c in second.classes] == [(1, "sky"), (2, "sea")]
    assert second.labels.max() == 2


def test_roi_zip_is_drawn_in_its_order(tmp_path, plane):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../b.roi", roi(1, box=(0, 0, 4, 4), name="below"))
        archive.writestr("a.roi", roi(1, box=(0, 0, 2, 2), name="above"))
    strokes = read_strokes(tmp_path / "a.zip", plane)
    assert [c.name for c in strokes.classes] == ["below", "above"]
    assert (strokes.labels[:2, :2] == 2).all()
    assert (strokes.labels == 1).sum() == 12
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip"]


def test_zip_bomb_is_refused(tmp_path, plane, monkeypatch):
    monkeypatch.setattr("stroma.io.imagej.read.MAX_ZIP_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.roi", roi(1, box=(0, 0, 4, 4)) + bytes(100_000))
    with pytest.raises(FormatError, match="larger than"):
        read_strokes(tmp_path / "a.zip", plane)


@pytest.mark.parametrize(
    ("name", "limit"),
    [("a.geojson", geojson.MAX_BYTES), ("a.json", geojson.MAX_BYTES), ("a.roi", MAX_ROI_BYTES)],
)
def test_what_is_larger_than_it_can_be_is_refused_before_it_is_read(tmp_path, plane, name, limit):
    with (tmp_path / name).open("wb") as file:
        file.truncate(limit + 1)  # takes no room on the disk
    with pytest.raises(FormatError, match=rf"{name} is larger than the {limit >> 20} MiB"):
        read_strokes(tmp_path / name, plane)


def test_a_zip_of_very_many_rois_is_refused(tmp_path, plane, monkeypatch):
    monkeypatch.setattr("stroma.io.imagej.read.MAX_ROIS", 3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(4):
            archive.writestr(f"{i}.roi", roi(1, box=(0, 0, 4, 4)))
    with pytest.raises(FormatError, match=r"a\.zip holds 4 files; 3 are read"):
        read_strokes(tmp_path / "a.zip", plane)


def test_rois_without_any_name_are_counted_and_take_the_class_that_is_given(tmp_path, plane):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(".roi", roi(1, box=(0, 0, 2, 2), name=""))
        archive.writestr(zipfile.ZipInfo(""), roi(1, box=(8, 8, 9, 9), name=""))
        archive.writestr("b.roi", roi(1, box=(4, 4, 6, 6), name="cell-1"))
    found = read_strokes(tmp_path / "a.zip", plane)
    assert [c.name for c in found.classes] == ["cell"]
    assert "2 of 3 marks say no class (a ROI without a name" in found.notes[0]
    found = read_strokes(tmp_path / "a.zip", plane, unnamed="cell")
    assert ([c.name for c in found.classes], (found.labels > 0).sum()) == (["cell"], 9)


@settings(max_examples=200)
@given(data=st.data())
def test_damaged_rois_are_refused_or_read_never_worse(tmp_path_factory, data):
    good = roi(
        0, box=(2, 3, 6, 8), points=[(0, 0), (5, 0), (5, 4)], sub_pixel=True, floats=[(1, 2)] * 3
    )
    bad = bytearray(good[: data.draw(st.integers(0, len(good)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if bad:
            bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.roi"
    path.write_bytes(bad)
    with contextlib.suppress(FormatError, LabelError):
        read_strokes(path, Image(np.zeros((20, 30)), "yx"))


# QuPath


def qupath(*geometries, name="Tumor", color=(200, 0, 0), **properties):
    kind = {"name": name, "color": list(color)}
    features = [
        {
            "type": "Feature",
            "geometry": g,
            "properties": {"objectType": "annotation", "classification": kind, **properties},
        }
        for g in geometries
    ]
    return {"type": "FeatureCollection", "features": features}


SQUARE = [[2, 3], [8, 3], [8, 7], [2, 7], [2, 3]]
HOLE = [[3, 4], [5, 4], [5, 6], [3, 6], [3, 4]]


def read_json(tmp_path, image, content, **options):
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "a.geojson").write_text(text)
    return read_strokes(tmp_path / "a.geojson", image, **options)


@pytest.mark.parametrize(
    ("geometry", "pixels"),
    [
        ({"type": "Polygon", "coordinates": [SQUARE, HOLE]}, 20),
        (
            {
                "type": "MultiPolygon",
                "coordinates": [[SQUARE], [[[20, 10], [22, 10], [22, 12], [20, 12]]]],
            },
            28,
        ),
        ({"type": "LineString", "coordinates": [[4.5, 5.5], [14.5, 5.5]]}, 11),
        (
            {
                "type": "MultiLineString",
                "coordinates": [[[4.5, 5.5], [14.5, 5.5]], [[4.5, 9.5], [5.5, 9.5]]],
            },
            13,
        ),
        ({"type": "Point", "coordinates": [4.2, 5.8]}, 1),
        ({"type": "MultiPoint", "coordinates": [[4.5, 5.5], [9.5, 5.5]]}, 2),
        (
            {
                "type": "GeometryCollection",
                "geometries": [{"type": "Polygon", "coordinates": [SQUARE]}],
            },
            24,
        ),
    ],
)
def test_every_kind_of_geometry_is_drawn(tmp_path, plane, geometry, pixels):
    strokes = read_json(tmp_path, plane, qupath(geometry), width=1)
    assert strokes.labels.sum() == pixels
    assert strokes.classes == (Class(1, "Tumor", "#c80000"),)


@pytest.mark.parametrize("place", ["geometry", "properties"])
def test_the_plane_of_an_object_is_found(tmp_path, stack, place):
    geometry = {"type": "Polygon", "coordinates": [SQUARE]}
    at = {"plane": {"c": -1, "z": 2, "t": 1}}
    content = qupath(geometry | at) if place == "geometry" else qupath(geometry, **at)
    labels = read_json(tmp_path, stack, content).labels
    assert labels[1, 2].sum() == labels.sum() == 24


def test_one_object_alone_and_old_colours_are_read(tmp_path, plane):
    (feature,) = qupath({"type": "Polygon", "coordinates": [SQUARE]})["features"]
    feature["properties"]["classification"] = {"name": "Old", "colorRGB": -3670016}
    for content in (feature, [feature]):
        assert read_json(tmp_path, plane, content).classes == (Class(1, "Old", "#c80000"),)


def test_an_object_without_class_is_refused_by_number(tmp_path, plane):
    content = qupath({"type": "Polygon", "coordinates": [SQUARE]})
    del content["features"][0]["properties"]["classification"]
    with pytest.raises(LabelError, match=r"say no class \(object 1 \(Polygon\)\)"):
        read_json(tmp_path, plane, content)


@pytest.mark.parametrize(
    "content",
    [
        "{ not json",
        "[" * 100_000,
        "{}",
        '"text"',
        qupath({"type": "Circle", "coordinates": [1, 2]}),
        qupath({"type": "Polygon", "coordinates": [[]]}),
        qupath({"type": "Polygon", "coordinates": [[[1]]]}),
        qupath({"type": "Point", "coordinates": [float("nan"), 1]}),
        qupath({"type": "Point", "coordinates": [1e300, 1]}),
        qupath({"type": "Point", "coordinates": [1, 1]}, color=(300, 0, 0)),
        {"type": "FeatureCollection", "features": [None]},
    ],
)
def test_json_that_is_no_geojson_is_refused(tmp_path, plane, content):
    with pytest.raises(FormatError, match=r"a\.geojson"):
        read_json(tmp_path, plane, content)


def collection(*classifications, at=0):
    features = []
    for i, kind in enumerate(classifications):
        x = at + 5 * i
        corners = [[x, 2], [x + 3, 2], [x + 3, 5], [x, 5], [x, 2]]
        geometry = {"type": "Polygon", "coordinates": [corners]}
        said = {"objectType": "annotation"} | ({"classification": kind} if kind else {})
        features.append({"type": "Feature", "geometry": geometry, "properties": said})
    return {"type": "FeatureCollection", "features": features}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ({"names": ["Tumor", "Positive"], "color": [1, 2, 3]}, "Tumor: Positive"),
        ({"names": ["Tumor"]}, "Tumor"),
        ("Stroma", "Stroma"),
        ({"name": "Positive", "parentClass": {"name": "Tumor"}}, "Tumor: Positive"),
        (
            {"name": "1+", "parentClass": {"name": "Positive", "parentClass": {"name": "Tumor"}}},
            "Tumor: Positive: 1+",
        ),
        ({"name": "Tumor: Positive"}, "Tumor: Positive"),
    ],
)
def test_every_way_to_write_a_classification_gives_the_name_that_is_shown(
    tmp_path, plane, kind, name
):
    assert [c.name for c in read_json(tmp_path, plane, collection(kind)).classes] == [name]


def test_one_name_under_two_parents_is_two_classes(tmp_path, plane):
    kinds = [{"name": "Positive", "parentClass": {"name": p}} for p in ("Tumor", "Stroma")]
    found = read_json(tmp_path, plane, collection(*kinds))
    assert [c.name for c in found.classes] == ["Tumor: Positive", "Stroma: Positive"]
    assert np.bincount(found.labels.ravel())[1:].tolist() == [9, 9]


def test_marks_without_class_are_left_out_and_counted_or_get_one(tmp_path, plane, caplog):
    content = collection({"name": "Tumor"}, None, None)
    found = read_json(tmp_path, plane, content)
    assert [c.name for c in found.classes] == ["Tumor"]
    [note] = found.notes
    assert "2 of 3 marks say no class" in note
    assert "unnamed=" in note
    assert note in caplog.text
    named = read_json(tmp_path, plane, content, unnamed="rest")
    assert [c.name for c in named.classes] == ["Tumor", "rest"]
    assert named.notes == ()
    assert (named.labels == 2).sum() == 18


def test_marks_outside_the_image_are_counted_and_their_class_left_out(tmp_path, plane):
    content = collection({"name": "Tumor"}, {"name": "Far"})
    far = content["features"][1]["geometry"]["coordinates"][0]
    content["features"][1]["geometry"]["coordinates"][0] = [[x + 900, y] for x, y in far]
    found = read_json(tmp_path, plane, content)
    assert [c.name for c in found.classes] == ["Tumor"]
    assert "1 of 2 marks lie outside the image" in found.notes[0]
    with pytest.raises(LabelError, match="2 of 2 marks lie outside"):
        read_json(tmp_path, plane, collection({"name": "A"}, {"name": "B"}, at=900))


def test_a_class_that_is_painted_over_is_left_out_and_told(tmp_path, plane):
    content = collection({"name": "Below"}, {"name": "Above"})
    content["features"][1]["geometry"] = content["features"][0]["geometry"]
    found = read_json(tmp_path, plane, content)
    assert [c.name for c in found.classes] == ["Above"]
    assert "'Below' has no pixel" in found.notes[0]


def test_classes_that_qupath_ignores_are_left_out(tmp_path, plane):
    found = read_json(tmp_path, plane, collection({"name": "Tumor"}, {"name": "Ignore*"}))
    assert [c.name for c in found.classes] == ["Tumor"]
    assert "1 of 2 marks are of a class that ends in '*'" in found.notes[0]


def test_children_of_objects_are_read(tmp_path, plane):
    content = collection({"name": "Tumor"})
    child = collection({"name": "Nucleus"}, at=10)["features"]
    grandchild = collection({"name": "Spot"}, at=20)["features"]
    content["features"][0]["childObjects"] = child
    child[0]["childObjects"] = grandchild
    found = read_json(tmp_path, plane, content)
    assert [c.name for c in found.classes] == ["Tumor", "Nucleus", "Spot"]
    assert (found.labels > 0).sum() == 27


def test_rois_with_automatic_names_do_not_stop_the_others(tmp_path, plane):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.roi", roi(1, box=(0, 0, 2, 2), name="0012-0345"))
        archive.writestr("b.roi", roi(1, box=(4, 4, 6, 6), name="nucleus-1"))
    found = read_strokes(tmp_path / "a.zip", plane)
    assert [c.name for c in found.classes] == ["nucleus"]
    assert "1 of 2 marks say no class (the ROI '0012-0345')" in found.notes[0]


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.tif"])
def test_labels_in_a_lossy_format_are_refused(tmp_path, plane, name):
    if name == "a.tif":
        pytest.importorskip("imagecodecs")
        values = np.zeros(plane.shape, np.uint8)
        tifffile.imwrite(tmp_path / name, values, compression="jpeg")
    else:
        Picture.fromarray(np.zeros(plane.shape, np.uint8)).save(tmp_path / name)
    with pytest.raises(LabelError, match=r"JPEG.*PNG or TIFF"):
        read_strokes(tmp_path / name, plane)


def test_labels_of_one_plane_for_a_stack_that_may_be_channels_give_the_hint(tmp_path):
    np.save(tmp_path / "image.npy", np.zeros((3, 20, 30)))
    Picture.fromarray(np.ones((20, 30), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(ShapeError, match=r"3 planes.*axes='cyx'"):
        read_strokes(tmp_path / "a.png", read_image(tmp_path / "image.npy"))
    read_strokes(tmp_path / "a.png", read_image(tmp_path / "image.npy", axes="cyx"))


# Round trips


@pytest.mark.parametrize("ending", [".zip", ".geojson"])
def test_outlines_round_trip_to_the_same_pixels(tmp_path, stack, ending):
    classes = CLASSES[:2]
    strokes = Strokes(blobs(stack.shape), "tzyx", classes)
    path = write_strokes(tmp_path / f"a{ending}", strokes, stack)
    read = read_strokes(path, stack, classes=classes)
    np.testing.assert_array_equal(read.labels, strokes.labels)
    assert read.classes == classes
    assert [
        (c.name, c.color) for c in sorted(read_strokes(path, stack).classes, key=lambda c: c.name)
    ] == [(c.name, c.color) for c in classes]
