"""Blocks on dask's workers: the same results, and clear words when workers are missing."""

import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
import tifffile

from stroma import ConvpaintModel
from stroma.blocks import distributed as stroma_distributed
from stroma.blocks.distributed import run_distributed
from stroma.errors import Cancelled, WorkerError
from stroma.features.pipeline import Pipeline
from stroma.io import read_image, write_image
from stroma.pixel.predicting import remote
from stroma.pixel.predicting.run import tasks_of

distributed = pytest.importorskip("distributed", reason="needs pip install 'stroma-seg[large]'")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", processes=True
        ) as made,
        distributed.Client(made, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def model(disks):
    image, _, strokes = disks
    made = ConvpaintModel("ilastik")
    made.set_params(clf_iterations=10, image_downsample=2)
    made.train(image, strokes)
    return made


def test_results_of_two_processes_are_those_of_threads(cluster, model, disks, tmp_path):
    image = disks[0]
    expected = model.predict_probas(image)
    np.save(tmp_path / "image.npy", image)
    with cluster.as_current():
        from_array = model.predict_probas(image, use_dask=True)
        from_path = model.predict_probas(tmp_path / "image.npy", use_dask=True)
        labels = model.segment(image, use_dask=True)
    np.testing.assert_array_equal(from_array, expected)
    np.testing.assert_array_equal(from_path, expected)
    assert (labels == model.segment(image)).all()


def test_volumes_of_two_processes_are_those_of_threads(cluster, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    volume = random.normal(size=(12, 36, 40)).astype(np.float32).cumsum(-1).cumsum(-3)
    strokes = np.zeros(volume.shape, np.uint8)
    strokes[1, :3], strokes[-1, -3:] = 1, 2
    spacing = {"z": 2.0, "y": 0.5, "x": 0.5}
    path = write_image(tmp_path / "a.zarr", volume, axes="zyx", spacing=spacing, unit="µm")
    layers = ["gaussian_s0.7", "hessian_s1.0", "gaussian_s1.6_2d"]
    model = ConvpaintModel(fe_name="ilastik_3d", fe_layers=layers, clf="logistic")
    model.set_params(image_downsample=[1, 2, 2], seg_smoothening=2)
    model.train(path, strokes)
    expected = model.segment(path)
    monkeypatch.setattr(Pipeline, "block_sides", lambda self, depth: (min(depth, 6), 16, 16))
    sent = []
    monkeypatch.setattr(remote, "_sent", lambda *a, was=remote._sent: sent.append(1) or was(*a))
    with cluster.as_current():
        model.segment(path, use_dask=True, out=tmp_path / "labels.zarr")
    np.testing.assert_array_equal(read_image(tmp_path / "labels.zarr").read(), expected)
    assert len(sent) > 4


@pytest.mark.parametrize("params", [{"edge_smoothing": 3}, {"crf": 1.0}, {"normalize": 1}], ids=str)
def test_all_that_a_plan_holds_travels(model, disks, params, monkeypatch):
    """Also what it knows of the whole image, which workers see a part of: here some pixels lack."""
    image, _, strokes = disks
    image = np.where(np.indices(image.shape)[1] < 9, np.float32(np.nan), image)
    model.set_params(ignore_warnings=True, image_downsample=1, **params)
    model.train(image, np.where(np.isnan(image), 0, strokes))
    monkeypatch.setattr("stroma.features.pipeline.VALUES_PER_BLOCK", 1)
    monkeypatch.setattr("stroma.pixel.predicting.plan.SIDE", 0)
    wide = np.tile(image, (3, 3))
    source, ready = model.open(wide), model.trained()
    found = np.zeros((2, *wide.shape), np.float32)
    for task in tasks_of(source, ready):
        sent = pickle.loads(pickle.dumps(remote._sent(task, 1)))
        for result in remote._compute(sent, ready):
            found[(slice(None), *result.index)] = result.probabilities
    np.testing.assert_array_equal(found, model.predict_probas(wide))


def test_the_parameter_asks_for_dask_as_well(cluster, model, disks):
    before = cluster.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
    model.set_param("use_dask", True)
    with cluster.as_current():
        model.segment(disks[0])
    after = cluster.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
    assert after > before


def slow_square(number, shared):
    time.sleep(0.1)
    return number**2 + shared, os.getpid()


def test_blocks_of_a_killed_worker_are_done_by_others(cluster):
    results = run_distributed(slow_square, range(30), cluster, shared=1000)
    first, victim = next(results)
    assert first == 1000
    os.kill(victim, signal.SIGKILL)
    assert [value for value, _ in results] == [n**2 + 1000 for n in range(1, 30)]


def test_results_keep_their_order_and_can_be_cancelled(cluster):
    asked = []
    results = run_distributed(
        slow_square,
        range(1000),
        cluster,
        shared=0,
        cancel=lambda: asked.append(1) or len(asked) > 12,
    )
    assert next(results)[0] == 0
    with pytest.raises(Cancelled):
        list(results)


def test_a_scheduler_without_workers_is_reported_within_seconds(monkeypatch, model, disks):
    monkeypatch.setattr(stroma_distributed, "PATIENCE", 0.5)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        distributed.Client(empty),
        pytest.raises(WorkerError, match=r"no workers for 0\.5 seconds.*dask worker"),
    ):
        model.segment(disks[0], use_dask=True)


def test_losing_all_workers_half_way_is_reported_within_seconds(monkeypatch):
    monkeypatch.setattr(stroma_distributed, "PATIENCE", 1.0)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0", processes=False
        ) as single,
        distributed.Client(single) as client,
    ):
        results = run_distributed(slow_square, range(100), client, shared=0)
        next(results)
        threading.Thread(target=single.scale, args=(0,)).start()
        with pytest.raises(WorkerError, match="no workers"):
            list(results)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch, model, disks):
    from dask import config

    monkeypatch.setattr(stroma_distributed, "PATIENCE", 0.5)
    with (
        config.set({"scheduler-address": "tcp://127.0.0.1:9"}),
        pytest.raises(WorkerError, match=r"127\.0\.0\.1:9"),
    ):
        model.segment(disks[0], use_dask=True)


def test_workers_read_the_same_image_of_a_file_that_holds_several(cluster, model, disks, tmp_path):
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(disks[0][::-1, ::-1], metadata={"axes": "YX"})
        file.write(disks[0], metadata={"axes": "YX"})
    second = read_image(path, series=1)
    with cluster.as_current():
        from_workers = model.predict_probas(second, use_dask=True)
    np.testing.assert_array_equal(from_workers, model.predict_probas(disks[0]))


def test_workers_read_a_file_again_after_it_changed(cluster, model, disks, tmp_path):
    pixels = ((disks[0] + 3) * 20).clip(0, 255).astype(np.uint8)
    for now in (pixels, pixels[::-1, ::-1]):
        write_image(tmp_path / "image.png", now, axes="yx")
        with cluster.as_current():
            from_workers = model.predict_probas(tmp_path / "image.png", use_dask=True)
        np.testing.assert_array_equal(from_workers, model.predict_probas(now))
