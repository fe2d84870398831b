"""A volume is painted on planes across z, y and x alike: strokes are voxels, results agree."""

import json

import numpy as np
import pytest
from tests.session.scene import settle

from stroma import ConvpaintModel, Image
from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.io import read_image
from stroma.session import Session
from stroma.session.core.operations import from_json
from stroma.session.core.planes import Planes
from stroma.session.events import StrokesChanged

SIZES = {"t": 2, "z": 5, "y": 6, "x": 7}


def volume(t=0):
    z, _, x = np.mgrid[:6, :40, :48]
    noise = np.random.default_rng(t).normal(0, 0.7, z.shape)
    return (noise + 2 * (x > 20 + 2 * z)).astype(np.float32)


@pytest.fixture
def session():
    with Session(mode="paused") as made:
        yield made


@pytest.fixture
def key(session):
    return session.add_image(Image(np.zeros((3, 6, 40, 48), np.float32), "tzyx"))


def voxels(session, key):
    """Return the strokes as an array (t, z, y, x)."""
    planes = [[session.strokes(key, plane={"t": t, "z": z}) for z in range(6)] for t in range(3)]
    return np.array(planes)


def test_planes_of_every_direction_have_numbers_of_their_own():
    planes = Planes(SIZES)
    count = sum(planes.families.values())
    assert count == 2 * (5 + 6 + 7)
    positions = [planes.position(number) for number in range(count)]
    assert [planes.number(position, "") for position in positions] == list(range(count))
    assert positions[9] == {"t": 1, "z": 4}
    assert positions[10] == {"t": 0, "y": 0}
    assert positions[-1] == {"t": 1, "x": 6}
    assert [planes.shape(n) for n in (0, 10, count - 1)] == [(6, 7), (5, 7), (5, 6)]


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_a_rectangle_of_a_plane_is_found_again_in_the_volume(axis):
    planes, body = Planes(SIZES), np.zeros((5, 6, 7), bool)
    number = planes.number({"t": 1, axis: 3}, "")
    body[planes.voxels(number, Box(1, 2, 4, 5)).index] = True
    flat = np.zeros(planes.shape(number), bool)
    flat[Box(1, 2, 4, 5).slices] = True
    np.testing.assert_array_equal(body.take(3, "zyx".index(axis)), flat)
    assert body.sum() == flat.sum()


def test_a_position_along_two_axes_of_a_volume_is_no_plane(session, key):
    with pytest.raises(ParameterError, match=r"\['t', 'z'\], \['t', 'y'\] or \['t', 'x'\]"):
        session.paint(key, [(1, 1)], label=1, plane={"y": 3, "z": 2})


def test_an_image_without_z_is_cut_no_other_way(session):
    flat = session.add_image(np.zeros((8, 8), np.float32))
    with pytest.raises(ParameterError, match="not along"):
        session.paint(flat, [(1, 1)], label=1, plane={"y": 3})


def test_strokes_on_any_plane_are_voxels(session, key):
    session.paint(key, [(1.5, 10.5), (4.5, 30.5)], label=1, radius=1, plane={"t": 1, "y": 20})
    session.fill(key, [(0, 0), (0, 9), (3, 9), (3, 0)], label=2, plane={"t": 1, "x": 20})
    expected = np.zeros((3, 6, 40, 48), np.uint16)
    with Session(mode="paused") as other:
        flat = other.add_image(np.zeros((6, 48), np.float32))
        other.paint(flat, [(1.5, 10.5), (4.5, 30.5)], label=1, radius=1)
        expected[1, :, 20] = other.strokes(flat)
    expected[1, :3, :9, 20] = 2
    np.testing.assert_array_equal(voxels(session, key), expected)
    np.testing.assert_array_equal(
        session.strokes(key, Box(1, 5, 5, 30), plane={"t": 1, "y": 20}), expected[1, 1:5, 20, 5:30]
    )
    assert session.painted_pixels(key) == np.count_nonzero(expected)


def test_painted_rectangles_hold_the_strokes_of_a_plane(session, key):
    session.paint(key, [(2, 10)], label=1, radius=1, plane={"y": 20})
    [box] = session.painted(key, plane={"y": 20})
    assert (box.top, box.bottom) == (1, 3)
    assert session.painted(key, plane={"t": 1, "y": 20}) == []
    [crossing] = session.painted(key, plane={"x": 10})
    assert session.strokes(key, crossing, plane={"x": 10}).any()


