"""``stroma models`` lists what a model can be built on."""

from __future__ import annotations

import json

from stroma.pixel.choices.catalogue import Entry, entries


def test_json_has_every_entry_with_its_counts(stroma) -> None:
    ended = stroma("models", "--json")
    assert ended.code == 0
    listed = json.loads(ended.out)
    assert [e["name"] for e in listed] == [e.name for e in entries()]
    [bank] = [e for e in listed if (e["name"], e["kind"]) == ("ilastik_2d", "extractor")]
    assert (bank["grey"], bank["rgb"]) == (56, 168)


def test_the_table_has_a_line_for_every_entry(stroma) -> None:
    lines = stroma("models").out.splitlines()
    heads = ["kind", "name", "extractor", "scalings", "grey", "rgb", "weights", "MB", "licence"]
    assert lines[0].split() == heads
    for entry in entries():
        assert any(line.split()[:2] == [entry.kind, entry.name] for line in lines)


def test_licences_of_weights_are_said(stroma) -> None:
    listed = {
        (e["kind"], e["name"]): e["licence"] for e in json.loads(stroma("models", "--json").out)
    }
    assert listed["alias", "vgg"] == "BSD-3-Clause"
    assert listed["alias", "dinov3-jafar"].startswith("DINOv3 License")
    assert listed["alias", "dinov3-jafar"].endswith("; Apache-2.0")
    assert listed["alias", "hr-dino-hybrid"] == "Apache-2.0"
    assert listed["alias", "stroma"] == ""


def test_sizes_of_weights_are_said_and_count_once(stroma) -> None:
    listed = {
        (e["kind"], e["name"]): e["megabytes"] for e in json.loads(stroma("models", "--json").out)
    }
    assert listed["extractor", "dinov2_vitb14_reg"] == 346
    assert listed["alias", "dinov3-jafar"] == 115 + 7
    assert listed["alias", "hr-dino-hybrid"] == listed["alias", "dino"] == 88
    assert listed["alias", "stroma"] == 0
    [line] = [one for one in stroma("models").out.splitlines() if " vgg-m " in one]
    assert line.split()[-2:] == ["553", "BSD-3-Clause"]


def test_what_is_not_installed_is_marked_and_said_once(stroma, monkeypatch) -> None:
    missing = "It needs torch. Install it with: pip install 'stroma-seg[deep]'"
    found = [Entry(name, "extractor", name, missing=missing) for name in ("a", "b")]
    monkeypatch.setattr("stroma.pixel.choices.catalogue.entries", lambda: found)
    out = stroma("models").out
    assert out.count("?  ") == 6
    assert out.count("pip install 'stroma-seg[deep]'") == 1


def test_weights_of_engines_are_listed_and_can_be_fetched(stroma, monkeypatch) -> None:
    lines = stroma("models").out.splitlines()
    [row] = [line for line in lines if line.startswith("sam_hq_vit_b")]
    assert row.split()[1:] == ["missing", "Apache-2.0"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ended = stroma("fetch", "sam_hq_vit_b")
    assert ended.code != 0
    assert "sam_hq_vit_b.pth of lkeab/hq-sam" in ended.err
