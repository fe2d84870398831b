"""Every model of the reference is there, without the defects it has there."""

import warnings

import pytest
import torch
from torch import nn

from stroma.errors import ParameterError
from stroma.networks.ladder import Ladder
from stroma.networks.next_frame import NextFrame, checkerboard, rolled_out, warped
from stroma.networks.recurrent import ConvLSTM, Recurrent, Stateful
from stroma.networks.reference import MODELS, RECURRENT, get_model
from stroma.networks.segnet import SegNet
from stroma.networks.shuffle import Shuffle
from stroma.networks.unet import UNet
from stroma.testing import check_network

IMAGES = [name for name in MODELS if name not in RECURRENT]
LARGE = {"unet", "segnet"}


def frames(count=3, side=(20, 24), channels=1):
    return torch.rand(2, count, channels, *side)


def outputs(name, model, channels, side):
    if name in RECURRENT:
        return model(frames(2, side, channels))[0]
    return model(torch.rand(2, channels, *side))


def test_the_names_are_those_of_the_reference():
    assert set(MODELS) == {
        "simple", "unet", "unet_shallow", "segnet", "segnet_shallow", "unet_lstm",
        "lstm_shallow", "lstm_full", "lstm_next_frame", "ladder",
    }  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_sides_that_do_not_divide_are_kept(name):
    channels = classes = 1 if name == "lstm_next_frame" else 3
    model, height, width = get_model(name, 21, 27, channels, classes)
    assert (height, width) == (21, 27)
    with torch.no_grad():
        found = outputs(name, model.eval(), channels, (21, 27))
    assert tuple(found.shape[-3:]) == (classes, 21, 27)


@pytest.mark.parametrize("name", MODELS)
def test_classes_are_softmax_and_grey_is_sigmoid(name):
    for classes in (1, 4):
        if name == "lstm_next_frame" and classes > 1:
            continue
        model, _, _ = get_model(name, 16, 16, 1, classes)
        with torch.no_grad():
            found = outputs(name, model.eval(), 1, (16, 16))
        assert float(found.min()) >= 0
        assert float(found.max()) <= 1
        total = found.sum(-3)
        assert torch.allclose(total, torch.ones_like(total), atol=1e-5) == (classes > 1)


@pytest.mark.parametrize("name", [n for n in MODELS if n not in LARGE])
def test_no_layer_is_dead(name):
    """The full LSTM of the reference pooled its input again, so its first layers did nothing."""
    model, _, _ = get_model(name, 16, 16, 1, 1 if name == "lstm_next_frame" else 2)
    outputs(name, model.train(), 1, (16, 16)).square().mean().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None]
    own = ("down", "denoise")  # the ladder's decoder, which its objective trains
    assert [n for n in idle if name != "ladder" or not n.split(".")[1].startswith(own)] == []


def test_the_last_layer_is_linear():
    """The U-Net of the reference had a ReLU before its softmax: classes that can only win."""
    for name in ("unet_shallow", "segnet_shallow", "simple"):
        model, _, _ = get_model(name, 16, 16, 1, 2)
        last = [m for m in model.modules() if isinstance(m, nn.Conv2d)][-1]
        assert last.out_channels == 2 or last.kernel_size == (1, 1)
        with torch.no_grad():
            last.bias.fill_(-100)
            assert float(model.model(torch.randn(2, 1, 16, 16)).max()) < 0


def test_segnet_puts_values_back_to_where_they_were():
    torch.manual_seed(0)
    network = SegNet(1, 1, features=(4,), convolutions=(1,)).eval()
    network.encoder[0] = network.decoder[0] = nn.Identity()
    network.head = nn.Identity()
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 1, 0], image[0, 0, 2, 3] = 5, 7
    assert torch.equal(network(image), image)
    network.indices = False
    assert not torch.equal(network(image), image)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("indices", [True, False])
def test_segnet_keeps_the_contract(ndim, indices):
    check_network(SegNet, ndim=ndim, features=(3, 4), convolutions=(1, 2), indices=indices)


def test_ladder_keeps_the_contract():
    check_network(Ladder, features=(4, 4), whole=False)


def test_unet_with_shuffled_pixels_keeps_the_contract():
    check_network(UNet, features=(3, 4, 5), up="shuffle")


