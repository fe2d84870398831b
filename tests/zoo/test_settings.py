"""Settings of QuPath, Labkit, Trainable Weka and Convpaint, and the command that takes them."""

import json

import numpy as np
import pytest
from tests.zoo import commands

from stroma import ConvpaintModel
from stroma.errors import FormatError, ShapeError
from stroma.io import write_image, write_labels
from stroma.session import Session
from stroma.session.migrate import move_in
from stroma.zoo.taken import take


def qupath(path, features=("GAUSSIAN", "HESSIAN_DETERMINANT"), sigma=1.0, width=2.0):
    scale = {"type": "op.filters.multiscale", "features": list(features), "sigmaX": sigma}
    inner = {"type": "op.core.sequential", "ops": [{"ops": [scale]}, {"type": "op.ml.x"}]}
    labels = {"0": {"name": "Ignore*"}, "1": {"name": "Tumor", "color": [200, 0, 0]},
              "2": {"names": ["Stroma", "Dense"], "color": -14336}}  # fmt: skip
    content = {
        "pixel_classifier_type": "OpenCVPixelClassifier",
        "metadata": {
            "inputResolution": {"pixelWidth": {"value": width, "unit": "px"}},
            "classificationLabels": labels,
        },
        "op": {"colorTransforms": [{"channelName": "Red"}], "op": inner},
    }
    path.write_text(json.dumps(content))
    return path


def test_features_classes_and_resolution_of_a_qupath_classifier(tmp_path):
    taken = take(qupath(tmp_path / "tissue.json"))
    assert taken.param["fe_layers"] == ["gaussian_s1.0", "hessian_s1.0"]
    assert taken.param["image_downsample"] == 2
    assert [(c.name, c.color) for c in taken.classes] == [
        ("Tumor", "#c80000"),
        ("Stroma: Dense", "#ffc800"),
    ]


def test_scales_and_features_that_there_are_not_are_said(tmp_path):
    path = qupath(tmp_path / "t.json", ("GAUSSIAN", "WEIGHTED_STD_DEV"), sigma=8.0)
    taken = take(path)
    assert taken.param["fe_layers"] == ["gaussian_s10.0"]
    said = " ".join(taken.left)
    assert "WEIGHTED_STD_DEV" in said
    assert "scale 8: the nearest of ours is 10" in said


def test_a_size_in_micrometres_is_compared_with_that_of_the_image(tmp_path):
    values, spacing = np.zeros((9, 9), np.uint8), {"y": 0.5, "x": 0.5}
    image = write_image(tmp_path / "i.ome.tif", values, axes="yx", spacing=spacing, unit="µm")
    content = json.loads(qupath(tmp_path / "t.json").read_text())
    content["metadata"]["inputResolution"]["pixelWidth"] = {"value": 2.0, "unit": "µm"}
    (tmp_path / "t.json").write_text(json.dumps(content))
    assert take(tmp_path / "t.json", [image]).param["image_downsample"] == 4


@pytest.mark.parametrize("text", ["[]", "{", '{"pixel_classifier_type": 1}', '{"type": "Feature"}'])
def test_other_json_is_refused_by_name(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(FormatError, match=r"t\.json"):
        take(tmp_path / "t.json")


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400, "NaN", '"x"', "[]"])
@pytest.mark.parametrize("key", ['"value": 2.0', '"sigmaX": 1.0'])
def test_numbers_that_are_none_are_refused_by_name(tmp_path, image, key, number):
    path = qupath(tmp_path / "t.json")
    path.write_text(path.read_text().replace(key, f"{key.partition(':')[0]}: {number}"))
    with pytest.raises(FormatError, match=r"t\.json"):
        take(path, [image])


@pytest.mark.parametrize("ending", [".classifier", ".labeling"])
def test_more_classes_than_there_are_labels_are_refused_by_name(
    tmp_path, image, ending, monkeypatch
):
    monkeypatch.setattr("stroma.data.classes.MAX_LABEL", 3)
    names = ["a", "b", "c", "d"]
    content = {"classNames": names, "labels": {key: [] for key in names}}
    path = tmp_path / f"many{ending}"
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=rf"many\{ending}.*1 to 3, got 4"):
        take(path, [image])


