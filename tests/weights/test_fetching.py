import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.numpy import save, save_file

from stroma import weights
from stroma.errors import (
    FormatError,
    MissingExtraError,
    MissingFileError,
    UnknownNameError,
    WeightsError,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FIRST_LAYER = ("features.0.weight", "features.0.bias")
FILE = "/timm/vgg16.tv_in1k/resolve/main/model.safetensors"


def assert_first_layer(loaded, vgg):
    assert set(loaded.values) == set(FIRST_LAYER)
    for key in FIRST_LAYER:
        np.testing.assert_array_equal(loaded.values[key], vgg[key])
        assert loaded.values[key].dtype == np.float32


def partial_files(tmp_path):
    return [*tmp_path.rglob("*.partial")]


def test_only_the_tensors_asked_for_travel(published, vgg):
    loaded = weights.load("vgg16", FIRST_LAYER)
    assert_first_layer(loaded, vgg)
    beyond_header = published.requests[1:]
    assert sum(r.sent for r in beyond_header) == (64 * 27 + 64) * 4
    assert loaded.origin.repository == "timm/vgg16.tv_in1k"
    assert loaded.origin.revision == COMMIT


def test_neighbouring_tensors_are_fetched_in_one_request(published):
    weights.load("vgg16", FIRST_LAYER)
    assert len(published.requests) == 2


def test_tensors_fetched_once_are_not_fetched_again(published, vgg):
    weights.load("vgg16", FIRST_LAYER)
    published.requests.clear()
    assert_first_layer(weights.load("vgg16", FIRST_LAYER), vgg)
    assert published.requests == []


def test_what_is_here_is_told_tensor_by_tensor_without_asking_anybody(published):
    assert not weights.holds("vgg16", FIRST_LAYER)
    assert published.requests == []
    weights.load("vgg16", FIRST_LAYER)
    published.requests.clear()
    assert weights.holds("vgg16", FIRST_LAYER)
    assert not weights.holds("vgg16", [*FIRST_LAYER, "features.2.bias"])
    assert published.requests == []


def test_further_tensors_come_from_the_commit_of_the_first(published, vgg):
    weights.load("vgg16", FIRST_LAYER)
    newer = {key: value + 1 for key, value in vgg.items()}
    published.files[FILE] = save(newer)
    published.commit = "f" * 40
    second = weights.load("vgg16", ["features.2.bias"])
    np.testing.assert_array_equal(second.values["features.2.bias"], vgg["features.2.bias"])
    assert second.origin.revision == COMMIT


def test_a_hub_that_names_no_commit_is_recorded_by_its_branch(published, vgg):
    published.commit = ""
    assert weights.load("vgg16", FIRST_LAYER).origin.revision == "main"


def test_a_header_longer_than_the_first_request_is_completed(hub, vgg):
    padded = save(vgg, metadata={"note": "x" * 100_000})
    hub.files[FILE] = hub.files[FILE.replace("main", COMMIT)] = padded
    assert_first_layer(weights.load("vgg16", FIRST_LAYER), vgg)


def test_without_range_support_the_whole_file_is_fetched_once(published, vgg, tmp_path):
    published.ranges = False
    assert_first_layer(weights.load("vgg16", FIRST_LAYER), vgg)
    published.requests.clear()
    more = weights.load("vgg16", ["features.2.weight"])
    np.testing.assert_array_equal(more.values["features.2.weight"], vgg["features.2.weight"])
    assert published.requests == []
    assert partial_files(tmp_path) == []


def breaks_once(handler_of_break):
    """Return an answer that breaks the second request in the middle, and only that."""
    seen = []

    def answer(handler: BaseHTTPRequestHandler) -> bool:
        seen.append(handler.path)
        return len(seen) == 2 and handler_of_break(handler)

    return answer


def half_a_range(handler):
    data = handler.hub.files[handler.path.replace("%2F", "/")]
    start, stop = (int(n) for n in handler.headers["Range"].removeprefix("bytes=").split("-"))
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {start}-{stop}/{len(data)}")
    handler.send_header("Content-Length", str(stop + 1 - start))
    handler.end_headers()
    handler.wfile.write(data[start : start + 1000])
    handler.close_connection = True
    return True


def test_an_interrupted_range_is_taken_up_where_it_broke(published, vgg):
    published.answer = breaks_once(half_a_range)
    assert_first_layer(weights.load("vgg16", FIRST_LAYER), vgg)
    broken, resumed = (r.headers["Range"] for r in published.requests[1:])
    first = int(broken.removeprefix("bytes=").split("-")[0])
    assert int(resumed.removeprefix("bytes=").split("-")[0]) == first + 1000


def test_a_busy_server_is_asked_again(published, vgg):
    published.answer = breaks_once(lambda handler: handler.reply(503, b"") == 0)
    assert_first_layer(weights.load("vgg16", FIRST_LAYER), vgg)


def test_a_connection_that_always_breaks_is_given_up_and_leaves_nothing(published, tmp_path):
    published.ranges = False

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "400000")
        handler.end_headers()
        handler.wfile.write(b"x" * 1000)
        handler.close_connection = True
        return True

    published.answer = answer
    with pytest.raises(WeightsError, match="cannot be reached"):
        weights.load("vgg16", FIRST_LAYER)
    assert len(published.requests) == 5  # the range, then the whole file and three more attempts
    assert partial_files(tmp_path) == []
    assert weights.status("vgg16") == "missing"


