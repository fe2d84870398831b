import numpy as np
import pytest
import yaml

from stroma import ConvpaintModel, Param
from stroma.errors import FileError, FormatError, MissingFileError, ParameterError, UnknownNameError


def test_default_parameters_are_those_of_the_reference():
    expected = {
        "classifier": None,
        "channel_mode": "single",
        "normalize": 2,
        "image_downsample": 1,
        "seg_smoothening": 1,
        "tile_annotations": True,
        "tile_image": False,
        "use_dask": False,
        "unpatch_order": 1,
        "fe_name": "vgg16",
        "fe_layers": [
            "features.0 Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"
        ],
        "fe_scalings": [1, 2, 4],
        "fe_order": 0,
        "fe_use_min_features": False,
        "fe_use_gpu": False,
        "clf_iterations": 100,
        "clf_learning_rate": 0.1,
        "clf_depth": 5,
        "clf_use_gpu": None,
    }
    default = ConvpaintModel.get_default_params()
    assert {key: default[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("channel_mode", "grey"),
        ("normalize", 4),
        ("normalize", True),
        ("norm_from", "crop"),
        ("image_downsample", 21),
        ("image_downsample", 1.5),
        ("seg_smoothening", -1),
        ("tile_image", 1),
        ("unpatch_order", 6),
        ("fe_order", -1),
        ("fe_name", ""),
        ("fe_scalings", []),
        ("fe_scalings", [0]),
        ("fe_scalings", "1,2"),
        ("fe_scalings", [1, 2.5]),
        ("fe_layers", [0, "features.2"]),
        ("fe_layers", []),
        ("clf_iterations", 0),
        ("clf_iterations", 1001),
        ("clf_learning_rate", 0.0),
        ("clf_learning_rate", float("nan")),
        ("clf_depth", 17),
        ("clf", "svm"),
        ("fe_scalings", np.array([0, 2])),
        ("clf_max_pixels", 0),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed_and_the_old_one_stays(key, value):
    param = ConvpaintModel.get_default_params()
    before = param[key]
    with pytest.raises(ParameterError, match=rf"{key}.* must be .*got"):
        setattr(param, key, value)
    with pytest.raises(ParameterError):
        Param(**{key: value})
    assert param[key] == before


@pytest.mark.parametrize(
    ("key", "given", "kept"),
    [
        ("image_downsample", np.int64(-3), -3),
        ("normalize", np.uint8(3), 3),
        ("clf_learning_rate", np.float64(0.5), 0.5),
        ("tile_image", np.bool_(True), True),
        ("channel_mode", np.str_("multi"), "multi"),
        ("fe_scalings", np.array([1, 2]), [1, 2]),
        ("fe_scalings", [[np.int32(1)], (1, 2)], [[1], [1, 2]]),
        ("fe_layers", [np.int64(0), np.int64(2)], [0, 2]),
    ],
)
def test_values_of_numpy_are_kept_as_those_of_python(key, given, kept, tmp_path):
    param = Param(**{key: given})
    assert param[key] == kept
    assert type(param[key]) is type(kept)
    param.save(tmp_path / "p.yml")
    assert Param.load(tmp_path / "p.yml") == param


def test_a_list_changed_afterwards_does_not_change_the_parameter():
    factors = [1, 2]
    param = Param(fe_scalings=factors)
    factors.append(0)
    assert param.fe_scalings == [1, 2]
    model = ConvpaintModel(param=Param(fe_name="gaussian_features", fe_scalings=[1, 2]))
    model.get_param("fe_scalings").append(0)
    assert model.get_param("fe_scalings") == [1, 2]


def test_an_unknown_parameter_is_refused_with_a_suggestion():
    with pytest.raises(UnknownNameError, match=r"'normalise'. Did you mean 'normalize'\?"):
        Param().set(normalise=2)
    with pytest.raises(KeyError):
        Param().get("nothing")


def test_a_set_of_values_is_set_as_a_whole_or_not_at_all():
    param = Param(normalize=2)
    with pytest.raises(ParameterError):
        param.set(normalize=3, fe_order=9)
    assert param.normalize == 2


def test_a_copy_is_independent():
    param = Param(fe_scalings=[1, 2])
    copy = param.copy()
    assert copy == param
    copy.fe_scalings.append(4)
    assert param.fe_scalings == [1, 2]


def test_a_param_reads_like_a_mapping():
    param = Param(normalize=3)
    assert dict(param.items())["normalize"] == 3
    assert dict(iter(param)) == dict(param.items())
    assert "normalize" in param
    assert "nothing" not in param
    assert len(param) == len(Param.get_keys())


def test_saving_as_yaml_lists_all_parameters_by_name(tmp_path):
    ConvpaintModel.get_default_params().save(tmp_path / "p.yml")
    text = (tmp_path / "p.yml").read_text()
    values = yaml.safe_load(text)
    assert list(values) == sorted(Param.get_keys())
    assert Param.load(tmp_path / "p.yml") == ConvpaintModel.get_default_params()


def test_a_file_of_the_original_loads_and_newer_keys_are_reported(tmp_path):
    path = tmp_path / "original.yml"
    path.write_text(
        "channel_mode: multi\nclassifier: CatBoost\nclf_depth: 6\nclf_iterations: 50\n"
        "clf_learning_rate: 0.2\nclf_use_gpu: null\nfe_layers: null\nfe_name: gaussian_features\n"
        "fe_order: 0\nfe_scalings: [1, 2]\nfe_use_gpu: null\nfe_use_min_features: false\n"
        "image_downsample: 2\nnormalize: 3\nseg_smoothening: 1\ntile_annotations: true\n"
        "tile_image: false\nunpatch_order: 1\nuse_dask: false\nfe_device_lock: auto\n"
    )
    with pytest.warns(UserWarning, match="another version.*fe_device_lock"):
        model = ConvpaintModel(model_path=path)
    assert model.get_param("clf_iterations") == 50
    assert model.get_param("fe_scalings") == [1, 2]
    assert model.get_param("clf") == "catboost"
    assert model.get_param("classifier") is None
    assert model.classifier is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n- 2\n", "no names with values"),
        ("", "no names with values"),
        ("a: [1", "not a YAML file"),
        ("!!python/object/apply:os.system ['echo x']", "no plain value"),
        ("normalize: 9", r"bad.yml.*'normalize' must be"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, text, message):
    (tmp_path / "bad.yml").write_text(text)
    with pytest.raises((FormatError, ParameterError), match=message):
        Param.load(tmp_path / "bad.yml")


def test_a_folder_is_no_file_of_parameters(tmp_path):
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(FileError, match=r"Cannot read .*folder\.yml"):
        ConvpaintModel(model_path=tmp_path / "folder.yml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.yml"):
        Param.load(tmp_path / "none.yml")
