import math
import threading

import pytest
from tests.patience import PATIENCE

from stroma.errors import Cancelled
from stroma.session.core import work
from stroma.session.core.work import Pace, Token


def test_a_rest_ends_as_soon_as_the_work_is_cancelled():
    token, ended = Token(), []

    def rest():
        with pytest.raises(Cancelled):
            token.rest(100 * PATIENCE)
        ended.append(True)

    resting = threading.Thread(target=rest, daemon=True)
    resting.start()
    token.cancel()
    resting.join(PATIENCE)
    assert ended
    with pytest.raises(Cancelled):
        token.check()


def test_a_rest_that_nobody_cancels_just_ends():
    token = Token()
    token.rest(0.01)
    token.check()


def test_the_first_step_which_pays_for_what_is_done_once_foretells_nothing(monkeypatch):
    clock, told = [0.0], []
    monkeypatch.setattr(work.time, "monotonic", lambda: clock[0])
    pace = Pace(told.append, "visible")
    for second, done in ((20.0, 1), (22.0, 2), (26.0, 4)):
        clock[0] = second
        pace(done, 10)
    assert math.isnan(told[0].seconds_left)
    assert [one.seconds_left for one in told[1:]] == [16.0, 12.0]
