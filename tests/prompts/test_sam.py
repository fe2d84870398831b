"""Segment Anything: from files of several kinds, in parts and cached."""

import numpy as np
import pytest
import tifffile
import torch
from tests.prompts.oracles.make_sam import image

from random_sam import SIDE, authors_name
from random_weights import random_tensors
from stroma.errors import FormatError, ParameterError, ShapeError
from stroma.features.networks.imagenet import DEVIATION, MEAN
from stroma.prompts import ENGINES
from stroma.prompts.contract import checked
from stroma.prompts.sam.engine import Sam
from stroma.prompts.sam.logits import COARSE, SURE, coarse
from stroma.prompts.sam.preprocess import reader
from stroma.prompts.sam.questions import questions
from stroma.prompts.sam.windows import best, windows
from stroma.weights import CATALOGUE
from stroma.workflow.prompting.prompt import prompt_file


@pytest.fixture(scope="module")
def tensors():
    return random_tensors("sam_vit_b")


@pytest.fixture(scope="module")
def shown(sam_file):
    engine = Sam(weights=sam_file)
    engine.set_image(image(), rgb=True)
    return engine


@pytest.mark.parametrize("wrapped", [False, True])
def test_checkpoints_of_the_authors_are_read(tensors, shown, tmp_path, wrapped):
    """As segment-anything has them, and as micro-sam's training leaves them."""
    start = "sam." if wrapped else ""
    named = {authors_name(k): torch.tensor(v) for k, v in tensors.items()}
    state = {f"{start}{k}": v for k, v in named.items() if k}
    torch.save({"model_state": state} if wrapped else state, tmp_path / "own.pt")
    engine = Sam(weights=tmp_path / "own.pt")
    engine.set_image(image(), rgb=True)
    for found, expected in zip(
        engine.predict(points=[[40, 60]]), shown.predict(points=[[40, 60]]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert engine.key == shown.key


def test_settings_beside_a_file_that_needs_none_are_not_read(sam_file, tmp_path):
    (tmp_path / "own.safetensors").write_bytes(sam_file.read_bytes())
    for name in ("own.json", "config.json"):
        (tmp_path / name).write_text("{")
    Sam(weights=tmp_path / "own.safetensors").set_image(image())


def test_a_network_of_another_kind_is_told(tmp_path):
    torch.save({"image_encoder.layers.0.x": torch.ones(2)}, tmp_path / "vit_t.pt")
    with pytest.raises(FormatError, match="TinyViT"):
        Sam(weights=tmp_path / "vit_t.pt").set_image(image())


def test_a_mask_of_before_changes_the_answer(shown):
    before = np.zeros((90, 120), bool)
    before[30:50, 40:80] = True
    plain = shown.predict(boxes=[[30, 40, 49, 79]])[0]
    again = shown.predict(mask=before)[0]
    assert again[0].any()
    assert not np.array_equal(plain, again)


def test_a_mask_of_before_is_shown_as_what_lies_above_0():
    before = np.zeros((90, 120), bool)
    before[30:50, 40:80] = True
    [whole] = windows(before.shape, SIDE)
    shown = coarse(before, whole, SIDE)[0, 0]
    assert shown.shape == (SIDE // COARSE, SIDE // COARSE)
    assert shown[11, 16] == SURE
    assert shown[2, 3] == -SURE
    assert (shown > 0).float().mean() == pytest.approx(before.sum() / 120**2, abs=0.02)


def test_several_boxes_are_answered_together(shown):
    boxes = [[5, 5, 30, 40], [50, 60, 80, 110]]
    alone = [shown.predict(boxes=box) for box in boxes]
    masks, scores = shown.predict(boxes=boxes)
    np.testing.assert_array_equal(masks[0], alone[0][0][0] | alone[1][0][0])
    assert scores.tolist() == [min(own[0] for _, own in alone)]


def test_many_clicks_at_once_are_answered_as_each_alone(shown, monkeypatch):
    monkeypatch.setattr(Sam, "least", (-100.0, 0.0))
    points = np.array([[40.0, 60.0], [20.0, 30.0]])
    found = list(shown.proposals(points))
    alone = [mask for point in points for mask in shown.predict(points=[point])[0]]
    assert len(found) == len(alone) == 6
    assert all(0 <= one.stability <= 1 for one in found)
    for one in found:
        whole = np.zeros((90, 120), bool)
        whole[one.slices] = one.mask
        assert min((whole != mask).sum() for mask in alone) <= 1  # the pixel that was clicked


def test_bytes_of_colours_are_shown_as_they_are():
    values = np.random.default_rng(0).integers(100, 150, (3, 20, 30), np.uint8)
    [whole] = windows((20, 30), SIDE)
    mean, deviation = (np.array(v, np.float32)[:, None, None] for v in (MEAN, DEVIATION))
    found = reader(values, rgb=True)(whole)
    np.testing.assert_allclose(found, (values / 255 - mean) / deviation, atol=1e-5)


@pytest.fixture
def wide():
    return np.random.default_rng(3).integers(0, 4000, (1, 150, 300), np.uint16)


def test_large_images_are_shown_in_parts_when_asked_about(sam_file, wide, monkeypatch):
    calls = []
    encode = Sam._encode
    monkeypatch.setattr(Sam, "_encode", lambda *args: calls.append(1) or encode(*args))
    engine = Sam(weights=sam_file)
    engine.set_image(wide)
    assert len(calls) == 1
    engine.predict(points=[[75, 250]])
    engine.predict(points=[[75, 250]])
    assert len(calls) == 2
    assert sum(k.endswith(".0") for k in engine.embedding()) == len(calls) == 7


@pytest.mark.parametrize(("edge", "asked"), [(0, [True, False]), (1, [True])])
def test_objects_that_reach_beyond_a_part_are_asked_of_the_whole(
    sam_file, wide, monkeypatch, edge, asked
):
    numbers = []

    def answered(self, image, number, question, before):
        numbers.append(number)
        rows, columns = image.windows[number].shape
        logits = np.full((1, rows, columns), -1, np.float32)
        logits[:, edge : rows - edge, edge : columns - edge] = 1
        return logits, np.ones(1, np.float32)

    monkeypatch.setattr(Sam, "asked", answered)
    engine = Sam(weights=sam_file)
    engine.set_image(wide)
    masks, _ = engine.predict(points=[[75, 250]])
    assert [bool(n) for n in numbers] == asked
    assert masks.any()


def test_what_is_kept_on_disk_answers_the_same_and_runs_no_encoder(
    sam_file, wide, tmp_path, monkeypatch
):
    first = Sam(weights=sam_file, cache=tmp_path)
    first.set_image(wide)
    expected = first.predict(points=[[75, 250]])
    monkeypatch.setattr(Sam, "_encode", None)
    second = Sam(weights=sam_file, cache=tmp_path)
    second.set_image(wide)
    for found, known in zip(second.predict(points=[[75, 250]]), expected, strict=True):
        np.testing.assert_array_equal(found, known)
    with pytest.raises(TypeError):  # other pixels
        second.set_image(wide + 1)


def test_the_part_with_most_room_answers():
    known = windows((300, 400), SIDE)
    assert known[0].scale == SIDE / 400
    for place in ([10.0, 10.0], [150.0, 200.0], [299.0, 399.0], [64.0, 330.0]):
        chosen = known[best(known, np.array([place]))]
        assert chosen.scale == 1
        assert chosen.room(np.array([place])) >= SIDE // 8
    assert best(known, np.array([[5.0, 5.0], [290.0, 390.0]])) == 0
    covered = np.zeros((300, 400), int)
    for window in known[1:]:
        covered[window.slices] += 1
    assert covered.min() >= 1


def test_strokes_and_boxes_become_questions():
    strokes = np.zeros((60, 80), np.uint8)
    strokes[10, 5:70], strokes[50, 5:70] = 1, 2
    [one] = questions(checked((60, 80), strokes=strokes))
    assert one.labels.tolist() == [True] * 8 + [False] * 8
    assert (one.points[:8, 0] == 10).all()
    two = questions(checked((60, 80), boxes=[[0, 0, 9, 9], [20, 20, 40, 40]], points=[[30, 30]]))
    assert [len(q.points) for q in two] == [0, 1]
    assert all(q.box is not None for q in two)


@pytest.mark.parametrize(("channels", "rgb"), [(1, False), (2, False), (3, True), (5, False)])
def test_any_channels_are_taken(sam_file, channels, rgb):
    engine = Sam(weights=sam_file)
    engine.set_image(np.random.default_rng(0).random((channels, 40, 30)), rgb=rgb)
    assert engine.predict(points=[[20, 20]])[0].shape == (3, 40, 30)


def test_what_cannot_be_worked_on_is_told(sam_file):
    engine = Sam(weights=sam_file)
    with pytest.raises(ParameterError, match="no image yet"):
        engine.predict(points=[[1, 1]])
    with pytest.raises(ShapeError, match="takes planes"):
        engine.set_image(np.zeros((1, 3, 20, 20)))
    with pytest.raises(ParameterError, match="device is one of"):
        Sam(device="gpu")


def test_engines_are_made_without_loading_anything():
    names = [name for name in ENGINES if name in CATALOGUE]
    assert len(names) > 10
    assert [ENGINES[name].model for name in names] == names
    assert ENGINES["sam"]()._image is None


def test_a_file_is_segmented_by_a_network_and_what_it_saw_is_kept(sam_file, tmp_path):
    tifffile.imwrite(tmp_path / "cells.tif", image()[0])
    (tmp_path / "clicks.csv").write_text("y,x\n40,60\n10,20\n")
    out = tmp_path / "cells_objects.tif"
    asked = (tmp_path / "cells.tif", tmp_path / "clicks.csv", out)
    prompt_file(*asked, engine="sam", weights=sam_file, cache=tmp_path / "kept")
    found = tifffile.imread(out)
    assert (found[40, 60], found[10, 20]) in {(1, 2), (1, 1)}
    assert len(list((tmp_path / "kept").glob("*.zarr"))) == 1
    with pytest.raises(ParameterError, match="'graph' takes no weights"):
        prompt_file(*asked, weights=sam_file, overwrite=True)
