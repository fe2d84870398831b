import pytest

from random_weights import write_random_weights
from stroma.weights import CATALOGUE


@pytest.fixture(scope="session")
def folder_of_weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    for name in CATALOGUE:
        write_random_weights(name, folder)
    return folder


@pytest.fixture(autouse=True)
def random_weights_for_all(folder_of_weights, monkeypatch, tmp_path):
    """No test of this folder sees the weights, or the cache, of the person who runs it."""
    monkeypatch.setenv("STROMA_WEIGHTS", str(folder_of_weights))
    monkeypatch.setenv("STROMA_CACHE", str(tmp_path))
    return folder_of_weights
