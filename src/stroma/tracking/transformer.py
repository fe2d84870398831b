"""Costs of links that a small transformer learns from annotated tracks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stroma.data.tracks import Floats
from stroma.errors import NotTrainedError
from stroma.tracking.annotated import (
    FOLDS,
    Annotated,
    Paired,
    common_measures,
    paired,
    require_enough,
    wider_than_usual,
)
from stroma.tracking.attention import Parents, one_thread, parental
from stroma.tracking.candidates import Candidates
from stroma.tracking.families import Families
from stroma.tracking.pairs import pair_names, plausible
from stroma.tracking.told import damaged, read_told, told
from stroma.tracking.windows import WINDOW, Film, Rows, Window, film

LOG = logging.getLogger(__name__)

LEAST = 1e-3
"""Probability below which a link costs no more."""

DIVIDE = 0.3
"""Price of a division beside its links."""

DAUGHTERS = 4.0
"""How many times the links of a division count, which are few."""

RATE = 2e-3
MOST_WINDOWS = 300
"""Windows of all movies that are learned from; of more, some, drawn evenly."""

LARGEST, MOST_LAYERS = 512, 24
"""Sizes that files may ask for."""


@dataclass(frozen=True)
class LinkTransformer:
    """Tells from the objects of a few frames which pairs of them are the same.

    Used like `stroma.tracking.learned.LinkModel`: ``fit`` returns a fitted copy, which is a cost.

    Parameters
    ----------
    steps : int
        Windows that are learned from, one after the other.
    width, heads, layers : int
        Size of the transformer.
    measures_, wider, scores_
        As for `stroma.tracking.learned.LinkModel`.
    """

    learner: ClassVar[str] = "transformer"

    steps: int = 800
    width: int = 32
    heads: int = 4
    layers: int = 2
    rng: int = 0
    measures_: tuple[str, ...] = field(default=(), kw_only=True)
    wider: float = field(default=1.0, kw_only=True)
    scores_: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    network_: Parents | None = field(default=None, kw_only=True, repr=False, compare=False)

    def fit(self, movies: Sequence[Annotated]) -> Self:
        """Return a copy fitted to annotated movies; half of the steps score it on frames left out.

        Raises
        ------
        LabelError
            If there are fewer than 20 links, or nothing that is no link.
        """
        measures, wider = common_measures(movies), wider_than_usual(movies)
        known = [paired(movie, wider, i) for i, movie in enumerate(movies)]
        require_enough(np.concatenate([one.same for one in known]))
        films = [film(one.pairs, measures) for one in known]
        scores = self._held_out(films, known)
        network = self._learned(films, known, self.steps)
        return replace(self, measures_=measures, wider=wider, scores_=scores, network_=network)

    def _held_out(self, films: Sequence[Film], known: Sequence[Paired]) -> dict[str, float]:
        """Return the scores in the last part of each movie when learned from the others."""
        out = [one.part == (FOLDS - 1) for one in known]
        links = np.concatenate([left[one.same] for one, left in zip(known, out, strict=True)])
        if links.all() or not links.any():  # nothing to score on, or nothing to learn from
            return {}
        network = self._learned(films, known, max(1, self.steps // 2), left_out=out)
        right = true = said = 0
        for one, own, left in zip(films, known, out, strict=True):
            found = (chances(network, one) > 0.5) & left
            right += int((found & own.same).sum())
            true += int((own.same & left).sum())
            said += int(found.sum())
        return {"recall": right / max(1, true), "precision": right / max(1, said)}

    def _learned(
        self,
        films: Sequence[Film],
        known: Sequence[Paired],
        steps: int,
        left_out: Sequence[NDArray[np.bool_]] | None = None,
    ) -> Parents:
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.rng)
            network = self._blank(films[0])
            _standardise(network, films)
            _train(network, _examples(films, known, left_out), steps, self.rng)
        return network.eval()

    def _blank(self, one: Film) -> Parents:
        size = {"width": self.width, "heads": self.heads, "layers": self.layers}
        return Parents(one.measured.shape[1], one.columns.shape[1], **size)

    def __call__(self, pairs: Candidates) -> Floats:
        """Return the (m,) cost of every pair: 0 for a sure link, 1 for a chance of one half.

        Pairs over more frames than are looked at together have a chance of one half.
        """
        chance = chances(self._fitted(), film(pairs, self.measures_))
        return np.asarray(-np.log2(np.maximum(chance, LEAST)))

    def divisions(self, pairs: Candidates, cost: Floats, appear: float) -> Families:
        """Return the possible divisions, as likely as their links together.

        Parameters
        ----------
        pairs : Candidates
            The m pairs.
        cost : (m,) float64
            What they cost.
        appear : float
            Price of a daughter that appears instead.
        """
        families = plausible(pairs)
        return Families(families.edges, cost[families.edges].sum(axis=1) + DIVIDE * appear)

    def _fitted(self) -> Parents:
        if self.network_ is None:
            raise NotTrainedError("Links were not learned yet. Call fit with annotated movies.")
        return self.network_

    def state(self) -> dict[str, Any]:
        """Return everything as plain values and arrays, for a file."""
        arrays = {k: v.numpy() for k, v in self._fitted().state_dict().items()}
        return {
            **told(self.learner, self),
            "size": [self.width, self.heads, self.layers],
            "arrays": arrays,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a fitted model, every value checked (they may come from a stranger).

        Raises
        ------
        FormatError
            If something is missing or damaged, or of a version with other measures of pairs.
        """
        said = read_told(state)
        try:
            width, heads, layers = (int(v) for v in state["size"])
            arrays = {str(k): np.asarray(v) for k, v in state["arrays"].items()}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise damaged(str(error)) from error
        _require_size(width, heads, layers)
        measures = said["measures_"]
        inputs = 2 + len(measures), len(pair_names(measures))
        network = Parents(*inputs, width=width, heads=heads, layers=layers)
        _filled(network, arrays)
        size: dict[str, Any] = {"width": width, "heads": heads, "layers": layers}
        return cls(**size, **said, network_=network.eval())