def test_what_was_painted_across_y_is_undone_in_one_step_where_it_was(session, key):
    session.paint(key, [(0, 4), (5, 4)], label=1, plane={"t": 2, "y": 7})
    painted = voxels(session, key)
    undone = session.undo()[-1]
    assert (undone.plane, undone.box.bottom) == ({"t": 2, "y": 7}, 6)
    assert "y = 8" in undone.message
    assert not voxels(session, key).any()
    session.redo()
    np.testing.assert_array_equal(voxels(session, key), painted)


def test_listeners_hear_of_every_plane_across_z_that_changed(session, key):
    heard = []
    session.listen(heard.append)
    session.paint(key, [(1.5, 4.5), (3.5, 4.5)], label=1, radius=0, plane={"x": 7})
    changes = [e for e in heard if isinstance(e, StrokesChanged)]
    assert [e.plane for e in changes] == [{"t": 0, "z": z} for z in (1, 2, 3)]
    assert {e.box for e in changes} == {Box(4, 7, 5, 8)}


@pytest.mark.parametrize("plane", [{"t": 1, "y": 20}, {"t": 1, "x": 30}, {"t": 1, "z": 3}])
def test_clearing_a_plane_leaves_the_others(session, key, plane):
    for axis, at in (("z", 3), ("y", 20), ("x", 30)):
        session.fill(key, [(0, 0), (0, 48), (48, 48), (48, 0)], label=1, plane={"t": 1, axis: at})
    expected = voxels(session, key)
    _, at = plane.values()
    expected[1].swapaxes(0, "zyx".index(list(plane)[1]))[at] = 0
    session.clear(key, plane=plane)
    np.testing.assert_array_equal(voxels(session, key), expected)


def test_strokes_across_y_and_their_steps_are_there_when_a_project_is_opened(tmp_path):
    folder = tmp_path / "work.stroma"
    np.save(tmp_path / "body.npy", volume())
    with Session.create(folder, mode="paused") as session:
        key = session.add_image(tmp_path / "body.npy")
        session.paint(key, [(0, 4), (5, 4)], label=1, plane={"y": 7})
        session.save()  # this one is in the snapshot, the next only in the journal
        session.paint(key, [(0, 4), (5, 4)], label=2, plane={"x": 7})
        painted = [session.strokes(key, plane={"z": z}) for z in range(6)]
    with Session.open(folder) as session:
        again = [session.strokes(key, plane={"z": z}) for z in range(6)]
        np.testing.assert_array_equal(again, painted)
        assert session.undo()[-1].plane == {"x": 7}
        assert session.undo()[-1].plane == {"y": 7}
        assert session.painted_pixels(key) == 0


def test_steps_that_say_not_which_plane_they_were_on_are_read(session, key):
    session.paint(key, [(4, 4)], label=1, plane={"t": 1, "z": 2})
    bench = session.core.document.benches["strokes"]
    plain = json.loads(json.dumps(bench.change_to_json(session.undoable.change)))
    del plain["at"]
    assert bench.read_change(plain).plane == 3 + 6 - 1


MODELS = {
    "volumes": ConvpaintModel(fe_name="ilastik_3d", fe_layers=["gaussian_s1.6", "hessian_s1.0"]),
    "planes": ConvpaintModel("gaussian"),
}


@pytest.mark.parametrize("name", MODELS)
def test_planes_of_every_direction_show_the_segmented_volume(name):
    model = MODELS[name]
    model.set_params(clf_iterations=20, image_downsample=2 if name == "volumes" else 1)
    with Session(model=model) as session:
        key = session.add_image(Image(volume(), "zyx"))
        for label, x in ((1, 8), (2, 40)):
            session.paint(key, [(1, x), (5, x)], label=label, radius=2, plane={"y": 20})
        seen = {}
        for axis, at in (("z", 3), ("y", 20), ("y", 5), ("x", 30)):
            session.look(key, plane={axis: at})
            settle(session)
            shown = session.result(key, plane={axis: at})
            assert session.standing(key, plane={axis: at}).state == "current"
            assert not shown.missing
            seen[axis, at] = shown.values
        whole = session.segment(key)
    for (axis, at), values in seen.items():
        np.testing.assert_array_equal(values, whole.take(at, "zyx".index(axis)))


