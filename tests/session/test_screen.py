"""What the status says of the screen is true, whatever was done before, in whatever order."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.session.dots import DOTS, add, learning
from tests.session.scene import SECONDS, paint_halves, settle

from stroma import ConvpaintModel
from stroma.blocks.box import Box
from stroma.session import Session
from stroma.session.core.status import Facts, decide
from stroma.session.events import Rested, RoundFailed

SHAPE = (24, 32)
PLACES = [("1", {"z": 0}), ("1", {"z": 1}), ("2", {})]
FRESH: dict[bytes, list[np.ndarray]] = {}
"""What fresh models say of both images, by the strokes they learnt from."""


def scene():
    noise = np.random.default_rng(1).normal(100, 20, (3, *SHAPE)).astype(np.float32)
    noise[:, :, 16:] += 60
    return [noise[:2], noise[2]]


IMAGES = scene()
place = st.sampled_from(PLACES)
wait = st.booleans()
point = st.tuples(st.integers(0, SHAPE[0] - 1), st.integers(0, SHAPE[1] - 1))


def strokes(session):
    stack = [session.strokes("1", plane={"z": z}) for z in (0, 1)]
    return [np.stack(stack), session.strokes("2")]


def fresh(session):
    """Return what a model says that has seen nothing but the strokes that are there."""
    labels = strokes(session)
    key = b"".join(one.tobytes() for one in labels)
    if key not in FRESH:
        model = ConvpaintModel(param=session.settings.param)
        used = [i for i, one in enumerate(labels) if one.any()]
        model.train([IMAGES[i] for i in used], [labels[i] for i in used])
        FRESH[key] = [model.segment(one) for one in IMAGES]
    return FRESH[key]


def truth(session, image, plane):
    found = fresh(session)
    return found[1] if image == "2" else found[0][plane["z"]]


class Screen(RuleBasedStateMachine):
    """Does anything in any order, and asks each time whether what is said is true."""

    @initialize()
    def begin(self):
        self.home = tempfile.TemporaryDirectory()
        folder = Path(self.home.name, "cells.stroma")
        self.session = Session.create(folder, "gaussian")
        self.session.set_params(clf_iterations=3, clf_depth=2)
        for one in IMAGES:
            self.session.add_image(one)
        self.works, self.stopped = True, False
        self.session.look("1", plane={"z": 0})
        self.paint_two_classes(PLACES[0])
        self.check(True)

    def teardown(self):
        if hasattr(self, "session"):
            self.session.close()
            self.home.cleanup()

    @rule(where=place, at=point, label=st.integers(0, 3), radius=st.integers(1, 6), wait=wait)
    def paint(self, where, at, label, radius, wait):
        image, plane = where
        if label and label not in {c.label for c in self.session.classes}:
            label = self.session.add_class().label
        if label:
            self.session.paint(image, [at], label=label, radius=radius, plane=plane)
        else:
            self.session.erase(image, [at], radius=radius, plane=plane)
        self.check(wait)

    def paint_two_classes(self, where):
        known = [c.label for c in self.session.classes][:2]
        for label, column in zip(known, (4, 28), strict=False):
            self.session.paint(where[0], [(9, column)], label=label, radius=2, plane=where[1])

    @rule(where=place, wait=wait)
    def paint_on_each_side(self, where, wait):
        self.paint_two_classes(where)
        self.check(wait)

    @rule(back=st.integers(1, 2), wait=wait)
    def undo(self, back, wait):
        for _ in range(back):
            self.session.undo()
        self.check(wait)

    @rule(wait=wait)
    def redo(self, wait):
        self.session.redo()
        self.check(wait)

    @rule(label=st.integers(1, 3), wait=wait)
    def remove_class(self, label, wait):
        if label in {c.label for c in self.session.classes}:
            self.session.remove_class(label)
        self.check(wait)

    @rule(where=place, bottom=st.sampled_from([5, SHAPE[0]]), wait=wait)
    def look(self, where, bottom, wait):
        self.session.look(where[0], Box(0, 0, bottom, SHAPE[1]), plane=where[1])
        self.check(wait)

    @rule(mode=st.sampled_from(["live", "demand", "paused"]), wait=wait)
    def set_mode(self, mode, wait):
        self.session.set_mode(mode)
        self.check(wait)
        self.session.paint("2", [(3, 3)], label=self.session.add_class().label, radius=1)
        self.check(wait)
        self.session.set_mode("live")
        self.check(wait)

    @rule(wait=wait)
    def fail(self, wait):
        """Use a channel that is not there; then all of them again."""
        self.works = False
        self.session.set_channels([5])
        self.check(wait)
        self.works = True
        self.session.set_channels(None)
        self.check(wait)

    @rule(region=st.sampled_from([None, Box(2, 3, 20, 30)]), image=st.sampled_from("12"))
    def set_region(self, region, image):
        self.session.set_region(image, region)
        self.check(True)

    @rule(wait=wait)
    def train(self, wait):
        self.session.train()
        self.check(wait)

    @rule(wait=wait)
    def stop(self, wait):
        self.paint_two_classes(PLACES[1])
        self.session.cancel()
        self.stopped = True
        self.check(wait)
        self.session.train()
        self.stopped = False
        self.check(wait)

    @rule(wait=wait)
    def restart(self, wait):
        folder = self.session.path
        self.session.close()
        self.session = Session.open(folder)
        self.session.look("1", plane={"z": 1})
        self.check(wait)

    def check(self, wait):
        if wait:
            settle(self.session)
            self.check_rest()
        for image, plane in PLACES:
            self.check_plane(image, plane)

    def check_rest(self):
        """At rest, what somebody looks at is current if it can be."""
        status = self.session.status
        able = self.session.settings.mode == "live" and not status.lacking
        for one in status.shown:
            assert one.state != "computing", one
            if able and self.works and not self.stopped and one.box.area:
                assert one.state == "current", one
            elif not self.works and not status.lacking:
                assert one.state == "failed", one

    def check_plane(self, image, plane):
        session = self.session
        said = session.standing(image, plane=plane)
        shown = session.result(image, said.box if said.box.area else None, plane=plane)
        if said != session.standing(image, plane=plane):
            return  # it became another in between
        whole = not (shown.missing or shown.stale)
        if said.state == "current":
            assert whole
            assert not said.reason
            expected = truth(session, image, plane)[said.box.slices]
            np.testing.assert_array_equal(shown.values, expected)
        elif said.state in ("absent", "older", "failed"):
            assert not whole or not said.box.area, said
            assert said.reason, said


Screen.TestCase.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
TestScreen = Screen.TestCase


@pytest.mark.parametrize(
    ("facts", "state", "said"),
    [
        (Facts(), "absent", "Nothing is trained yet"),
        (Facts(lacking="Paint."), "absent", "Paint."),
        (Facts(trained=True), "absent", "Look at it"),
        (Facts(trained=True, mode="paused"), "absent", "paused"),
        (Facts(outside="Not here.", covered="current"), "absent", "Not here."),
        (Facts(training=True), "computing", ""),
        (Facts(training=True, problem="No.", covered="whole"), "computing", ""),
        (Facts(showing=True, trained=True), "computing", ""),
        (Facts(covered="current", training=True, problem="No."), "current", ""),
        (Facts(covered="whole", trained=True, lacking="Paint."), "older", "Paint."),
        (Facts(covered="whole", trained=True, mode="demand"), "older", "Train"),
        (Facts(covered="part", trained=True, answered=True), "older", "Only a part"),
        (Facts(covered="whole", problem="No."), "failed", "No."),
        (Facts(problem="No.", showing=True), "failed", "No."),
    ],
)
def test_every_state_has_its_reason(facts, state, said):
    found, reason = decide(facts)
    assert found == state
    assert said in reason
    assert bool(reason) == (state not in ("current", "computing"))


def states(session):
    return [(one.bench, one.view, one.state) for one in session.status.shown]


def test_going_to_a_plane_that_is_not_computed_is_not_up_to_date(session, halves):
    key = session.add_image(np.stack([halves, halves]))
    paint_halves(session, key, plane={"z": 0})
    session.look(key, plane={"z": 0})
    settle(session)
    assert states(session) == [("strokes", "main", "current")]
    session.set_mode("paused")
    session.look(key, plane={"z": 1})
    settle(session)
    assert states(session) == [("strokes", "main", "absent")]
    session.set_mode("live")
    settle(session)
    assert states(session) == [("strokes", "main", "current")]
    assert session.standing(key, plane={"z": 1}).state == "current"


def test_after_all_strokes_are_undone_what_is_seen_is_older(session, halves):
    key = session.add_image(halves)
    session.look(key)
    paint_halves(session, key)
    settle(session)
    assert session.areas(key).result(SECONDS).state == "current"
    session.undo()
    session.undo()
    settle(session)
    [one] = session.status.shown
    assert one.state == "older"
    assert "two classes" in one.reason
    measured = session.areas(key).result(SECONDS)
    assert (measured.state, measured.reason) == ("older", one.reason)


def test_nothing_is_measured_that_is_not_there(session, halves):
    key = session.add_image(np.stack([halves, halves]))
    for measure in (session.areas, session.measure):
        found = measure(key, plane={"z": 1}).result(SECONDS)
        assert (found.state, found.value) == ("absent", None)
    paint_halves(session, key, plane={"z": 0})
    settle(session)
    assert session.areas(key, plane={"z": 1}).result(SECONDS).value is None
    assert session.areas(key, plane={"z": 0}).result(SECONDS).state == "current"


def test_a_failure_is_told_where_it_matters_and_gone_with_its_cause(session, halves):
    grey, colours = session.add_image(halves), session.add_image(np.stack([halves] * 2))
    paint_halves(session, grey)
    session.look(grey, view="a")
    settle(session)
    session.set_channels([3])
    settle(session)
    [one] = session.status.shown
    assert one.state == "failed"
    assert "channel 4" in one.reason
    session.set_channels(None)
    settle(session)
    assert states(session) == [("strokes", "a", "current")]
    assert colours


def test_training_with_too_little_says_what_to_paint(session, heard, halves):
    key = session.add_image(halves)
    session.look(key)
    session.train()
    settle(session)
    [failed] = [e for e in heard if isinstance(e, RoundFailed)]
    assert "Paint" in failed.message
    assert session.status.lacking == failed.message
    assert states(session) == [("strokes", "main", "absent")]
    paint_halves(session, key)
    settle(session)
    assert session.status.lacking == ""
    assert states(session) == [("strokes", "main", "current")]


def test_that_the_session_has_come_to_rest_is_told_last(session, heard, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    session.close()
    assert isinstance(heard[-1], Rested)


def test_the_status_tells_of_every_bench_and_every_view(halves):
    with Session("gaussian", benches=[DOTS]) as session:
        session.set_params(clf_iterations=40)
        key = session.add_image(halves)
        session.look(key, view="a")
        session.look(key, Box(0, 0, 20, 20), view="b")
        add(session, key, 1, 2)
        settle(session)
        assert states(session) == [
            ("strokes", "b", "absent"),
            ("dots", "b", "current"),
            ("strokes", "a", "absent"),
            ("dots", "a", "current"),
        ]
        learning(session).broken = "No dots today."
        add(session, key, 3, 4)
        paint_halves(session, key)
        settle(session)
        said = {(one.bench, one.state, one.reason) for one in session.status.shown}
        assert said == {("strokes", "current", ""), ("dots", "failed", "No dots today.")}


def test_an_image_that_changed_while_a_project_was_closed_is_not_current(tmp_path, halves):
    path = tmp_path / "cells.npy"
    np.save(path, halves)
    with Session.create(tmp_path / "cells.stroma", "gaussian") as session:
        session.set_params(clf_iterations=40)
        key = session.add_image(path)
        paint_halves(session, key)
        settle(session)
        session.set_mode("demand")
    with Session.open(tmp_path / "cells.stroma") as session:
        session.look(key)
        settle(session)
        assert session.standing(key).state == "current"
    np.save(path, halves[:, ::-1])
    with Session.open(tmp_path / "cells.stroma") as session:
        session.look(key)
        settle(session)
        assert session.standing(key).state == "older"
        session.train()
        settle(session)
        assert session.standing(key).state == "current"


def test_an_image_that_was_found_again_is_learnt_from_again(tmp_path, halves):
    first, second = tmp_path / "a.npy", tmp_path / "b.npy"
    np.save(first, halves)
    other = halves.T.repeat(2, axis=1)[:64, :96].copy()  # bright below, not on the right
    np.save(second, other)
    with Session("gaussian") as session:
        session.set_params(clf_iterations=40)
        key = session.add_image(first)
        paint_halves(session, key)
        settle(session)
        before = session.result(key).values
        session.relocate(key, second)
        assert session.standing(key).state != "current"
        settle(session)
        fresh_one = ConvpaintModel(param=session.settings.param)
        fresh_one.train(other, session.strokes(key))
        expected = fresh_one.segment(other)
        np.testing.assert_array_equal(session.result(key).values, expected)
        assert (before != expected).any()
