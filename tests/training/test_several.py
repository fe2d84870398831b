"""Several targets in one network: classes, objects and points of the same images."""

import numpy as np
import pytest
from scipy import ndimage
from tests.training.conftest import SMALL

import stroma
from stroma.errors import ParameterError
from stroma.io import read_image, write_image
from stroma.io.points import read_points
from stroma.networks.cellpose import Cellpose
from stroma.networks.unet import UNet
from stroma.targets.contract import Facts
from stroma.targets.semantic import Semantic
from stroma.targets.several import Several
from stroma.training.feeding.normalise import Normalisation
from stroma.training.planning.options import Options
from stroma.training.predicting.members import Head, Inverted
from stroma.training.predicting.predictor import NetworkPredictor
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files

FACTS = Facts(2, {0: 50, 1001: 10, 2001: 10, 2002: 10}, diameters=(3.0, 5.0))


@pytest.fixture(scope="module")
def objects(scenes):
    return [ndimage.label(labels)[0].astype(np.int32) for _, labels in scenes]


@pytest.fixture(scope="module")
def both(scenes, objects):
    images = [image for image, _ in scenes]
    return stroma.learn(
        images[:5],
        objects[:5],
        target="semantic+distances+counts",
        steps=80,
        network="unet",
        **SMALL,
    )


def test_one_network_finds_classes_objects_and_points(both, scenes, objects):
    found = both.segment(scenes[5][0])
    assert list(found) == ["semantic", "distances", "counts"]
    front = objects[5] > 0
    assert (found["semantic"] == front).mean() > 0.9
    assert ((found["distances"] > 0) == front).mean() > 0.9
    assert found["counts"].shape[1] == 3
    scores = both.evaluate([scenes[5][0]], [objects[5]])
    assert scores["semantic mean iou"] > 0.7
    assert scores["mean"] == pytest.approx(
        np.mean([scores["semantic mean iou"], scores["distances ap50"], scores["counts f1"]])
    )


def test_each_head_gives_what_the_whole_predicts_and_is_decoded_as_tuned(both, scenes):
    image = scenes[5][0]
    whole = both.predict_probas(image)
    parts = [head.predict_probas(image) for head in both.heads.values()]
    assert np.concatenate(parts) == pytest.approx(whole, abs=1e-5)
    tuned = {f"distances {k}": v for k, v in both.heads["distances"].decoding_.items()}
    assert tuned
    assert tuned.items() <= both.decoding_.items()
    with pytest.raises(ParameterError, match="part of a network"):
        both.heads["counts"].save("counts.safetensors")


@pytest.mark.parametrize("around", [lambda network: Head(network, 0, 1), Inverted])
def test_what_is_around_a_network_is_shown_the_blocks_of_the_network(around):
    network = Cellpose(1, 2, features=(2, 2, 2, 2))
    network.blind = True
    one = around(network)
    predictors = [
        NetworkPredictor(m, Semantic((0, 1)), Normalisation(("none",)), None, (16, 16))
        for m in (network, one)
    ]
    told = [(p.halo, p.stride, p.step) for p in predictors]
    assert told[0] == told[1] == (None, (1, 8, 8), 0.75)
    assert one.blind
    assert not hasattr(around(UNet(1, 2, features=(2, 2))), "step")


def test_every_head_writes_its_file(both, scenes, tmp_path):
    write_image(tmp_path / "a.tif", scenes[5][0], axes="yx")
    kept = stroma.load(both.save(tmp_path / "both.safetensors"))
    done = segment_files(kept, [tmp_path / "a.tif"], tmp_path / "out")
    names = ["a_labels.tif", "a_objects.tif", "a_points.csv"]
    assert [p.name for p in done.files[0].outputs] == names
    found = both.segment(scenes[5][0])
    for name, head in (("a_labels.tif", "semantic"), ("a_objects.tif", "distances")):
        assert (read_image(tmp_path / "out" / name).read() == found[head]).all()
    assert read_points(tmp_path / "out" / "a_points.csv") == pytest.approx(
        found["counts"][:, :2], abs=1e-3
    )
    again = segment_files(kept, [tmp_path / "a.tif"], tmp_path / "out")
    assert again.files[0].status == "skipped"


@pytest.fixture
def wide(scenes):
    """An image of two blocks, with objects on the border between them."""
    image = np.concatenate([scenes[n][0] for n in (4, 5)] * 5, axis=1)
    assert image.shape[1] > 512
    return image


def looks(network):
    """Return a list that grows with every block that a network looks at."""
    seen = []
    network.module.register_forward_hook(lambda *_: seen.append(1))
    return seen


