import numpy as np

from stroma.io import write_image
from stroma.session import Session
from stroma.session.several import STROKES, find_strokes, named_after


def test_files_are_named_after_images_and_no_two_are_the_same(session, halves, tmp_path):
    names = ["a.ome.tif", "b/c?.tif", "A.png", "", "a_1.tif"]
    keys = [session.add_image(halves, name=name) for name in names]
    found = named_after(session, keys, tmp_path, STROKES)
    assert [p.name for p in found] == [
        "a_1_strokes.tif",
        "c__strokes.tif",
        "A_3_strokes.tif",
        "image_4_strokes.tif",
        "a_1_5_strokes.tif",
    ]
    assert named_after(session, keys[1:2], tmp_path, STROKES) == found[1:2]


def test_strokes_are_found_by_name_but_not_the_image_itself(halves, tmp_path):
    with Session.create(tmp_path / "p.stroma", "gaussian") as session:
        for name in ("one.tif", "two.tif", "three.tif"):
            write_image(tmp_path / name, halves, axes="yx")
            session.add_image(tmp_path / name)
        for name in ("one_annotations.tif", "two_strokes.tif", "two.geojson", "three.txt"):
            (tmp_path / name).touch()
        found = find_strokes(session, ["1", "2", "3"], tmp_path)
    assert found.files == {"1": tmp_path / "one_annotations.tif"}
    assert (found.several, found.none) == (("2",), ("3",))


def test_what_is_exported_for_images_is_found_for_them_again(session, halves, tmp_path):
    keys = [session.add_image(halves, name=f"{name}.tif") for name in "ab"]
    for x, key in enumerate(keys, 10):
        session.paint(key, [(10, x)], label=2)
    before = [session.strokes(key) for key in keys]
    for key, path in zip(keys, named_after(session, keys, tmp_path, STROKES), strict=True):
        session.export_strokes(key, path)
        session.clear(key)
    for key, path in find_strokes(session, keys, tmp_path).files.items():
        session.import_strokes(key, path)
    for key, strokes in zip(keys, before, strict=True):
        np.testing.assert_array_equal(session.strokes(key), strokes)
