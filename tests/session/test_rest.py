"""The rest of a plane waits for a pause in painting; the pause is the test's, not the clock's."""

import threading

import numpy as np
import pytest
from tests.session.scene import SECONDS, paint_halves, settle

from stroma.blocks.box import Box
from stroma.session.core import worker
from stroma.session.core.work import Token
from stroma.session.events import BlockReady, RoundFinished

VIEW = Box(0, 0, 60, 90)


class Pause:
    """Pauses of rounds: each lasts until the work is cancelled, or all of them are over."""

    def __init__(self):
        self.begun, self.over = threading.Semaphore(0), threading.Event()

    def wait_for_one(self):
        assert self.begun.acquire(timeout=SECONDS)

    def token(self):
        pause = self

        class Watched(Token):
            def rest(self, seconds):
                if seconds:
                    pause.begun.release()
                    while not (pause.over.is_set() or self()):
                        pause.over.wait(0.005)
                super().rest(0)

        return Watched()


@pytest.fixture
def pause(monkeypatch):
    made = Pause()
    monkeypatch.setattr(worker, "Token", made.token)
    yield made
    made.over.set()


def outside(heard):
    """Return the blocks that came from outside the view."""
    return [e for e in heard if isinstance(e, BlockReady) and not e.box.clipped(VIEW).area]


def finished(heard):
    return [e.revision for e in heard if isinstance(e, RoundFinished)]


def test_the_rest_of_a_plane_is_begun_when_painting_pauses(pause, session, heard, halves):
    key = session.add_image(np.tile(halves, (40, 27)))
    session.look(key, VIEW)
    paint_halves(session, key)
    pause.wait_for_one()
    assert not session.result(key, VIEW).stale
    assert not outside(heard)
    for x in (20, 30):  # each ends a pause, and is answered before the rest is begun
        session.paint(key, [(50, x)], label=1)
        pause.wait_for_one()
        assert session.result(key, VIEW).missing is False
        assert session.result(key, VIEW).stale is False
        assert not outside(heard)
        assert not finished(heard)
    pause.over.set()
    settle(session)
    assert finished(heard) == [session.revision]
    assert {e.revision for e in outside(heard)} == {session.revision}
    shown = session.result(key)
    assert not shown.missing
    assert not shown.stale


def test_where_all_of_a_plane_is_in_view_there_is_no_pause(pause, session, heard, halves):
    key = session.add_image(halves)
    session.look(key)
    paint_halves(session, key)
    settle(session)
    assert finished(heard)[-1] == session.revision
    assert not pause.begun.acquire(blocking=False)
