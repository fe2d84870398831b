"""What an encoder makes of an image is computed once, whoever asks first."""

from contextlib import contextmanager

import numpy as np
import pytest
import tifffile

from patience import PATIENCE
from stroma.blocks.box import Box
from stroma.cli.app import main
from stroma.data.image import Image
from stroma.prompts.sam.engine import FOLDER, Sam
from stroma.prompts.sam.kept import Kept
from stroma.session import Session
from stroma.workflow.prompting.everything import find_everything
from stroma.workflow.prompting.prompt import prompt_file


@pytest.fixture
def calls(monkeypatch):
    """Count what the encoder is shown."""
    seen = []
    encode = Sam._encode
    monkeypatch.setattr(Sam, "_encode", lambda *args: seen.append(1) or encode(*args))
    return seen


@pytest.fixture
def kept(sam_file, tmp_path, monkeypatch):
    """Return an image on disk, with weights and a folder of embeddings that all know."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "sam_vit_b.safetensors").write_bytes(sam_file.read_bytes())
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv(FOLDER, str(tmp_path / "embeddings"))
    image = np.random.default_rng(0).integers(0, 4000, (100, 120), np.uint16)
    tifffile.imwrite(tmp_path / "cells.tif", image)
    return tmp_path / "cells.tif"


@contextmanager
def opened(file):
    with Session.create(file.with_name("cells.stroma")) as session:
        yield session, session.add_image(file)


def in_session(file):
    with opened(file) as (session, key):
        proposal = session.propose(key, points=[(50, 60)], view=Box(0, 0, 100, 120), engine="sam")
        return proposal.mask


def in_batch(file):
    out = file.with_name("objects.tif")
    prompt_file(file, None, out, boxes=["20,20,60,60"], engine="sam", overwrite=True)
    return tifffile.imread(out)


def by_command(file):
    out = file.with_name("said.tif")
    said = ["prompt", str(file), "--box", "20,20,60,60", "--engine", "sam", "--out", str(out)]
    with pytest.raises(SystemExit) as ended:
        main([*said, "--overwrite"])
    assert not ended.value.code
    return tifffile.imread(out)


def all_objects(file):
    with opened(file) as (session, key):
        return session.find_everything(key, engine="sam").result(PATIENCE)


def by_function(file):
    return find_everything(tifffile.imread(file), engine="sam")


EVERYONE = (in_session, in_batch, by_command, by_function)


@pytest.mark.parametrize("first", EVERYONE)
def test_an_image_is_embedded_once_for_all(kept, calls, first):
    first(kept)
    assert len(calls) == 1
    for other in EVERYONE:
        for path in kept.parent.glob("cells.stroma*"):
            path.rename(path.with_name(f"old {len(list(kept.parent.iterdir()))}"))
        other(kept)
    assert len(calls) == 1


def test_all_objects_of_a_session_take_what_its_clicks_left(kept, calls):
    in_session(kept)
    next(kept.parent.glob("cells.stroma*")).rename(kept.parent / "old")
    all_objects(kept)
    assert len(calls) == 1


def test_answers_from_disk_are_those_of_the_image(kept, calls, monkeypatch):
    before = in_batch(kept)
    assert np.array_equal(in_batch(kept), before)
    assert len(calls) == 1
    monkeypatch.delenv(FOLDER)
    assert np.array_equal(in_batch(kept), before)
    assert len(calls) == 2


def test_parts_of_a_large_image_are_embedded_once_each(sam_file, tmp_path, calls, monkeypatch):
    image = np.random.default_rng(1).integers(0, 4000, (1, 150, 300), np.uint16)
    engine = Sam(weights=sam_file, cache=tmp_path)
    engine.set_image(image)
    engine.predict(points=[[75, 250]])
    assert len(calls) == 2  # the whole, and the part around the click
    again = Sam(weights=sam_file, cache=tmp_path)
    again.set_image(image)
    again.predict(points=[[75, 250]])
    assert len(calls) == 2
    again.predict(points=[[75, 20]])
    assert len(calls) == 3


def test_another_image_or_network_is_embedded_anew(kept, calls, sam_file, tmp_path):
    in_batch(kept)
    image = tifffile.imread(kept)
    image[0, 0] += 1
    tifffile.imwrite(kept, image)
    in_batch(kept)
    assert len(calls) == 2
    assert Kept(tmp_path / "embeddings", "other").get(0) is None


def test_crops_that_an_object_is_carried_through_are_not_kept(kept, calls, tmp_path):
    frames = np.random.default_rng(0).integers(0, 4000, (3, 200, 300), np.uint16)
    labels = np.zeros(frames.shape, np.int32)
    labels[0, 20:40, 20:40] = 1
    with Session.create(tmp_path / "movie.stroma") as session:
        key = session.add_image(Image(frames, "tyx"), name="movie.tif")
        session.look(key, plane={"t": 0})
        session.set_objects(key, labels)
        assert session.wait(PATIENCE)
        session.carry_object(key, 1, plane={"t": 0}, engine="sam").result(PATIENCE)
    assert calls
    assert not (tmp_path / "embeddings").exists()
