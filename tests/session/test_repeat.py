import shlex

import numpy as np
import pytest
from tests.session.scene import paint_halves, settle

from stroma import ConvpaintModel
from stroma.cli.app import build
from stroma.errors import ParameterError
from stroma.io import read_image, write_image
from stroma.session import Session


@pytest.fixture
def learnt(session, halves, tmp_path, monkeypatch):
    """A session on two files, one with axes that had to be said, and its strokes in a folder."""
    monkeypatch.chdir(tmp_path)
    first = session.add_image(write_image(tmp_path / "a b.tif", halves, axes="yx"))
    second = session.add_image(write_image(tmp_path / "c.tif", halves[::-1], axes="yx"))
    paint_halves(session, first)
    session.paint(second, [(5, 10), (9, 30)], label=1)
    session.look(first)
    settle(session)
    session.look(second, view="other")
    settle(session)
    session.export_all_strokes("strokes")
    return session


def test_the_code_of_a_session_gives_its_labels(learnt):
    scope = {}
    exec(learnt.as_code("strokes"), scope)
    for labels, image in zip(scope["labels"], learnt.images, strict=True):
        np.testing.assert_array_equal(labels, learnt.result(image.key).values)


def test_the_commands_of_a_session_give_its_labels(learnt, tmp_path):
    for line in learnt.as_command("strokes").splitlines():
        program, *arguments = shlex.split(line)
        assert program == "stroma"
        build()(args=arguments, standalone_mode=False)
    for image in learnt.images:
        written = next((tmp_path / "results").glob(f"{image.name.split('.')[0]}*.tif"))
        np.testing.assert_array_equal(read_image(written).read(), learnt.result(image.key).values)


def test_a_model_that_was_loaded_is_repeated_from_the_project(halves, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    strokes = np.zeros(halves.shape, np.uint8)
    strokes[5:40, 5:10], strokes[5:40, 80:85] = 2, 1
    model = ConvpaintModel("gaussian")
    model.train(halves, strokes)
    path = write_image(tmp_path / "a.tif", halves, axes="yx")
    with Session.create(tmp_path / "p.stroma", "gaussian") as session:
        key = session.add_image(path)
        paint_halves(session, key)
        settle(session)
        session.set_model(model)
    with Session.open(tmp_path / "p.stroma") as session:
        settle(session)
        scope = {}
        exec(session.as_code(), scope)
        np.testing.assert_array_equal(scope["labels"][0], model.segment(halves))
        program, *arguments = shlex.split(session.as_command())
        assert program == "stroma"
        build()(args=arguments, standalone_mode=False)
        written = read_image(tmp_path / "results" / "a_labels.tif").read()
        np.testing.assert_array_equal(written, model.segment(halves))
        session.paint(key, [(55, 20)], label=1)
        session.look(key)
        settle(session)
        assert "model.train(images, strokes)" in session.as_code()


def test_a_loaded_model_without_a_project_says_where_to_put_it(session, halves, tmp_path):
    session.add_image(write_image(tmp_path / "a.tif", halves, axes="yx"))
    model = ConvpaintModel("gaussian")
    model.train(halves, (1 + (halves > halves.mean())).astype(np.uint8))
    session.set_model(model)
    with pytest.raises(ParameterError, match=r"save_as\(folder\)"):
        session.as_code()


def test_the_code_says_which_axes_and_channels_were_meant(session, halves, tmp_path):
    path = tmp_path / "stack.npy"
    np.save(path, np.stack([halves, halves[::-1], halves]))
    key = session.add_image(path, axes="cyx")
    session.set_channels([0, 2])
    paint_halves(session, key)
    settle(session)
    session.export_all_strokes(tmp_path / "strokes")
    scope = {}
    exec(session.as_code(tmp_path / "strokes").replace('model.save("model.pkl")', ""), scope)
    np.testing.assert_array_equal(scope["labels"][0], session.result(key).values)
    with pytest.raises(ParameterError, match="uses all channels"):
        session.as_command()


def test_an_image_without_a_file_cannot_be_repeated(session, halves):
    paint_halves(session, session.add_image(halves))
    with pytest.raises(ParameterError, match="is in no file"):
        session.as_code()


def test_the_code_of_a_project_names_the_image_as_its_user_does(halves, tmp_path):
    path = write_image(tmp_path / "cells.tif", halves, axes="yx")
    with Session.create(tmp_path / "cells.stroma", "gaussian", mode="paused") as session:
        paint_halves(session, session.add_image(path))
        assert f"    {str(path.resolve())!r},\n" in session.as_code()
        assert str(path.resolve()) in shlex.split(session.as_command())
