import numpy as np
import pytest

from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap


def maps(value, size=1000):
    return [FeatureMap(np.full((1, 10, size // 40), value, np.float32), 2, (-4, 6), 1)]


def refuse():
    raise AssertionError("computed again")


def test_what_is_known_is_not_computed_again():
    cache = FeatureCache(10_000)
    first = cache.get("a", lambda: maps(1))
    assert cache.get("a", refuse) is first
    assert cache.nbytes == 1000


def test_the_least_recently_used_goes_first_and_the_bound_holds():
    cache = FeatureCache(3000)
    for key in "abc":
        cache.get(key, lambda: maps(1))
    cache.get("a", refuse)
    cache.get("d", lambda: maps(2))
    assert cache.nbytes == 3000
    cache.get("a", refuse)
    with pytest.raises(AssertionError, match="computed again"):
        cache.get("b", refuse)


def test_maps_larger_than_the_cache_are_passed_through():
    cache = FeatureCache(500)
    cache.get("a", lambda: maps(1))
    assert (len(cache), cache.nbytes) == (0, 0)


def test_maps_that_leave_memory_come_back_from_the_folder(tmp_path):
    cache = FeatureCache(1000, tmp_path)
    cache.get("a", lambda: maps(1))
    cache.get("b", lambda: maps(2))
    [again] = cache.get("a", refuse)
    assert (again.values == 1).all()
    assert (again.step, again.origin, again.order) == (2, (-4, 6), 1)
    assert FeatureCache(1000, tmp_path).get("b", refuse)[0].values.max() == 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 nonsense"])
def test_a_damaged_file_is_computed_again(tmp_path, damage):
    cache = FeatureCache(0, tmp_path)
    cache.get("a", lambda: maps(1))
    (tmp_path / "a.npz").write_bytes(damage)
    assert cache.get("a", lambda: maps(7))[0].values.max() == 7


def test_clearing_forgets_what_is_in_memory():
    cache = FeatureCache(10_000)
    cache.get("a", lambda: maps(1))
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)