def chances(network: Parents, one: Film) -> Floats:
    """Return the (m,) chance that each pair of a movie is a link: the mean over its windows."""
    total, count = np.zeros(len(one.pairs.pairs)), np.zeros(len(one.pairs.pairs))
    with one_thread(), torch.inference_mode():
        for window in one.windows():
            logits = network(*_tensors(window))
            child = torch.from_numpy(window.pairs[:, 1])
            found = parental(logits, child, len(window.measured)).exp()
            total[window.which] += found.numpy()
            count[window.which] += 1
    return np.where(count > 0, total / np.maximum(count, 1), 0.5)


@dataclass(frozen=True, eq=False)
class _Example:
    """A window that is learned from, with which of its pairs are links, and their weights."""

    window: Window
    same: NDArray[np.float32]
    weight: NDArray[np.float32]


def _examples(
    films: Sequence[Film],
    known: Sequence[Paired],
    left_out: Sequence[NDArray[np.bool_]] | None,
) -> list[_Example]:
    weights = [_weight(own) for own in known]
    for weight, left in zip(weights, left_out or [], strict=False):
        weight[left] = 0
    places = [(i, start) for i, own in enumerate(known) for start in _starts(own, weights[i])]
    found = []
    for i, start in places[:: -(-len(places) // MOST_WINDOWS)]:
        window = films[i].window(start)
        same, worth = known[i].same[window.which], weights[i][window.which]
        found.append(_Example(window, same.astype(np.float32), worth.astype(np.float32)))
    return found


def _weight(own: Paired) -> Floats:
    """Return how much each pair of a movie counts."""
    links = own.pairs.pairs[own.same]
    twice = np.bincount(links[:, 0], minlength=len(own.pairs.detections)) > 1
    return np.where(own.same & twice[own.pairs.pairs[:, 0]], 1 + DAUGHTERS, 1.0)


def _starts(own: Paired, weight: Floats) -> list[int]:
    """Return the first frames of windows with a link that counts: others teach nothing."""
    found = own.pairs.detections
    last = max(0, found.frames - WINDOW)
    earlier, later = found.frame[own.pairs.pairs[own.same & (weight > 0)]].T
    count = np.zeros(last + 2, np.int64)
    np.add.at(count, np.maximum(later - WINDOW + 1, 0), 1)
    np.add.at(count, np.minimum(earlier, last) + 1, -1)
    starts: list[int] = np.flatnonzero(count.cumsum()).tolist()
    return starts


def _standardise(network: Parents, films: Sequence[Film]) -> None:
    """Let the network know what is usual of every column of pairs."""
    rows = np.concatenate([one.columns for one in films])
    network.mean.copy_(torch.from_numpy(rows.mean(axis=0)))
    network.scale.copy_(torch.from_numpy(np.maximum(rows.std(axis=0), 1e-3)))


def _train(network: Parents, examples: Sequence[_Example], steps: int, rng: int) -> None:
    random = np.random.default_rng(rng)
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    for step in range(steps):
        one = examples[int(random.integers(len(examples)))]
        loss = _loss(network, one, _turn(random))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            LOG.info("step %d of %d: loss %.4f", step, steps, float(loss.detach()))


def _loss(network: Parents, one: _Example, turn: Rows) -> Tensor:
    """Return the weighted cross-entropy of the chances of pairs."""
    logits = network(*_tensors(one.window, turn))
    child = torch.from_numpy(one.window.pairs[:, 1])
    chance = parental(logits, child, len(one.window.measured)).exp().clamp(1e-6, 1 - 1e-6)
    same, weight = torch.from_numpy(one.same), torch.from_numpy(one.weight)
    loss = torch.nn.functional.binary_cross_entropy(chance, same, weight, reduction="sum")
    return loss / weight.sum()


def _turn(random: np.random.Generator) -> Rows:
    """Return a (3, 3) rotation in the plane, mirrored or not, for places (z, y, x)."""
    angle = random.uniform(0, 2 * np.pi)
    turn = np.eye(3, dtype=np.float32)
    turn[1:, 1:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:, 2] *= random.choice((-1, 1))
    turn[0, 0] = random.choice((-1, 1))
    return turn


def _tensors(window: Window, turn: Rows | None = None) -> tuple[Tensor, ...]:
    where, between = window.where, window.between
    if turn is not None:
        where, between = (
            np.concatenate([one[..., :3] @ turn, one[..., 3:]], axis=-1) for one in (where, between)
        )
    arrays: list[NDArray[Any]] = [window.measured, window.near, where, window.there]
    arrays += [window.pairs, window.columns, between]
    return tuple(torch.from_numpy(np.ascontiguousarray(one)) for one in arrays)


def _require_size(width: int, heads: int, layers: int) -> None:
    sane = all(0 < n <= LARGEST for n in (width, heads, layers)) and layers <= MOST_LAYERS
    if not sane or width % heads:
        raise damaged(f"there is no transformer of size {(width, heads, layers)}")


def _filled(network: Parents, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put arrays into a network, every one of the right shape and finite."""
    wanted = network.state_dict()
    fits = set(wanted) == set(arrays) and all(
        arrays[k].shape == tuple(v.shape)
        and arrays[k].dtype == np.float32
        and np.isfinite(arrays[k]).all()
        for k, v in wanted.items()
    )
    if not fits:
        raise damaged("arrays do not fit the transformer")
    network.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in arrays.items()})
