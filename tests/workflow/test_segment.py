"""A batch segments every file as the model does, and says what became of each."""

import copy
import csv
import json

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image as Picture
from tests.workflow.conftest import scene

from stroma.data.classes import Class
from stroma.errors import Cancelled, FormatError, MissingFileError, ParameterError
from stroma.io import read_image, write_image
from stroma.io.labels import read_classes
from stroma.workflow.applying import one_image
from stroma.workflow.applying.find import find_images, look
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "cells.tif"
    spacing = {"y": 0.5, "x": 0.5}
    return write_image(path, scene()[0], axes="yx", spacing=spacing, unit="µm")


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("form", [".tif", ".ome.tif", ".png", ".npy", ".zarr"])
def test_labels_in_every_format_equal_those_of_the_model(tmp_path, model, image, form):
    wanted = Outputs(format=form, probabilities=True, tables=True, overlay=True)
    result = segment_files(model, [image], tmp_path / "out", outputs=wanted)
    assert not result.failed, str(result)
    labels = tmp_path / "out" / f"cells_labels{form}"
    expected = model.segment(image)
    stored = np.asarray(Picture.open(labels)) if form == ".png" else read_image(labels).read()
    np.testing.assert_array_equal(stored, expected)
    values = ".tif" if form == ".png" else form
    probabilities = read_image(tmp_path / "out" / f"cells_probabilities{values}", axes="cyx")
    np.testing.assert_allclose(probabilities.read(), model.predict_probas(image), atol=1e-6)
    if form != ".npy":
        assert read_classes(labels) == model.classes
    assert len(rows(tmp_path / "out" / "cells_components.csv")) >= 2


def test_tables_and_overlay_say_what_the_labels_do(tmp_path, model, image):
    wanted = Outputs(tables=True, overlay=True, min_size=20)
    result = segment_files(model, [image], tmp_path / "out", outputs=wanted)
    labels = model.segment(image)
    table = rows(result.summary)
    assert [r["class"] for r in table] == ["ground", "square"]
    assert [int(r["area_px"]) for r in table] == [(labels == i).sum() for i in (1, 2)]
    assert float(table[1]["area_um2"]) == pytest.approx((labels == 2).sum() / 4)
    parts = rows(tmp_path / "out" / "cells_components.csv")
    assert min(int(r["area_px"]) for r in parts) >= 20
    squares = [r for r in parts if r["class"] == "square"]
    assert len(squares) == int(table[1]["components"]) == 2
    assert abs(float(squares[0]["centroid_y"]) - 17) < 1.5
    with Picture.open(tmp_path / "out" / "cells_overlay.png") as shown:
        colours = np.asarray(shown).astype(int)
    assert (colours[..., 0] > colours[..., 1])[labels == 2].all()


def test_no_cell_of_a_table_is_a_formula(tmp_path, model):
    bad = copy.copy(model)
    bad.classes = [Class(1, "=1+1"), Class(2, "@cmd")]
    path = write_image(tmp_path / "=cells.tif", scene()[0], axes="yx")
    result = segment_files(bad, [path], tmp_path / "out", outputs=Outputs(tables=True))
    assert not result.failed, str(result)
    for table in (tmp_path / "out").glob("*.csv"):
        cells = [cell for row in rows(table) for cell in row.values()]
        assert "'=1+1" in cells
        assert not [c for c in cells if c.startswith(("=", "@", "+"))]


def test_stacks_are_segmented_plane_by_plane_with_axes_kept(tmp_path, model):
    stack, _ = scene((2, 3, 60, 80))
    path = write_image(tmp_path / "stack.tif", stack, axes="tzyx")
    wanted = Outputs(tables=True, overlay=True, probabilities=True)
    result = segment_files(model, [path], tmp_path, outputs=wanted)
    assert not result.failed, str(result)
    labels = read_image(tmp_path / "stack_labels.tif")
    assert labels.axes == "tzyx"
    np.testing.assert_array_equal(labels.read(), model.segment(read_image(path)))
    assert read_image(tmp_path / "stack_probabilities.tif").axes == "tczyx"
    assert read_image(tmp_path / "stack_overlay.tif").shape == (2, 3, 3, 60, 80)
    assert {(r["t"], r["z"]) for r in rows(result.summary)} == {
        (str(t), str(z)) for t in range(2) for z in range(3)
    }


