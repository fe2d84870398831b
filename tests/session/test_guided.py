import copy
import csv
import threading

import numpy as np
import pytest
import tifffile
from tests.session.scene import SECONDS, paint_halves, settle

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import Cancelled, LabelError, NotTrainedError, ParameterError
from stroma.io import read_image, write_image
from stroma.pixel.guidance.suggest import Suggestion
from stroma.session import Session
from stroma.session.events import Progress, TaskCancelled, TaskFailed, TaskFinished, TaskStarted
from stroma.session.strokes.exports import Written
from stroma.session.strokes.guidance import Guidance
from stroma.session.strokes.painted.ownership import ClassCount
from stroma.workflow.applying import outputs as opening
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.tables import write_components


def test_the_place_to_paint_next_is_uncertain_and_away_from_strokes(session, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    found = session.suggest(key, side=8).result(SECONDS)
    assert 30 < found.x < 66
    assert not session.strokes(key, found.box).any()


@pytest.mark.parametrize(("there", "chosen"), [(0.9, "2"), (0.54, "1")])
def test_the_place_to_paint_next_is_sought_on_all_images_those_in_sight_first(
    session, halves, monkeypatch, there, chosen
):
    first, second = session.add_image(halves), session.add_image(halves)
    paint_halves(session, first)
    for key in (second, first):
        session.look(key)
        settle(session)
    assert [len(session.known_planes(key)) for key in (first, second)] == [1, 1]
    scores = {first: 0.5, second: there}
    monkeypatch.setattr(
        Guidance,
        "_uncertain",
        lambda self, image, plane: Suggestion(Box(0, 0, 2, 2), 1, 1, scores[image]),
    )
    place = session.suggest_anywhere(first).result(SECONDS)
    assert (place.image, place.plane, place.found.score) == (chosen, {}, scores[chosen])


def test_accuracy_is_estimated_by_leaving_out_strokes_that_are_apart(session, halves):
    key = session.add_image(halves)
    for i in range(3):
        for label, x in ((1, 10), (2, 80)):  # the second step touches the first, and is part of it
            session.paint(key, [(6 + 16 * i, x)], label=label, radius=2)
            session.paint(key, [(8 + 16 * i, x)], label=label, radius=2)
    found = session.validate().result(SECONDS)
    assert found.strokes == (3, 3)
    assert found.accuracy > 0.8


def test_connected_parts_of_imported_labels_count_as_strokes(session, halves):
    key = session.add_image(halves)
    labels = np.zeros(halves.shape, np.uint16)
    labels[5:10, 5:10], labels[20:25, 5:10], labels[40:45, 5:10] = 1, 1, 1
    labels[5:10, 80:85], labels[20:25, 80:85] = 2, 2
    session.import_strokes(key, labels)
    session.paint(key, [(60, 80)], label=2)
    assert session.validate().result(SECONDS).strokes == (3, 3)


def test_areas_are_those_of_the_results(session, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    values = session.result(key).values
    found = session.areas(key).result(SECONDS).value
    assert [c.area for c in found] == [int((values == c.label).sum()) for c in found]
    assert sum(c.share for c in found) == pytest.approx(1)
    large = session.areas(key, min_size=10**6).result(SECONDS).value
    assert [c.components for c in found] != [c.components for c in large] == [0, 0]


def test_components_are_those_of_the_results_in_pixels_and_micrometres(session, halves, tmp_path):
    image = Image(np.stack([halves, halves]), "zyx", spacing={"y": 500, "x": 500}, unit="nm")
    key = session.add_image(image)
    for z in (0, 1):
        paint_halves(session, key, plane={"z": z})
    session.look(key, plane={"z": 1})
    settle(session)
    found = session.measure(key, plane={"z": 1}).result(SECONDS).value
    values = session.result(key, plane={"z": 1}).values
    biggest = sorted(found.components, key=lambda c: -c.area)[:2]
    assert {c.label for c in biggest} == {1, 2}
    assert sum(c.area for c in found.components) == values.size
    assert sum(c.area for c in found.coverage) == values.size
    assert found.pixel_area == pytest.approx(0.25)
    small = session.measure(key, plane={"z": 1}, min_size=10**6).result(SECONDS).value
    assert small.components == ()
    assert [c.area for c in small.coverage] == [c.area for c in found.coverage]

    write_components(tmp_path / "parts.csv", found, "halves", {"z": 1})
    with (tmp_path / "parts.csv").open(newline="") as file:
        [first, *_] = rows = list(csv.DictReader(file))
    assert len(rows) == len(found.components)
    assert (first["image"], first["t"], first["z"]) == ("halves", "", "1")
    assert float(first["area_um2"]) == pytest.approx(int(first["area_px"]) / 4)


def test_a_volume_is_measured_over_all_planes_whoever_looked_at_them(session, halves):
    """Halves that touch over four planes; time and region say which voxels count."""
    spacing = {"z": 2, "y": 0.5, "x": 0.5}
    movie = Image(np.stack([[halves] * 4] * 2), "tzyx", spacing=spacing, unit="µm")
    key = session.add_image(movie)
    with pytest.raises(NotTrainedError):
        session.volumes(key).result(SECONDS)
    paint_halves(session, key, plane={"t": 0, "z": 1})
    settle(session)
    found = session.volumes(key, plane={"t": 1, "z": 0}).result(SECONDS)
    labels = session.segment(key)[1]
    assert [c.area for c in found.coverage] == [
        int((labels == c.label).sum()) for c in found.coverage
    ]
    assert sum(c.share for c in found.coverage) == pytest.approx(1)
    assert found.voxel_volume == pytest.approx(0.5)
    left, right = sorted(found.solids, key=lambda part: -part.area)[:2]
    assert {(part.front, part.back) for part in (left, right)} == {(0, 4)}
    assert session.volumes(key, min_size=10**6).result(SECONDS).solids == ()
    session.set_region(key, Box(0, 0, 10, 20))
    inside = session.volumes(key).result(SECONDS)
    assert sum(c.area for c in inside.coverage) == 4 * 10 * 20


def test_an_image_of_one_plane_is_no_volume(session, halves):
    key = session.add_image(halves, name="flat.tif")
    with pytest.raises(ParameterError, match=r"flat\.tif.* is no volume"):
        session.volumes(key)


def test_measuring_can_be_cancelled(session, halves):
    key = session.add_image(halves)
    started = threading.Event()
    start = session.core.tasks.start
    waiting = start("waiting", lambda progress, cancelled: started.wait(SECONDS), looks=True)
    task = session.measure(key)
    task.cancel()
    started.set()
    waiting.result(SECONDS)
    with pytest.raises(Cancelled):
        task.result(SECONDS)


def test_pixels_and_strokes_are_counted_by_class_over_all_images(session, halves):
    first, second = session.add_image(halves), session.add_image(halves)
    session.paint(first, [(10.5, 10.5)], label=1, radius=0)
    session.paint(first, [(11.5, 10.5)], label=1, radius=0)
    session.paint(second, [(11.5, 10.5)], label=1, radius=0)
    labels = np.zeros(halves.shape, np.uint16)
    labels[5:7, 5:7], labels[20, 5] = 2, 2
    session.import_strokes(first, labels)
    expected = [ClassCount(1, pixels=3, strokes=3, images=2), ClassCount(2, 5, 2, 1)]
    assert session.distribution().result(SECONDS) == expected
    session.clear(first)
    assert session.distribution().result(SECONDS) == [ClassCount(1, 1, 1, 1)]


def test_importance_needs_a_model(session, halves):
    with pytest.raises(NotTrainedError, match="no model yet"):
        session.importance()
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    assert session.importance(1)[0][1] > 0


def test_exported_labels_are_those_on_the_screen(session, halves, tmp_path):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    path = session.export_labels(key, tmp_path / "labels.ome.tif").result(SECONDS)
    np.testing.assert_array_equal(read_image(path).read(), session.result(key).values)


def test_the_model_is_applied_to_other_files(session, halves, tmp_path):
    from stroma.io import write_image

    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    other = write_image(tmp_path / "other.tif", halves[::-1], axes="yx")
    found = session.apply([other], tmp_path / "results").result(SECONDS)
    assert [file.status for file in found.files] == ["done"]
    labels = read_image(found.files[0].outputs[0]).read()
    assert (labels[:, :40] == 1).mean() > 0.95


def test_what_looks_at_results_does_not_wait_for_long_work(session, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    enough = threading.Event()
    long = session.start("long", lambda progress, cancelled: enough.wait(SECONDS))
    assert session.areas(key).result(SECONDS).value
    session.suggest(key).result(SECONDS)
    assert [one.label for one in session.distribution().result(SECONDS)] == [1, 2]
    assert not long.done
    enough.set()
    assert long.result(SECONDS)


def test_tasks_say_what_becomes_of_them(session, heard):
    assert session.start("good", lambda progress, cancelled: 42).result(SECONDS) == 42
    failing = session.validate()
    with pytest.raises(LabelError, match="no strokes yet"):
        failing.result(SECONDS)
    running, said, calls = threading.Event(), threading.Event(), []
    session.listen(lambda e: said.set() if isinstance(e, Progress) else None)

    def endless(progress, cancelled):
        running.set()
        while not cancelled():
            calls.append(progress(min(2, 1 + len(calls)), 10))
        raise Cancelled("The work was cancelled.")

    task, waiting = session.start("endless", endless), session.start("waiting", endless)
    assert running.wait(SECONDS)
    assert said.wait(SECONDS)  # after half a second
    waiting.cancel()
    task.cancel()
    for one in (task, waiting):
        with pytest.raises(Cancelled):
            one.result(SECONDS)
    session.start("last", lambda progress, cancelled: None).result(SECONDS)
    names = {kind: [e.what for e in heard if isinstance(e, kind)] for kind in (TaskStarted,)}
    assert names[TaskStarted] == ["good", "validation", "endless", "last"]
    assert "no strokes yet" in next(e for e in heard if isinstance(e, TaskFailed)).message
    assert {e.what for e in heard if isinstance(e, TaskCancelled)} == {"endless", "waiting"}
    assert any(isinstance(e, TaskFinished) and e.what == "good" for e in heard)
    told = [e for e in heard if isinstance(e, Progress) and e.what == "endless"]
    assert 1 <= len(told) < len(calls) / 10
    assert told[0].seconds_left > 0


def test_a_region_is_left_out_of_suggestions(session, halves):
    key = session.add_image(halves)
    session.set_region(key, Box(0, 0, 20, 96))
    paint_halves(session, key)
    settle(session)
    assert session.suggest(key, side=8).result(SECONDS).y < 20


def test_a_session_knows_where_a_segmentation_was_written_and_whether_it_is_the_latest(
    session, halves, tmp_path
):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    assert session.written(key) is None
    assert session.planes_shown(key) == 1
    path = session.export_labels(key, tmp_path / "labels.tif").result(SECONDS)
    assert session.written(key) == Written(path, current=True)
    session.paint(key, [(30, 30)], label=1)
    assert not session.written(key).current
    session.undo()
    assert session.written(key).current
    session.set_params(seg_smoothening=3)
    assert not session.written(key).current

    session.save_as(tmp_path / "mine.stroma")
    session.set_params(seg_smoothening=1)
    session.close()
    with Session.open(tmp_path / "mine.stroma") as again:
        assert again.written(key) == Written(path, current=True)
        path.unlink()
        assert again.written(key) is None


def test_a_batch_tells_where_the_results_of_images_are_that_are_open(session, halves, tmp_path):
    paths = [tmp_path / f"{name}.tif" for name in ("open", "other")]
    for path in paths:
        write_image(path, halves, axes="yx")
    key, memory = session.add_image(paths[0]), session.add_image(halves)
    paint_halves(session, memory)
    settle(session)
    session.apply([paths[1]], tmp_path / "results").result(SECONDS)
    assert session.written(key) is session.written(memory) is None
    session.apply(paths, tmp_path / "results").result(SECONDS)
    found = tmp_path / "results" / "open_labels.tif"
    assert session.written(key) == Written(found.resolve(), current=True)
    session.paint(key, [(30, 30)], label=1)
    assert not session.written(key).current
    settle(session)
    session.apply(paths[:1], tmp_path / "results").result(SECONDS)
    assert session.written(key).current


@pytest.fixture
def several(session, halves, tmp_path):
    """A file of three images, of which the first is open, and a model that learnt it."""
    path = tmp_path / "several.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for _ in range(3):
            file.write(halves, metadata={"axes": "YX"})
    key = session.add_image(path)
    paint_halves(session, key)
    settle(session)
    return key, path


@pytest.mark.parametrize(
    ("outputs", "name"),
    [
        ({"series": (2,)}, None),
        ({"series": (0, 1)}, "several_s0_labels.tif"),
        ({"series": "all"}, "several_s0_labels.tif"),
        ({"axes": "yx"}, None),
        ({}, "several_labels.tif"),
    ],
)
def test_only_what_was_made_of_the_image_as_it_is_open_is_its_segmentation(
    session, several, tmp_path, outputs, name
):
    key, path = several
    done = session.apply([path], tmp_path / "r", outputs=Outputs(**outputs)).result(SECONDS)
    assert not done.failed
    found = session.written(key)
    wanted = None if name is None else Written((tmp_path / "r" / name).resolve(), current=True)
    assert found == wanted


def test_the_segmentation_of_a_part_is_not_that_of_the_image(session, several, halves, tmp_path):
    key, path = several
    mask = write_image(tmp_path / "mask.png", np.eye(*halves.shape, dtype=np.uint8), axes="yx")
    session.apply([path], tmp_path / "r", outputs=Outputs(mask=mask)).result(SECONDS)
    assert session.written(key) is None
    session.apply([path], tmp_path / "r").result(SECONDS)
    assert session.written(key).current
    session.apply([path], tmp_path / "r", outputs=Outputs(mask=mask)).result(SECONDS)
    assert not session.written(key).current


def test_what_a_cancelled_batch_has_finished_is_known(session, halves, tmp_path, monkeypatch):
    paths = [write_image(tmp_path / f"{name}.tif", halves, axes="yx") for name in "ab"]
    first, second = (session.add_image(path) for path in paths)
    paint_halves(session, first)
    settle(session)

    def read(path, **how):
        if path == paths[1]:
            [task.cancel() for task in session.tasks.values()]
        return read_image(path, **how)

    monkeypatch.setattr(opening, "read_image", read)
    with pytest.raises(Cancelled):
        session.apply(paths, tmp_path / "r").result(SECONDS)
    written = tmp_path / "r" / "a_labels.tif"
    assert session.written(first) == Written(written.resolve(), current=True)
    assert session.written(second) is None


def test_what_is_written_is_not_the_latest_after_the_last_step_grew(session, halves, tmp_path):
    key = session.add_image(halves)
    paint_halves(session, key)
    number = session.paint(key, [(30, 30)], label=1)
    settle(session)
    session.export_labels(key, tmp_path / "labels.tif").result(SECONDS)
    session.paint(key, [(30, 40)], label=1, continues=number)
    assert not session.written(key).current


def test_what_is_written_is_not_the_latest_without_another_image_it_was_learnt_from(
    session, halves, tmp_path
):
    key, other = session.add_image(halves), session.add_image(halves)
    session.paint(key, [(10, 10)], label=1)
    session.paint(other, [(10, 80)], label=2)
    session.paint(key, [(20, 80)], label=2)
    settle(session)
    session.export_labels(key, tmp_path / "labels.tif").result(SECONDS)
    assert session.written(key).current
    session.close_image(other)
    assert not session.written(key).current


def test_what_is_written_is_not_the_latest_of_a_model_that_was_taken(session, halves, tmp_path):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    models = [copy.deepcopy(session.model) for _ in range(2)]
    session.set_model(models[0])
    session.export_labels(key, tmp_path / "labels.tif").result(SECONDS)
    assert session.written(key).current
    before = session.settings
    session.set_model(models[1])
    assert session.settings == before
    assert not session.written(key).current
    session.export_labels(key, tmp_path / "again.tif").result(SECONDS)
    assert session.written(key).current


def test_what_was_written_before_the_latest_stroke_was_learnt_is_not_the_latest(
    session, halves, tmp_path
):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    session.set_mode("demand")
    session.paint(key, [(30, 30)], label=1)
    session.export_labels(key, tmp_path / "labels.tif").result(SECONDS)
    assert not session.written(key).current
