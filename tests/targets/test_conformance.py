"""A target that breaks a promise is told which, whatever it is a target of."""

import importlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import stroma
from stroma.errors import ContractError
from stroma.targets import TARGETS
from stroma.targets.affinities import Affinities
from stroma.targets.borders import Borders
from stroma.targets.centres import Centres
from stroma.targets.contract import Encoded
from stroma.targets.counts import Counts
from stroma.targets.distances import Distances
from stroma.targets.flows import Flows
from stroma.targets.rays import Rays
from stroma.targets.restore import Restore
from stroma.targets.semantic import Semantic
from stroma.targets.spots import Spots
from stroma.testing import check_target

OPTIONS = {Semantic: {"labels": (0, 1, 2)}, Restore: {"count": 2}}
OBJECTS = [Flows, Rays, Distances, Borders, Affinities, Centres, Counts]


def broken(base, **methods):
    """Return an object of a target with other methods, which can be pickled."""
    name = f"Broken{base.__name__}"
    kind = type(name, (base,), {**methods, "__module__": __name__, "__qualname__": name})
    globals()[name] = dataclass(frozen=True)(kind)
    return globals()[name]


def numbers(self, prediction, turn, /):
    """Turn vectors and rays back as if they were numbers."""
    return turn.undo(prediction)


def mirrored(self, prediction, turn, /):
    """Mirror vectors, but leave their components where axes are exchanged."""
    back = turn.undo(prediction).copy()
    for axis, flip in enumerate(turn.flips):
        back[axis - turn.ndim] *= -1 if flip else 1
    return back


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("base", [Flows, Centres, Spots])
@pytest.mark.parametrize("way", [numbers, mirrored])
def test_vectors_that_do_not_turn_with_the_image_are_found(base, way, ndim):
    with pytest.raises(ContractError, match="Mend turned_back"):
        check_target(broken(base, turned_back=way)(ndim=ndim))


@pytest.mark.parametrize("params", [{}, {"ndim": 3, "rays": 48}])
def test_rays_that_do_not_turn_with_the_image_are_found(params):
    with pytest.raises(ContractError, match="Mend turned_back"):
        check_target(broken(Rays, turned_back=numbers)(**params), turned=0.15)


def deaf(base, option):
    """Return a target whose decoding does not listen to an option."""

    def decode(self, prediction, /, **tunable):
        tunable.pop(option, None)
        return base.decode(self, prediction, **tunable)

    return broken(base, decode=decode)()


@pytest.mark.parametrize(
    ("base", "option"),
    [(base, option) for base in (*OBJECTS, Spots) for option in base().tunable],
)
def test_options_that_decide_nothing_are_found(base, option):
    with pytest.raises(ContractError, match=f"the same whatever {option} is"):
        check_target(deaf(base, option))


def test_an_option_that_is_usually_another_than_the_first_is_found():
    def decode(self, prediction, /, **tunable):
        return Borders.decode(self, prediction, **{"foreground": 0.7, **tunable})

    with pytest.raises(ContractError, match=r"foreground=0\.5, which tunable names first"):
        check_target(broken(Borders, decode=decode)())


@pytest.mark.parametrize("base", [*OBJECTS, Spots, Semantic, Restore])
def test_losses_that_see_what_nobody_knows_are_found(base):
    def loss(self, output, truth, known, /):
        return base.loss(self, output, truth, torch.ones_like(known))

    with pytest.raises(ContractError, match="nobody knows"):
        check_target(broken(base, loss=loss)(**OPTIONS.get(base, {})))


def test_losses_that_see_the_truth_where_nobody_knows_are_found():
    def loss(self, output, truth, known, /):
        found, parts = Borders.loss(self, output, truth, known)
        return found + truth.mean(), parts

    with pytest.raises(ContractError, match="with the truth where nobody knows"):
        check_target(broken(Borders, loss=loss)())


@pytest.mark.parametrize("base", [*OBJECTS, Semantic, Restore])
def test_encodings_that_know_what_nobody_knows_are_found(base):
    def encode(self, truth, /, *, shape):
        encoded = base.encode(self, truth, shape=shape)
        return Encoded(encoded.values, np.ones_like(encoded.known))

    with pytest.raises(ContractError, match="nobody knows"):
        check_target(broken(base, encode=encode)(**OPTIONS.get(base, {})))


@pytest.mark.parametrize("base", [Flows, Distances, Borders, Centres, Rays])
def test_objects_that_go_on_where_nobody_knows_are_not_taken_for_whole(base):
    def encode(self, truth, /, *, shape):
        encoded = base.encode(self, truth, shape=shape)
        plain = (np.asarray(truth) >= 0)[None].astype(np.float32)
        return Encoded(encoded.values, plain.repeat(len(encoded.values), 0))

    with pytest.raises(ContractError, match="beside pixels that nobody knows"):
        check_target(broken(base, encode=encode)())


@pytest.mark.parametrize("base", [*OBJECTS, Spots, Semantic, Restore])
def test_encodings_of_another_shape_are_found(base):
    def encode(self, truth, /, *, shape):
        encoded = base.encode(self, truth, shape=shape)
        return Encoded(encoded.values[:, 1:], encoded.known[:, 1:])

    with pytest.raises(ContractError, match="of shape"):
        check_target(broken(base, encode=encode)(**OPTIONS.get(base, {})))


def test_a_loss_of_nothing_that_is_not_finite_is_found():
    def loss(self, output, truth, known, /):
        found, parts = Borders.loss(self, output, truth, known)
        return found / known.max(), parts

    with pytest.raises(ContractError, match="nothing is known"):
        check_target(broken(Borders, loss=loss)())


def test_the_target_of_the_how_to_keeps_the_contract_and_is_learned_by_name(tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-target.md"
    code = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[0]
    (tmp_path / "stroma_cores.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    cores = importlib.import_module("stroma_cores").Cores
    check_target(cores())
    monkeypatch.setattr(TARGETS, "_added", {})
    TARGETS.add("cores", cores)
    labels = np.zeros((48, 48), np.uint16)
    labels[5:22, 5:22], labels[25:45, 20:40] = 1, 2
    how = {"steps": 2, "patch": [32, 32], "network_options": {"features": [4, 8]}}
    image = np.random.default_rng(0).normal(labels > 0, 0.3).astype(np.float32)
    network = stroma.learn(image, labels, target="cores", **how)
    assert network.segment(image).shape == labels.shape


@pytest.mark.parametrize(
    "ways",
    [
        {"loss": lambda self, output, truth, known: output.mean()},
        {"score": lambda self, results, truths: {}},
        {"encode": lambda self, truth, shape: (np.zeros((2, *shape)), np.ones((1, *shape)))},
        {"decode": lambda self, prediction, **tunable: None},
        {"decode": lambda self, prediction: np.zeros(prediction.shape[1:], np.uint32)},
    ],
)
def test_methods_that_give_or_take_something_else_are_named_with_the_target(ways):
    with pytest.raises(ContractError, match="Broken"):
        check_target(broken(Borders, **ways)())
