"""SAM 3's answers to prompts: what ``transformers`` gives, from files of both kinds."""

import json
from copy import deepcopy

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from tests.prompts.oracles.make_sam import PROMPTS, image
from transformers import Sam3TrackerConfig, Sam3TrackerModel

from random_sam import SAM3
from random_weights import random_tensors
from stroma.errors import FormatError
from stroma.prompts.contract import checked
from stroma.prompts.sam.logits import at_pixels, tensors_of
from stroma.prompts.sam.preprocess import input_of
from stroma.prompts.sam.questions import questions
from stroma.prompts.sam.sam3 import Sam3
from stroma.testing import check_prompted
from stroma.weights import CATALOGUE

SIDE = 112


@pytest.fixture(scope="module")
def shown(sam3_folder):
    engine = Sam3(weights=sam3_folder)
    engine.set_image(image(), rgb=True)
    return engine


@pytest.fixture(scope="module")
def theirs():
    """Return the network of ``transformers`` as that builds it, with the same tensors."""
    network = Sam3TrackerModel(Sam3TrackerConfig(**deepcopy(SAM3)))
    tensors = random_tensors("sam3")
    network.load_state_dict({key: torch.tensor(value) for key, value in tensors.items()})
    return network.eval()


def test_it_keeps_the_contract(sam3_folder):
    check_prompted(lambda: Sam3(weights=sam3_folder))


@pytest.mark.parametrize("name", PROMPTS)
def test_masks_and_scores_are_those_of_transformers(shown, theirs, name):
    """Of the picture itself, not of maps that were kept."""
    [question] = questions(checked((90, 120), **PROMPTS[name]))
    logits, scores = shown.asked(shown._image, 0, question, None)
    window = shown._image.windows[0]
    pixels = input_of(shown._image.read(window), window, SIDE)
    asked = tensors_of(window, question, None, SIDE)
    with torch.inference_mode():
        known = theirs(pixel_values=pixels, multimask_output=question.is_one_click, **asked)
        expected = at_pixels(known.pred_masks[0, 0][None], window, SIDE)[0].numpy()
    assert expected.std() > 0.05
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(scores, known.iou_scores[0, 0].numpy(), atol=1e-5)


def test_bytes_of_colours_are_shown_from_minus_one_to_one(sam3_folder):
    engine = Sam3(weights=sam3_folder)
    values = np.full((3, 20, 30), 255, np.uint8)
    values[:, 0] = 0
    engine.set_image(values, rgb=True)
    read = engine._image.read(engine._image.windows[0])
    assert read.min() == -1
    assert read.max() == 1


def test_the_file_with_all_of_it_is_read(shown, tmp_path):
    """In which what looks at the picture belongs to what finds words in it."""
    named = {"detector_model.vision_encoder.neck.fpn_layers.0.proj1.bias": np.zeros(3, np.float32)}
    for key, value in random_tensors("sam3").items():
        for start, other in (
            ("vision_encoder.backbone.", "detector_model.vision_encoder.backbone."),
            ("vision_encoder.neck.", "tracker_neck."),
            ("", "tracker_model."),
        ):
            if key.startswith(start):
                named[other + key.removeprefix(start)] = value
                break
    save_file(named, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"tracker_config": SAM3}))
    engine = Sam3(weights=tmp_path)
    engine.set_image(image(), rgb=True)
    assert engine.key == shown.key
    np.testing.assert_array_equal(
        engine.predict(points=[[40, 60]])[0], shown.predict(points=[[40, 60]])[0]
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_hidden_layers": 10**9}, r"layers of \d+ tensors"),
        ({"image_size": 10**7}, "256 cells a side"),
        ({"hidden_size": "x"}, "describe no SAM 3"),
    ],
)
def test_settings_that_describe_something_else_are_refused(sam3_folder, tmp_path, wrong, message):
    (tmp_path / "own.safetensors").write_bytes((sam3_folder / "model.safetensors").read_bytes())
    said = deepcopy(SAM3)
    said["vision_config"]["backbone_config"] |= wrong
    (tmp_path / "own.json").write_text(json.dumps(said))
    with pytest.raises(FormatError, match=message):
        Sam3(weights=tmp_path / "own.safetensors").set_image(image())


def test_its_licence_has_to_be_accepted():
    assert CATALOGUE["sam3"].gated
    assert CATALOGUE["sam3"].licence.startswith("SAM License")
