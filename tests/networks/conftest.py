import pytest
import torch


@pytest.fixture(autouse=True)
def seeded():
    """What is drawn at random is the same in every run, whichever tests ran before."""
    torch.manual_seed(0)
