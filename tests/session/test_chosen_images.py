import pytest
from tests.session.scene import paint_halves, settle

from stroma.errors import ParameterError
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