def test_all_heads_are_decoded_from_one_look_at_every_block(both, wide, tmp_path):
    parts = {name: head.segment(wide, mirror=False) for name, head in both.heads.items()}
    seen = looks(both)
    found = both.segment(wide, mirror=False)
    assert len(seen) == 2
    for name, part in parts.items():
        np.testing.assert_array_equal(found[name], part)
    assert len(np.unique(found["distances"])) > 10
    image = write_image(tmp_path / "a.tif", wide, axes="yx")
    told = []
    wanted = Outputs(mirror=False, format=".zarr")
    how = {"outputs": wanted, "progress": told.append, "finished": told.append}
    done = segment_files(both, [image], tmp_path / "out", **how)
    assert not done.failed, str(done)
    assert len(seen) == 4
    assert [(p.done, p.total) for p in told[:-1]] == [(1, 2), (2, 2)]
    assert told[-1] == done.files[0]
    for name, head in (("a_labels.zarr", "semantic"), ("a_objects.zarr", "distances")):
        np.testing.assert_array_equal(read_image(tmp_path / "out" / name).read(), parts[head])


def test_of_what_was_cut_off_only_the_missing_heads_are_written(both, scenes, tmp_path):
    image = write_image(tmp_path / "a.tif", scenes[5][0], axes="yx")
    segment_files(both, [image], tmp_path / "out")
    (tmp_path / "out" / "a_points.csv").unlink()
    before = (tmp_path / "out" / "a_labels.tif").stat().st_mtime_ns
    again = segment_files(both, [image], tmp_path / "out")
    assert again.files[0].status == "done"
    assert (tmp_path / "out" / "a_points.csv").exists()
    assert (tmp_path / "out" / "a_labels.tif").stat().st_mtime_ns == before


def test_what_lies_outside_a_mask_is_left_out_of_all_heads(both, wide, tmp_path):
    image = write_image(tmp_path / "a.tif", wide, axes="yx")
    inside = np.zeros(wide.shape, np.uint8)
    inside[:, 400:] = 1
    mask = write_image(tmp_path / "mask.tif", inside, axes="yx")
    done = segment_files(both, [image], tmp_path / "out", outputs=Outputs(mask=mask))
    assert not done.failed, str(done)
    for name in ("a_labels.tif", "a_objects.tif"):
        found = read_image(tmp_path / "out" / name).read()
        assert not found[:, :400].any()
        assert found[:, 400:].any()
    assert (read_points(tmp_path / "out" / "a_points.csv")[:, 1] > 399).all()


def test_classes_are_those_of_the_numbers_of_objects():
    target = Several.made_for(FACTS, heads=["semantic", "boundary"], divisor=1000)
    assert target.targets["semantic"].labels == (0, 1, 2)
    labels = np.array([[0, 1002, 2001, -1]])
    assert target.seen_by("semantic", labels).tolist() == [[0, 1, 2, -1]]
    assert target.seen_by("boundary", labels) is labels


def test_blocks_are_as_wide_as_the_head_needs_that_looks_farthest():
    target = Several.made_for(FACTS, heads=["semantic", "distances"])
    assert target.context == target.targets["distances"].context > 0


def test_points_are_not_taught_where_nobody_knows():
    target = Several.made_for(FACTS, heads=["semantic", "spots"])
    labels = np.zeros((8, 8), np.int32)
    labels[:, 4:] = -1
    known = target.encode(labels, shape=(8, 8)).known[target.places["spots"]]
    assert known[0, :, :4].all()
    assert not known[:, :, 4:].any()


def test_a_weight_is_that_of_a_loss():
    import torch

    losses = []
    for weight in (1.0, 3.0):
        target = Several.made_for(FACTS, heads=["semantic", "counts"], weights={"counts": weight})
        encoded = target.encode(np.eye(8, dtype=np.int32), shape=(8, 8))
        output = torch.ones(1, 3, 8, 8)
        values, known = (torch.from_numpy(v)[None] for v in (encoded.values, encoded.known))
        losses.append(target.loss(output, values, known))
    gain = losses[1][0] - losses[0][0]
    assert gain == pytest.approx(2 * losses[0][1]["counts error"].item(), rel=1e-5)


def test_what_cannot_be_learned_together_is_refused_with_advice():
    with pytest.raises(ParameterError, match="both find instances"):
        Several.made_for(FACTS, heads=["rays", "flows"])
    with pytest.raises(ParameterError, match="learns from image"):
        Several.made_for(FACTS, heads=["rays", "restore"])
    with pytest.raises(ParameterError, match="two at least"):
        Several.made_for(FACTS, heads=["rays"])
    with pytest.raises(ParameterError, match="'flows' is none of semantic, rays"):
        Several.made_for(FACTS, heads=["semantic", "rays"], weights={"flows": 2})


def test_a_sum_of_names_is_several_targets_with_options_by_name():
    options = Options(target="semantic + rays", target_options={"rays": {"rays": 8}, "divisor": 9})
    assert options.target == "several"
    assert options.target_options == {"divisor": 9, "heads": {"semantic": {}, "rays": {"rays": 8}}}
