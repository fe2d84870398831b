import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.errors import ShapeError
from stroma.pixel.door import Points


def points_of(labels):
    plane, y, x = np.nonzero(labels)
    return Points(plane, np.column_stack([y, x]), labels[plane, y, x])


def test_labelled_pixels_train_what_a_label_image_trains():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, 40, 300)).astype(np.float32)
    image[:, :, 150:] += 3
    labels = np.zeros(image.shape, np.uint16)
    labels[0, 5:8, 10:60], labels[1, 20:24, 200:290] = 1, 2
    plain, sparse = ConvpaintModel("gaussian"), ConvpaintModel("gaussian")
    plain.train(image, labels)
    sparse.train([image], [points_of(labels)])
    np.testing.assert_array_equal(plain.predict_probas(image), sparse.predict_probas(image))


@pytest.mark.parametrize(("plane", "y", "x"), [(1, 0, 0), (0, 10, 0), (0, 0, -1)])
def test_labelled_pixels_outside_the_image_are_refused(plane, y, x):
    points = Points(np.array([0, plane]), np.array([[1, 1], [y, x]]), np.array([1, 2], np.uint16))
    with pytest.raises(ShapeError, match="outside the image"):
        ConvpaintModel("gaussian").train([np.zeros((10, 12))], [points])
