"""What people who come from Convpaint do, call by call."""

from dataclasses import dataclass

import numpy as np
import pytest
import tifffile

import stroma
from stroma import ConvpaintModel, Image, Param
from stroma.errors import ParameterError, ShapeError, UnknownNameError, for_people
from stroma.features import EXTRACTORS
from stroma.features.filtering.gaussian import GaussianFeatures
from stroma.io import write_image


@pytest.fixture
def colours(disks):
    """Return red, green and blue of the disks, as an array, and strokes."""
    image, _, strokes = disks
    values = np.clip(60 + 40 * np.stack([image, 3 - image, image * 0.5]), 0, 255)
    return values.astype(np.uint8), strokes


@pytest.mark.parametrize("mode", ["single", "multi", "rgb"])
def test_a_model_of_files_reads_arrays_of_the_same_channels(colours, mode, tmp_path):
    values, strokes = colours
    write_image(tmp_path / "a.tif", values, axes="cyx")
    rgb = Image(values, "cyx", rgb=mode != "multi")
    model = ConvpaintModel("stroma")
    model.set_param("channel_mode", mode)
    model.train(rgb, strokes)
    expected = model.segment(rgb)
    np.testing.assert_array_equal(model.segment(values), expected)
    model.save(tmp_path / "m", create_yml=False)
    loaded = ConvpaintModel(model_path=tmp_path / "m.pkl")
    np.testing.assert_array_equal(loaded.segment(values), expected)
    model.train(values, strokes)
    np.testing.assert_array_equal(model.segment(values), expected)


def test_a_stack_of_planes_is_still_one_for_a_model_of_grey_images(disks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    assert model.segment(np.stack([image] * 3)).shape == (3, *image.shape)


def test_an_image_of_other_channels_is_told_without_python_words(colours):
    values, strokes = colours
    model = ConvpaintModel("gaussian")
    model.train(Image(values, "cyx", rgb=True), strokes)
    with pytest.raises(ShapeError, match="channel_mode") as caught:
        model.segment(np.zeros((2, 40, 50)))
    told = for_people(caught.value)
    assert "red, green and blue" in told
    assert "in_channels" not in told
    assert "channel_mode" not in told


@pytest.mark.parametrize("ending", ["npy", "tif"])
@pytest.mark.parametrize("mode", ["multi", "rgb"])
def test_files_that_do_not_name_their_axes_are_read_as_arrays_are(colours, mode, ending, tmp_path):
    values, strokes = colours
    path = tmp_path / f"a.{ending}"
    if ending == "npy":
        np.save(path, values)
    else:
        tifffile.imwrite(path, values, photometric="minisblack", metadata=None)
    model = ConvpaintModel("gaussian")
    model.set_param("channel_mode", mode)
    model.train(path, strokes)
    from_file = model.segment(path)
    model.train(values, strokes)
    np.testing.assert_array_equal(model.segment(values), from_file)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("dinov2_small-reg", ["dinov2_vits14_reg"]),
        ("dinov3_small-plus", ["dinov3_vits16plus"]),
        ("combo_dino_gauss", ["gaussian_features", "dinov2_vits14_reg"]),
        ("combo_dino_gauss+ilastik_2d", ["gaussian_features", "dinov2_vits14_reg", "ilastik_2d"]),
    ],
)
def test_names_of_newer_versions_and_combinations_make_models(name, parts):
    from stroma.features.build import part_names

    assert part_names(name) == parts
    pytest.importorskip("transformers")
    assert ConvpaintModel(fe_name=name).get_param("fe_name") == name


YML = """classifier: CatBoost
channel_mode: single
clf_depth: 5
clf_iterations: 100
clf_learning_rate: 0.1
clf_use_gpu: null
fe_layers: {layers}
fe_name: {name}
fe_order: 0
fe_scalings:
{scalings}
fe_use_gpu: false
fe_use_min_features: false
image_downsample: 1
normalize: 2
seg_smoothening: 1
tile_annotations: true
tile_image: false
unpatch_order: 1
use_dask: false
"""
THEIRS = {
    "gaussian_features": ("null", [1]),
    "ilastik_2d": ("null", [1]),
    "vgg16": ("['features.0 Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1))']", [1, 2, 4]),
    "efficient_netb0": ("['features.0.0 Conv2d(3, 32)', 'features.2.0.block.2.fc1']", [1, 2]),
    "convnext": ("['features.0.0 Conv2d(3, 128)', 'features.5.26.block.0 Conv2d(512)']", [1, 2]),
    "dinov2_vits14_reg": ("null", [1]),
    "dinov2_small-reg": ("null", [1]),
    "dinov3_small-plus": ("null", [1]),
    "combo_dino_vgg": ("null", [1]),
    "combo_dino_gauss": ("null", [1]),
}


@pytest.mark.parametrize("name", THEIRS)
def test_parameter_files_of_convpaint_make_models(name, tmp_path):
    layers, scalings = THEIRS[name]
    if name not in ("gaussian_features", "ilastik_2d"):
        pytest.importorskip("transformers")
    text = YML.format(name=name, layers=layers, scalings="\n".join(f"- {s}" for s in scalings))
    path = tmp_path / "theirs.yml"
    path.write_text(text)
    assert ConvpaintModel(model_path=path).get_param("fe_name") == name
    assert ConvpaintModel(param=Param.load(path)).get_param("fe_name") == name


