import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch import nn
from transformers import ConvNextConfig, ConvNextModel, EfficientNetConfig, EfficientNetModel

from random_weights import random_tensors, write_random_weights
from stroma.errors import DeviceError, ParameterError, WeightsError
from stroma.features.networks import cnn
from stroma.features.networks.cnn import VGG16, ConvNeXt, ConvolutionFeatures, EfficientNetB0
from stroma.testing import check_extractor


def image(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).standard_normal((channels, height, width), np.float32)


def padded(values, halo):
    return np.pad(values, ((0, 0), (halo, halo), (halo, halo)), mode="reflect")


def assert_close(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def plain_vgg(folder, depth):
    """Write VGG16 out by hand, up to its fifth convolution."""
    stored = load_file(folder / "vgg16.safetensors")
    modules = []
    for index, (entering, leaving) in {
        0: (3, 64),
        2: (64, 64),
        5: (64, 128),
        7: (128, 128),
        10: (128, 256),
    }.items():
        while len(modules) < index:
            modules.append(nn.ReLU() if len(modules) % 5 != 4 else nn.MaxPool2d(2, 2))
        convolution = nn.Conv2d(entering, leaving, 3, padding=1)
        convolution.weight.data = torch.tensor(stored[f"features.{index}.weight"])
        convolution.bias.data = torch.tensor(stored[f"features.{index}.bias"])
        modules.append(convolution)
    return nn.Sequential(*modules[: depth + 1])


def run(network, values):
    with torch.inference_mode():
        return network(torch.tensor(values)[None])[0].numpy()


@pytest.mark.parametrize("depth", [0, 2, 5, 7, 10])
def test_vgg16_is_the_plain_sequential_before_activation(random_weights_for_all, depth):
    extractor = VGG16(layers=(f"features.{depth}",))
    values = padded(image(24, 32), extractor.halo)
    (found,) = extractor(values)
    whole = run(plain_vgg(random_weights_for_all, depth), values)
    cells = extractor.halo // found.step
    inner = slice(cells, -cells) if cells else slice(None)
    assert found.values.min() < 0  # not yet rectified
    assert_close(found.values, whole[:, inner, inner])


def test_what_is_outside_the_block_does_not_leak_in(random_weights_for_all):
    """The zeros that the network pads with stay within the halo."""
    extractor = VGG16(layers=("features.2",))
    assert extractor.halo == 2
    block = np.ones((3, 5, 5), np.float32)  # one core pixel in the middle of a constant image
    (found,) = extractor(block)
    constant = run(plain_vgg(random_weights_for_all, 2), np.ones((3, 21, 21), np.float32))
    assert_close(found.values, constant[:, 10:11, 10:11])


def test_features_do_not_depend_on_what_else_is_chosen_nor_on_order():
    values = image(48, 48)

    def of(*layers):
        extractor = VGG16(layers=layers)
        maps = extractor(padded(values, extractor.halo))
        return dict(zip(layers, maps, strict=True))

    together, reverse = of(0, 2, 5), of(5, 0)
    for layer in (0, 2, 5):
        assert_close(of(layer)[layer].values, together[layer].values)
    assert_close(reverse[0].values, together[0].values)
    assert_close(reverse[5].values, together[5].values)


def test_two_extractors_that_end_at_the_same_layer_do_not_disturb_each_other():
    one, other = VGG16(layers=(1,)), VGG16(layers=(0, 1))
    block = padded(image(8, 8), 2)
    (alone,) = one(block)
    both = other(block)
    (again,) = one(block)
    np.testing.assert_array_equal(alone.values, again.values)
    np.testing.assert_array_equal(alone.values, both[1].values)


def test_nothing_beyond_the_deepest_layer_is_run_or_loaded(tmp_path):
    tensors = random_tensors("vgg16", largest=2000)  # the first convolution only
    assert set(tensors) >= {"features.0.weight", "features.0.bias"}
    assert "features.2.weight" not in tensors
    save_file(tensors, tmp_path / "vgg16.safetensors")
    (found,) = VGG16(weights=str(tmp_path))(image(10, 10))
    assert found.values.shape == (64, 8, 8)


@pytest.mark.parametrize("extractor", [VGG16(layers=(0, 2)), EfficientNetB0(), ConvNeXt()])
def test_one_channel_repeated_gives_what_three_equal_channels_give(extractor):
    one = image(32 + 2 * extractor.halo, 32 + 2 * extractor.halo, channels=1)
    series = extractor(np.broadcast_to(one, (3, *one.shape[1:])))
    copied = extractor(np.repeat(one, 3, axis=0))
    for summed, plain in zip(series, copied, strict=True):
        assert_close(summed.values, plain.values)


def test_layer_keys_of_vgg16_are_those_of_the_reference():
    keys = VGG16.layer_keys()
    assert len(keys) == 13
    assert keys[0] == "features.0 Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"
    assert [key.split()[0] for key in keys] == [
        f"features.{n}" for n in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    ]
    extractor = VGG16(layers=tuple(range(13)))
    assert extractor.features_per_layer == (64, 64, 128, 128, *[256] * 3, *[512] * 6)


@pytest.mark.parametrize(
    ("kind", "count", "features"),
    [(VGG16, 13, [64]), (EfficientNetB0, 81, [32]), (ConvNeXt, 40, [128, 128, 128])],
)
def test_defaults_are_the_first_layers(kind, count, features):
    keys = kind.layer_keys()
    assert len(keys) == count
    assert list(kind.default_layers) == keys[: len(features)]
    assert kind().features_per_layer == tuple(features)


@pytest.mark.parametrize(
    ("layers", "halo", "stride", "features"),
    [
        ((0,), 1, 1, 64),
        ((0, 1, 2), 4, 2, 256),
        ((0, 1, 2, 3, 4), 12, 4, 640),
    ],
)
def test_halo_and_stride_of_the_aliases(layers, halo, stride, features):
    extractor = VGG16(layers=layers)
    assert (extractor.halo, extractor.stride) == (halo, stride)
    assert len(extractor.names(["grey"])) == features


def transformers_efficientnet():
    config = EfficientNetConfig(
        width_coefficient=1.0, depth_coefficient=1.0, image_size=224, hidden_dim=1280
    )
    return EfficientNetModel(config)


def transformers_convnext():
    return ConvNextModel(ConvNextConfig(depths=[3, 3, 27, 3], hidden_sizes=[128, 256, 512, 1024]))


def with_weights(network, name, folder):
    """Load the file as far as it goes; the large layers that it lacks are not compared."""
    stored = load_file(folder / f"{name}.safetensors")
    state = {k.partition(".")[2]: torch.tensor(v) for k, v in stored.items()}
    rest = network.load_state_dict(state, strict=False)
    assert not rest.unexpected_keys
    return network.eval()


def outputs(network, names, values):
    seen = {}
    for name in names:
        network.get_submodule(name).register_forward_hook(
            lambda _, __, out, name=name: seen.update({name: out[0].numpy()})
        )
    with torch.inference_mode():
        network(torch.tensor(values)[None])
    return [seen[name] for name in names]


def test_efficientnet_is_that_of_transformers(random_weights_for_all):
    network = with_weights(transformers_efficientnet(), "efficient_netb0", random_weights_for_all)
    layers = (0, 1, 2, 4, 6, 30, 78)
    extractor = EfficientNetB0(layers=layers)
    assert extractor.halo is None  # averages of the whole window come in
    names = [EfficientNetB0.layer_keys()[i].split()[0] for i in layers]
    values = image(64, 96)
    expected = outputs(network, names, values)
    for found, whole in zip(extractor(values), expected, strict=True):
        if whole.shape[1:] == (1, 1):  # what is averaged over the window is the same everywhere
            assert found.values.shape[1] * found.step == 64
            whole = np.broadcast_to(whole, found.values.shape)
        assert_close(found.values, whole)


def test_convnext_is_that_of_transformers(random_weights_for_all):
    network = with_weights(transformers_convnext(), "convnext", random_weights_for_all)
    layers = (0, 1, 3, 4)
    extractor = ConvNeXt(layers=layers)
    assert (extractor.halo, extractor.stride) == (40, 8)
    names = [ConvNeXt.layer_keys()[i].split()[0] for i in layers]
    values = image(16 + 80, 32 + 80)
    expected = outputs(network, names, values)
    for found, whole in zip(extractor(values), expected, strict=True):
        cells = 40 // found.step
        assert_close(found.values, whole[:, cells:-cells, cells:-cells])


@pytest.mark.parametrize(
    "extractor",
    [
        VGG16(layers=(2, 0)),
        EfficientNetB0(layers=(0, 2, 4)),
    ],
    ids=repr,
)
def test_other_layers_than_the_default_keep_the_contract(extractor):
    check_extractor(extractor)


def test_a_batch_gives_what_its_blocks_give_alone(monkeypatch):
    monkeypatch.setitem(cnn.BATCH_PIXELS, "cpu", 1 << 20)
    extractor = VGG16(layers=(0, 2))
    blocks = [image(14, 18, seed=i) for i in range(3)]
    for alone, together in zip(map(extractor, blocks), extractor.batch(blocks), strict=True):
        for a, b in zip(alone, together, strict=True):
            assert_close(b.values, a.values)


def test_construction_and_names_need_no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    extractor = VGG16()
    assert len(extractor.names(["grey"])) == 64
    with pytest.raises(WeightsError, match="'vgg16' are not on this machine"):
        extractor(image(10, 10))


def test_provenance_tells_equal_from_other_weights(tmp_path):
    same = write_random_weights("vgg16", tmp_path)
    assert VGG16(weights=str(same)).provenance()["digest"] == VGG16().provenance()["digest"]
    assert VGG16(layers=(1,)).provenance()["digest"] != VGG16().provenance()["digest"]


@pytest.mark.parametrize("layers", [(), (0, 0), (13,), ("features.1",), ("features.0", 0)])
def test_layers_that_do_not_exist_or_come_twice_are_refused(layers):
    with pytest.raises(ParameterError, match="layer"):
        VGG16(layers=layers)


def test_devices_are_checked():
    with pytest.raises(ParameterError, match="'auto', 'cpu', 'cuda', 'mps', got 'gpu'"):
        VGG16(device="gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ParameterError, match="torch finds none"):
            VGG16(device="cuda")(image(10, 10))


def test_a_full_device_is_an_error_that_says_what_to_do(monkeypatch):
    def full(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    block = image(10, 10)
    VGG16()(block)
    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.Conv2d, "_conv_forward", full)
        with pytest.raises(DeviceError, match=r"memory that is left on 'cpu'.*fe_use_gpu='cpu'"):
            VGG16()(block)
    VGG16()(block)


def test_a_list_of_layers_makes_a_hashable_extractor():
    assert hash(VGG16(layers=[0, 2])) == hash(VGG16(layers=(0, 2)))
    assert isinstance(VGG16(), ConvolutionFeatures)


def test_vgg16_does_not_import_transformers():
    code = (
        "import sys; from stroma.features.networks.cnn import VGG16; VGG16().names(['a']);"
        "print('transformers' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
