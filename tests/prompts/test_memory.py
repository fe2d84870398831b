"""SAM 2's memory of frames: what ``transformers`` gives, and how much of a movie is held."""

import json
from itertools import pairwise

import numpy as np
import pytest
import tifffile
import torch
from transformers import Sam2VideoInferenceSession

import stroma
from patience import PATIENCE
from random_sam import SAM2_MEMORY, SIDE, as_authors_of_sam2
from random_weights import remembering_tensors
from stroma.backbones.loading import pretrained
from stroma.cli.app import main
from stroma.errors import FormatError, ParameterError, ShapeError
from stroma.prompts.carry import HIDDEN, Carrying, carried
from stroma.prompts.graph import Graph
from stroma.prompts.sam import sam2
from stroma.prompts.sam.memory import Memory, shown
from stroma.prompts.sam.sam2 import Sam2Tiny
from stroma.prompts.sam.windows import windows
from stroma.session import Session

CPU = torch.device("cpu")
SHAPE = (90, 120)


def movie(count):
    """Return frames (1, y, x) of a disc that moves, and where it is on the first."""
    y, x = np.indices(SHAPE)
    discs = [(y - 40) ** 2 + (x - 40 - 3 * t) ** 2 < 200 for t in range(count)]
    noise = np.random.default_rng(0)
    frames = [(100.0 * d + noise.normal(20, 3, SHAPE)).astype(np.float32)[None] for d in discs]
    return frames, discs[0]


@pytest.fixture(scope="module")
def engine(sam2_memory_folder):
    return Sam2Tiny(weights=sam2_memory_folder)


def logits_of(engine, frames, mask, *, kept):
    """Return what the memory says of every frame but the first, and how many it held at most."""
    memories, found = [], []

    class Watched(Memory):
        def follow(self, levels):
            logits = super().follow(levels)
            found.append(logits.numpy().copy())
            memories.append(self.session.held)
            return logits

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sam2, "Memory", Watched)
        planes = ((values, False) for values in frames)
        masks = list(engine.followed(planes, mask, count=len(frames), frames=kept))
    return found[1:], masks, max(memories)


def those_of_transformers(engine, frames, mask, folder):
    """Return what the whole movie gives at once, in memory that grows with it."""
    pixels = []
    for values in frames:
        engine.set_image(values)
        image = engine._image
        window = image.windows[0]
        pixels.append(sam2_input(image, window))
    network = pretrained("sam2_hiera_tiny_memory", path=str(folder), device=CPU)
    session = Sam2VideoInferenceSession(video=torch.cat(pixels), dtype=torch.float32)
    session.add_mask_inputs(session.obj_id_to_idx(1), 0, sam2.shown(mask, window, SIDE))
    session.obj_with_new_inputs = [1]
    found = network.propagate_in_video_iterator(session, start_frame_idx=0)
    return [one.pred_masks.numpy() for one in found][1:]


def sam2_input(image, window):
    from stroma.prompts.sam.preprocess import input_of

    return input_of(image.read(window), window, image.side)


def test_masks_are_those_of_transformers_own_session(engine, sam2_memory_folder):
    frames, mask = movie(10)
    known = those_of_transformers(engine, frames, mask, sam2_memory_folder)
    found, _, _ = logits_of(engine, frames, mask, kept=15)
    assert np.std(known) > 0.1
    assert all(np.abs(a - b).max() > 1e-2 for a, b in pairwise(known))  # frames differ
    np.testing.assert_allclose(found, known, atol=1e-4)


def test_a_long_movie_is_followed_in_memory_that_does_not_grow(engine, sam2_memory_folder):
    frames, mask = movie(24)
    known = those_of_transformers(engine, frames, mask, sam2_memory_folder)
    found, _, held = logits_of(engine, frames, mask, kept=15)
    assert held == 16
    np.testing.assert_allclose(found, known, atol=1e-4)
    few, _, held = logits_of(engine, frames, mask, kept=3)
    assert held == 4
    assert not np.allclose(few, known, atol=1e-4)


def test_checkpoints_of_the_authors_are_followed_likewise(engine, tmp_path):
    named = as_authors_of_sam2(remembering_tensors())
    assert "memory_encoder.mask_downsampler.encoder.12.weight" in named
    assert "obj_ptr_proj.layers.2.bias" in named
    torch.save({"model": {k: torch.tensor(v) for k, v in named.items()}}, tmp_path / "own.pt")
    (tmp_path / "own.json").write_text(json.dumps(SAM2_MEMORY))
    frames, mask = movie(4)
    found, _, _ = logits_of(Sam2Tiny(weights=tmp_path / "own.pt"), frames, mask, kept=15)
    known, _, _ = logits_of(engine, frames, mask, kept=15)
    np.testing.assert_array_equal(found, known)


