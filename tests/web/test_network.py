"""The page says that a network answers, and hands it out."""

import numpy as np
from tests.session.scene import paint_halves, settle

import stroma
from random_network import random_network
from stroma.cli.paint import take_model
from stroma.io import write_image
from stroma.session import Session
from stroma.web import exports
from stroma.web.state import described


def test_the_page_says_that_a_network_answers_until_strokes_do(tmp_path):
    network = random_network()
    model = network.save(tmp_path / "cells.safetensors")
    halves = np.random.default_rng(0).normal(100, 5, (64, 96)).astype(np.float32)
    halves[:, 48:] += 60
    image = write_image(tmp_path / "a.tif", halves, axes="yx")
    with Session.create(tmp_path / "p.stroma", "gaussian") as session:
        key = session.add_image(image)
        take_model(session, model)
        state = described(session, "")
        assert state["applied"].startswith("A trained network says what is seen")
        assert state["trained"]
        kept = tmp_path / "p.stroma" / "results" / exports.save_model(session, {})
        assert stroma.load(kept).fingerprint() == network.fingerprint()
        session.look(key)
        paint_halves(session, key)
        settle(session)
        assert described(session, "")["applied"] == ""
        assert exports.save_model(session, {}) == "model.pkl"
