import threading

import pytest
from tests.patience import PATIENCE

from stroma.errors import Cancelled
from stroma.session.core.work import Token


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
