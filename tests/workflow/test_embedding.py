"""Features inside objects, as columns of their table."""

import numpy as np
import pytest

from stroma import ConvpaintModel, ObjectClassifier, measure
from stroma.data.image import Image
from stroma.errors import ParameterError, ShapeError
from stroma.workflow.measuring.embedding import embed, extractors_in


def two(shape: tuple[int, ...]) -> np.ndarray:
    """Return two objects, one of them over borders of blocks."""
    labels = np.zeros(shape, np.int32)
    labels[..., 3:12, 4:20], labels[..., 20:, 25:] = 4, 9
    return labels


@pytest.mark.parametrize(
    ("shape", "extractor"),
    [((40, 50), "gaussian_features"), ((40, 50), "texture_2d"), ((4, 30, 40), "gaussian_3d")],
)
def test_columns_are_means_of_the_features_of_the_image(shape, extractor):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    labels = two(shape)
    table = embed(measure(labels, image), labels, image, extractor)
    names = [n for n in table if n.startswith("embedding_")]
    stack = ConvpaintModel(fe_name=extractor).get_feature_image(image)
    means = [stack[:, labels == n].mean(axis=1) for n in (4, 9)]
    assert names[0] == f"embedding_{extractor}_000"
    assert np.allclose(table.matrix(names), means, atol=1e-5)
    assert extractors_in(table) == (extractor,)


def test_every_frame_and_colours_have_features_of_their_own():
    image = np.random.default_rng(0).random((2, 3, 30, 40)).astype(np.float32)
    labels = two((2, 30, 40))
    colour = Image(image, "tcyx", rgb=True)
    table = embed(measure(labels, colour, axes="tyx"), labels, colour, "texture_2d", axes="tyx")
    names = [n for n in table if n.startswith("embedding_")]
    stack = ConvpaintModel(fe_name="texture_2d", channel_mode="rgb").get_feature_image(colour)
    for row, (t, n) in enumerate(zip(table["t"], table["label"], strict=True)):
        mean = stack[:, t][:, labels[t] == n].mean(axis=1)
        assert np.allclose(table.matrix(names)[row], mean, rtol=1e-4, atol=1e-4)


def test_a_classifier_may_look_at_features_alone():
    image = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    labels = two((40, 50))
    image[labels == 9] += 5
    table = embed(measure(labels, image), labels, image, "gaussian_features")
    own = ObjectClassifier(columns=("embedding_gaussian_features_000",)).fit(table, {4: 1, 9: 2})
    assert own.predict(table).tolist() == [1, 2]


def test_what_cannot_be_embedded_is_said():
    labels = two((40, 50))
    with pytest.raises(ParameterError, match="Give the image, too"):
        embed(measure(labels), labels, None, "texture_2d")
    with pytest.raises(ShapeError, match="They show the same pixels"):
        embed(measure(labels), labels, np.zeros((40, 49)), "texture_2d")
