import numpy as np
import pytest
from tests.session.scene import paint_halves, settle

from stroma.errors import ParameterError
from stroma.session import Session
from stroma.session.strokes.settings import Settings


def test_a_model_learns_from_the_images_that_are_chosen(session, halves):
    first, second = session.add_image(halves), session.add_image(255 - halves)
    for key in (first, second):
        paint_halves(session, key)
    session.set_training("chosen", [second])
    session.look(second)
    settle(session)
    assert session._model.learner.images == (second,)
    assert Settings.from_json(session.settings.to_json()).chosen == (second,)
    with pytest.raises(ParameterError, match="Choose the images"):
        session.set_training("chosen")


def test_an_image_does_not_come_chosen_because_one_before_it_was(tmp_path, halves):
    folder = tmp_path / "halves.stroma"
    np.save(tmp_path / "halves.npy", halves)
    with Session.create(folder, mode="demand") as session:
        first, second = (session.add_image(tmp_path / "halves.npy") for _ in range(2))
        session.set_training("chosen", [first, second])
        session.close_image(second)
        assert session.settings.chosen == (first,)
    with Session.open(folder) as session:
        assert session.settings.chosen == (first,)
        assert session.add_image(tmp_path / "halves.npy") == second  # the key is used once more
        session.set_training("chosen", [first, second])
    stale = (folder / "settings.json").read_text()
    with Session.open(folder) as session:
        session.close_image(second)
    (folder / "settings.json").write_text(stale)  # as earlier versions left it
    with Session.open(folder) as session:
        assert session.settings.chosen == (first,)
