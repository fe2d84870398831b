from tests.patience import PATIENCE as SECONDS


def paint_halves(session, key, plane=None):
    session.paint(key, [(10, 10), (40, 12)], label=1, radius=2, plane=plane)
    session.paint(key, [(10, 80), (40, 82)], label=2, radius=2, plane=plane)


def settle(session):
    assert session.wait(SECONDS), session.status
