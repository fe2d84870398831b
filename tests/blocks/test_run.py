import threading

import pytest
from tests.patience import PATIENCE

from stroma.blocks.run import run
from stroma.errors import Cancelled


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers):
    last = threading.Event()

    def first_waits_for_last(n):
        if n == 0 and workers > 1:
            assert last.wait(PATIENCE)
        if n == workers - 1:
            last.set()
        return n * n

    assert list(run(first_waits_for_last, range(9), workers=workers)) == [n * n for n in range(9)]


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_is_started_than_was_asked_for(workers):
    started = []
    results = run(lambda n: started.append(n) or n, iter(range(1000)), workers=workers)
    assert next(results) == 0
    results.close()
    assert len(started) <= workers + 1


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_block_reaches_the_caller(workers):
    def fails(n):
        if n == 3:
            raise ValueError("block 3")
        return n

    results = run(fails, range(10), workers=workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="block 3"):
        next(results)


def test_cancelling_does_not_wait_for_what_is_under_way():
    hold, asked, ended = threading.Event(), [], []

    def waits(n):
        if n:
            ended.append(hold.wait(PATIENCE))
        return n

    results = run(waits, range(9), workers=2, cancel=lambda: bool(asked))
    assert next(results) == 0
    asked.append(True)
    with pytest.raises(Cancelled):
        next(results)
    assert not ended
    hold.set()