SMALL = {"features": (4, 5, 6)}
MAKERS = {
    "bottleneck": lambda: Recurrent(1, 2, **SMALL),
    "stacked": lambda: Recurrent(1, 2, where="stacked", **SMALL),
    "every": lambda: Recurrent(1, 2, where="every", **SMALL),
    "direct": lambda: NextFrame(1, **SMALL),
    "warp": lambda: NextFrame(1, how="warp", **SMALL),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_frames_one_by_one_give_what_the_sequence_gives(kind):
    torch.manual_seed(1)
    model = MAKERS[kind]().train()
    with torch.no_grad():
        model(frames())  # statistics of normalisation that are not those of nothing
        model.eval()
        video = frames(5, (18, 20))
        whole, _ = model(video)
        stream = Stateful(model, batchsize=2, timesteps=1)
        singly = torch.cat([stream(video[:, t : t + 1]) for t in range(5)], 1)
        assert torch.allclose(whole, singly, atol=1e-5)
        later = stream(video[:, :1])
        stream.reset_states()
        assert torch.allclose(stream(video[:, :1]), whole[:, :1], atol=1e-5)
        assert not torch.allclose(later, whole[:, :1], atol=1e-5)


def test_one_stream_is_forgotten_alone():
    model = MAKERS["bottleneck"]().eval()
    stream, video = Stateful(model), frames(2)
    with torch.no_grad():
        stream(video)
        stream.reset_states([0])
        found = stream(video)
        fresh, (again, _) = model(video)[0], model(video, model(video)[1])
    assert torch.allclose(found[0], fresh[0], atol=1e-5)
    assert torch.allclose(found[1], again[1], atol=1e-5)


@pytest.mark.parametrize("name", RECURRENT)
def test_weights_move_between_stateless_and_stateful(name):
    classes = 1 if name == "lstm_next_frame" else 2
    plain, _, _ = get_model(name, 16, 16, 1, classes)
    kept, _, _ = get_model(name, 16, 16, 1, classes, stateful=True, timesteps=1, batchsize=2)
    kept.load_state_dict(plain.state_dict())
    plain.load_state_dict(kept.state_dict())
    plain.eval()
    kept.eval()
    video = frames(3, (16, 16))
    with torch.no_grad():
        singly = torch.cat([kept(video[:, t : t + 1]) for t in range(3)], 1)
        assert torch.allclose(plain(video)[0], singly, atol=1e-5)


def test_what_a_stateful_model_was_made_for_is_checked():
    model, _, _ = get_model("lstm_shallow", 16, 16, 1, 2, True, 1, 2)
    with pytest.raises(ParameterError, match="2 streams, got 3"):
        model(torch.rand(3, 1, 1, 16, 16))
    with pytest.raises(ParameterError, match="1 frames per call"):
        model(torch.rand(2, 4, 1, 16, 16))
    with pytest.raises(ParameterError, match="no memory"):
        get_model("unet", 16, 16, 1, 2, stateful=True)
    with pytest.raises(ParameterError, match="Did you mean 'segnet'"):
        get_model("segnett", 16, 16, 1, 2)
    with pytest.raises(ParameterError, match="predicts frames"):
        get_model("lstm_next_frame", 16, 16, 1, 5)
    stream = Stateful(MAKERS["bottleneck"]())
    stream(frames())
    with pytest.raises(ParameterError, match="reset_states"):
        stream(torch.rand(3, 1, 1, 20, 24))


def test_a_cell_remembers_to_begin_with():
    cell = ConvLSTM(2, 3)
    assert torch.equal(cell.gates.bias[3:6], torch.ones(3))


def test_shuffled_pixels_begin_without_a_checkerboard():
    torch.manual_seed(0)
    image = torch.randn(1, 6, 32, 32)
    even, plain = Shuffle(6, 4), Shuffle(6, 4, icnr=False)
    with torch.no_grad():
        even.smooth = plain.smooth = nn.Identity()
        # Of a flat picture nothing but the pattern is left.
        flat = torch.ones(1, 6, 32, 32)
        inner = (..., slice(4, -4), slice(4, -4))
        assert float(even(flat)[inner].std((-2, -1)).max()) < 1e-5
        assert checkerboard(plain(flat)[inner] + 1e-4 * torch.randn(1, 4, 56, 56)) > 0.9
        assert checkerboard(even(image)) < 0.01
        assert checkerboard(plain(image)) > 10 * checkerboard(even(image))
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2
    assert checkerboard(board[None, None].float()) == pytest.approx(1)


def test_next_frame_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        get_model("lstm_next_frame", 16, 16, 1, 1)


def test_warping_begins_with_the_last_frame():
    model, video = MAKERS["warp"]().eval(), frames(3)
    with torch.no_grad():
        found, _ = model(video)
    assert float((found - video).abs().mean()) < 0.05


def test_images_are_moved_by_pixels():
    image = torch.rand(1, 1, 6, 7)
    flow = torch.zeros(1, 2, 6, 7)
    flow[:, 0], flow[:, 1] = 1, -2
    moved = warped(image, flow)
    assert torch.allclose(moved[0, 0, :5, 2:], image[0, 0, 1:, :5], atol=1e-5)


def test_a_roll_out_feeds_predictions_back():
    model, video = MAKERS["direct"]().eval(), frames(3)
    with torch.no_grad():
        found = rolled_out(model, video, 3)
        first, state = model(video)
        second, _ = model(first[:, -1:], state)
    assert found.shape[1] == 3
    assert torch.allclose(found[:, :2], torch.cat([first[:, -1:], second], 1), atol=1e-6)
