import pytest
import torch

from stroma.training.planning import threads
from stroma.training.planning.pace import ROUNDS, SHARE, Pace


def test_slow_validation_comes_less_often_and_takes_a_small_share():
    pace = Pace(600.0)
    for _ in range(10):
        pace.took(0.5)
    steps, every = pace.rest(10.0, 40.0)
    rounds = -(-steps // every)
    assert rounds == int(SHARE * 590 / 40)
    assert steps * 0.5 + rounds * 40 <= 590
    assert steps > 0.8 * 590 / 0.5


def test_quick_validation_comes_as_often_as_it_may():
    pace = Pace(600.0)
    pace.took(0.1)
    steps, every = pace.rest(0.0, 0.1)
    assert -(-steps // every) in (ROUNDS, ROUNDS - 1)


def test_the_last_seconds_have_no_more_steps_than_they_last():
    pace = Pace(60.0)
    pace.took(2.0)
    assert pace.rest(59.0, 30.0) == (0, 1)
    assert pace.rest(70.0, 1.0) == (0, 1)


@pytest.mark.parametrize("quick", [1, 2])
def test_as_many_threads_are_used_as_are_quickest(monkeypatch, quick):
    before = torch.get_num_threads()
    monkeypatch.setattr(threads, "seconds_with", lambda n: float(abs(n - quick)))
    torch.set_num_threads(2)
    try:
        with threads.restored():
            threads.settle(torch.device("cpu"))
            assert torch.get_num_threads() == quick
            threads.settle(torch.device("cpu"))
            assert torch.get_num_threads() == quick
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_threads_are_timed_with_as_many_as_are_asked_for():
    with threads.restored():
        assert threads.seconds_with(1) > 0
        assert torch.get_num_threads() == 1
