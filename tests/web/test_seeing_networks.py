"""Networks whose features the page uses: sent as a file, or fetched by an id."""

from __future__ import annotations

import pytest
from tests.web.browsing import paint_both
from tests.web.served import PATIENCE
from tests.zoo.programs import refused, seeing

from stroma.features import EXTRACTORS


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Names are forgotten afterwards."""
    monkeypatch.setattr(EXTRACTORS, "_added", {})


@pytest.fixture
def package(tmp_path):
    pytest.importorskip("onnxruntime")
    return seeing(tmp_path / "nuclei.zip")


def test_a_network_that_is_sent_is_seen_with_and_kept_in_the_project(client, session, package):
    answer = client.post("/uploads/networks?name=nuclei.zip&own=", package.read_bytes())
    assert answer.status == 200
    name = session.settings.param.fe_name
    assert name.startswith("nuclei_")
    assert (session.path / "networks" / name / "nuclei.zip").is_file()
    assert not list(session.path.glob(".import-*"))


def test_what_cannot_see_is_refused_by_its_name(client, session, tmp_path):
    path = refused(tmp_path / "odd.zip")
    for name, body, words in (
        (
            "odd.zip",
            path.read_bytes(),
            "only if you trust who made it",
        ),
        ("a.zip", b"none", "a.zip is no model package"),
        ("a.pkl", b"none", "has the ending '.pkl'"),
    ):
        answer = client.post(f"/uploads/networks?name={name}&own=yes", body)
        assert answer.status == 400
        assert words in answer.body.decode()
        assert str(session.path) not in answer.body.decode()
    assert session.settings.param.fe_name == "texture_2d+color_2d"


def test_a_network_is_chosen_and_strokes_learn_with_it(page, session, package) -> None:
    page.click("#tab-model")
    page.click("#see-with")
    page.set_input_files("#network-file", package)
    page.wait_for_selector("#notices >> text=The model sees with nuclei.zip now")
    page.wait_for_function(
        "() => document.querySelector('#alias').selectedOptions[0].text"
        ' === "Stroma\'s features and nuclei.zip"'
    )
    assert "+nuclei_" in session.settings.param.fe_name
    page.click("#tab-paint")
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    assert session.wait(PATIENCE)
    assert session.status.trained == session.revision


def test_what_is_no_id_is_said(page, session) -> None:
    page.click("#tab-model")
    page.click("#see-with")
    page.fill("#network-id", "../secret")
    page.click("#network-fetch")
    page.wait_for_selector("#notices >> text=An id of bioimage.io is words with dashes")
    assert session.settings.param.fe_name == "texture_2d+color_2d"
