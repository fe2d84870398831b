"""The page in Firefox: open, paint, see, undo, export.

Needs Debian's Firefox: ``apt-get install firefox-esr``. No driver is needed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image as Picture
from tests.web.browsing import BLUE, ORANGE, SIZE
from tests.web.firefox import FIREFOX, Firefox, running, until

SETTLED = "!JSON.parse(sessionStorage['stroma.unanswered'] ?? '[]').length"


@pytest.fixture
def firefox(tmp_path_factory) -> Iterator[Firefox]:
    if not FIREFOX:
        pytest.skip("no Firefox: apt-get install firefox-esr, or name one in STROMA_FIREFOX")
    with running(tmp_path_factory.mktemp("firefox") / "profile") as made:
        yield made


def place(firefox: Firefox, y: float, x: float) -> tuple[float, float]:
    """Return where a pixel of the image is on the screen, once it is shown as a whole."""
    of = "document.querySelector('#canvas').getBoundingClientRect()"
    left, top, width, height = (
        firefox.value(f"{of}.{n}") for n in ("left", "top", "width", "height")
    )
    scale = min(width, height) / SIZE * 0.96
    return left + width / 2 + (x - SIZE / 2) * scale, top + height / 2 + (y - SIZE / 2) * scale


def tint(firefox: Firefox, at: tuple[float, float]) -> np.ndarray:
    """Return the hue around a place on the screen."""
    x, y = map(round, at)
    picture = Picture.open(io.BytesIO(firefox.picture())).convert("RGB")
    colour = np.asarray(picture, float)[y - 4 : y + 4, x - 4 : x + 4].mean(axis=(0, 1))
    return colour - colour.mean()


def looks(firefox: Firefox, at: tuple[float, float], colour: tuple[int, int, int]) -> bool:
    wanted = np.subtract(colour, np.mean(colour))
    return bool(np.dot(tint(firefox, at), wanted) > 0.35 * np.dot(wanted, wanted))


def test_two_strokes_become_a_picture_that_is_exported(firefox, client, session) -> None:
    firefox.open(client.address.url)
    firefox.wait("document.querySelector('#image-select option:nth-child(2)')?.textContent")
    for key, y, first, last in (("1", 60, 40, 80), ("2", 60, 170, 215)):
        firefox.press(key)
        firefox.drag([place(firefox, y, x) for x in np.linspace(first, last, 6)])
    dark, bright = place(firefox, 200, 60), place(firefox, 200, 200)
    until(lambda: looks(firefox, dark, BLUE), firefox)
    until(lambda: looks(firefox, bright, ORANGE), firefox)
    firefox.wait(SETTLED)
    stored = session.strokes("1")
    assert (stored[60, 60], stored[60, 190]) == (1, 2)
    firefox.click("#undo")
    until(lambda: not session.strokes("1")[60, 190], firefox)
    firefox.click("#redo")
    until(lambda: session.strokes("1")[60, 190] == 2, firefox)
    firefox.click("#tab-results")
    firefox.click("#export")
    firefox.wait("document.querySelector('#exported a')?.textContent")
    assert firefox.wrong == []
