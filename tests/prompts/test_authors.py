"""Networks that answer prompts give what their authors' code gives."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.prompts.oracles.make_sam import PROMPTS, image

from stroma.prompts.contract import checked
from stroma.prompts.sam.engine import Sam
from stroma.prompts.sam.questions import questions
from stroma.prompts.sam.sam2 import Sam2Tiny
from stroma.testing import check_prompted

ORACLES = Path(__file__).parent / "oracles"


@dataclass(frozen=True)
class Network:
    """An engine, the fixture with its weights, its coarsest map, and how much logits vary."""

    engine: type[Sam]
    weights: str
    level: str
    least: float


NETWORKS = {
    "sam": Network(Sam, "sam_file", "0.0", 0.3),
    "sam2": Network(Sam2Tiny, "sam2_folder", "0.2", 0.1),
}


@pytest.fixture(scope="module", params=NETWORKS)
def case(request):
    """Return a network, its weights, an engine that was shown an image, and the answers known."""
    network = NETWORKS[request.param]
    weights = request.getfixturevalue(network.weights)
    shown = network.engine(weights=weights)
    shown.set_image(image(), rgb=True)
    with np.load(ORACLES / f"{request.param}.npz") as known:
        return network, weights, shown, dict(known)


def test_an_engine_keeps_the_contract(case):
    network, weights, _, _ = case
    check_prompted(lambda: network.engine(weights=weights))


def test_the_encoder_is_that_of_the_authors(case):
    network, _, shown, known = case
    found = shown.embedding()[network.level][:, ::3, ::3]
    np.testing.assert_allclose(found, known["encoder"], atol=1e-4)


@pytest.mark.parametrize("name", PROMPTS)
def test_masks_and_scores_are_those_of_the_authors(case, name):
    network, _, shown, known = case
    [question] = questions(checked((90, 120), **PROMPTS[name]))
    logits, scores = shown.asked(shown._image, 0, question, None)
    y, x = known["places"].T
    assert known[f"{name}.logits"].std() > network.least
    np.testing.assert_allclose(logits[:, y, x], known[f"{name}.logits"], atol=1e-4)
    np.testing.assert_allclose(scores, known[f"{name}.scores"], atol=1e-5)
    np.testing.assert_allclose((logits > 0).sum((1, 2)), known[f"{name}.pixels"], atol=3)
