"""Models in files: taken over from the page, and what is no model is said."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from tests.web.browsing import paint_both
from tests.web.served import PATIENCE

from stroma.pixel.model import ConvpaintModel


def model_file(folder: Path) -> Path:
    """Return a trained model in a file: bright is class 2."""
    labels = np.zeros((48, 64), np.uint16)
    labels[:, :10], labels[:, -10:] = 1, 2
    model = ConvpaintModel("gaussian")
    model.set_params(clf_iterations=20)
    model.train(np.broadcast_to(np.arange(64, dtype=np.float32), (48, 64)), labels)
    model.save(folder / "model.pkl")
    return folder / "model.pkl"


def test_a_model_that_is_sent_segments_until_strokes_train_another(client, session, tmp_path):
    session.set_mode("demand")
    body = model_file(tmp_path).read_bytes()
    assert client.post("/uploads/models?name=model.pkl", body).status == 200
    session.look("1")
    assert session.wait(PATIENCE)
    assert session.status.trained >= 0
    assert set(np.unique(session.result("1").values)) <= {1, 2}
    assert session.result("1").values.all()
    assert not list(session.path.glob(".import-*"))


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.pkl", b"cos\nsystem\n(S'true'\ntR.", "The model was not loaded"),
        ("a.pkl", b"", "The model was not loaded"),
        ("a.safetensors", b"none", "The model was not loaded"),
        ("a.zip", b"none", "The model was not loaded"),
        ("a.pt", b"none", "has the ending '.pt'"),
        ("../a.pkl", b"none", "no folders in it"),
    ],
)
def test_what_is_no_model_is_said_and_changes_nothing(client, session, name, body, said):
    answer = client.post(f"/uploads/models?name={quote(name, safe='')}", body)
    assert answer.status == 400
    assert said in answer.body.decode()
    assert str(session.path) not in answer.body.decode()
    assert session.status.trained < 0
    assert not list(session.path.glob(".import-*"))


def test_only_the_page_may_send_a_model(client, session) -> None:
    path = "/uploads/models?name=a.pkl"
    for headers in (
        {"Cookie": f"{client.address.cookie}=wrong"},
        {"Origin": "http://evil.example"},
    ):
        assert client.post(path, b"none", **headers).status == 403
    assert client.get(path).status == 405


def test_a_model_of_a_file_is_loaded_and_segments(page, session, tmp_path) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    session.model.save(tmp_path / "kept.pkl")
    session.set_alias("gaussian")
    page.click("#tab-model")
    page.wait_for_function("() => document.querySelector('#alias').value === 'gaussian'")
    page.set_input_files("#model-file", tmp_path / "kept.pkl")
    page.wait_for_selector("#notices >> text=kept.pkl is the model now")
    page.wait_for_function("() => document.querySelector('#alias').value !== 'gaussian'")
