import numpy as np
import pytest
from scipy import ndimage

from stroma.blocks.box import Box
from stroma.data.classes import Class, complete
from stroma.errors import Cancelled, LabelError, UnknownNameError
from stroma.features.cache import FeatureCache
from stroma.pixel.choices.aliases import alias_param
from stroma.pixel.door import Points, labelled_points, open_image
from stroma.pixel.guidance.compare import compare
from stroma.pixel.guidance.components import components
from stroma.pixel.guidance.importance import importance
from stroma.pixel.guidance.suggest import suggest
from stroma.pixel.guidance.validate import validate
from stroma.pixel.guidance.validation import Validation, better
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.training.learn import Labelled


def scene(noise=1.0, strokes=3):
    """Two halves of different brightness, each with as many strokes."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, noise, (60, 80)).astype(np.float32)
    image[:, 40:] += 5
    labels = np.zeros(image.shape, np.uint16)
    for i in range(strokes):
        labels[5 + 15 * i : 9 + 15 * i, 5:20] = 1
        labels[5 + 15 * i : 9 + 15 * i, 55:70] = 2
    return image, labels


def strokes_of(image, labels):
    source = open_image(image, "single")
    return {"image": Labelled(source, labelled_points(labels, source))}


def param(**values):
    model = ConvpaintModel("gaussian")
    model.set_params(clf_iterations=40, **values)
    return model.get_params()


def test_the_next_place_is_the_most_uncertain_one():
    uncertainty = np.zeros((100, 120), np.float32)
    uncertainty[60:80, 90:110] = 0.9
    uncertainty[10:30, 10:30] = 0.6
    found = suggest(uncertainty, np.zeros((100, 120), bool), side=16)
    assert 60 <= found.y <= 80
    assert 90 <= found.x <= 110
    assert found.box.shape == (16, 16)
    assert found.uncertainty == pytest.approx(0.9)
    assert np.isnan(found.distance)


def test_near_a_stroke_uncertainty_counts_less():
    uncertainty = np.zeros((100, 120), np.float32)
    uncertainty[60:80, 90:110] = 0.9
    uncertainty[10:30, 10:30] = 0.6
    painted = np.zeros((100, 120), bool)
    painted[70, 85:115] = True
    found = suggest(uncertainty, painted, side=16)
    assert 10 <= found.y <= 30
    assert 10 <= found.x <= 30
    assert found.distance == pytest.approx(np.hypot(found.y - 70, found.x - 85), abs=1.5)


def test_unknown_places_are_not_suggested_and_certainty_gives_nothing():
    uncertainty = np.full((50, 50), np.nan, np.float32)
    uncertainty[:10] = 0.5
    assert suggest(uncertainty, np.zeros((50, 50), bool), side=8).y < 10
    assert suggest(np.zeros((50, 50), np.float32), np.zeros((50, 50), bool)) is None
    assert suggest(np.full((50, 50), np.nan), np.zeros((50, 50), bool)) is None


def test_a_reduced_map_gives_the_place_in_pixels():
    uncertainty = np.zeros((50, 60), np.float32)
    uncertainty[40, 50] = 1
    found = suggest(uncertainty, np.zeros((50, 60), bool), step=4, side=32)
    assert (found.y, found.x) == (162, 202)
    assert found.box == Box(146, 186, 178, 218)
    painted = np.zeros((50, 60), bool)
    painted[40, 10] = True
    found = suggest(uncertainty, painted, step=4, side=32)
    assert found.distance == pytest.approx(found.x - 42)


def test_connected_pixels_of_one_label_are_one_stroke():
    labels = np.random.default_rng(1).integers(0, 3, (2, 30, 40)).astype(np.uint16)
    plane, y, x = np.nonzero(labels)
    shuffled = np.random.default_rng(2).permutation(len(y))
    points = Points(plane, np.column_stack([y, x]), labels[plane, y, x])
    points = Points(*(column[shuffled] for column in points))
    group = components(points)
    expected = np.zeros(labels.shape, int)
    for p in (0, 1):
        for label in (1, 2):
            parts, _ = ndimage.label(labels[p] == label, np.ones((3, 3)))
            expected[p] += np.where(parts, parts + 10_000 * label + 100_000 * p, 0)
    wanted = expected[points.plane, points.yx[:, 0], points.yx[:, 1]]
    pairs = set(zip(group.tolist(), wanted.tolist(), strict=True))
    assert len(pairs) == len(set(group.tolist())) == len(set(wanted.tolist()))


def test_clear_classes_are_validated_as_clear_and_noise_as_chance():
    clear = validate(strokes_of(*scene()), param(), FeatureCache())
    assert clear.labels == (1, 2)
    assert clear.strokes == (3, 3)
    assert clear.accuracy > 0.99
    rng = np.random.default_rng(3)
    noise, labels = rng.normal(size=(60, 80)).astype(np.float32), scene()[1]
    blind = validate(strokes_of(noise, labels), param(), FeatureCache())
    assert blind.accuracy < 0.75
    assert blind.confusion.sum() == (labels > 0).sum()


def test_a_stroke_is_never_tested_by_its_own_pixels(monkeypatch):
    """Strokes that each look different cannot be predicted from the others."""
    image, labels = scene(noise=0.01)
    parts, _ = ndimage.label(labels)
    image = ((parts * 7) % 10 + 3 * (labels == 0)).astype(np.float32)
    honest = validate(strokes_of(image, labels), param(normalize=1), FeatureCache())
    same = {"image": np.arange(1, (labels > 0).sum() + 1)}
    joined = validate(strokes_of(image, labels), param(normalize=1), FeatureCache(), groups=same)
    assert joined.strokes == honest.strokes
    assert joined.accuracy == honest.accuracy
    monkeypatch.setattr("stroma.pixel.guidance.validate.APART", 0)
    leaking = validate(strokes_of(image, labels), param(normalize=1), FeatureCache(), groups=same)
    assert leaking.accuracy > honest.accuracy + 0.2


def told(*found):
    """Return what is known of classes with these strokes."""
    shares = tuple(np.array(t, float) for t in found)
    counts = tuple(len(t) for t in shares)
    labels = tuple(range(1, len(shares) + 1))
    few = tuple(k for k, n in zip(labels, counts, strict=True) if n < 3)
    confusion = np.zeros((len(labels), len(labels)), int)
    return Validation(complete((), labels), confusion, counts, few, 2, 0.1, shares)


def test_the_accuracy_is_the_mean_of_the_recalls_of_tested_classes():
    made = told([1, 0.9, 0.8], [0.5, 0.5, 0.5], [])
    assert made.recall[:2] == pytest.approx((0.9, 0.5))
    assert made.accuracy == pytest.approx(0.7)
    assert np.isnan(made.recall[2])


def test_ranges_hold_the_shares_and_narrow_with_strokes():
    few, many = told([1.0] * 3, [0.5] * 4), told([1.0] * 30, [0.5] * 40)
    for made in (few, many):
        for share, (low, high) in zip(made.recall, made.ranges, strict=True):
            assert 0 <= low <= share <= high <= 1
        assert made.range[0] <= made.accuracy <= made.range[1]
    assert few.ranges[0][0] == pytest.approx(3 / (3 + 1.645**2))  # Wilson's, by hand
    assert np.diff(few.range) > 2 * np.diff(many.range)


def test_models_are_told_apart_stroke_by_stroke_or_not_at_all():
    base = [0.5, 0.9, 0.7, 0.6]
    above = [t + 0.05 for t in base]
    mixed = [0.4, 1.0, 0.6, 0.75]
    assert better(told(above, above), told(base, base)) == 1
    assert better(told(base, base), told(above, above)) == -1
    assert better(told(mixed, mixed), told(base, base)) == 0
    assert better(told(base, base), told(base, base)) == 0
    assert better(told([], []), told([], [])) == 0


def test_strokes_that_nearly_touch_are_one():
    image, labels = scene(strokes=4)
    labels[14:18, 5:20] = labels[14:18, 55:70] = 1
    assert (labels == 2).any()
    labels[14:18, 55:70] = 2
    found = validate(strokes_of(image, labels), param(), FeatureCache())
    assert found.strokes == (3, 3)  # the gaps are 15 - 4 px, those beside the new ones less than 8


def test_strokes_on_neighbouring_planes_of_a_volume_are_one_where_features_are_of_volumes():
    image, labels = scene(strokes=3)
    volume, painted = np.stack([image] * 24), np.zeros((24, *image.shape), np.uint16)
    for z in (2, 4, 20):
        painted[z] = labels  # the first two are nearer than the strokes of a plane may be
    planes = validate(strokes_of(volume, painted), param(), FeatureCache())
    assert planes.strokes == (9, 9)
    made = ConvpaintModel(fe_name="gaussian_3d")
    made.set_params(clf_iterations=20)
    found = validate(strokes_of(volume, painted), made.get_params(), FeatureCache())
    assert found.strokes == (6, 6)
    made.set_params(voxel_size=[10, 1, 1])
    apart = validate(strokes_of(volume, painted), made.get_params(), FeatureCache())
    assert apart.strokes == (9, 9)


def test_a_class_with_one_stroke_is_named_as_untested():
    image, labels = scene()
    labels[50:55, 30:34] = 7
    found = validate(strokes_of(image, labels), param(), FeatureCache())
    assert found.untested == (7,)
    assert found.accuracy > 0.95


def test_too_few_strokes_are_an_error_that_says_how_many_there_are():
    named = (Class(2, "nucleus"),)
    with pytest.raises(LabelError, match="class 1 has 2, nucleus has 2"):
        validate(strokes_of(*scene(strokes=2)), param(), FeatureCache(), classes=named)


def test_too_few_strokes_are_told_before_anything_is_computed(monkeypatch):
    def computed(*args, **kwargs):
        raise AssertionError("features were computed")

    monkeypatch.setattr("stroma.pixel.guidance.validate.rows", computed)
    monkeypatch.setattr("stroma.pixel.model.ConvpaintModel.train", computed)
    strokes = strokes_of(*scene(strokes=2))
    with pytest.raises(LabelError, match="Too few strokes"):
        validate(strokes, param(), FeatureCache())
    with pytest.raises(LabelError, match="Too few strokes"):
        compare(strokes)


def test_validation_sees_strokes_reduced_as_training_does():
    found = validate(strokes_of(*scene()), param(image_downsample=2), FeatureCache())
    assert found.accuracy > 0.9
    assert found.confusion.sum() < 300


def test_validation_stops_when_asked():
    with pytest.raises(Cancelled):
        validate(strokes_of(*scene()), param(), FeatureCache(), cancel=lambda: True)


def test_the_feature_that_decides_is_the_most_important():
    image, labels = scene()
    rng = np.random.default_rng(5)
    channels = np.stack([rng.normal(size=image.shape).astype(np.float32), image])
    model = ConvpaintModel("gaussian")
    model.set_params(channel_mode="multi", clf="forest")
    model.train(channels, labels)
    found = importance(model.feature_names_, model.classifier)
    assert "ch1" in found[0][0]
    assert sum(share for _, share in found) == pytest.approx(1)


def test_comparison_ranks_what_sees_texture_above_what_sees_brightness():
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (64, 80)).astype(np.float32)
    image[:, 40:] = ndimage.gaussian_filter(rng.normal(0, 1, (64, 40)), 2) * 7
    labels = scene()[1]
    labels = np.pad(labels, ((0, 4), (0, 0)))
    found = compare(strokes_of(image, labels), ["gaussian", "ilastik"])
    assert [c.alias for c in found] == ["ilastik", "gaussian"]
    assert found[0].accuracy > found[1].accuracy + 0.1
    assert all(c.training > 0 and c.segmenting > 0 and not c.problem for c in found)


def test_comparison_of_an_unknown_name_fails_before_anything_is_computed():
    with pytest.raises(UnknownNameError, match="gausian"):
        compare(strokes_of(*scene()), ["gaussian", "gausian"])
    assert alias_param("gaussian").fe_name