def test_settings_of_a_memory_that_is_no_such_are_refused(sam2_memory_folder, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(
        (sam2_memory_folder / "model.safetensors").read_bytes()
    )
    frames, mask = movie(2)
    for wrong, message in (
        ({"memory_attention_num_layers": 10**9}, r"layers of \d+ tensors"),
        ({"memory_attention_rope_feat_sizes": [10**6, 10**6]}, "256 cells a side"),
        ({"memory_encoder_output_channels": "x"}, "describe no SAM 2"),
    ):
        (tmp_path / "config.json").write_text(json.dumps(SAM2_MEMORY | wrong))
        with pytest.raises(FormatError, match=message):
            logits_of(Sam2Tiny(weights=tmp_path), frames, mask, kept=15)


class Remembers(Graph):
    """An engine that says where the object is on each plane."""

    def __init__(self, seen, able=True):
        super().__init__()
        self.seen, self.able, self.taken = seen, able, 0

    def remembers(self):
        return self.able

    def followed(self, planes, mask, *, count, frames):
        for number, _ in enumerate(planes):
            self.taken += 1
            if number:
                yield mask & bool(self.seen[number - 1])


def carried_by(seen, **how):
    frames, mask = movie(1)
    engine = Remembers(seen)
    planes = range(1, len(seen) + 1)
    read = [(frames[0], False)] * (len(seen) + 1)
    found = carried(engine, read.__getitem__, planes, mask, first=read[0], how=Carrying(**how))
    return [number for number, one in found if one.any()], engine.taken


def test_an_object_that_is_hidden_is_found_again_but_not_waited_for_for_ever():
    seen = [1, 0, 0, 1] + [0] * (HIDDEN + 1) + [1] * 9
    numbers, taken = carried_by(seen)
    assert numbers == [1, 4]
    assert taken == 1 + 4 + HIDDEN + 1
    assert carried_by(seen, reach=3)[0] == [1]
    assert carried_by([1, *[0] * HIDDEN, 1])[0] == [1, HIDDEN + 2]


def test_by_prompts_the_memory_is_not_asked():
    frames, mask = movie(2)
    engine = Remembers([1])
    read = [(frames[0], False)] * 2
    by_prompts = Carrying(by="prompts")
    found = list(
        carried(engine, read.__getitem__, range(1, 2), mask, first=read[0], how=by_prompts)
    )
    assert len(found) == 1
    assert engine.taken == 0
    engine.able = False  # auto, with weights that have none
    list(carried(engine, read.__getitem__, range(1, 2), mask, first=read[0], how=Carrying()))
    assert engine.taken == 0


def test_engines_and_weights_without_a_memory_say_so(sam2_folder):
    frames, mask = movie(2)
    read = [(frames[0], False)] * 2
    for engine, message in (
        (Graph(), "has no memory of frames"),
        (Sam2Tiny(weights=sam2_folder), "hold no memory of frames"),
    ):
        ways = carried(
            engine, read.__getitem__, range(1, 2), mask, first=read[0], how=Carrying(by="memory")
        )
        with pytest.raises(ParameterError, match=message):
            list(ways)
    assert not Sam2Tiny(weights=sam2_folder).remembers()
    with pytest.raises(ParameterError, match="by is one of auto, prompts, memory"):
        Carrying(by="luck")
    with pytest.raises(ParameterError, match="frames are at least 1"):
        Carrying(frames=0)


def test_frames_of_other_sizes_are_refused(engine):
    frames, mask = movie(1)
    planes = [(frames[0], False), (frames[0][:, :40], False)]
    with pytest.raises(ShapeError, match="as large as the first"):
        list(engine.followed(planes, mask, count=2, frames=15))


def test_objects_are_carried_by_memory_from_python(engine):
    frames, _ = movie(4)
    image = stroma.Image(np.stack([f[0] for f in frames]), "tyx")
    box = [[1, 25, 25, 1, 55, 60]]
    by_memory = stroma.prompt(image, boxes=box, engine=engine, carry=Carrying(by="memory"))
    start = by_memory[1] == 1
    forward, _, _ = logits_of(engine, frames[1:], start, kept=15)
    assert start.any()
    masks = list(engine.followed([(f, False) for f in frames[1:]], start, count=3, frames=15))
    assert len(forward) == 2
    np.testing.assert_array_equal(by_memory[2] == 1, masks[0])
    np.testing.assert_array_equal(by_memory[3] == 1, masks[1])


@pytest.fixture
def known_weights(sam2_memory_folder, tmp_path, monkeypatch):
    """Weights where engines look that are named alone."""
    for kind, name in (("safetensors", "model"), ("json", "config")):
        content = (sam2_memory_folder / f"{name}.{kind}").read_bytes()
        (tmp_path / f"sam2_hiera_tiny.{kind}").write_bytes(content)
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))


