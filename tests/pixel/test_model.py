"""Making models, their parameters, and their files."""

import copy
import pickle

import numpy as np
import pytest

from stroma import ConvpaintModel, Param
from stroma.data.classes import Class
from stroma.errors import FormatError, MissingFileError, ParameterError, UnknownNameError
from stroma.features import EXTRACTORS


def test_only_one_form_of_initialisation_at_a_time():
    forms = {"alias": "gaussian", "model_path": "m.yml", "param": Param(), "fe_name": "ilastik_2d"}
    for first in forms:
        for second in forms:
            if first != second:
                with pytest.raises(ParameterError, match="only one of"):
                    ConvpaintModel(**{first: forms[first], second: forms[second]})


def test_the_first_argument_is_the_alias():
    assert ConvpaintModel("gaussian").get_param("fe_name") == "gaussian_features"


def test_parameters_go_with_the_name_of_an_extractor():
    model = ConvpaintModel(fe_name="gaussian_features", fe_scalings=[1, 2], normalize=3)
    assert model.get_param("fe_scalings") == [1, 2]
    assert model.get_param("normalize") == 3
    with pytest.raises(ParameterError, match=r"normalize.* go with fe_name only"):
        ConvpaintModel("gaussian", normalize=1)
    with pytest.raises(UnknownNameError, match="'normalise'"):
        ConvpaintModel(fe_name="gaussian_features", normalise=1)


def test_gaps_in_a_param_are_filled_in():
    model = ConvpaintModel(param=Param(fe_name="gaussian_features", clf_depth=3))
    assert model.get_param("clf_depth") == 3
    assert model.get_param("fe_scalings") == [1]
    assert model.get_param("normalize") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alias": "gausian"}, r"Alias 'gausian' not found.*'gaussian'"),
        ({"alias": "ilastik_2d"}, "Alias 'ilastik_2d' not found.*fe_name='ilastik_2d'"),
        ({"alias": "my/model.pkl"}, "not found.*model_path='my/model.pkl'"),
        ({"alias": Param(normalize=1)}, "not found.*param="),
        ({"fe_name": "gaussian_feature"}, "Did you mean 'gaussian_features'"),
        ({"fe_name": "gaussian_features+nothing"}, "No feature extractor named 'nothing'"),
        ({"model_path": "model.h5"}, "ends in .pkl or .yml"),
        ({"model_path": "missing.pkl"}, "missing.pkl"),
    ],
)
def test_unknown_names_and_files_are_value_errors_or_missing(arguments, message):
    with pytest.raises((UnknownNameError, FormatError, MissingFileError), match=message) as raised:
        ConvpaintModel(**arguments)
    assert isinstance(raised.value, ValueError | FileNotFoundError)


def test_parameters_of_another_kind_are_refused():
    with pytest.raises(ParameterError, match="as a Param, got dict"):
        ConvpaintModel(param={"normalize": 1})
    with pytest.raises(ParameterError, match="as a Param, got dict"):
        ConvpaintModel("gaussian").set_params({"normalize": 1})


def test_one_extractor_is_created_at_a_time():
    assert ConvpaintModel.create_fe("ilastik_2d") == EXTRACTORS["ilastik_2d"]()
    with pytest.raises(ParameterError, match=r"gaussian_features and ilastik_2d.*one at a time"):
        ConvpaintModel.create_fe("gaussian_features+ilastik_2d")


def test_only_training_says_which_classifier_was_fitted(disks):
    trained, other = ConvpaintModel("gaussian"), ConvpaintModel("gaussian")
    trained.train(disks[0], disks[2])
    assert trained.get_param("classifier") == "CatBoost"
    other.set_params(trained.get_params())
    assert other.get_param("classifier") is None
    with pytest.raises(ParameterError, match=r"only training sets it.*'clf'"):
        other.set_param("classifier", "CatBoost")
    with pytest.raises(ParameterError, match="only training sets it"):
        other.set_params(classifier="CatBoost")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_of_a_model_predicts_the_same_and_is_independent(disks, copied):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    expected = model.predict_probas(image)
    twin = copied(model)
    model.reset_classifier()
    np.testing.assert_array_equal(twin.predict_probas(image), expected)


