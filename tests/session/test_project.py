import json
import os
import queue
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from tests.session.scene import SECONDS, paint_halves, settle

from stroma.data.image import Image
from stroma.errors import FileError, FormatError, MissingFileError, ShapeError
from stroma.io import write_image
from stroma.session import Session
from stroma.session.core.disk import project as projects
from stroma.session.core.disk import snapshot
from stroma.session.core.disk.journal import Journal
from stroma.session.core.disk.reference import fingerprint
from stroma.session.core.operations import plain
from stroma.session.core.packs import packed
from stroma.session.events import Saved
from stroma.session.strokes.painted.packing import read_delta, read_layers
from stroma.session.strokes.painted.tiles import StrokeTiles

PAINTER = """
import sys
from stroma.session import Session
session = Session.open(sys.argv[1])
session.clear("1")
for i in range(64 * 96):
    session.paint("1", [(i // 96, i % 96)], label=1 + i % 2, radius=0)
    if i == 20:
        assert session.flush()
        print("flushed", flush=True)
    if i == 40:
        print("more", flush=True)
"""


@pytest.fixture
def image_file(tmp_path, halves):
    return write_image(tmp_path / "cells.tif", halves, axes="yx")


@pytest.fixture
def project(tmp_path, image_file):
    """A closed project with an image, two strokes and a third class, of which one was undone."""
    folder = tmp_path / "cells.stroma"
    with Session.create(folder, "gaussian", mode="demand") as session:
        key = session.add_image(image_file)
        session.add_class("vessel", "#ff0000")
        paint_halves(session, key)
        session.paint(key, [(50, 50)], label=3)
        session.undo()
        session.set_display(key, {"low": 3})
        session.set_params(clf_iterations=40)
    return folder


def journals(folder):
    return sorted((folder / "events").iterdir())


def without_snapshots(folder):
    """Leave the journal alone to tell what happened."""
    for path in (folder / "snapshots").iterdir():
        path.unlink()
    return folder


def in_the_earlier_layout(folder, *, journal=False):
    """Write the snapshot as it was when strokes lay with their images; perhaps with a journal."""
    for path in journals(folder) if not journal else ():
        path.unlink()
    *older, latest = sorted((folder / "snapshots").iterdir())
    for path in older:
        path.unlink()
    saved = json.loads(latest.read_text())
    document = saved["document"]
    strokes = document.pop("benches")["strokes"]
    for image in document["images"]:
        image["tiles"] = with_tiles_apart(strokes["tiles"][image["image"]], image, document)
        image["result"] = strokes["written"].get(image["image"])
    for edit in (*document["done"], *document["undone"]):
        assert edit.pop("bench") == "strokes"
    document |= {"classes": strokes["classes"], "revision": strokes["revision"]}
    latest.write_text(json.dumps({**saved, **saved.pop("models")["strokes"]}))
    return folder


def with_tiles_apart(kept, image, document):
    """Return tiles, and write steps of undo, as when each tile was compressed by itself."""
    tiles = StrokeTiles(1, (image["sizes"]["y"], image["sizes"]["x"]))
    read_layers(kept, tiles)
    now = tiles.copy()
    for edit in document["done"][::-1]:
        edit["changes"] = [step_apart(c, tiles, back=True) for c in edit["changes"][::-1]][::-1]
    for edit in document["undone"][::-1]:
        edit["changes"] = [step_apart(c, now, back=False) for c in edit["changes"]]
    read_layers(kept, before := StrokeTiles(1, tiles.shape))
    return [[list(key), plain(data)] for key, data in before.packed()]


def step_apart(change, tiles, *, back):
    """Return a change in one tile with what was in its rectangle; make it, or unmake it."""
    image, delta = change[0], read_delta(change[1], tiles)
    [key], [(plane, box)] = delta.pieces.keys, delta.pieces.boxes
    sides = [packed(tiles.read(plane, box))]
    tiles.apply(delta.reversed() if back else delta)
    sides.append(packed(tiles.read(plane, box)))
    return [image, list(key), plain(box), *map(plain, sides[::-1] if back else sides)]


