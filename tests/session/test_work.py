import threading
import time

import pytest

from stroma.errors import Cancelled
from stroma.session.core.work import Token


def test_a_rest_ends_as_soon_as_the_work_is_cancelled():
    token, start = Token(), time.monotonic()
    threading.Timer(0.05, token.cancel).start()
    with pytest.raises(Cancelled):
        token.rest(30)
    assert time.monotonic() - start < 10
    with pytest.raises(Cancelled):
        token.check()


def test_a_rest_that_nobody_cancels_just_ends():
    token = Token()
    token.rest(0.01)
    token.check()