def test_a_region_of_interest_is_what_it_cuts_out_of_every_plane():
    with Session("gaussian") as session:
        session.set_params(clf_iterations=20)
        key = session.add_image(Image(volume(), "zyx"))
        for label, x in ((1, 12), (2, 40)):
            session.paint(key, [(1, x), (5, x)], label=label, radius=2, plane={"y": 20})
        session.set_region(key, Box(10, 8, 30, 44))
        session.look(key, plane={"y": 20})
        settle(session)
        values = session.result(key, plane={"y": 20}).values
        assert values[:, 8:44].all()
        assert not values[:, :8].any()
        outside = "Outside the region of interest."
        assert session.standing(key, plane={"y": 5}).reason == outside
        assert session.standing(key, plane={"x": 20}).reason != outside


def test_a_brush_is_round_in_the_sample_where_planes_lie_far_apart(session):
    spacing = {"z": 2.0, "y": 0.5, "x": 0.5}
    body = Image(np.zeros((20, 60, 80), np.float32), "zyx", spacing=spacing, unit="µm")
    key = session.add_image(body)
    session.paint(key, [(10.5, 40.5)], label=1, radius=12.1, plane={"y": 30})
    z, x = np.indices((20, 80)) + 0.5
    ball = (4 * (z - 10.5)) ** 2 + (x - 40.5) ** 2 <= 12.1**2
    np.testing.assert_array_equal(session.strokes(key, plane={"y": 30}) > 0, ball)
    session.erase(key, [(10.5, 40.5)], radius=12.1, plane={"y": 30})
    session.paint(key, [(3.5, 2.5), (3.5, 7.5)], label=1, radius=0, plane={"x": 30})
    assert session.strokes(key, plane={"x": 30})[3, 2:8].all()


def test_strokes_of_journals_that_know_no_height_of_pixels_are_read(session):
    plain = session.core.document.operations["paint"]("1", 0, ((1, 1),), 2, 1).to_json()
    del plain["height"]
    assert from_json(plain, session.core.document.operations).height == 1


@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".ome.zarr"])
def test_strokes_and_labels_of_a_volume_make_a_round_trip_through_files(tmp_path, ending):
    spacing = {"z": 2.0, "y": 0.5, "x": 0.5}
    with Session("gaussian") as session:
        session.set_params(clf_iterations=20)
        key = session.add_image(Image(volume(), "zyx", spacing=spacing, unit="µm"))
        for label, x in ((1, 8), (2, 40)):
            session.paint(key, [(1, x), (5, x)], label=label, radius=2, plane={"y": 20})
            session.paint(key, [(9, 1), (30, 1)], label=label, radius=1, plane={"x": x})
        painted = np.stack([session.strokes(key, plane={"z": z}) for z in range(6)])
        written = session.export_strokes(key, tmp_path / f"strokes{ending}")
        session.clear(key)
        session.import_strokes(key, written)
        again = np.stack([session.strokes(key, plane={"z": z}) for z in range(6)])
        np.testing.assert_array_equal(again, painted)
        settle(session)
        labels = session.export_labels(key, tmp_path / f"labels{ending}").result()
        found = read_image(labels)
        assert found.axes == "zyx"
        assert found.spacing == pytest.approx(spacing)
        np.testing.assert_array_equal(found.read(), session.segment(key))


def test_guidance_works_on_strokes_across_every_axis():
    with Session(model=MODELS["volumes"]) as session:
        key = session.add_image(Image(volume(), "zyx"))
        for label, x in ((1, 8), (2, 40)):
            for y in (5, 20, 35):
                session.paint(key, [(2, x), (4, x)], label=label, radius=1, plane={"y": y})
        counts = session.distribution().result()
        assert [(c.label, c.strokes) for c in counts] == [(1, 3), (2, 3)]
        assert session.validate().result().strokes == (3, 3)
        [compared] = session.compare(["gaussian"]).result()
        assert compared.accuracy > 0.8