def test_a_labkit_classifier_says_its_features(tmp_path):
    package = "sc.fiji.labkit.pixel_classification.pixel_feature.filter"
    kinds = ["gauss.GaussianBlurFeature", "hessian.HessianEigenvaluesFeature", "stats.MaxFeature"]
    content = {
        "classNames": ["background", "cell"],
        "features": {
            "globals": {"sigmas": [1.0, 8.0]},
            "ops": [{"class": f"{package}.{kind}"} for kind in kinds],
        },
    }
    (tmp_path / "c.classifier").write_text(json.dumps(content))
    taken = take(tmp_path / "c.classifier")
    assert taken.param["fe_layers"] == [
        *("gaussian_s1.0", "gaussian_s10.0"),
        *("hessian_s1.0", "hessian_s10.0"),
    ]
    assert [c.name for c in taken.classes] == ["background", "cell"]
    assert any("MaxFeature" in said for said in taken.left)


def test_a_labkit_labeling_says_what_was_painted(tmp_path, image):
    content = {"labels": {"cell": [[29, 0], [3, 19]], "rest": []}}
    (tmp_path / "p.labeling").write_text(json.dumps(content))
    [picture] = take(tmp_path / "p.labeling", [image]).pictures
    assert np.argwhere(picture.strokes.labels).tolist() == [[0, 29], [19, 3]]
    (tmp_path / "p.labeling").write_text(json.dumps({"labels": {"cell": [[30, 0]]}}))
    with pytest.raises(ShapeError, match="outside the image"):
        take(tmp_path / "p.labeling", [image])


def test_a_weka_data_file_says_its_features(tmp_path):
    lines = [
        "@relation segment",
        "@attribute original numeric",
        "@attribute Gaussian_blur_1.0 numeric",
        "@attribute Sobel_filter_0.0 numeric",
        "@attribute Hessian_Largest_Eigenvalue_16.0 numeric",
        "@attribute Membrane_projections_0_19_1 numeric",
        "@attribute class {vessel,rest}",
        "@data",
        "1,2,3,4,5,vessel",
    ]
    (tmp_path / "d.arff").write_text("\n".join(lines))
    taken = take(tmp_path / "d.arff")
    assert taken.param["fe_layers"] == ["gaussian_s1.0", "gradient_s0.3", "hessian_s10.0"]
    assert [c.name for c in taken.classes] == ["vessel", "rest"]
    assert any("Membrane_projections" in said for said in taken.left)


def test_the_command_writes_parameters_that_a_model_takes(tmp_path, capsys):
    path = qupath(tmp_path / "tissue.json")
    said = commands.run(capsys, "import", path)
    assert "taken: 2 classes" in said
    model = ConvpaintModel(model_path=tmp_path / "tissue.yml")
    assert model.get_param("fe_layers") == ["gaussian_s1.0", "hessian_s1.0"]


def test_the_command_makes_a_project_of_images_and_strokes(tmp_path, image, capsys):
    strokes = np.zeros((20, 30), np.uint8)
    strokes[2, 3:6] = 2
    given = write_labels(tmp_path / "s.png", strokes, axes="yx")
    path = qupath(tmp_path / "t.json")
    moved = move_in(take(path, [image]), tmp_path, name="t", strokes=[given], mode="paused")
    with Session.open(moved.project) as session:
        [one] = session.images
        assert session.painted_pixels(one.key) == 3
        assert session.settings.param.image_downsample == 2
    said = json.loads(commands.run(capsys, "import", path, image, "--name", "u", "--json"))
    assert said["project"] == str(tmp_path / "u.stroma")
    assert (tmp_path / "u.stroma" / "project.json").is_file()


def test_parameters_of_convpaint_are_those_of_ours(tmp_path):
    made = ConvpaintModel("gaussian")
    made.save(tmp_path / "m", create_pkl=False)
    (tmp_path / "m.yml").write_text((tmp_path / "m.yml").read_text() + "strange: 1\n")
    moved = move_in(take(tmp_path / "m.yml"), tmp_path / "out", name="m")
    assert ConvpaintModel(model_path=moved.parameters).get_param("fe_name") == "gaussian_features"
    assert any("strange" in said for said in moved.left)
    (tmp_path / "b.yml").write_text("fe_scalings: &a [*a]\n")
    with pytest.raises(FormatError, match=r"b\.yml"):
        move_in(take(tmp_path / "b.yml"), tmp_path / "out", name="b")
