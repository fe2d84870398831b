import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.patience import PATIENCE

from stroma.errors import ParameterError
from stroma.features.strokenet.learned_layout import LAYOUT
from stroma.features.strokenet.learned_weights import read_weights
from stroma.training import OBJECTIVES
from stroma.training.contract import Objective
from stroma.training.strokes import loop
from stroma.training.strokes.__main__ import main
from stroma.training.strokes.batches import Batches, painted_pixels, stream, unpacked
from stroma.training.strokes.head import RidgeHead, mean_iou, stroke_loss
from stroma.training.strokes.loop import CHECKPOINT, Settings, Training
from stroma.training.strokes.network import StrokeNetwork
from stroma.training.strokes.objective import FewStrokes, Learner
from stroma.training.strokes.report import kinds
from stroma.training.strokes.scenes import SCENES

TINY = {"batch": 2, "side": 32, "workers": 0, "validation": 8}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_head_is_weighted_ridge_regression_on_the_painted_pixels():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), np.repeat([0, 1], [20, 10])
    asked = rng.normal(size=(7, 4))
    head = RidgeHead()
    penalty = np.log1p(np.exp(head.log_penalty.item()))
    rows = np.column_stack([x, np.ones(30)])
    weights = np.where(y == 0, 1 / 40, 1 / 20)[:, None]
    solution = np.linalg.solve(
        rows.T @ (weights * rows) + penalty * np.eye(5), (weights * rows).T @ np.eye(2)[y]
    )
    expected = np.exp(head.log_scale.item()) * np.column_stack([asked, np.ones(7)]) @ solution
    padded = np.vstack([x, rng.normal(size=(3, 4))])  # pixels of class -1 have no say
    classes = torch.tensor(np.append(y, [-1] * 3))[None]
    near, far = (torch.tensor(a.T, dtype=torch.float32)[None] for a in (padded, asked))
    found = head(near, classes, far, most=2)[0].T.detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_scores_of_an_untrained_network_beside_filters_are_not_extreme():
    """Twenty pixels and sixty features of any kind: the loss says something from the first step."""
    rng = np.random.default_rng(0)
    near, far = (torch.tensor(rng.normal(size=(1, 60, n)), dtype=torch.float32) for n in (20, 400))
    labels = torch.tensor(rng.integers(0, 3, (1, 400)))
    scores = RidgeHead(standard=True)(near, torch.arange(20)[None] % 3, far, most=3)
    assert stroke_loss(scores, labels, torch.full((1, 400), -1)) < 2 * np.log(3)


def test_the_head_can_be_told_that_all_features_count_the_same():
    """Features in other units then give the same scores, which they do not otherwise."""
    rng = np.random.default_rng(0)
    near, far = (torch.tensor(rng.normal(size=(1, 5, n)), dtype=torch.float32) for n in (12, 40))
    classes, units = torch.arange(12)[None] % 3, torch.tensor([1, 10, 0.2, 3, 50])[:, None]

    @torch.no_grad()
    def changed(head):
        before = head(near, classes, far, most=3)
        return float((head(near * units, classes, far * units, most=3) - before).abs().max())

    assert changed(RidgeHead(standard=True)) < 0.05
    assert changed(RidgeHead()) > 0.2


def test_the_loss_asks_for_unpainted_pixels_and_present_classes_only():
    labels = torch.tensor([[0, 0, 1, 1]])
    strokes = torch.tensor([[-1, -1, -1, 1]])
    scores = torch.tensor([[[9.0, 9, 0, 9], [0, 0, 9, 0], [99, 99, 99, 99]]])
    assert stroke_loss(scores, labels, strokes) < 0.01
    assert mean_iou(scores, labels, strokes) == 1
    assert stroke_loss(scores, 1 - labels, strokes) > 5
    assert mean_iou(scores, 1 - labels, strokes) == 0