def test_a_file_that_fails_does_not_stop_the_others(tmp_path, model, image):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    two = write_image(tmp_path / "two.tif", np.zeros((2, 9, 9), np.uint8), axes="cyx")
    missing = tmp_path / "gone.tif"
    result = segment_files(model, [broken, image, two, missing], tmp_path / "out")
    assert [f.status for f in result.files] == ["failed", "done", "failed", "failed"]
    assert isinstance(result.files[0].error, FormatError)
    said = str(result)
    assert "1 done, 0 skipped, 3 failed" in said
    assert "broken.png" in said
    assert "2" in str(result.files[2].error)
    assert "no file" in str(result.files[3].error)


def test_what_is_done_is_skipped_until_model_image_or_wish_changes(tmp_path, model, image):
    out = tmp_path / "out"

    def status(**wish):
        return segment_files(model, [image], out, outputs=Outputs(**wish)).files[0].status

    assert [status(), status(), status(overwrite=True)] == ["done", "skipped", "done"]
    assert [status(tables=True), status(tables=True)] == ["done", "skipped"]
    assert [status(min_size=3), status(min_size=3)] == ["done", "skipped"]
    write_image(image, scene(seed=1)[0], axes="yx")
    assert [status(), status()] == ["done", "skipped"]
    (out / "cells_labels.tif").unlink()
    assert [status(), status()] == ["done", "skipped"]
    (out / "cells_stroma.json").write_text("{")
    assert status() == "done"
    assert json.loads((out / "cells_stroma.json").read_text())["outputs"] == ["cells_labels.tif"]


def test_the_region_of_a_mask_is_segmented_and_nothing_else(tmp_path, model, image):
    inside = np.zeros((60, 80), bool)
    inside[5:30, 5:40] = True
    Picture.fromarray(inside).save(tmp_path / "mask.png")
    (tmp_path / "masks").mkdir()
    Picture.fromarray(inside).save(tmp_path / "masks" / "cells.png")
    for mask in (tmp_path / "mask.png", tmp_path / "masks"):
        for form in (".tif", ".zarr"):
            wanted = Outputs(format=form, mask=mask, overwrite=True)
            result = segment_files(model, [image], tmp_path / "out", outputs=wanted)
            assert not result.failed, str(result)
            found = read_image(tmp_path / "out" / f"cells_labels{form}").read()
            np.testing.assert_array_equal(found, model.segment(image) * inside)


def test_a_mask_of_another_size_is_refused(tmp_path, model, image):
    Picture.fromarray(np.ones((5, 6), bool)).save(tmp_path / "mask.png")
    wanted = Outputs(mask=tmp_path / "mask.png")
    result = segment_files(model, [image], tmp_path / "out", outputs=wanted)
    assert "mask" in str(result.failed[0].error)


@pytest.mark.parametrize("form", [".zarr", ".tif"])
def test_large_results_written_in_chunks_equal_those_in_memory(
    tmp_path, model, image, form, monkeypatch
):
    monkeypatch.setattr(one_image, "CHUNK", 32)
    monkeypatch.setattr(one_image, "LARGE_BYTES", 0)
    wanted = Outputs(format=form, probabilities=True)
    result = segment_files(model, [image], tmp_path / "out", outputs=wanted)
    assert not result.failed, str(result)
    np.testing.assert_array_equal(
        read_image(tmp_path / "out" / f"cells_labels{form}").read(), model.segment(image)
    )
    found = read_image(tmp_path / "out" / f"cells_probabilities{form}").read()
    np.testing.assert_allclose(found, model.predict_probas(image), atol=1e-6)
    assert not list((tmp_path / "out").glob("*.part"))


def test_a_large_result_is_continued_where_it_stopped(tmp_path, model, monkeypatch):
    monkeypatch.setattr(one_image, "CHUNK", 32)
    stack, _ = scene((4, 60, 80))
    path = write_image(tmp_path / "a.zarr", stack, axes="zyx")
    asked = []
    real = one_image.predict_blocks

    def counted(model, image, **options):
        asked.append(image._index.get("z"))
        return real(model, image, **options)

    monkeypatch.setattr(one_image, "predict_blocks", counted)
    with pytest.raises(Cancelled):
        segment_files(model, [path], tmp_path / "out", cancel=lambda: len(asked) == 3)
    assert asked == [0, 1, 2]
    asked.clear()
    result = segment_files(model, [path], tmp_path / "out")
    assert asked == [2, 3]
    labels = read_image(result.files[0].outputs[0])
    np.testing.assert_array_equal(labels.read(), model.segment(read_image(path)))