def test_a_project_in_the_earlier_layout_opens_with_everything(project, tmp_path):
    with Session.open(project) as session:
        session.train()
        settle(session)
        path = session.export_labels("1", tmp_path / "labels.tif").result(SECONDS)
        strokes, trained = session.strokes("1"), session.status.trained
        labels, undo = session.segment("1"), session.undoable
    with Session.open(in_the_earlier_layout(project)) as session:
        np.testing.assert_array_equal(session.strokes("1"), strokes)
        assert [c.name for c in session.classes] == ["background", "foreground", "vessel"]
        assert session.written("1").path == path.resolve()
        assert session.undoable == undo
        assert session.status.revision - session.status.trained == 0
        assert trained >= 0
        np.testing.assert_array_equal(session.segment("1"), labels)
        session.undo()
        assert np.unique(session.strokes("1")).tolist() == [0, 1]
        session.redo()
        session.redo()
        assert np.unique(session.strokes("1")).tolist() == [0, 1, 2, 3]
    with Session.open(project) as session:  # as it is written now
        assert np.unique(session.strokes("1")).tolist() == [0, 1, 2, 3]


def test_what_a_model_learns_from_survives_a_restart(project):
    with Session.open(project) as session:
        session.set_training("image")
    with Session.open(project) as session:
        assert session.settings.train_on == "image"
    with Session.open(without_snapshots(project)) as session:
        assert session.settings.train_on == "image"


def test_a_project_opens_with_everything_that_was_in_it(project):
    with Session.open(project) as session:
        assert [c.name for c in session.classes] == ["background", "foreground", "vessel"]
        assert np.unique(session.strokes("1")).tolist() == [0, 1, 2]
        assert session.image("1").display == {"low": 3}
        assert session.settings.mode == "demand"
        assert session.settings.param.clf_iterations == 40
        assert session.notices == ()
        session.redo()
        assert np.unique(session.strokes("1")).tolist() == [0, 1, 2, 3]
        while session.undo():
            pass
        assert not session.strokes("1").any()


def test_the_journal_alone_gives_the_same_as_the_snapshot(project):
    with Session.open(project) as session:
        expected, undo = session.strokes("1"), session.undoable
    with Session.open(without_snapshots(project)) as session:
        np.testing.assert_array_equal(session.strokes("1"), expected)
        assert session.undoable == undo


def test_a_file_that_the_writer_is_about_to_close_is_not_taken_for_removed(tmp_path, monkeypatch):
    journal = Journal(tmp_path, 0, lambda _: None)
    (tmp_path / "events").mkdir()
    journal.append(b'{"op":"undo"}')
    assert journal.flush(SECONDS)
    fstat = os.fstat

    def close_if_free():
        if journal._state.acquire(blocking=False):
            journal._close_file()
            journal._state.release()

    def closing(file):
        writer = threading.Thread(target=close_if_free)
        writer.start()
        writer.join()
        return fstat(file)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", closing)
        assert journal.lost() == ""
    assert journal.close()


def test_a_snapshot_that_another_save_removed_first_does_not_stop_a_save(project, monkeypatch):
    listed = projects._snapshots

    def listed_and_removed(folder):
        found = listed(folder)
        for path in found[projects.KEPT_SNAPSHOTS :]:
            path.unlink()
        return found

    with Session.open(project) as session:
        for _ in range(projects.KEPT_SNAPSHOTS):
            session.add_class()
            session.save()
        monkeypatch.setattr(projects, "_snapshots", listed_and_removed)
        session.add_class()
        session.save()
    assert len(list((project / "snapshots").iterdir())) == projects.KEPT_SNAPSHOTS


def test_the_model_comes_back_and_answers_without_being_trained_again(project):
    with Session.open(project) as session:
        session.look("1")
        session.train()
        settle(session)
        expected = session.result("1").values
    with Session.open(project) as session:
        assert session.status.trained == session.revision
        events = []
        session.listen(events.append)
        session.look("1")
        settle(session)
        np.testing.assert_array_equal(session.result("1").values, expected)
        assert "RoundStarted" not in {type(e).__name__ for e in events}
        session.paint("1", [(60, 60)], label=3)
    with Session.open(project) as session:
        assert session.status.trained < session.revision


def test_channels_that_were_chosen_after_training_do_not_change_what_the_model_sees(
    tmp_path, halves
):
    with Session.create(tmp_path / "p.stroma", "gaussian", mode="demand") as session:
        session.set_params(clf_iterations=40)
        key = session.add_image(Image(np.stack([halves] * 3), "cyx"))
        paint_halves(session, key)
        session.train()
        settle(session)
        session.set_channels([0])
        settle(session)
        expected = session.result(key).values
    with Session.open(tmp_path / "p.stroma") as session:
        session.look(key)
        settle(session)
        assert session.status.message == ""
        np.testing.assert_array_equal(session.result(key).values, expected)