def test_extractors_are_listed_with_their_types():
    types = ConvpaintModel.get_fe_models_types()
    assert types["gaussian_features"] is EXTRACTORS["gaussian_features"]
    assert ConvpaintModel.create_fe("gaussian_features") == EXTRACTORS["gaussian_features"]()
    with pytest.raises(ValueError, match="No feature extractor"):
        ConvpaintModel.create_fe("nothing")


def test_get_params_is_a_copy():
    model = ConvpaintModel("gaussian")
    model.get_params().normalize = 1
    assert model.get_param("normalize") == 2


def test_set_params_skips_none_and_takes_one_form():
    model = ConvpaintModel("gaussian")
    model.set_params(normalize=None, clf_depth=4)
    assert (model.get_param("normalize"), model.get_param("clf_depth")) == (2, 4)
    model.set_params(Param(clf_depth=6))
    assert (model.get_param("normalize"), model.get_param("clf_depth")) == (2, 6)
    with pytest.raises(ParameterError, match="either a Param or"):
        model.set_params(Param(), normalize=1)


def test_an_untrained_model_takes_any_parameter():
    model = ConvpaintModel("gaussian")
    model.set_param("fe_name", "ilastik_2d")
    assert model.get_fe_defaults().fe_name == "ilastik_2d"
    assert len(model.get_feature_image(np.eye(20, dtype=np.float32))) == 56


def test_a_trained_model_keeps_its_features_unless_told_to_forget(disks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    model.set_params(seg_smoothening=3, image_downsample=2, unpatch_order=0, clf_depth=3)
    model.set_param("fe_scalings", [1])
    for key, value in [("normalize", 3), ("fe_scalings", [1, 2]), ("fe_name", "ilastik_2d")]:
        with pytest.raises(ParameterError, match=rf"{key}.*ignore_warnings"):
            model.set_param(key, value)
    assert model.classifier is not None
    model.set_param("normalize", 3, ignore_warnings=True)
    assert model.classifier is None
    assert model.get_param("normalize") == 3


def test_a_wrong_parameter_leaves_the_model_as_it_was():
    model = ConvpaintModel("gaussian")
    with pytest.raises(ParameterError, match="has no layers"):
        model.set_param("fe_layers", ["features.0"])
    assert model.get_param("fe_layers") is None
    model.get_feature_image(np.eye(8, dtype=np.float32))


def test_the_order_in_which_layers_are_named_makes_no_difference(disks):
    image, _, strokes = disks
    keys = ConvpaintModel("ilastik").get_fe_layer_keys()
    results = []
    for layers in ([keys[3], keys[20]], [keys[20], keys[3], keys[20]], [20, 3]):
        model = ConvpaintModel("ilastik")
        model.set_param("fe_layers", layers)
        model.train(image, strokes)
        results.append((model.feature_names_, model.predict_probas(image)))
    for names, probabilities in results[1:]:
        assert names == results[0][0]
        np.testing.assert_array_equal(probabilities, results[0][1])


def test_combinations_take_parameters_per_part():
    model = ConvpaintModel(fe_name="gaussian_features+ilastik_2d")
    assert model.get_param("fe_scalings") == [[1], [1]]
    model.set_param("fe_scalings", [[1, 2], [1]])
    image = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
    assert len(model.get_feature_image(image)) == 2 + 56
    with pytest.raises(ParameterError, match="2 lists"):
        model.set_param("fe_scalings", [1, 2])


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["background", "disk"], r"Class\(label, name, color\), got 'background'"),
        ([Class(1, "a"), Class(1, "b")], r"several for \[1\]"),
    ],
)
def test_wrong_classes_are_refused_and_the_old_ones_stay(classes, message):
    model = ConvpaintModel("gaussian")
    model.classes = [Class(2, "disk")]
    with pytest.raises(ParameterError, match=message):
        model.classes = classes
    assert [c.name for c in model.classes] == ["disk"]


