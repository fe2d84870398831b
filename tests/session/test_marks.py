"""Images that are accepted, skipped, or still to be done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stroma.errors import ParameterError, UnknownNameError
from stroma.io import write_image
from stroma.session import Session


def test_marks_are_kept_in_the_project(tmp_path: Path) -> None:
    file = write_image(tmp_path / "cells.tif", np.eye(20, dtype=np.uint8), axes="yx")
    with Session.create(tmp_path / "a.stroma") as made:
        keys = [made.add_image(file) for _ in range(3)]
        assert [one.mark for one in made.images] == ["", "", ""]
        made.mark_image(keys[0], "accepted")
        made.mark_image(keys[1], "skipped")
        made.mark_image(keys[2], "skipped")
        made.mark_image(keys[2], "")
    for save in (False, True, False):  # from the journal, and from a snapshot
        with Session.open(tmp_path / "a.stroma") as made:
            assert [one.mark for one in made.images] == ["accepted", "skipped", ""]
            if save:
                made.save()


def test_the_next_image_to_do_is_told_going_round(session: Session) -> None:
    keys = [session.add_image(np.eye(20, dtype=np.uint8)) for _ in range(3)]
    assert session.image_to_do() == keys[0]
    assert session.image_to_do(after=keys[0]) == keys[1]
    session.mark_image(keys[1], "accepted")
    assert session.image_to_do(after=keys[0]) == keys[2]
    assert session.image_to_do(after=keys[2]) == keys[0]
    for key in keys:
        session.mark_image(key, "skipped")
    assert session.image_to_do(after=keys[0]) == ""
    with pytest.raises(ParameterError, match="'accepted', 'skipped', got 'good'"):
        session.mark_image(keys[0], "good")
    with pytest.raises(UnknownNameError, match="no image 'x'"):
        session.image_to_do(after="x")
