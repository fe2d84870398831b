"""A batch segments every file as the model does, and says what became of each."""

import csv
import json

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from tests.workflow.conftest import scene

from stroma.errors import Cancelled, FormatError, ParameterError
from stroma.io import read_image, write_image
from stroma.io.labels import read_classes
from stroma.workflow import one_image
from stroma.workflow.find import find_images
from stroma.workflow.outputs import Outputs
from stroma.workflow.segment import segment_files


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
    monkeypatch.setattr("stroma.workflow.outputs.fingerprint", lambda model: "another")
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
    (tmp_path / "b").mkdir()
    with pytest.raises(ParameterError, match=r"'cells\.tif'"):
        segment_files(model, [image, tmp_path / "b" / "cells.tif"], tmp_path / "out")


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
