"""A folder of images, one command, and the same commands as for strokes after it."""

import json

import numpy as np

from stroma.io import read_image, write_image, write_labels

SET = [f"--set={s}" for s in ("steps=40", "patch=[32,32]", "rate=0.01", "validation=0.2")]
BRIEF = [f"--set={s}" for s in ("steps=3", "patch=[32,32]")]
NETWORK = "--set=network_options={features: [4, 8]}"


def write_scenes(folder, count):
    (folder / "images").mkdir()
    (folder / "labels").mkdir()
    for n in range(count):
        rng = np.random.default_rng(n)
        labels = np.zeros((48, 64), np.uint8)
        y, x = rng.integers(5, 30, 2)
        labels[y : y + 15, x : x + 20] = 1
        image = (labels * 80 + rng.normal(100, 10, labels.shape)).astype(np.uint8)
        write_image(folder / "images" / f"s{n}.tif", image, axes="yx")
        write_labels(folder / "labels" / f"s{n}.png", labels)


def test_a_folder_and_one_command_give_a_model_that_the_others_take(stroma, tmp_path):
    write_scenes(tmp_path, 4)
    images, labels, model = (tmp_path / n for n in ("images", "labels", "m.safetensors"))
    done = stroma(
        "learn", images, labels, "--model", model, "--class=1=cell", NETWORK, *SET, "--device=cpu",
        "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert said["scores"]["mean iou"] > 0.8
    assert said["channels"] == ["background", "cell"]
    assert (tmp_path / "m_training" / "curves.png").exists()

    out = tmp_path / "out"
    wanted = ("segment", model, images, "--out", out, "--probabilities", "--overlay", "--table")
    assert stroma(*wanted).code == 0
    assert read_image(out / "s0_probabilities.tif").sizes["c"] == 2
    assert "cell" in (out / "summary.csv").read_text()
    assert (out / "s0_overlay.png").exists()
    again = json.loads(stroma(*wanted, "--json").out)
    assert {f["status"] for f in again["files"]} == {"skipped"}

    said = json.loads(stroma("evaluate", out, labels, "--json").out)
    assert [one["name"] for one in said["images"]] == [f"s{n}_labels.tif" for n in range(4)]
    assert said["overall"]["mean iou"] > 0.8
    assert said["images"][0]["hd95 1"] < 5
    assert "mean IoU" in stroma("evaluate", out, labels).out

    said = json.loads(stroma("plan", images, labels, "--json").out)
    assert said["images"] == 4
    assert said["outputs"] == ["background", "1"]
    assert set(said["pixels"]) == {"0", "1"}
    shown = stroma("plan", images, labels, "--network=unet").out
    assert "patches of" in shown
    assert "Patches are made smaller" in shown
    assert "GB" in shown

    assert "--overwrite" in stroma("learn", images, labels, "--model", model).err
    assert "safetensors" in stroma("learn", images, labels, "--model", tmp_path / "m.pkl").err
    wrong = stroma("learn", images, labels, "-m", tmp_path / "n.safetensors", "--target=sematic")
    assert wrong.code == 2
    assert "'semantic'" in wrong.err


def test_a_recipe_does_what_the_options_do(stroma, tmp_path):
    write_scenes(tmp_path, 4)
    file = tmp_path / "r.yml"
    wrote = stroma("recipe", file, "--model", "r.safetensors", NETWORK, *BRIEF, "--set=device=cpu")
    assert wrote.code == 0, wrote.err
    text = file.read_text()
    assert "One of semantic, distances" in " ".join(text.replace("\n#", " ").split())

    by_recipe = stroma("learn", "--recipe", file, "--json")
    assert by_recipe.code == 0, by_recipe.err
    options = ("--model", tmp_path / "o.safetensors", NETWORK, *BRIEF, "--device=cpu", "--json")
    by_options = stroma("learn", tmp_path / "images", tmp_path / "labels", *options)
    scores = [json.loads(done.out)["scores"] for done in (by_recipe, by_options)]
    assert scores[0] == scores[1]
    assert (tmp_path / "r.safetensors").exists()
    said = json.loads(stroma("plan", "--recipe", file, "--json").out)
    assert said["images"] == 4
    assert "--overwrite" in stroma("recipe", file).err


def test_at_its_end_it_says_what_was_scored_what_to_look_at_and_what_comes_next(stroma, tmp_path):
    write_scenes(tmp_path, 3)
    images, model = tmp_path / "images", tmp_path / "m.safetensors"
    how = ("--model", model, NETWORK, *BRIEF)
    said = stroma("learn", images, tmp_path / "labels", *how).out
    assert "kept from the training" in said
    assert "curves.png (loss and score), validation.png (image, truth and prediction)" in said
    command = said.splitlines()[-1].removeprefix("Apply it: stroma ")
    given = command.replace("IMAGES", str(images)).replace("results", str(tmp_path / "out"))
    assert stroma(*given.split()).code == 0
    assert (tmp_path / "out" / "s0_labels.tif").exists()
    said = stroma("learn", images, "--target=denoise", "--overwrite", *how).out
    assert "validation.png" not in said


def test_results_that_are_not_there_are_said_to_be_missing(stroma, tmp_path):
    write_scenes(tmp_path, 1)
    truth, empty = tmp_path / "labels", tmp_path / "empty"
    empty.mkdir()
    (empty / "s0_points_stroma.json").write_text("{}")
    said = stroma("evaluate", tmp_path / "nowhere", truth).err
    assert "There is no file or folder" in said
    assert "nowhere" in said
    assert "There are no results" in stroma("evaluate", empty, truth).err


def test_beside_the_mean_stands_how_far_images_differ(stroma, tmp_path):
    results, truth = tmp_path / "results", tmp_path / "truth"
    for folder in (results, truth):
        folder.mkdir()
    objects = np.zeros((20, 20), np.uint8)
    objects[2:8, 2:8] = 1
    for name, found in (("a", objects), ("b", 0 * objects)):
        write_labels(truth / f"{name}.png", objects)
        write_labels(results / f"{name}_objects.tif", found)
    said = json.loads(stroma("evaluate", results, truth, "--json").out)
    assert said["overall"]["f1"] == 0.5
    assert round(said["spread"]["f1"], 4) == 0.7071
    assert {"arand", "voi split", "voi merge"} <= set(said["overall"])
    rows = {
        line.split()[0]: line.split()
        for line in stroma("evaluate", results, truth).out.split("\n")
        if line
    }
    column = rows["image"].index("F1")
    assert (rows["mean"][column - 1], rows["spread"][column - 1]) == ("0.500", "0.707")


def test_of_a_network_that_strokes_teach_it_says_how_far_it_agrees_with_them(stroma, halves, model):
    how = ("--from", model, "--model", "n.safetensors", NETWORK, *BRIEF)
    said = stroma("learn", "a.png", "a_strokes.png", *how)
    assert said.code == 0, said.err
    assert "agrees with its teacher and the strokes (nothing was kept" in said.out
    assert "Scores of what was kept" not in said.out


def test_where_there_are_no_pictures_none_are_named(stroma, tmp_path):
    write_scenes(tmp_path, 4)
    how = ("--model", tmp_path / "m.safetensors", "--folds=2", NETWORK, *BRIEF)
    said = stroma("learn", tmp_path / "images", tmp_path / "labels", *how)
    assert said.code == 0, said.err
    assert "Apply it" in said.out
    assert not [line for line in said.out.splitlines() if line.endswith("m_training: ")]


def test_labels_that_are_of_no_image_are_named(stroma, tmp_path):
    write_scenes(tmp_path, 2)
    images, labels = tmp_path / "images", tmp_path / "labels"
    how = ("plan", images, labels, "--network=unet")
    assert "left out" not in stroma(*how).err
    write_labels(labels / "s7.png", np.ones((48, 64), np.uint8))
    (labels / "notes.txt").write_text("not a label")
    said = stroma(*how)
    assert said.code == 0
    assert f"Labels of no image in {labels} are left out: s7.png." in said.err.replace("\n", " ")
