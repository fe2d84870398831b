import numpy as np
import pytest

from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap


def maps(value, size=1000):
    return [FeatureMap(np.full((1, 10, size // 40), value, np.float32), 2, (-4, 6), 1)]


def test_what_was_kept_is_found():
    cache = FeatureCache(10_000)
    kept = maps(1)
    cache.keep("a", kept)
    assert cache.find("a") is kept
    assert cache.find("b") is None
    assert cache.nbytes == 1000


def test_the_least_recently_used_goes_first_and_the_bound_holds():
    cache = FeatureCache(3000)
    for key in "abc":
        cache.keep(key, maps(1))
    cache.find("a")
    cache.keep("d", maps(2))
    assert cache.nbytes == 3000
    assert [key for key in "abcd" if cache.find(key)] == ["a", "c", "d"]


def test_maps_larger_than_the_cache_are_not_kept():
    cache = FeatureCache(500)
    cache.keep("a", maps(1))
    assert (len(cache), cache.nbytes) == (0, 0)


def test_maps_that_leave_memory_come_back_from_the_folder(tmp_path):
    cache = FeatureCache(1000, tmp_path)
    cache.keep("a", maps(1))
    cache.keep("b", maps(2))
    [again] = cache.find("a")
    assert (again.values == 1).all()
    assert (again.step, again.origin, again.order) == ((1, 2, 2), (0, -4, 6), 1)
    assert FeatureCache(1000, tmp_path).find("b")[0].values.max() == 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 nonsense"])
def test_a_damaged_file_is_as_good_as_none(tmp_path, damage):
    cache = FeatureCache(0, tmp_path)
    cache.keep("a", maps(1))
    (tmp_path / "a.npz").write_bytes(damage)
    assert cache.find("a") is None
    cache.keep("a", maps(7))
    assert cache.find("a")[0].values.max() == 7


def test_a_borrowed_cache_finds_what_its_owner_has_and_keeps_nothing():
    owner = FeatureCache(10_000)
    owner.keep("a", maps(1))
    borrowed = owner.borrowed()
    borrowed.keep("b", maps(2))
    assert borrowed.find("a") is owner.find("a")
    assert owner.find("b") is borrowed.find("b") is None


def test_clearing_forgets_what_is_in_memory():
    cache = FeatureCache(10_000)
    cache.keep("a", maps(1))
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)
