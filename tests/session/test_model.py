import threading

import numpy as np
import pytest
from tests.session.scene import SECONDS, paint_halves, settle

from stroma import ConvpaintModel, Image
from stroma.data.classes import Class
from stroma.errors import Cancelled, ShapeError
from stroma.session import Session
from stroma.session.events import ModelTrained, RoundFailed


@pytest.fixture
def upside(halves):
    """A trained model that calls the dark half 3, which the session does not know, and names it."""
    labels = np.zeros(halves.shape, np.uint8)
    labels[5:40, 5:10], labels[5:40, 80:85] = 3, 2
    model = ConvpaintModel("gaussian")
    model.set_params(seg_smoothening=3)
    model.train(halves, labels)
    model.classes = [Class(3, "background glass", "#123456")]
    return model


def test_a_model_that_is_taken_answers_until_the_next_training(session, heard, halves, upside):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    heard.clear()
    session.set_model(upside)
    settle(session)
    assert (session.result(key).values[:, :40] == 3).all()
    assert not session.result(key).stale
    assert not [e for e in heard if isinstance(e, ModelTrained)]
    assert session.settings.param.seg_smoothening == 3
    session.paint(key, [(55, 20)], label=1)
    settle(session)
    assert (session.result(key).values[:, :40] == 1).all()


def test_classes_of_a_model_join_those_that_are_there_in_one_step_of_undo(session, upside):
    session.change_class(2, name="mine", color="#ff0000")
    session.set_model(upside)
    assert session.classes == (
        Class(1, "background"),
        Class(2, "mine", "#ff0000"),
        Class(3, "background glass", "#123456"),
    )
    session.undo()
    assert [c.label for c in session.classes] == [1, 2]


def test_a_model_of_other_channels_is_refused_and_nothing_is_lost(session, halves, upside):
    key = session.add_image(Image(np.stack([halves] * 3), "cyx"), name="three")
    paint_halves(session, key)
    settle(session)
    before = session.settings, session.classes, session.revision, session.model
    with pytest.raises(ShapeError, match=r"other channels than those of the image 'three' \(3\)"):
        session.set_model(upside)
    assert (session.settings, session.classes, session.revision, session.model) == before
    assert set(np.unique(session.strokes(key))) == {0, 1, 2}


def test_channels_that_a_model_chose_are_chosen_for_the_session(session, halves):
    image = Image(np.stack([np.zeros_like(halves), halves]), "cyx")
    labels = np.zeros(halves.shape, np.uint8)
    labels[5:40, 5:10], labels[5:40, 80:85] = 1, 2
    model = ConvpaintModel("gaussian")
    model.train(image, labels, in_channels=[1])
    key = session.add_image(image)
    session.look(key)
    session.set_model(model)
    settle(session)
    assert session.settings.channels == (1,)
    assert (session.result(key).values[:, 56:] == 2).all()


def test_how_many_pixels_a_round_looked_at_is_not_taken_over(session, halves, upside):
    upside.set_param("clf_max_pixels", 2000, ignore_warnings=True)
    before = session.settings.param.clf_max_pixels
    session.set_model(upside)
    assert session.settings.param.clf_max_pixels == before


def test_settings_without_a_classifier_are_trained_on_what_is_painted(session, heard, halves):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    trained = session.model
    model = ConvpaintModel("gaussian")
    model.set_params(clf_iterations=33)
    session.set_model(model)
    settle(session)
    assert session.settings.param.clf_iterations == 33
    assert session.status.trained == session.revision
    assert session.model.get_param("clf_iterations") == 33
    assert session.model.cache is trained.cache


def test_a_training_under_way_does_not_put_its_model_in_place_of_one_that_is_taken(
    session, halves, upside, monkeypatch
):
    begun, go_on = threading.Event(), threading.Event()
    train = ConvpaintModel.train

    def slowly(model, *args, **kwargs):
        begun.set()
        assert go_on.wait(SECONDS)
        return train(model, *args, **kwargs)

    monkeypatch.setattr(ConvpaintModel, "train", slowly)
    key = session.add_image(halves)
    paint_halves(session, key)
    assert begun.wait(SECONDS)
    session.set_model(upside)
    go_on.set()
    settle(session)
    assert session.model is upside
    assert (session.result(key).values[:, :40] == 3).all()


def test_a_project_reopens_with_the_model_that_was_taken(tmp_path, halves, upside):
    with Session.create(tmp_path / "p.stroma", "gaussian") as session:
        key = session.add_image(halves)
        paint_halves(session, key)
        settle(session)
        session.set_model(upside)
    with Session.open(tmp_path / "p.stroma") as session:
        session.look(key)
        settle(session)
        assert (session.result(key).values[:, :40] == 3).all()
        assert session.classes[-1].name == "background glass"
        assert session.settings.param.seg_smoothening == 3


def test_a_model_in_a_project_is_on_the_disk_at_once(tmp_path, halves, upside):
    with Session.create(tmp_path / "p.stroma", "gaussian") as session:
        session.set_model(upside)
        found = ConvpaintModel(model_path=tmp_path / "p.stroma" / "model.pkl")
    np.testing.assert_array_equal(found.segment(halves), upside.segment(halves))


def test_an_image_that_the_model_does_not_fit_is_said_once_and_the_others_go_on(
    session, heard, halves
):
    key = session.add_image(halves)
    paint_halves(session, key)
    settle(session)
    other = session.add_image(Image(np.stack([halves] * 3), "cyx"))
    for _ in range(3):
        session.look(other)
        settle(session)
    assert len([e for e in heard if isinstance(e, RoundFailed)]) == 1
    assert "other channels than those of this image, which has 3" in session.status.message
    session.look(key)
    settle(session)
    assert session.status.message == ""
    assert not session.result(key).stale


def test_segmenting_a_whole_stack_says_how_far_it_is_and_can_be_cancelled(session, heard, halves):
    key = session.add_image(np.stack([halves] * 6))
    paint_halves(session, key, plane={"z": 0})
    settle(session)
    told = []
    labels = session.segment(key, progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 6) for n in range(1, 7)]
    assert (labels[:, :, :40] == 1).all()

    reached, ready = [], threading.Event()

    def stop_at_three(done, total):
        reached.append(done)
        if done == 3:
            task.cancel()

    def work(progress, cancelled):
        assert ready.wait(SECONDS)
        return session.segment(key, progress=stop_at_three, cancelled=cancelled)

    task = session.start("all", work)
    ready.set()
    with pytest.raises(Cancelled):
        task.result(SECONDS)
    assert reached == [1, 2, 3]


def test_a_closed_session_keeps_no_features(halves):
    with Session("gaussian", mode="demand") as session:
        paint_halves(session, session.add_image(halves))
        session.train()
        settle(session)
        cache = session._model.learner.cache
        assert cache.nbytes
    assert not cache.nbytes