def test_what_another_model_began_is_started_over(tmp_path, model, monkeypatch):
    path = write_image(tmp_path / "a.zarr", scene((2, 60, 80))[0], axes="zyx")
    seen = []
    with pytest.raises(Cancelled):
        segment_files(
            model, [path], tmp_path / "out", cancel=lambda: seen.append(1) or len(seen) > 1
        )
    monkeypatch.setattr("stroma.workflow.applying.outputs.fingerprint", lambda model: "another")
    result = segment_files(model, [path], tmp_path / "out")
    assert not result.failed, str(result)


def test_progress_counts_files_and_blocks(tmp_path, model, image):
    told = []
    segment_files(model, [image, tmp_path / "none.tif"], tmp_path / "out", progress=told.append)
    assert [(p.file, p.files) for p in told] == [(1, 2)] * len(told)
    assert told[-1].done == told[-1].total > 0


def test_results_of_equal_names_are_kept_apart_or_refused(tmp_path, model, image):
    picture = tmp_path / "cells.png"
    Picture.fromarray(scene()[0]).save(picture)
    segment_files(model, [image, picture], tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").glob("*_labels.tif")} == {
        "cells.tif_labels.tif",
        "cells.png_labels.tif",
    }


def labels_in(folder):
    return sorted(p.name.removesuffix("_labels.tif") for p in folder.glob("*_labels.*"))


def test_images_of_one_name_in_several_folders_get_what_differs_of_their_paths(tmp_path, model):
    paths = []
    for i, folder in enumerate(("x/left", "y/left", "y/right")):
        (tmp_path / folder).mkdir(parents=True)
        paths.append(write_image(tmp_path / folder / "a.tif", scene(seed=i)[0], axes="yx"))
    wanted = Outputs(tables=True)
    result = segment_files(model, paths, tmp_path / "out", outputs=wanted)
    assert not result.failed, str(result)
    assert labels_in(tmp_path / "out") == ["x_left_a", "y_left_a", "y_right_a"]
    assert {r["image"] for r in rows(result.summary)} == {"x_left_a", "y_left_a", "y_right_a"}
    for path, name in zip(paths, ("x_left_a", "y_left_a", "y_right_a"), strict=True):
        found = read_image(tmp_path / "out" / f"{name}_labels.tif").read()
        np.testing.assert_array_equal(found, model.segment(path))
    with pytest.raises(ParameterError, match="given twice"):
        segment_files(model, [paths[0], paths[0]], tmp_path / "out")


def test_results_of_another_image_are_never_replaced_unasked(tmp_path, model, image):
    (tmp_path / "b").mkdir()
    other = write_image(tmp_path / "b" / "cells.tif", scene(seed=1)[0], axes="yx")
    wanted, out = Outputs(tables=True), tmp_path / "out"
    segment_files(model, [image], out, outputs=wanted)
    before = read_image(out / "cells_labels.tif").read()
    result = segment_files(model, [other], out, outputs=wanted)
    assert "a result of" in str(result)
    assert str(image) in str(result)
    np.testing.assert_array_equal(read_image(out / "cells_labels.tif").read(), before)
    replaced = segment_files(model, [other], out, outputs=Outputs(tables=True, overwrite=True))
    assert not replaced.failed
    np.testing.assert_array_equal(read_image(out / "cells_labels.tif").read(), model.segment(other))


def test_a_file_that_is_no_result_is_never_replaced_unasked(tmp_path, model, image):
    mine = tmp_path / "cells_labels.tif"
    mine.write_bytes(b"painted by hand")
    result = segment_files(model, [image], tmp_path)
    assert "no result of it" in str(result)
    assert mine.read_bytes() == b"painted by hand"


def test_the_summary_keeps_the_images_of_earlier_batches(tmp_path, model, image):
    other = write_image(tmp_path / "more.tif", scene(seed=1)[0], axes="yx")
    wanted = Outputs(tables=True)
    segment_files(model, [image], tmp_path / "out", outputs=wanted)
    result = segment_files(model, [other], tmp_path / "out", outputs=wanted)
    assert {r["image"] for r in rows(result.summary)} == {"cells.tif", "more.tif"}


def plate(path, fields):
    zarr.open_group(path, mode="w", zarr_format=2).attrs["plate"] = {
        "wells": [{"path": "/".join(f.split("/")[:2])} for f in fields]
    }
    for seed, field in enumerate(fields):
        (path / field).parent.mkdir(parents=True)
        group = zarr.open_group((path / field).parent, mode="w", zarr_format=2)
        group.attrs["well"] = {"images": [{"path": "0"}]}
        write_image(tmp := path.parent / "one.zarr", scene(seed=seed)[0], axes="yx")
        tmp.rename(path / field)