@pytest.mark.parametrize("kept", [("KEPT_EDITS", 2), ("KEPT_PARTS", 2), ("KEPT_PARTS", 0)])
def test_more_steps_can_be_undone_than_a_snapshot_keeps_and_the_journal_still_opens(
    project, monkeypatch, tmp_path, kept
):
    monkeypatch.setattr(snapshot, *kept)
    monkeypatch.setattr(snapshot, "KEPT_ALWAYS", 1)
    with Session.open(project) as session:
        for x in range(5):
            session.paint("1", [(50, 10 * x)], label=1)
        session.save()
        while session.undo():
            pass
        left = session.strokes("1")
        assert session.flush()
        killed = shutil.copytree(project, tmp_path / "killed.stroma")
    with Session.open(killed) as session:
        np.testing.assert_array_equal(session.strokes("1"), left)


def test_of_large_steps_fewer_can_be_undone_after_a_snapshot(monkeypatch, tmp_path):
    monkeypatch.setattr(snapshot, "KEPT_PARTS", 10)
    monkeypatch.setattr(snapshot, "KEPT_ALWAYS", 2)
    with Session.create(tmp_path / "large.stroma", mode="paused") as session:
        key = session.add_image(np.zeros((2000, 900), np.uint8))
        session.add_class("a")
        for y in range(12):
            session.paint(key, [(10 + 128 * y, 10)], label=1)  # one tile each
        session.save()
        assert len(session.core.document.done) == 10
        for y in range(12):
            session.paint(key, [(60 + 128 * y, 10), (60 + 128 * y, 890)], label=1)  # seven each
        session.save()
        assert len(session.core.document.done) == 2
        assert session.undo()
        assert session.undo()
        assert not session.undo()


@pytest.mark.parametrize("keep", [lambda folder: folder, without_snapshots])
def test_a_closed_image_stays_closed_and_the_steps_on_the_others_can_be_undone(
    project, halves, keep
):
    with Session.open(project) as session:
        other = session.add_image(halves)
        session.paint("1", [(60, 60)], label=3)
        session.paint(other, [(60, 60)], label=3)
        session.close_image("1")
    with Session.open(keep(project)) as session:
        assert [one.key for one in session.images] == [other]
        assert session.strokes(other).any()
        session.undo()
        assert not session.strokes(other).any()
        assert session.undoable is None or session.undoable.kind == "class"


def test_killing_the_process_while_painting_loses_at_most_the_last_second(project):
    with subprocess.Popen(
        [sys.executable, "-c", PAINTER, str(project)], stdout=subprocess.PIPE, text=True
    ) as painter:
        assert [painter.stdout.readline() for _ in range(2)] == ["flushed\n", "more\n"]
        painter.kill()
    with Session.open(project) as session:
        painted = session.strokes("1").ravel()
        count = np.count_nonzero(painted)
        assert count >= 21
        np.testing.assert_array_equal(painted[:count], 1 + np.arange(count) % 2)
        for _ in range(count + 1):
            session.undo()
        assert session.undoable.kind == "paint"  # of before
        assert np.unique(session.strokes("1")).tolist() == [0, 1, 2]


def test_every_stroke_comes_to_the_disk_by_itself(project):
    saved, earlier = queue.SimpleQueue(), journals(project)

    def written():
        return b"".join(p.read_bytes() for p in journals(project) if p not in earlier)

    with Session.open(project) as session:
        session.listen(lambda event: saved.put(event) if isinstance(event, Saved) else None)
        session.paint("1", [(60, 60)], label=3)
        while b'"paint"' not in (lines := written()) or not lines.endswith(b"\n"):
            saved.get(timeout=SECONDS)
        (painted,) = [
            one for line in lines.splitlines() if (one := json.loads(line))["op"] == "paint"
        ]
        assert painted["points"] == [[60.0, 60.0]]