def test_painted_pixels_are_padded_with_none():
    strokes = torch.full((2, 2, 2), -1)
    strokes[0, 0, 1], strokes[1, 1, 0], strokes[1, 1, 1] = 0, 1, 2
    positions, classes = painted_pixels(strokes)
    assert sorted(classes[0].tolist()) == [-1, 0]
    assert positions[0][classes[0] == 0].tolist() == [1]
    assert sorted(zip(positions[1].tolist(), classes[1].tolist(), strict=True)) == [(2, 1), (3, 2)]


def test_no_output_of_the_network_sees_farther_than_its_halo():
    network = StrokeNetwork().eval()
    image = torch.zeros(1, 1, 184, 184, requires_grad=True)
    network(torch.rand(1, 1, 184, 184) + image)[0, :, 88:96, 88:96].sum().backward()
    seen = image.grad[0, 0].abs().sum(0).nonzero()
    assert seen.min() >= 88 - LAYOUT.halo
    assert seen.max() < 96 + LAYOUT.halo
    assert seen.min() < 88 - LAYOUT.halo // 2


def test_the_order_of_channels_changes_only_the_features_of_single_ones():
    network = StrokeNetwork().eval()
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        found, turned = network(image)[0], network(image.flip(1))[0]
    assert len(found) == LAYOUT.features + 3 * 2 * LAYOUT.own
    torch.testing.assert_close(found[: LAYOUT.features], turned[: LAYOUT.features])
    assert not torch.allclose(found[LAYOUT.features :], turned[LAYOUT.features :])


def test_the_network_has_the_size_that_was_agreed():
    count = sum(p.numel() for p in StrokeNetwork().parameters())
    assert 300_000 <= count <= 1_000_000
    assert LAYOUT.features + 4 * 2 * LAYOUT.own <= 64
    assert LAYOUT.halo <= 96
    assert LAYOUT.stride <= 8


def test_strokes_reach_the_network_through_the_head():
    """A few steps on one batch make its loss smaller, in every part of the network."""
    torch.manual_seed(0)
    model, batch = Learner(), unpacked(Batches(0, size=2, side=48)[0], 0)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        outcome = model.outcome(batch, mixed=False)
        optimiser.zero_grad()
        outcome.loss.backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
        optimiser.step()
        losses.append(outcome.loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_batches_differ_in_the_size_of_their_images():
    series = Batches(0, size=1, side=32)
    sides = [series[number][0].shape[-1] for number in range(20)]
    assert set(sides) == {24, 32, 40}


def test_batches_made_by_other_processes_are_the_same():
    series = Batches(4, size=2, side=32)
    here = list(stream(series, start=3, stop=5, workers=0))
    there = list(stream(series, start=3, stop=5, workers=1))
    assert len(here) == len(there) == 2
    for a, b in zip(here, there, strict=True):
        for one, other in zip(vars(a).values(), vars(b).values(), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert [batch.seed for batch in there] == [3, 4]


def test_it_is_an_objective_that_any_trainer_can_use():
    objective = OBJECTIVES["few-stroke"]()
    assert isinstance(objective, FewStrokes)
    assert isinstance(objective, Objective)
    batch = unpacked(Batches(0, size=2, side=32)[0], 0)
    loss, logs = objective.step(StrokeNetwork(), batch)
    assert loss.requires_grad
    assert 0 < logs["alone"] < 1


def test_it_has_no_target():
    with pytest.raises(ParameterError, match="generated episodes"):
        OBJECTIVES["few-stroke"](object())


def state(folder):
    return torch.load(folder / CHECKPOINT, weights_only=True)


def test_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    at_once, stopped = tmp_path / "at once", tmp_path / "stopped"
    Training(at_once, Settings(steps=6, minutes=1e6, **TINY)).run()
    # the budget sets the falling rate, so both are told the same one
    halfway = Training(stopped, Settings(steps=6, minutes=1e6, **TINY))
    halfway.run(until=3)
    assert state(stopped)["number"] == 3
    Training(stopped, Settings(steps=6, minutes=1e6, **TINY)).run()
    a, b = state(at_once), state(stopped)
    assert a["number"] == b["number"] == 6
    for name, values in a["average"].items():
        torch.testing.assert_close(values, b["average"][name], rtol=0, atol=0)


def test_several_learners_share_the_steps(tmp_path):
    Training(tmp_path, Settings(steps=5, threads=2, **TINY)).run()
    assert state(tmp_path)["number"] in (5, 6)


def test_the_command_trains_shows_the_curve_and_exports(tmp_path, capsys):
    options = [f"--{k}={v}" for k, v in TINY.items()]
    main([str(tmp_path / "run"), "--steps=2", "--minutes=99.5", "--seed=3", *options])
    main([str(tmp_path / "run"), "--curve"])
    assert "validation" in capsys.readouterr().out
    main([str(tmp_path / "run"), "--export", str(tmp_path / "w.npz")])
    weights = read_weights((tmp_path / "w.npz").read_bytes(), "w.npz")
    assert weights["stem.weight"].shape == (LAYOUT.widths[0], 1, 3, 3)
    record = json.loads((tmp_path / "w.json").read_text())
    assert "--seed 3" in record["command"]
    assert record["steps"] == 2
    assert record["episodes"] == 4
    assert 0 <= record["validation"]["beside"] <= 1


def test_the_table_has_a_row_for_every_kind_of_scene(tmp_path):
    Training(tmp_path, Settings(steps=1, **TINY)).run()
    rows = [line.strip("| ").split(" | ") for line in kinds(tmp_path, count=1).splitlines()[2:]]
    assert [row[0] for row in rows] == [*SCENES, "mean"]
    assert all(0 < float(cell) < 1 for row in rows for cell in row[1:])


def test_export_without_training_says_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match=r"No training in .* Train there first"):
        main([str(tmp_path), "--export", str(tmp_path / "w.npz")])


ENDLESS = """
import sys
from stroma.training.strokes.batches import Batches, stream

if __name__ == "__main__":
    series = stream(Batches(0, size=2, side=32), start=0, stop=10**6, workers=1)
    next(series)
    print("begun", flush=True)
    sys.stdin.read()
"""


def test_who_makes_batches_ends_when_the_training_is_killed(tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, script], **pipes) as training:
        assert training.stdout.readline() == b"begun\n"
        training.kill()
        training.communicate(timeout=PATIENCE)  # until nobody is left who could print


