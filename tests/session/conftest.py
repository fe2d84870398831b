import numpy as np
import pytest

from stroma.session import Session


@pytest.fixture
def halves():
    """An image of which the right half is brighter."""
    image = np.random.default_rng(0).normal(100, 5, (64, 96)).astype(np.float32)
    image[:, 48:] += 60
    return image


@pytest.fixture
def session():
    with Session("gaussian") as made:
        made.set_params(clf_iterations=40)
        yield made


@pytest.fixture
def heard(session):
    """All events of the session, as they come."""
    events = []
    session.listen(events.append)
    return events