@pytest.mark.parametrize(
    "torn", [b'{"n":99,"op":"pai', b"\0\0\0\0\0\0", b'{"n":\n', b'{"op":"undo"']
)
def test_a_line_that_was_cut_short_is_dropped_and_the_rest_opens(project, torn):
    with Session.open(project) as session:
        expected = session.strokes("1")
    path = journals(without_snapshots(project))[-1]
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with Session.open(project) as session:
        np.testing.assert_array_equal(session.strokes("1"), expected)
        assert path.read_bytes() == whole
        session.paint("1", [(60, 60)], label=3)
    with Session.open(without_snapshots(project)) as session:
        assert 3 in session.strokes("1")


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda lines: [*lines[:2], b"garbage\n", *lines[3:]], "is damaged"),
        (lambda lines: [*lines[:2], *lines[3:]], "has the number 4 instead of 3"),
        (lambda lines: [lines[0].replace(b'"x":96', b'"x":-1'), *lines[1:]], "not possible"),
        (lambda lines: [lines[0].replace(b'"y":64', b'"y":NaN'), *lines[1:]], "is damaged"),
        (lambda lines: [b"[" * 100_000 + b"\n", *lines], "is damaged"),
        (lambda lines: [lines[0].replace(b'"open"', b'"exec"'), *lines[1:]], "not an operation"),
    ],
)
def test_a_damaged_journal_is_refused_with_the_line_and_stays_as_it_is(project, spoil, match):
    path = journals(without_snapshots(project))[0]
    spoilt = b"".join(spoil(path.read_bytes().splitlines(keepends=True)))
    path.write_bytes(spoilt)
    with pytest.raises(FormatError, match=match):
        Session.open(project)
    assert path.read_bytes() == spoilt


@pytest.mark.parametrize(
    "path",
    [
        ["benches", "strokes", "tiles", "1"],
        ["benches", "strokes", "tiles", "1", 0],
        ["benches", "strokes", "tiles", "1", 0, "runs"],
        ["benches", "strokes", "tiles", "1", 0, "data"],
        ["images", 0, "sizes"],
        ["done", 1, "changes"],
        ["done", 1, "changes", 0],
        ["done", 1, "changes", 0, 1],
        ["done", 1, "changes", 0, 1, "tiles"],
        ["benches", "strokes", "classes"],
        [],
    ],
)
@pytest.mark.parametrize("value", [None, -1, "x", [[]], {"a": 1}, [9, 9, 9], [0, 0, 200, 1], 1e400])
def test_a_snapshot_that_makes_no_sense_is_passed_over(project, path, value):
    with Session.open(project) as session:
        expected = session.strokes("1")
    file = max((project / "snapshots").iterdir())
    saved = json.loads(file.read_text())
    holder = saved
    for key in ["document", *path][:-1]:
        holder = holder[key]
    holder[["document", *path][-1]] = value
    file.write_text(json.dumps(saved))
    with Session.open(project) as session:
        np.testing.assert_array_equal(session.strokes("1"), expected)


def test_a_step_of_undo_outside_its_tile_is_not_believed(project):
    in_the_earlier_layout(project, journal=True)
    file = max((project / "snapshots").iterdir())
    saved = json.loads(file.read_text())
    change = saved["document"]["done"][1]["changes"][0]
    change[2] = [edge + 100 for edge in change[2]]
    file.write_text(json.dumps(saved))
    with Session.open(project) as session:  # from the snapshot before, and the journal
        while session.undo():
            pass
        assert not session.strokes("1").any()