def test_the_fields_of_a_plate_are_one_batch(tmp_path, model):
    plate(tmp_path / "p.zarr", ["A/1/0", "B/2/0"])
    paths = find_images([tmp_path / "p.zarr" / "*" / "*" / "0"])
    assert len(paths) == 2
    result = segment_files(model, paths, tmp_path / "out")
    assert not result.failed, str(result)
    names = ["p_A_1_0_labels.zarr", "p_B_2_0_labels.zarr"]
    assert labels_in(tmp_path / "out") == names
    all_of_it = Outputs(series="all", format=".tif")
    result = segment_files(model, [tmp_path / "p.zarr"], tmp_path / "all", outputs=all_of_it)
    assert labels_in(tmp_path / "all") == ["p_s0", "p_s1"]
    for i, path in enumerate(paths):
        expected = model.segment(read_image(path))
        found = read_image(tmp_path / "all" / f"p_s{i}_labels.tif").read()
        np.testing.assert_array_equal(found, expected)


def test_images_of_one_file_are_segmented_as_asked(tmp_path, model):
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for seed in range(2):
            file.write(scene(seed=seed)[0], metadata={"axes": "YX"})
    first = segment_files(model, [path], tmp_path / "first")
    assert labels_in(tmp_path / "first") == ["two"]
    assert not first.failed
    segment_files(model, [path], tmp_path / "all", outputs=Outputs(series="all"))
    assert labels_in(tmp_path / "all") == ["two_s0", "two_s1"]
    result = segment_files(model, [path], tmp_path / "some", outputs=Outputs(series=(1, 7)))
    assert [(f.status, f.series) for f in result.files] == [("done", 1), ("failed", 7)]
    assert "no number 7" in str(result)
    result = segment_files(model, [path, path], tmp_path / "each", series=[1, None])
    assert [f.outputs[0].name for f in result.files] == ["two_s1_labels.tif", "two_labels.tif"]
    with pytest.raises(ParameterError, match="given twice"):
        segment_files(model, [path, path], tmp_path / "each", series=[1, 1])


def test_outputs_check_what_is_asked(tmp_path, model):
    for bad, message in (
        ({"format": ".gif"}, "gif"),
        ({"alpha": 2}, "alpha"),
        ({"min_size": -1}, "min_size"),
    ):
        with pytest.raises(ParameterError, match=message):
            Outputs(**bad)
    stack = write_image(tmp_path / "a.tif", scene((2, 60, 80))[0], axes="zyx")
    result = segment_files(model, [stack], tmp_path, outputs=Outputs(format=".png"))
    assert "several planes" in str(result)


def test_folders_and_patterns_are_found_in_natural_order_without_results(tmp_path):
    made = ("a2_labels.tif", "a2_strokes.tif", "a2_annotations.tif", "a2_mask.tif", ".hidden.tif")
    for name in ("a10.tif", "a2.tif", *made, "notes.txt"):
        tifffile.imwrite(tmp_path / name, np.zeros((4, 4), np.uint8))
    (tmp_path / "deeper").mkdir()
    assert [p.name for p in find_images([tmp_path])] == ["a2.tif", "a10.tif"]
    assert [p.name for p in find_images([tmp_path / "a1*.tif", tmp_path])] == ["a10.tif", "a2.tif"]
    with pytest.raises(OSError, match="no image"):
        find_images([tmp_path / "b*.tif"])


def test_what_is_left_out_of_a_folder_is_told_with_the_reason(tmp_path, caplog):
    for name in ("a.tif", "a_labels.tif", "scan.svs", "old.vsi", "notes.txt"):
        tifffile.imwrite(tmp_path / name, np.zeros((4, 4), np.uint8))
    found = look([tmp_path])
    assert [p.name for p in found.images] == ["a.tif", "scan.svs"]
    results, foreign = map(str, found.left_out)
    assert "a_labels.tif" in results
    assert "results and strokes" in results
    assert "old.vsi" in foreign
    assert "no reader" in foreign
    find_images([tmp_path])
    assert foreign in caplog.text
    (tmp_path / "empty").mkdir()
    tifffile.imwrite(tmp_path / "empty" / "b.vsi", np.zeros((4, 4), np.uint8))
    with pytest.raises(MissingFileError, match=r"no image.*b\.vsi"):
        find_images([tmp_path / "empty"])