def test_kinds_of_scenes_that_are_left_out_are_never_drawn(monkeypatch):
    drawn = []
    for kind, (weight, draw) in SCENES.items():
        monkeypatch.setitem(SCENES, kind, (weight, _noted(kind, draw, drawn)))
    without = tuple(sorted(set(SCENES) - {"phases", "layers"}))
    Batches(0, size=12, side=32, without=without)[0]
    assert set(drawn) == {"phases", "layers"}


def test_a_training_leaves_them_out_of_what_it_learns_from_but_not_of_what_it_is_scored_on(
    tmp_path, monkeypatch
):
    made = []

    class Noted(Batches):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(loop, "Batches", Noted)
    Training(tmp_path, Settings(steps=1, without="phases,built", **TINY)).run()
    assert {(b.seed == 0, b.without) for b in made} == {(True, ("phases", "built")), (False, ())}


def _noted(kind, draw, drawn):
    def noted(rng, n):
        drawn.append(kind)
        return draw(rng, n)

    return noted


def test_a_kind_of_scene_that_does_not_exist_cannot_be_left_out(tmp_path):
    with pytest.raises(ParameterError, match=r"'glass'.*grains"):
        Training(tmp_path, Settings(without="grains,glass", **TINY))


def test_a_narrow_network_is_trained_and_scored_but_not_shipped(tmp_path, capsys):
    arguments = [str(tmp_path), "--width", "0.5", "--steps", "1", "--batch", "2", "--side", "32"]
    main([*arguments, "--workers", "0", "--validation", "8"])
    narrow = LAYOUT.scaled(0.5)
    assert narrow.widths == (8, 16, 32, 56)
    assert narrow.halo == LAYOUT.halo
    assert "| mean |" in kinds(tmp_path, count=2)
    with pytest.raises(SystemExit, match=r"a width of 0\.5"):
        main([str(tmp_path), "--export", str(tmp_path / "weights.npz")])
    assert not (tmp_path / "weights.npz").exists()