def test_a_session_carries_by_memory(known_weights, tmp_path, monkeypatch):
    frames, _ = movie(4)
    with Session.create(tmp_path / "cells.stroma") as session:
        key = session.add_image(stroma.Image(np.stack([f[0] for f in frames]), "tyx"), name="a.tif")
        session.look(key, plane={"t": 0})
        session.commit_object(session.propose(key, points=[(40.5, 40.5)], plane={"t": 0}))
        assert session.wait(PATIENCE)
        monkeypatch.setattr(Sam2Tiny, "predict", None)  # it is not asked by prompts
        task = session.carry_object(key, 1, plane={"t": 0}, engine="sam2", by="memory")
        assert task.result(PATIENCE) == 3
        with pytest.raises(ParameterError, match="no memory of frames"):
            session.carry_object(key, 1, plane={"t": 0}, by="memory").result(PATIENCE)


def run(args):
    """Run the program, and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(args)
    return ended.value.code or 0


def test_the_command_line_says_how_objects_are_found_again(known_weights, tmp_path, capsys):
    frames, _ = movie(3)
    file, out = tmp_path / "movie.ome.tif", tmp_path / "objects.tif"
    stack = np.stack([f[0] for f in frames]).astype(np.uint8)
    tifffile.imwrite(file, stack, metadata={"axes": "TYX"}, ome=True)
    given = ["prompt", str(file), "--box", "0,25,25,0,55,60", "--engine", "sam2", "--out", str(out)]
    found = {}
    for by in ("memory", "prompts", "auto"):
        how = ["--carry", "2", "--carry-by", by, "--overwrite"]
        assert run([*given, *how]) == 0
        found[by] = tifffile.imread(out)
    assert found["memory"].any(axis=(1, 2)).all()
    assert np.array_equal(found["memory"], found["auto"])
    assert not np.array_equal(found["memory"], found["prompts"])
    assert run([*given, "--carry-by", "memory"]) != 0
    assert "--carry-by goes with --carry. Add that" in capsys.readouterr().err


def shown_of(size, *slices):
    """Return what the network is shown of rectangles in a square image, as an array."""
    mask = np.zeros((size, size), bool)
    for part in slices:
        mask[part] = True
    return shown(mask, windows(mask.shape, 1024)[0], 1024)[0, 0].numpy()


@pytest.mark.parametrize("size", [600, 1000, 1024, 1100, 4096])
def test_small_and_thin_objects_are_shown_wherever_they_lie(size):
    scale = 1024 / size
    for at in (0, 1, 2, 301):
        dot, line = np.s_[at : at + 1, at : at + 1], np.s_[at : at + 1, 10:590]
        seen = shown_of(size, dot)
        assert 1 <= seen.sum() <= max(4, 4 * scale**2)
        (columns,) = np.nonzero(shown_of(size, line).any(axis=0))
        assert (np.diff(columns) == 1).all(), "no gaps"
        assert len(columns) >= 580 * scale - 2


def test_a_thin_part_stays_on_a_large_object_whose_border_stays_where_it_was():
    square = shown_of(4096, np.s_[403:801, 403:801])
    assert 99**2 - 4 <= square.sum() <= 99**2  # 101 pixels each way are touched
    seen = shown_of(4096, np.s_[403:801, 403:801], np.s_[600, 801:1600])
    assert (seen >= square).all()
    (columns,) = np.nonzero(seen[150])
    assert columns.tolist() == list(range(101, 400))
    assert 200 <= seen.sum() - square.sum() <= 202  # and beside where it begins


def test_two_pixels_in_a_large_movie_are_carried(engine, monkeypatch):
    frames = [np.zeros((1, 1200, 1200), np.float32)] * 3
    mask = np.zeros((1200, 1200), bool)
    mask[700, 400:402] = True
    begun = []
    begin = Memory.begin
    monkeypatch.setattr(
        Memory, "begin", lambda own, maps, mask: begun.append(mask) or begin(own, maps, mask)
    )
    list(engine.followed([(f, False) for f in frames], mask, count=3, frames=15))
    assert begun[0].sum() >= 1
