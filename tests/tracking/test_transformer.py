"""A small transformer learns links, is kept in a file, and is a cost like any other."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch.nn.functional import cross_entropy

from stroma import track
from stroma.errors import FormatError, NotTrainedError
from stroma.pixel.files import plain
from stroma.tracking import transformer
from stroma.tracking.annotated import paired
from stroma.tracking.attention import Parents, parental
from stroma.tracking.learned import LinkModel
from stroma.tracking.track import Linking, link
from stroma.tracking.transformer import LinkTransformer, chances
from stroma.tracking.windows import film
from stroma.workflow.moving.links import load_links, save_links
from tracking.test_learned import annotated, dividing, names, turning

SMALL = LinkTransformer(steps=200, width=16, heads=2, layers=1)


@cache
def of_brightness() -> LinkTransformer:
    return SMALL.fit([annotated(*turning(frames=10, pairs=4))])


def test_what_tells_objects_apart_is_learned_by_a_transformer() -> None:
    model = of_brightness()
    labels, image = turning(frames=6, pairs=4)
    assert any(len(one) > 1 for one in names(track(labels, image)))
    assert all(len(one) == 1 for one in names(track(labels, image, cost=model)))
    assert model.scores_["recall"] > 0.9
    assert model.scores_["precision"] > 0.9


def test_the_same_seed_learns_the_same() -> None:
    movie = annotated(*turning(frames=6, pairs=3))
    small = LinkTransformer(steps=3, width=8, heads=1, layers=1)
    one, other = (small.fit([movie]).state()["arrays"] for _ in range(2))
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])


def test_links_in_few_frames_of_a_movie_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformer, "MOST_WINDOWS", 1)
    movie = annotated(*turning(frames=12, pairs=6))
    late = movie.links[movie.seen.detections.frame[movie.links[:, 0]] >= 9]
    model = LinkTransformer(steps=1, width=8, heads=1, layers=1)
    fitted = model.fit([replace(movie, links=late)])
    assert fitted.network_ is not None
    assert fitted.scores_ == {}


def test_divisions_cost_what_their_links_do() -> None:
    movie = annotated(dividing(4), families=4)
    model = LinkTransformer(steps=1, width=8, heads=1, layers=1).fit([movie])
    pairs = paired(movie, 1.0).pairs
    cost = model(pairs)
    found = model.divisions(pairs, cost, 0.6)
    np.testing.assert_allclose(found.price, cost[found.edges].sum(axis=1) + 0.3 * 0.6)
    assert len(found.price)


def test_chances_of_parents_are_a_softmax_with_none_as_one_more() -> None:
    logits, child = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([0, 0, 2])
    found = parental(logits, child, 3)
    both = -cross_entropy(
        torch.tensor([[2.0, -1.0, 0.0]] * 2), torch.tensor([0, 1]), reduction="none"
    )
    alone = torch.tensor(0.5).sigmoid().log()
    torch.testing.assert_close(found, torch.cat([both, alone[None]]))


def test_a_turned_movie_has_the_same_objects_near_and_every_pair_is_in_a_window() -> None:
    labels = dividing(3)
    pairs = paired(annotated(labels, families=3), 1.0).pairs
    whole = film(pairs, ())
    seen = np.zeros(len(pairs.pairs), int)
    for window in whole.windows():
        seen[window.which] += 1
        frame = whole.pairs.detections.frame[pairs.pairs[window.which]]
        assert frame.max() - frame.min() < 6
        assert window.near[window.there].max() < len(window.measured)
    assert (seen[pairs.gap <= 3] > 0).all()
    network = Parents(2, whole.columns.shape[1], width=8, heads=1, layers=1).eval()
    assert chances(network, whole).shape == seen.shape


def test_pairs_over_more_frames_than_are_looked_at_are_as_likely_as_not() -> None:
    labels, image = turning(frames=10, pairs=4)
    seen = annotated(labels, image).seen
    tracks = link(seen, Linking(cost=of_brightness(), max_gap=8))
    assert all(len(one) == 1 for one in names(tracks))


def test_a_file_gives_the_same_costs(tmp_path) -> None:
    path, model = tmp_path / "links.pkl", of_brightness()
    save_links(path, model)
    again = load_links(path)
    assert isinstance(again, LinkTransformer)
    pairs = paired(annotated(*turning(frames=6, pairs=3)), 1.0).pairs
    np.testing.assert_array_equal(again(pairs), model(pairs))
    assert again.scores_ == model.scores_


def test_damaged_files_and_unlearned_links_are_refused_in_words(tmp_path) -> None:
    state = {"kind": "links", **of_brightness().state()}
    arrays = dict(state["arrays"])
    first = next(iter(arrays))
    spoilt = {
        "No learner of links": state | {"learner": "oracle"},
        "no transformer of size": state | {"size": [7, 2, 1]},
        "do not fit": state | {"arrays": {k: v for k, v in arrays.items() if k != first}},
        "arrays do not": state | {"arrays": arrays | {first: arrays[first] * np.float32(np.nan)}},
        "other measures": state | {"columns": ["distance"]},
        "times as far": state | {"wider": 99.0},
        "damaged": {k: v for k, v in state.items() if k != "size"},
    }
    for said, wrong in spoilt.items():
        plain.write(tmp_path / "links.pkl", wrong)
        with pytest.raises((FormatError, ValueError), match=said):
            load_links(tmp_path / "links.pkl")
    with pytest.raises(NotTrainedError, match="Call fit"):
        track(dividing(3), cost=SMALL)
    assert LinkModel.learner != LinkTransformer.learner