def test_a_truncated_file_on_the_server_is_refused(published):
    for path in published.files:
        published.files[path] = published.files[path][:-1000]
    with pytest.raises(FormatError, match="truncated or damaged"):
        weights.load("vgg16", FIRST_LAYER)


def test_a_truncated_whole_file_is_refused_and_not_kept(published, tmp_path):
    published.ranges = False
    for path in published.files:
        published.files[path] = published.files[path][:-1000]
    with pytest.raises(FormatError, match="truncated or damaged"):
        weights.load("vgg16", FIRST_LAYER)
    assert weights.status("vgg16") == "missing"
    assert partial_files(tmp_path) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        b"<html>not found</html>",
        (30).to_bytes(8, "little") + b"{" * 30,
        (2).to_bytes(8, "little") + b"[]",
        (10**12).to_bytes(8, "little") + b"{}",
    ],
)
def test_a_corrupt_header_is_refused(hub, data):
    hub.files[FILE] = hub.files[FILE.replace("main", COMMIT)] = data
    with pytest.raises(FormatError, match=r"not a safetensors file|damaged|unreadable"):
        weights.load("vgg16", FIRST_LAYER)


def with_header(header: dict) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(256)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"dtype": "F32", "shape": [65], "data_offsets": [0, 256]}, "damaged"),
        ({"dtype": "F16", "shape": [64], "data_offsets": [0, 256]}, "damaged"),
        ({"dtype": "F32", "shape": [-8, -8], "data_offsets": [0, 256]}, "damaged"),
        ({"dtype": "F32", "shape": [64], "data_offsets": [-64, 192]}, "damaged"),
        ({"dtype": "F32", "shape": [128], "data_offsets": [0, 512]}, "truncated"),
        ({"dtype": "F8_E4M3", "shape": [256], "data_offsets": [0, 256]}, "not supported"),
    ],
)
def test_sizes_and_types_are_checked_against_the_header(hub, info, message):
    hub.files[FILE] = hub.files[FILE.replace("main", COMMIT)] = with_header(
        {"features.0.bias": info}
    )
    with pytest.raises(FormatError, match=message):
        weights.load("vgg16", ["features.0.bias"])


def test_bfloat16_is_widened_exactly(hub):
    values = torch.randn(64, generator=torch.manual_seed(0)).bfloat16()
    header = {"features.0.bias": {"dtype": "BF16", "shape": [64], "data_offsets": [0, 128]}}
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + values.view(torch.uint8).numpy().tobytes()
    hub.files[FILE] = hub.files[FILE.replace("main", COMMIT)] = data
    loaded = weights.load("vgg16", ["features.0.bias"]).values["features.0.bias"]
    np.testing.assert_array_equal(loaded, values.float().numpy())


