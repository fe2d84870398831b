import itertools
import threading

import numpy as np
import pytest
from tests.session.scene import SECONDS, paint_halves, settle

from stroma import ConvpaintModel, Image
from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.session import Session
from stroma.session.core.worker import Worker
from stroma.session.events import (
    BlockReady,
    ModelTrained,
    RoundCancelled,
    RoundFailed,
    RoundFinished,
    RoundStarted,
    StrokesChanged,
)
from stroma.session.strokes.settings import Settings
from stroma.session.strokes.wish import View, Wish


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_painting_two_classes_segments_the_plane(session, heard, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    shown = session.result(key)
    assert not shown.missing
    assert not shown.stale
    assert (shown.values[:, :40] == 1).mean() > 0.95
    assert (shown.values[:, 56:] == 2).mean() > 0.95
    assert of(RoundFinished, heard)[-1].revision == session.revision
    np.testing.assert_array_equal(shown.values, session.segment(key))


def test_results_equal_those_of_a_model_trained_afresh_after_any_strokes(session, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    session.paint(key, [(55, 20)], label=2, radius=4)
    settle(session)
    session.undo()
    session.erase(key, [(10, 10)], radius=3)
    settle(session)
    fresh = ConvpaintModel(param=session.settings.param)
    fresh.train(halves, session.strokes(key))
    np.testing.assert_array_equal(session.result(key).values, fresh.segment(halves))


def test_old_results_stay_and_say_that_they_are_stale(session, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    session.set_mode("paused")
    before = session.result(key)
    session.paint(key, [(50, 20)], label=2)
    after = session.result(key)
    np.testing.assert_array_equal(before.values, after.values)
    assert after.stale
    assert all(block.stale for block in session.blocks(key))
    session.train()
    settle(session)
    assert not session.result(key).stale
    assert session.result(key).tag != before.tag


def test_a_new_stroke_cancels_what_is_under_way(session, heard, halves):
    big = np.tile(halves, (40, 27))  # several blocks
    key = session.add_image(big)
    session.look(key, Box(0, 0, 60, 90))
    first = threading.Event()
    session.listen(lambda e: first.set() if isinstance(e, BlockReady) else None)
    paint_halves(session, key)
    assert first.wait(SECONDS)
    session.paint(key, [(50, 20)], label=1)
    settle(session)
    finished = [event.revision for event in of(RoundFinished, heard)]
    assert finished == [session.revision]
    assert not session.result(key).stale


def test_what_is_in_view_comes_first_and_coarse(session, heard, halves, monkeypatch):
    phases, entered = [], Worker._enter
    monkeypatch.setattr(Worker, "_enter", lambda *a: phases.append(a[1]) or entered(*a))
    session.set_params(fe_name="gaussian_features+ilastik_2d", clf_iterations=40)
    key = session.add_image(np.tile(halves, (20, 14)))
    view = Box(1000, 1000, 1279, 1343)
    session.look(key, view)
    paint_halves(session, key)
    settle(session)
    blocks = [(b.step, b.box.clipped(view).area > 0) for b in of(BlockReady, heard)]
    seen = [i for i, (_, visible) in enumerate(blocks) if visible]
    assert seen == list(range(len(seen)))
    steps = [step for step, visible in blocks if visible]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > 1
    assert len(blocks) > len(seen)
    shown = [phase for phase in phases if phase not in ("features", "training")]
    assert list(dict.fromkeys(shown)) == ["glance", "visible", "plane"]


def test_one_class_is_not_enough_and_says_so(session, heard, halves):
    key = session.add_image(halves)
    session.paint(key, [(10, 10)], label=1)
    settle(session)
    assert session.status.message.startswith("Only background is painted")
    assert not of(ModelTrained, heard)


def test_on_demand_nothing_is_trained_until_asked(halves):
    with Session("gaussian", mode="demand") as session:
        key = session.add_image(halves)
        paint_halves(session, key)
        settle(session)
        assert session.status.trained == -1
        session.train()
        settle(session)
        assert session.status.trained == session.revision


def test_a_stroke_during_a_round_that_fails_is_answered(session, halves, monkeypatch):
    key = session.add_image(halves)
    train, failed = ConvpaintModel.train, []

    def fail_once(model, *args, **kwargs):
        if not failed:
            failed.append(True)
            session.paint(key, [(55, 20)], label=1)
            raise ParameterError("a mishap")
        return train(model, *args, **kwargs)

    monkeypatch.setattr(ConvpaintModel, "train", fail_once)
    paint_halves(session, key)
    settle(session)
    assert failed
    assert session.status.trained == session.revision
    assert session.status.message == ""


def test_a_failed_round_says_why_and_keeps_model_and_results(session, heard, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    before = session.result(key).values
    session.set_channels([3])
    settle(session)
    said = of(RoundFailed, heard)[-1].message
    assert "The model is to use channel 4, and this image has 1. Use channels that all" in said
    assert session.status.message == of(RoundFailed, heard)[-1].message
    np.testing.assert_array_equal(session.result(key).values, before)
    session.set_channels(None)
    settle(session)
    assert not session.result(key).stale
    assert session.status.message == ""


def test_images_of_the_same_name_are_told_apart_by_their_channels(session, halves):
    for channels in (2, 3):
        image = Image(np.stack([halves] * channels), "cyx")
        paint_halves(session, session.add_image(image, name="cells"))
    settle(session)
    assert "2 in cells, 3 in cells" in session.status.message


def test_images_with_other_channels_are_said_in_words_that_users_know(session, heard, halves):
    first = session.add_image(Image(np.stack([halves] * 2), "cyx"), name="two")
    second = session.add_image(Image(np.stack([halves] * 3), "cyx"), name="three")
    paint_halves(session, first)
    settle(session)
    session.look(second)
    settle(session)
    assert "trained on other channels than those of this image, which has 3" in (
        session.status.message
    )
    paint_halves(session, second)
    settle(session)
    assert "2 in two, 3 in three" in session.status.message
    assert "Leave out the channels that not all of them have" in session.status.message
    assert not any("in_channels" in event.message for event in of(RoundFailed, heard))
    session.set_channels([0, 1])
    settle(session)
    assert session.status.message == ""
    assert not session.result(second).missing


def test_cancelling_stops_until_the_next_stroke(session, heard, halves):
    key = session.add_image(np.tile(halves, (30, 20)))
    started = threading.Event()
    session.listen(lambda e: started.set() if isinstance(e, BlockReady) else None)
    paint_halves(session, key)
    assert started.wait(SECONDS)
    session.cancel()
    settle(session)
    assert not of(RoundFinished, heard)
    session.paint(key, [(50, 20)], label=1)
    settle(session)
    assert of(RoundFinished, heard)


@pytest.mark.parametrize("prepared", [False, True])
def test_a_round_that_was_cancelled_does_not_start_again_by_looking_around(
    session, heard, halves, prepared
):
    key = session.add_image(halves)
    if prepared:
        session.look(key)
        settle(session)
    session.listen(lambda e: session.cancel() if isinstance(e, RoundStarted) else None)
    paint_halves(session, key)
    settle(session)
    assert of(RoundCancelled, heard)
    rounds = len(of(RoundStarted, heard))
    session.look(key)
    settle(session)
    assert len(of(RoundStarted, heard)) == rounds
    assert session.status.trained == -1


def test_strokes_of_all_images_count_or_only_those_of_the_latest(session, halves):
    first, second = session.add_image(halves), session.add_image(255 - halves)
    paint_halves(session, first)
    session.look(second)
    settle(session)
    assert session._model.learner.images == (first,)
    session.paint(second, [(10, 10), (30, 12)], label=1)
    settle(session)
    assert session._model.learner.images == (first, second)
    session.set_training("image")
    session.paint(second, [(10, 80), (30, 82)], label=2)
    settle(session)
    assert session._model.learner.images == (second,)
    session.close_image(second)
    session.set_training("all")
    session.look(first)
    settle(session)
    assert session._model.learner.images == (first,)
    fresh = ConvpaintModel(param=session.settings.param)
    fresh.train(halves, session.strokes(first))
    np.testing.assert_array_equal(session.result(first).values, fresh.segment(halves))
    assert session.model.predict_probas(halves).tolist() == fresh.predict_probas(halves).tolist()


def test_planes_of_a_time_series_of_stacks_are_told_apart(session, halves):
    from stroma import Image

    key = session.add_image(Image(np.stack([np.stack([halves] * 2)] * 3), "tzyx"))
    plane = {"t": 2, "z": 1}
    paint_halves(session, key, plane)
    session.look(key, plane={"t": 1, "z": 0})
    settle(session)
    assert not session.result(key, plane={"t": 1, "z": 0}).missing
    assert session.result(key, plane={"t": 0, "z": 0}).missing
    assert session.strokes(key, plane=plane).any()
    assert not session.strokes(key, plane={"t": 1, "z": 1}).any()


def test_outside_the_region_of_interest_there_are_no_results(session, halves):
    key = session.add_image(halves)
    session.set_region(key, Box(0, 0, 30, 96))
    paint_halves(session, key)
    settle(session)
    shown = session.result(key)
    assert not shown.missing
    assert shown.values[:30].all()
    assert not shown.values[30:].any()


@pytest.mark.parametrize("layer", ["probability", "uncertainty"])
def test_probabilities_and_uncertainty_are_shown_to_a_255th(session, halves, layer):
    from stroma.session.strokes.blocks import uncertainty

    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    exact = session.model.predict_probas(halves)
    expected = exact[1] if layer == "probability" else uncertainty(exact)
    shown = session.result(key, layer=layer, label=2)
    np.testing.assert_allclose(shown.values, expected, atol=0.5 / 255 + 1e-6)
    reduced = session.result(key, layer=layer, label=2, step=4)
    np.testing.assert_array_equal(reduced.values, shown.values[2::4, 2::4])


def test_a_parameter_that_changes_the_features_gives_a_new_model(session, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    session.set_params(fe_name="ilastik_2d")
    settle(session)
    assert len(session.model.feature_names_) > 10
    assert not session.result(key).stale


def test_memory_stays_flat_over_many_rounds(session, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    before = session._model.results.nbytes, session._model.learner.cache.nbytes
    for i in range(10):
        session.paint(key, [(50, 5 + i)], label=1)
        settle(session)
    assert (session._model.results.nbytes, session._model.learner.cache.nbytes) == before


def test_copied_settings_arrive_and_everybody_is_told(session, heard, halves):
    first, second = session.add_image(halves), session.add_image(halves)
    session.set_display(first, {"low": 1, "high": 200})
    session.set_region(first, Box(1, 2, 30, 40))
    session.copy_settings(first, [second])
    assert session.image(second).display == {"low": 1, "high": 200}
    assert session.image(second).region == Box(1, 2, 30, 40)


def test_settings_that_do_not_fit_an_image_are_copied_to_none(session, halves):
    first, second, small = (session.add_image(i) for i in (halves, halves, halves[:20]))
    session.set_display(first, {"low": 1})
    session.set_region(first, Box(30, 2, 60, 40))
    with pytest.raises(ParameterError, match="outside the image"):
        session.copy_settings(first, [second, small])
    assert [session.image(key).display for key in (second, small)] == [{}, {}]
    assert session.image(second).region is None


def test_events_come_in_the_order_of_what_happened(session, heard, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    session.undo()
    boxes = [e.box for e in of(StrokesChanged, heard)]
    assert [e.revision for e in of(StrokesChanged, heard)] == sorted(
        e.revision for e in of(StrokesChanged, heard)
    )
    assert boxes[1] == boxes[2]
    assert not of(RoundCancelled, heard) or of(StrokesChanged, heard)


def test_a_trained_model_answers_at_once(halves):
    labels = np.zeros(halves.shape, np.uint8)
    labels[5:40, 5:10], labels[5:40, 80:85] = 1, 2
    model = ConvpaintModel("gaussian")
    model.train(halves, labels)
    with Session(model=model) as session:
        events = []
        session.listen(events.append)
        key = session.add_image(halves)
        session.look(key)
        settle(session)
        np.testing.assert_array_equal(session.result(key).values, model.segment(halves))
        assert of(RoundFinished, events)
        assert not of(ModelTrained, events)


def test_what_lies_around_a_view_grows_until_the_plane_is_in_it():
    image = Image(np.zeros((5000, 3000), np.uint8), "yx")
    wish = Wish(0, Settings(), (), "", {"a": image}, {}, ())
    boxes = list(wish.around(View("a", 0, {}, Box(100, 100, 1124, 1124))))
    assert boxes[0] == Box(0, 0, 2148, 2148)
    assert boxes[-1] == Box(0, 0, 5000, 3000)
    assert all(inner.clipped(outer) == inner for inner, outer in itertools.pairwise(boxes))
    assert list(wish.around(View("a", 0, {}, Box(0, 0, 0, 0))))[-1] == Box(0, 0, 5000, 3000)
    region = Wish(0, Settings(), (), "", {"a": image}, {"a": Box(10, 10, 60, 60)}, ())
    assert list(region.around(View("a", 0, {}, Box(0, 0, 20, 20)))) == [Box(10, 10, 60, 60)]