@pytest.mark.parametrize("name", ["events", "images", "results"])
def test_a_project_with_links_in_it_writes_nowhere_else(project, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    if (project / name).exists():
        shutil.move(project / name, elsewhere)
    else:
        elsewhere.mkdir()
    before = sorted(elsewhere.iterdir())
    (project / name).symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(FormatError, match=f"{name} is a link"):
        Session.open(project)
    assert sorted(elsewhere.iterdir()) == before


def test_two_sessions_on_one_project_are_one_too_many(project):
    with Session.open(project), pytest.raises(FileError, match="open in another session"):
        Session.open(project)
    Session.open(project).close()


def test_a_changed_image_is_noticed_and_still_used(project, image_file, halves):
    write_image(image_file, halves[::-1], axes="yx")
    with Session.open(project) as session:
        assert "has changed since the project was saved" in session.notices[0].message
        assert not session.image("1").missing
        np.testing.assert_array_equal(session.image("1").image.read(), halves[::-1])


def test_a_file_is_known_by_its_size_and_by_samples_of_all_of_it(tmp_path):
    path, size = tmp_path / "image.raw", 10_000_000
    path.write_bytes(bytes(size))
    prints = {fingerprint(path)}
    for place in (0, 30_000, 5_000_000, size - 1_000):
        values = bytearray(size)
        values[place : place + 700_000] = b"1" * len(values[place : place + 700_000])
        path.write_bytes(values)
        prints.add(fingerprint(path))
    path.write_bytes(bytes(size + 1))
    assert len(prints | {fingerprint(path)}) == 6


def test_a_moved_image_is_noticed_and_can_be_found_again(project, image_file, halves, tmp_path):
    moved = image_file.rename(tmp_path / "elsewhere.tif")
    with Session.open(project) as session:
        assert "is not there any more" in session.notices[0].message
        assert session.image("1").missing
        assert session.strokes("1").any()
        session.train()
        settle(session)
        wrong = write_image(tmp_path / "wrong.tif", halves[:10], axes="yx")
        with pytest.raises(ShapeError, match="strokes were painted on"):
            session.relocate("1", wrong)
        session.relocate("1", moved)
        session.train()
        settle(session)
        assert not session.result("1").missing
    with Session.open(project) as session:
        assert session.notices == ()


def test_a_moved_image_is_recognised_by_what_is_in_it(project, image_file, halves, tmp_path):
    other = write_image(tmp_path / "other.tif", halves + 1, axes="yx")
    (tmp_path / "elsewhere").mkdir()
    new = image_file.rename(tmp_path / "elsewhere" / "renamed.tif")
    with Session.open(project) as session:
        assert session.image("1").missing
        assert not session.recognise(other)
        assert session.recognise(new)
        assert not session.image("1").missing
        np.testing.assert_array_equal(session.image("1").image.read(), halves)
        assert not session.recognise(new)
    with Session.open(project) as session:
        assert session.notices == ()


def test_a_missing_image_is_not_segmented(project, image_file, tmp_path):
    with Session.open(project) as session:
        session.train()
        settle(session)
    image_file.rename(tmp_path / "elsewhere.tif")
    with Session.open(project) as session:
        for segment in (
            session.segment,
            lambda key: session.export_labels(key, tmp_path / "l.tif"),
        ):
            with pytest.raises(MissingFileError, match=r"'cells.tif' is not where it was"):
                segment("1")
    assert not (tmp_path / "l.tif").exists()


def test_a_missing_image_that_was_closed_is_not_looked_for(project, image_file, tmp_path):
    new = image_file.rename(tmp_path / "renamed.tif")
    with Session.open(project) as session:
        session.close_image("1")
        assert not session.recognise(new)
        assert not session.recognise(tmp_path / "no such file.tif")
        assert session.images == ()


def test_an_image_of_another_size_is_not_used(project, image_file, halves):
    write_image(image_file, halves[:10], axes="yx")
    with Session.open(project) as session:
        assert "instead of" in session.notices[0].message
        assert session.image("1").missing


def test_a_folder_can_be_moved_with_its_images(project, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "cells.tif").rename(tmp_path / "new" / "cells.tif")
    with Session.open(project.rename(tmp_path / "new" / "cells.stroma")) as session:
        assert session.notices == ()


def test_images_in_memory_go_into_the_project(tmp_path, halves):
    with Session("gaussian") as session:
        first = session.add_image(np.stack([halves, halves]))
        paint_halves(session, first, plane={"z": 1})
        session.save_as(tmp_path / "p.stroma")
        second = session.add_image(halves)
    with Session.open(tmp_path / "p.stroma") as session:
        assert session.notices == ()
        np.testing.assert_array_equal(session.image(second).image.read(), halves)
        assert session.image(first).outer == {"z": 2}
        assert session.strokes(first, plane={"z": 1}).any()


def test_a_project_is_not_made_over_something_else(tmp_path, project):
    with pytest.raises(FileError, match="is not empty"):
        Session.create(project)
    with pytest.raises(MissingFileError, match="no project"):
        Session.open(tmp_path / "none.stroma")
    with pytest.raises(FormatError, match="is no project"):
        Session.open(tmp_path)


def test_a_newer_format_is_refused(project):
    (project / "project.json").write_text('{"format": "stroma project", "version": 99}')
    with pytest.raises(FormatError, match="Update Stroma"):
        Session.open(project)


def test_a_project_of_before_is_opened_and_says_from_then_on_that_it_is_of_now(project):
    about = project / "project.json"
    now = about.read_text()
    about.write_text('{"format": "stroma project", "version": 1}')
    with Session.open(project) as session:
        assert session.strokes("1").any()
    assert about.read_text() == now
    assert '"version": 1' not in now


def test_a_model_file_that_cannot_be_read_is_trained_again(project):
    (project / "model.pkl").write_bytes(b"cos\nsystem\n(S'touch /tmp/x'\ntR.")
    with Session.open(project) as session:
        assert "trained again" in session.notices[0].message
        assert session.status.trained == -1 or session.status.trained < session.revision
        assert session.strokes("1").any()


def test_an_empty_image_file_is_refused_with_what_to_do(session, tmp_path):
    (tmp_path / "empty.tif").touch()
    with pytest.raises(FormatError, match=r"empty.tif is empty \(0 bytes\)"):
        session.add_image(tmp_path / "empty.tif")
    assert session.images == ()


def test_forty_classes_are_imported_and_learnt(session, tmp_path):
    labels = np.zeros((64, 400), np.uint16)
    for label in range(1, 41):
        labels[20:40, 10 * label - 8 : 10 * label - 4] = label
    image = np.repeat(np.arange(40, dtype=np.float32) * 10, 10)[None].repeat(64, 0)
    key = session.add_image(image)
    path = write_image(tmp_path / "strokes.tif", labels, axes="yx")
    session.import_strokes(key, path)
    settle(session)
    assert [c.label for c in session.classes] == list(range(1, 41))
    np.testing.assert_array_equal(session.strokes(key), labels)
    assert not session.result(key).missing
    session.undo()
    assert not session.strokes(key).any()
    assert len(session.classes) == 2


@pytest.mark.parametrize("ending", [".tif", ".zip", ".geojson"])
def test_strokes_come_back_from_every_format(session, tmp_path, halves, ending):
    key = session.add_image(halves)
    paint_halves(session, key)
    expected = session.strokes(key)
    session.export_strokes(key, tmp_path / f"strokes{ending}")
    session.clear(key)
    session.import_strokes(key, tmp_path / f"strokes{ending}")
    np.testing.assert_array_equal(session.strokes(key), expected)


def test_a_project_goes_on_in_another_folder_and_leaves_the_first_as_it_was(project, tmp_path):
    (tmp_path / "deep").mkdir()
    copy = tmp_path / "deep" / "copy.stroma"
    with Session.open(project) as session:
        before = session.strokes("1")
        session.save_as(copy)
        assert session.path == copy
        session.paint("1", [(60, 60)], label=3)
    with Session.open(project) as first, Session.open(copy) as second:
        np.testing.assert_array_equal(first.strokes("1"), before)
        assert second.strokes("1")[60, 60] == 3
        assert first.notices == second.notices == ()


def test_an_image_that_is_missing_stays_missing_in_another_folder(project, image_file, tmp_path):
    image_file.unlink()
    with Session.open(project) as session:
        session.save_as(tmp_path / "copy.stroma")
    with Session.open(tmp_path / "copy.stroma") as session:
        assert session.image("1").missing
        assert str(image_file) in session.notices[0].message


def test_a_project_opens_where_somebody_looked_last(tmp_path, halves):
    folder = tmp_path / "two.stroma"
    stack = Image(np.stack([halves] * 4), "zyx")
    with Session.create(folder, "gaussian", mode="demand") as session:
        first, second = (session.add_image(stack, name=name) for name in "ab")
        assert session.looked is None
        session.look(second, plane={"z": 3}, view="tab")
        session.look(second, plane={"y": 5}, view="tab/first", beside=True)
        session.look_away("tab")
    with Session.open(folder) as session:
        assert session.looked == (second, {"z": 3})
        session.look(first, plane={"y": 5})
    with Session.open(folder) as session:
        assert session.looked == (first, {"y": 5})
        session.close_image(first)
        assert session.looked is None


def test_what_was_learned_is_saved_if_where_somebody_looked_cannot_be(project):
    with Session.open(project) as session:
        key = session.images[0].key
        session.look(key, plane={}, view="tab")
        session.train()
        settle(session)
        assert not (project / "model.pkl").exists()
        (project / "place.json" / "full").mkdir(parents=True)
    with Session.open(project) as session:
        assert session.looked is None
        assert session.model.classifier is not None


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "[" * 50_000, "9" * 20_000, '{"image": [], "plane": 3}'),
        *('{"image": "1", "plane": {"z": 9}}', '{"image": "7", "plane": {}}'),
        '{"image": "1", "plane": {"y": NaN}}',
    ],
)
def test_a_damaged_note_of_where_somebody_looked_is_left_out(project, text):
    (project / "place.json").write_text(text)
    with Session.open(project) as session:
        assert session.looked is None
        assert len(session.images) == 1