def test_redirects_are_followed_without_handing_on_the_token(published, make_hub, vgg, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    mirror = make_hub()
    mirror.files["/blob"] = published.files[FILE]
    mirror.commit = ""

    def answer(handler):
        handler.reply(302, b"", {"Location": f"{mirror.url}/blob"})
        return True

    published.answer = answer
    loaded = weights.load("vgg16", FIRST_LAYER)
    assert_first_layer(loaded, vgg)
    assert loaded.origin.revision == COMMIT  # said by the hub, not by where it redirects to
    assert {r.headers.get("Authorization") for r in published.requests} == {"Bearer hf_secret"}
    assert {r.headers.get("Authorization") for r in mirror.requests} == {None}


def test_a_redirect_on_the_same_host_keeps_the_token(published, vgg, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    published.files["/moved"] = published.files[FILE]

    def answer(handler):
        return handler.path != "/moved" and bool(
            handler.reply(307, b"", {"Location": "/moved"}) == 0
        )

    published.answer = answer
    assert_first_layer(weights.load("vgg16", FIRST_LAYER), vgg)
    assert {r.headers.get("Authorization") for r in published.requests} == {"Bearer hf_secret"}


def test_a_redirect_to_a_local_file_is_refused(published):
    def answer(handler):
        return handler.reply(302, b"", {"Location": "file:///etc/hostname"}) == 0

    published.answer = answer
    with pytest.raises(WeightsError, match="no web address"):
        weights.load("vgg16", FIRST_LAYER)


def test_redirects_in_a_circle_are_given_up(published):
    def answer(handler):
        return handler.reply(302, b"", {"Location": handler.path}) == 0

    published.answer = answer
    with pytest.raises(WeightsError, match="circle"):
        weights.load("vgg16", FIRST_LAYER)


def test_a_file_that_is_nowhere_says_what_to_do(hub):
    with pytest.raises(WeightsError, match=r"'vgg16'.*none of these files") as caught:
        weights.load("vgg16", FIRST_LAYER)
    for part in (
        "model.safetensors of timm/vgg16.tv_in1k",
        "stroma fetch vgg16",
        "STROMA_WEIGHTS",
        "texture_2d, color_2d, strokenet, ilastik_2d",
    ):
        assert part in str(caught.value)


def test_where_the_message_says_to_put_the_file_it_is_found(hub, vgg):
    with pytest.raises(WeightsError) as caught:
        weights.load("vgg16", FIRST_LAYER)
    place = Path(str(caught.value).split("put the file at ")[1].split(", or name")[0])
    place.parent.mkdir(parents=True)
    save_file(vgg, place)
    hub.requests.clear()
    assert_first_layer(weights.load("vgg16", FIRST_LAYER), vgg)
    assert hub.requests == []


def test_the_next_source_is_tried_where_a_file_is_missing(hub, tmp_path):
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    torch.save({"efficientnet.embeddings.x": torch.tensor(values)}, tmp_path / "x.bin")
    hub.files["/google/efficientnet-b0/resolve/main/pytorch_model.bin"] = (
        tmp_path / "x.bin"
    ).read_bytes()
    loaded = weights.load("efficient_netb0", ["embeddings.x"])
    np.testing.assert_array_equal(loaded.values["embeddings.x"], values)
    asked = [r.path.split("/resolve/")[1] for r in hub.requests]
    assert asked == [
        "main/model.safetensors",
        "refs/pr/3/model.safetensors",
        "main/pytorch_model.bin",
    ]


def test_a_gated_licence_is_named(hub):
    hub.answer = lambda handler: handler.reply(401, b"") == 0
    with pytest.raises(WeightsError, match=r"licence \(DINOv3 License.*accepted at http.*HF_TOKEN"):
        weights.load("dinov3_vits16plus", ["norm.weight"])
    assert len(hub.requests) == 1  # asking again would not help


def test_offline_nothing_is_asked_and_the_message_says_why(published, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set"):
        weights.load("vgg16", FIRST_LAYER)
    assert published.requests == []


def test_offline_what_was_fetched_before_is_used(published, vgg, monkeypatch):
    weights.load("vgg16", FIRST_LAYER)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert_first_layer(weights.load("vgg16", FIRST_LAYER), vgg)


def test_no_network_is_told_apart_from_no_file(monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(WeightsError, match="cannot be reached"):
        weights.load("vgg16", FIRST_LAYER)


def test_the_hubs_own_environment_variables_are_obeyed(tmp_path):
    code = (
        "from stroma.weights import hub; from stroma.weights.catalogue import Source;"
        "there = hub.remote('a/b', Source()); print(there.url, there.token, hub.is_offline())"
    )
    environment = {
        "HF_ENDPOINT": "https://mirror.example",
        "HF_TOKEN": "hf_mine",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path),
    }
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == [
        "https://mirror.example/a/b/resolve/main/model.safetensors",
        "hf_mine",
        "True",
    ]


def test_the_cache_of_the_hub_is_looked_at_first(published, vgg, tmp_path):
    snapshot = tmp_path / "hub/models--timm--vgg16.tv_in1k/snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    save_file(vgg, snapshot / "model.safetensors")
    references = tmp_path / "hub/models--timm--vgg16.tv_in1k/refs"
    references.mkdir()
    (references / "main").write_text("a" * 40)
    loaded = weights.load("vgg16", FIRST_LAYER)
    assert_first_layer(loaded, vgg)
    assert loaded.origin.revision == "a" * 40
    assert published.requests == []
    assert weights.status("vgg16") == "here"


def test_damage_in_the_cache_is_named_with_its_remedy(published, tmp_path):
    weights.load("vgg16", FIRST_LAYER)
    (kept,) = tmp_path.rglob("features.0.bias.npy")
    kept.write_bytes(kept.read_bytes()[:50])
    with pytest.raises(FormatError, match=r"features\.0\.bias\.npy.*Delete it"):
        weights.load("vgg16", FIRST_LAYER)


def test_two_threads_may_fetch_the_same_tensors(published, vgg):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(weights.load("vgg16", FIRST_LAYER)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for loaded in found:
        assert_first_layer(loaded, vgg)


def test_fetch_gets_what_defaults_use_and_reports_progress(published, vgg):
    steps = []
    origin = weights.fetch("vgg16", progress=lambda done, total: steps.append((done, total)))
    assert origin.revision == COMMIT
    total = sum(v.nbytes for k, v in vgg.items() if k.startswith("features"))
    assert steps[-1] == (total, total)
    published.requests.clear()
    weights.load("vgg16", [k for k in vgg if k.startswith("features")])
    assert published.requests == []


def test_status_asks_no_network(published, tmp_path, monkeypatch):
    assert weights.status("vgg16") == "missing"
    assert weights.status("gaussian_features") == "not needed"
    assert published.requests == []
    weights.fetch("vgg16")
    assert weights.status("vgg16") == "here"


def test_weights_of_which_only_some_are_here_are_missing_until_the_rest_is_fetched(published, vgg):
    weights.load("vgg16", FIRST_LAYER)
    assert weights.status("vgg16") == "missing"
    weights.fetch("vgg16")
    assert weights.status("vgg16") == "here"
    published.requests.clear()
    assert weights.fetch("vgg16").revision == COMMIT
    assert published.requests == []


def test_equal_weights_have_equal_digests(published, vgg, tmp_path):
    save_file(vgg, tmp_path / "vgg16.safetensors")
    near = weights.load("vgg16", FIRST_LAYER, path=tmp_path)
    far = weights.load("vgg16", FIRST_LAYER)
    assert near.digest == far.digest
    vgg["features.0.bias"][0] += 1
    save_file(vgg, tmp_path / "vgg16.safetensors")
    assert weights.load("vgg16", FIRST_LAYER, path=tmp_path).digest != far.digest


def test_without_the_library_of_the_hub_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert weights.status("vgg16") == "missing"
    with pytest.raises(MissingExtraError, match=r"pip install 'stroma-seg\[deep\]'"):
        weights.fetch("vgg16")


def test_unknown_weights_suggest_a_name():
    with pytest.raises(UnknownNameError, match="Did you mean 'vgg16'"):
        weights.load("vgg61", FIRST_LAYER)
    with pytest.raises(MissingFileError, match="nowhere"):
        weights.load("vgg16", FIRST_LAYER, path="nowhere")
