"""SAM-HQ: what ``transformers`` gives, from files of both kinds."""

import numpy as np
import pytest
import torch
from tests.prompts.oracles.make_sam import PROMPTS, image
from transformers import SamHQConfig, SamHQModel

from random_sam import ENCODER, PATCH, SIDE, authors_name
from random_weights import random_tensors
from stroma.errors import FormatError
from stroma.prompts.contract import checked
from stroma.prompts.sam.logits import at_pixels, tensors_of
from stroma.prompts.sam.preprocess import input_of
from stroma.prompts.sam.questions import questions
from stroma.prompts.sam.sam_hq import SamHQ
from stroma.testing import check_prompted


@pytest.fixture(scope="module")
def shown(sam_hq_file):
    engine = SamHQ(weights=sam_hq_file)
    engine.set_image(image(), rgb=True)
    return engine


@pytest.fixture(scope="module")
def theirs():
    """Return the network of ``transformers`` as that builds it, with the same tensors."""
    network = SamHQModel(
        SamHQConfig(
            vision_config=ENCODER,
            prompt_encoder_config={"image_size": SIDE, "patch_size": PATCH},
            mask_decoder_config={
                "mlp_dim": 64,
                "vit_dim": ENCODER["hidden_size"],
                "layer_norm_eps": 1e-5,
            },
        )
    )
    tensors = random_tensors("sam_hq_vit_b")
    network.load_state_dict({key: torch.tensor(value) for key, value in tensors.items()})
    return network.eval()


def test_it_keeps_the_contract(sam_hq_file):
    check_prompted(lambda: SamHQ(weights=sam_hq_file))


@pytest.mark.parametrize("name", PROMPTS)
def test_masks_and_scores_are_those_of_transformers(shown, theirs, name):
    """Of the picture itself, not of maps that were kept."""
    [question] = questions(checked((90, 120), **PROMPTS[name]))
    logits, scores = shown.asked(shown._image, 0, question, None)
    window = shown._image.windows[0]
    pixels = input_of(shown._image.read(window), window, SIDE)
    several = question.is_one_click
    asked = tensors_of(window, question, None, SIDE)
    with torch.inference_mode():
        known = theirs(pixel_values=pixels, multimask_output=several, **asked)
        plain = theirs(pixel_values=pixels, multimask_output=several, hq_token_only=True, **asked)
        expected, fine = (
            at_pixels(one.pred_masks[0, 0][None], window, SIDE)[0].numpy() for one in (known, plain)
        )
    assert expected.std() > 0.1
    assert not np.allclose(expected, fine, atol=1e-2)  # both parts count
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(scores, known.iou_scores[0, 0].numpy(), atol=1e-5)


def test_checkpoints_of_the_authors_are_read(shown, tmp_path):
    tensors = random_tensors("sam_hq_vit_b")
    named = {authors_name(k): torch.tensor(v) for k, v in tensors.items()}
    assert {"mask_decoder.hf_token.weight", "mask_decoder.embedding_encoder.3.bias"} <= set(named)
    torch.save({k: v for k, v in named.items() if k}, tmp_path / "own.pth")
    engine = SamHQ(weights=tmp_path / "own.pth")
    engine.set_image(image(), rgb=True)
    assert engine.key == shown.key
    for found, expected in zip(
        engine.predict(points=[[40, 60]]), shown.predict(points=[[40, 60]]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_many_clicks_at_once_are_answered_as_each_alone(shown, monkeypatch):
    monkeypatch.setattr(SamHQ, "least", (-100.0, 0.0))
    points = np.array([[40.0, 60.0], [20.0, 30.0]])
    found = list(shown.proposals(points))
    alone = [mask for point in points for mask in shown.predict(points=[point])[0]]
    assert len(found) == len(alone) == 6
    for one in found:
        whole = np.zeros((90, 120), bool)
        whole[one.slices] = one.mask
        assert min((whole != mask).sum() for mask in alone) <= 1  # the pixel that was clicked


def test_other_networks_are_told(sam_file):
    with pytest.raises(FormatError, match="does not hold the weights of 'sam_hq_vit_b'"):
        SamHQ(weights=sam_file).set_image(image())