@pytest.mark.parametrize("name", ["convnext", "efficient_netb0"])
def test_layer_names_of_torchvision_stand_for_the_layers_at_their_places(name):
    pytest.importorskip("transformers")
    from stroma.features.build import layer_keys, pipeline
    from stroma.features.naming import original_layers

    keys, theirs = layer_keys(name), original_layers(name)
    assert len(keys) == len(set(theirs)) == {"convnext": 40, "efficient_netb0": 81}[name]
    for place in (0, 3, len(keys) - 1):
        ours, original = (
            pipeline(name, layers=[layer]).parts[0].extractor.chosen
            for layer in (keys[place], f"{theirs[place]} Conv2d(1, 2)")
        )
        assert ours == original


def test_newer_arguments_are_taken_with_their_meaning(disks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes, fe_use_device="gpu", clf_use_device="auto")
    plain = model.segment(image)
    np.testing.assert_array_equal(model.segment(image, use_device="cpu"), plain)
    np.testing.assert_array_equal(model.segment(image, device="gpu"), plain)
    with pytest.raises(ParameterError, match="'gpu'"):
        model.segment(image, fe_use_device="tpu")
    model.lock_device("cpu")
    assert model.trained(device="cuda").recipe == model.trained(device="cpu").recipe
    model.lock_device("off")
    with pytest.raises(ParameterError, match="part"):
        model.lock_device("cpu", part="all")
    assert [1] in model.get_fe_proposed_scalings()
    assert "Gaussian" in model.get_fe_description()


def test_feature_images_as_components_and_clusters(disks):
    image, truth, _ = disks
    model = ConvpaintModel("ilastik")
    components = model.get_feature_image(image, pca_components=3)
    assert components.shape == (3, *image.shape)
    assert (components.min(), components.max()) == (0, pytest.approx(1))
    [clusters] = model.get_feature_image([image], pca_components=2, kmeans_clusters=2)
    assert sorted(np.unique(clusters)) == [1, 2]
    same = (clusters == truth).mean()
    assert max(same, 1 - same) > 0.8
    with pytest.raises(ParameterError, match="number of features"):
        model.get_feature_image(image, pca_components=9999)


def test_the_classifier_predicts_labels(disks):
    image, _, strokes = disks
    classifier = ConvpaintModel("gaussian").train(image, strokes * 3)
    found = classifier.predict(np.array([[-5.0], [5.0]], np.float32))
    assert set(found) <= {3, 6}
    assert found[0] != found[1]


def test_an_extractor_is_registered_in_a_notebook(disks, monkeypatch):
    @dataclass(frozen=True)
    class Wide(GaussianFeatures):
        sigma: float = 5.0

    monkeypatch.setattr(EXTRACTORS, "_added", {})
    stroma.register_extractor("wide_gaussian", Wide)
    image, truth, strokes = disks
    model = ConvpaintModel(fe_name="wide_gaussian+ilastik_2d")
    model.train(image, strokes)
    assert (model.segment(image) == truth).mean() > 0.9
    assert ConvpaintModel.get_fe_models_types()["wide_gaussian"] is Wide
    stroma.register_extractor("wide_gaussian", Wide)  # a cell that runs again
    for taken in ("vgg16", "combo_dino_vgg", "a+b"):
        with pytest.raises(ParameterError, match=r"already|cannot be"):
            stroma.register_extractor(taken, Wide)


def test_messages_say_which_and_help(disks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    with pytest.raises(ParameterError, match="list is empty"):
        model.train([], [])
    with pytest.raises(ShapeError, match=r"^Image 1: "):
        model.train([image, image], [strokes, strokes[:-1]])
    with pytest.raises(UnknownNameError, match=r"'combo_dino_gaus'.*combo_dino_gauss"):
        ConvpaintModel(fe_name="combo_dino_gaus")
    assert "combo_dino_gauss" in ConvpaintModel.get_fe_models_types()


def test_saving_an_untrained_model_says_so(tmp_path):
    with pytest.warns(UserWarning, match="not trained yet"):
        ConvpaintModel("gaussian").save(tmp_path / "m")
    ConvpaintModel("gaussian").save(tmp_path / "n", create_pkl=False)


RAMP = np.tile(np.arange(1001, dtype=np.float32), (60, 1))
BAND = np.where((RAMP >= 460) & (RAMP <= 540), 2, 1)


@pytest.mark.parametrize("alias", ["gaussian", "ilastik", "stroma"])
def test_a_narrow_band_of_a_wide_range_is_found(alias):
    strokes = np.zeros(RAMP.shape, np.uint8)
    strokes[10:13], strokes[45:48] = BAND[10:13], BAND[45:48]
    model = ConvpaintModel(alias)
    model.train(RAMP, strokes)
    found = model.segment(RAMP) == 2
    assert (found & (BAND == 2)).sum() / (found | (BAND == 2)).sum() >= 0.95
