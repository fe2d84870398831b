"""What reaches the page is said in the words of people who paint."""

from __future__ import annotations

import io

import numpy as np
import pytest
from tests.web.served import served

from stroma.data.image import Image
from stroma.errors import ShapeError, WeightsError
from stroma.session import Session
from stroma.session.words import CODE, UNKNOWN, plain, said
from stroma.web import fields, pretrained
from stroma.weights import fetch
from stroma.weights.http import UnreachableError


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (
            "The model has 3 channels. Pass in_channels, or set channel_mode.",
            "The model has 3 channels.",
        ),
        ("It has {'z': 3, 'y': 256, 'x': 200} pixels.", "It has 3 planes of 256 x 200 pixels."),
        ("It has {'y': 256, 'x': 200} pixels.", "It has 256 x 200 pixels."),
        ("ValueError: the disk is full", "the disk is full"),
        ("a.npy: damaged. header=b'hell' is no header.", "a.npy: damaged."),
        ("Use numpy.nan_to_num(image).", UNKNOWN),
        ("Save it first (in Python: save_as(folder)).", "Save it first."),
        (
            "It has 3 channels (shape (3, 8, 8)). Pass fe_name=None.",
            "It has 3 channels (shape 3 x 8 x 8).",
        ),
        ("Untick one (the first).", "Untick one (the first)."),
        ("cells(a).tif is cut short. Copy it.", "cells(a).tif is cut short. Copy it."),
        ("The image cells(1) is gone.", "The image cells(1) is gone."),
        ("a.tif is there. Replace it with overwrite=True.", "a.tif is there."),
        ("Labels go with images. Name them with --strokes.", "Labels go with images."),
        ("[Errno 28] No space left on device", "No space left on device"),
        (
            "my_cells_01.tif has no pixels. Export it again.",
            "my_cells_01.tif has no pixels. Export it again.",
        ),
    ],
)
def test_sentences_about_code_are_left_out(written, wanted) -> None:
    assert plain(written) == wanted


def test_what_is_long_comes_after_a_sentence_that_says_it(monkeypatch) -> None:
    why = "<urlopen error [Errno -2] Name unknown>"
    there = "https://x/y cannot be reached"
    monkeypatch.setattr("stroma.weights.hub.is_offline", lambda: False)

    def refuse(*args: object) -> None:
        raise UnreachableError(f"{there}: {why}.")

    monkeypatch.setattr("stroma.weights.download.to_shelf", refuse)
    with pytest.raises(WeightsError) as caught:
        fetch("vgg16")
    first, rest = said(caught.value).split("\n\n")
    assert first == "The pretrained network is not on this machine and could not be downloaded."
    assert f"{there}: Name unknown." in rest


def npy(header: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def stored(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def test_nothing_that_the_page_is_told_speaks_of_code(tmp_path) -> None:
    """The mishaps of a first hour, as they reach the page."""
    with Session.create(tmp_path / "a.stroma", mode="demand") as session:
        session.add_image(Image(np.random.default_rng(0).random((3, 48, 64)), "cyx"), name="rgb")
        session.add_image(Image(np.random.default_rng(0).random((5, 48, 64)), "zyx"), name="stack")
        heard = []
        with served(session) as client, client.tab() as tab:
            heard += [
                client.post(f"/uploads/images?name={name}", body).body.decode()
                for name, body in {
                    "header.npy": npy(b"hell"),
                    "text.tif": b"text",
                    "none.npy": stored(np.full((8, 8), np.nan)),
                    "words.npy": stored(np.array(["a", "b"])),
                    "flat.npy": stored(np.zeros(8)),
                }.items()
            ]
            size = stored(np.ones((10, 12), np.uint8))
            heard.append(client.post("/uploads/strokes?image=1&name=s.npy", size).body.decode())
            for command in ("train", "validate", "importance", "save-model", "code"):
                heard.append(str(tab.ask(command).get("error", "")))
            for label, points in ((1, [(5, 5), (5, 20)]), (2, [(30, 5), (30, 20)])):
                for image in ("1", "2"):
                    session.paint(image, points, label=label)
            tab.send("train")
            while not (state := tab.until(event="state")["state"])["message"] or state["working"]:
                pass
            heard += [state["message"], state["mixed"]]
            wanted = {"format": ".png", "probabilities": False, "overlay": False, "tables": False}
            heard.append(str(tab.ask("export", images=["1", "2"], **wanted).get("error", "")))
    assert sum(map(bool, heard)) > 8
    for text in heard:
        assert not CODE.search(text), text


def test_an_error_of_the_package_keeps_what_a_person_can_use() -> None:
    error = ShapeError("first.tif has 1 channel, second.tif has 3. Untick two of them.")
    assert said(error) == str(error)


def test_of_every_extractor_it_is_said_what_it_is_good_for_and_what_it_needs(session) -> None:
    listed = {one["alias"]: one for one in pretrained.extractors(session, {})}
    assert {"stroma", "vgg", "dino", "ilastik"} <= set(listed)
    assert [name for name, one in listed.items() if not one["good"]] == []
    assert listed["stroma"]["state"] == "here"
    for one in listed.values():
        assert (one["state"] == "missing") == bool(one["problem"])
        assert (one["state"] == "download") == (one["megabytes"] > 0 and not one["problem"])


def test_every_control_of_the_model_says_what_a_change_does_and_costs() -> None:
    for field in (*fields.FEATURES, *fields.CLASSIFIER):
        assert field.help.count(".") >= 2, field.name
