"""Networks are adapted on what they see of images: without an empty frame, and one by one."""

from dataclasses import replace

import numpy as np
import pytest

from random_network import random_network
from stroma.errors import ParameterError
from stroma.training.learning.adaptation import Adaptation, unlabelled
from stroma.training.model import Network


def test_new_images_without_labels_are_cropped_for_a_network_that_crops():
    image = np.zeros((40, 50), np.float32)
    image[10:30, 5:45] = 1
    network = random_network(crop=True)
    [case] = unlabelled(network, [image])
    assert case.shape == (20, 40)


def test_a_cascade_is_not_adapted():
    network = random_network()
    cascade = Network(network.module, replace(network.about, first={"network": "unet"}))
    with pytest.raises(ParameterError, match="cascade of two networks"):
        Adaptation(device="cpu").run(cascade, [np.zeros((40, 50), np.float32)])