def test_classes_have_names_and_colours(disks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.classes = [Class(2, "disk", "#ff0000")]
    model.train(image, strokes)
    assert [c.name for c in model.classes] == ["class 1", "disk"]
    assert model.classes[1].rgb == (255, 0, 0)


@pytest.mark.parametrize("clf", ["catboost", "forest", "logistic"])
def test_a_saved_model_gives_the_same_probabilities_bit_by_bit(disks, clf, tmp_path):
    image, _, strokes = disks
    model = ConvpaintModel("ilastik")
    model.set_params(clf=clf, norm_from="training")
    model.classes = [Class(1, "background"), Class(2, "disk", "#ff0000")]
    model.train(image, strokes)
    model.save(tmp_path / "model.pkl")
    loaded = ConvpaintModel(model_path=str(tmp_path / "model.pkl"))
    np.testing.assert_array_equal(loaded.predict_probas(image), model.predict_probas(image))
    assert loaded.get_params() == model.get_params()
    assert loaded.classes == model.classes
    assert loaded.feature_names_ == model.feature_names_
    assert (loaded.classes_ == model.classes_).all()
    untrained = ConvpaintModel(model_path=tmp_path / "model.yml")
    assert untrained.classifier is None
    assert untrained.get_param("clf") == clf


def test_chosen_channels_are_saved(disks, tmp_path):
    stack = np.stack([disks[0], disks[0][::-1], disks[0].T[:96, :].repeat(2, 1)[:, :110]])
    model = ConvpaintModel("gaussian")
    model.set_param("channel_mode", "multi")
    model.train(stack, disks[2], in_channels=[1, 0])
    model.save(tmp_path / "model", create_yml=False)
    assert [p.name for p in tmp_path.iterdir()] == ["model.pkl"]
    loaded = ConvpaintModel(model_path=tmp_path / "model.pkl")
    np.testing.assert_array_equal(loaded.predict_probas(stack), model.predict_probas(stack))


def test_an_untrained_model_can_be_saved(tmp_path):
    with pytest.warns(UserWarning, match="not trained yet"):
        ConvpaintModel("gaussian").save(tmp_path / "model")
    loaded = ConvpaintModel(model_path=tmp_path / "model.pkl")
    assert loaded.get_params() == ConvpaintModel("gaussian").get_params()


@pytest.mark.parametrize("keep", [0, 1, 10, 200, -1])
def test_a_truncated_file_is_refused_by_name(disks, tmp_path, keep):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    model.save(tmp_path / "model", create_yml=False)
    data = (tmp_path / "model.pkl").read_bytes()
    (tmp_path / "cut.pkl").write_bytes(data[:keep])
    with pytest.raises(FormatError, match=r"cut\.pkl"):
        ConvpaintModel(model_path=tmp_path / "cut.pkl")


@pytest.mark.parametrize("key", ["param", "fitted", "classes", "memory"])
def test_a_file_with_parts_missing_or_wrong_is_refused_by_name(disks, tmp_path, key):
    from stroma.pixel.files import plain as files

    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes, memory_mode=True)
    model.save(tmp_path / "model", create_yml=False)
    state = files.read(tmp_path / "model.pkl")
    for broken in ({k: v for k, v in state.items() if k != key}, {**state, key: [1, 2]}):
        files.write(tmp_path / "broken.pkl", broken)
        with pytest.raises(FormatError, match=r"broken\.pkl"):
            ConvpaintModel(model_path=tmp_path / "broken.pkl")


def test_reset_classifier_forgets_everything_learned(disks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes, memory_mode=True)
    model.reset_classifier()
    assert model.classifier is None
    assert model.get_param("classifier") is None
    model.set_param("normalize", 3)
