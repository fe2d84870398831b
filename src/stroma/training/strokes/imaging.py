"""From a scene to an image: brightness and texture of classes, and what a microscope adds."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.data.color import rgb_to_lab
from stroma.training.strokes.noise import (
    Float32,
    Rng,
    borders,
    field,
    grid,
    smooth,
    some,
    standard,
    white,
)
from stroma.training.strokes.scenes import Int32, Scene
from stroma.training.strokes.textures import texture

CHANNELS = ((1, 0.55), (3, 0.3), (2, 0.1), (4, 0.05))
"""Numbers of channels and how often they are drawn; three are lightness and colours."""


def image(rng: Rng, scene: Scene, channels: int | None = None) -> Float32:
    """Return the image of a scene, normalised as part of a larger one would be.

    Parameters
    ----------
    channels : {1, 2, 3, 4}, optional
        Drawn unless given. Three are the lightness and the opponent colours (CIELAB) of a stained
        or a coloured image.

    Returns
    -------
    (channels, n, n) float32
    """
    if channels is None:
        numbers, shares = zip(*CHANNELS, strict=True)
        channels = int(rng.choice(numbers, p=shares))
    if channels == 3:
        made = _colored(rng, scene)
    else:
        made = np.stack([_recorded(rng, _painted(rng, scene)) for _ in range(channels)])
    if len(made) > 1 and channels != 3 and rng.random() < 0.5:
        made = made + np.float32(rng.uniform(0.2, 1)) * made[rng.permutation(len(made))]
    return np.stack([_adjusted(rng, channel) for channel in made])


def _adjusted(rng: Rng, channel: Float32) -> Float32:
    """Return a channel as part of a larger image that was normalised as a whole.

    Most parts have less contrast than the whole, some far less.
    """
    if channel.std() < 1e-4:
        return np.zeros_like(channel)
    gain = np.float32(some(rng, 0.15, 2))
    return standard(channel) * gain + np.float32(rng.normal(0, 0.4))


def _painted(rng: Rng, scene: Scene) -> Float32:
    """Return what is to be seen, without optics: brightness and texture of classes and parts."""
    labels, n = looks(rng, scene), len(scene.labels)
    classes = int(labels.max()) + 1
    spread = rng.uniform(0.3, 2.5) if rng.random() < 0.72 else 0.0
    means = rng.permutation(np.linspace(-1, 1, classes)) * spread + rng.normal(0, 0.15, classes)
    if rng.random() < 0.25:
        means[rng.integers(classes)] = means[rng.integers(classes)]
    image = means.astype(np.float32)[labels]
    shared, share = texture(rng, n), rng.random() < 0.35
    strength = some(rng, 0.03, 0.9)
    for k in range(classes):
        own = shared if share or rng.random() < 0.2 else texture(rng, n)
        image += (labels == k) * own * np.float32(strength * rng.uniform(0.2, 1.7))
    if rng.random() < 0.4:
        offsets = rng.normal(0, rng.uniform(0.05, 0.6), int(scene.parts.max()) + 1)
        image += offsets.astype(np.float32)[scene.parts]
    if rng.random() < 0.15:
        image += _slopes(rng, scene)
    return _outlined(rng, image, scene)


def looks(rng: Rng, scene: Scene) -> Int32:
    """Return which look every pixel has: that of its class, or one of the two of its class.

    Things that a person calls the same need not look the same.
    """
    if rng.random() < 0.75:
        return scene.labels
    second = rng.random(int(scene.parts.max()) + 1) < 0.4
    of_two = rng.random(int(scene.labels.max()) + 1) < 0.5
    other = second[scene.parts] & of_two[scene.labels]
    return np.unique(2 * scene.labels + other, return_inverse=True)[1].astype(np.int32)


def _slopes(rng: Rng, scene: Scene) -> Float32:
    """Return a slope of brightness across every part, as on surfaces that are lit from aside."""
    n = len(scene.labels)
    slopes = rng.normal(0, rng.uniform(0.3, 2) / n, (2, int(scene.parts.max()) + 1))
    y, x = grid(n)
    down, right = slopes.astype(np.float32)[:, scene.parts]
    return np.asarray(down * (y - n / 2) + right * (x - n / 2), np.float32)


def _outlined(rng: Rng, image: Float32, scene: Scene) -> Float32:
    """Draw walls around parts, a slope inside them, and litter that belongs to no class."""
    if rng.random() < 0.2:
        walls = smooth(borders(scene.parts, 1).astype(np.float32), rng.uniform(0.4, 1))
        image = image + np.float32(rng.choice([-1, 1]) * rng.uniform(0.3, 2)) * walls
    if rng.random() < 0.2:
        inside = (~borders(scene.parts, 1)).astype(np.uint8)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
        image = image + np.float32(rng.choice([-1, 1]) * rng.uniform(0.3, 1.5)) * np.tanh(
            depth / np.float32(rng.uniform(2, 8))
        )
    if rng.random() < 0.2:
        image = _littered(rng, image)
    return image


def _littered(rng: Rng, image: Float32) -> Float32:
    litter = np.zeros_like(image)
    for y, x in rng.integers(0, len(image), (rng.integers(1, 12), 2)):
        value = float(rng.normal(0, 3))
        cv2.circle(litter, (int(x), int(y)), int(rng.integers(1, 4)), value, -1)
    return image + litter


def _recorded(rng: Rng, image: Float32) -> Float32:
    """Let an image go through a microscope and a camera; every step happens or does not."""
    for share, step in STEPS:
        if rng.random() < share:
            image = step(rng, image)
    return image


def _blur(rng: Rng, image: Float32) -> Float32:
    return smooth(image, rng.uniform(0.4, 1.6))


def _defocus(rng: Rng, image: Float32) -> Float32:
    side = 2 * int(rng.integers(1, 4)) + 1
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.float32)
    return np.asarray(cv2.filter2D(image, -1, disk / disk.sum()), np.float32)


def _phase_halo(rng: Rng, image: Float32) -> Float32:
    """Return phase contrast: flat areas fade, edges get a halo of the other sign."""
    around = smooth(image, rng.uniform(2.5, 9))
    return image - np.float32(rng.uniform(0.5, 1.3)) * around


def _relief(rng: Rng, image: Float32) -> Float32:
    """Return the slope along one direction, as differential interference contrast shows it."""
    angle = rng.uniform(0, 2 * np.pi)
    gray = smooth(image, rng.uniform(0.7, 1.5))
    dx, dy = (cv2.Sobel(gray, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    slope = np.float32(np.cos(angle)) * dx + np.float32(np.sin(angle)) * dy
    return standard(slope) + np.float32(rng.uniform(0, 0.5)) * image


def _sharpened(rng: Rng, image: Float32) -> Float32:
    detail = image - smooth(image, rng.uniform(1, 2.5))
    return np.asarray(image + np.float32(rng.uniform(0.3, 2)) * detail, np.float32)


def _shading(rng: Rng, image: Float32) -> Float32:
    light = field(rng, len(image), rng.uniform(20, 45))
    if rng.random() < 0.5:
        return np.asarray(image * np.exp(np.float32(rng.uniform(0.1, 0.4)) * light), np.float32)
    return image + np.float32(rng.uniform(0.2, 1.2) * image.std()) * light


def _streaks(rng: Rng, image: Float32) -> Float32:
    """Return rows or columns of other brightness: charging, curtains."""
    lines = rng.standard_normal((len(image), 1)).astype(np.float32)
    lines = cv2.GaussianBlur(lines, (1, 9), rng.uniform(0.3, 2))
    lines = lines * np.float32(rng.uniform(0.1, 0.6) * image.std())
    return np.asarray(image + (lines if rng.random() < 0.5 else lines.T), np.float32)


def _shot_noise(rng: Rng, image: Float32) -> Float32:
    """Return noise that grows with brightness."""
    low, high = float(image.min()), float(image.max())
    light = (image - low) / (high - low + 1e-6)
    noise = np.sqrt(light + 0.02) * white(rng, len(image))
    return np.asarray(image + np.float32(some(rng, 0.02, 0.8) * image.std()) * noise, np.float32)


def _camera_noise(rng: Rng, image: Float32) -> Float32:
    noise = white(rng, len(image))
    if rng.random() < 0.35:
        noise = standard(smooth(noise, rng.uniform(0.4, 1)))
    return image + np.float32(some(rng, 0.01, 0.7) * image.std()) * noise


def _curve(rng: Rng, image: Float32) -> Float32:
    """Bend the grey values, and cut off their ends."""
    normal = standard(image)
    if rng.random() < 0.5:
        return np.clip(normal, -rng.uniform(1, 2.5), rng.uniform(1, 2.5)).astype(np.float32)
    bent = np.exp(np.float32(rng.normal(0, 0.8)) * normal)
    return np.asarray(bent, np.float32)


def _invert(rng: Rng, image: Float32) -> Float32:
    return -image


def _jpeg(rng: Rng, image: Float32) -> Float32:
    coded = np.clip(standard(image) * 45 + 128, 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))]
    _, stored = cv2.imencode(".jpg", coded, quality)
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE), np.float32)


STEPS: tuple[tuple[float, Callable[[Rng, Float32], Float32]], ...] = (
    (0.5, _blur),
    (0.1, _defocus),
    (0.12, _phase_halo),
    (0.06, _relief),
    (0.45, _shading),
    (0.08, _streaks),
    (0.35, _shot_noise),
    (0.55, _camera_noise),
    (0.12, _sharpened),
    (0.25, _curve),
    (0.5, _invert),
    (0.12, _jpeg),
)
"""How often a step happens, in the order of light's way."""


def _colored(rng: Rng, scene: Scene) -> Float32:
    """Return lightness and opponent colours of a stained or a lit scene.

    Every layer (a stain, or a light) has its own image and its own colour; stains absorb, lights
    add. A grey image, stored as colours, has no colour at all.
    """
    layers = [_recorded(rng, _painted(rng, scene)) for _ in range(rng.integers(1, 4))]
    colors = rng.dirichlet(np.full(3, rng.choice([0.5, 2, 10])), len(layers)) * 3
    if rng.random() < 0.05:
        colors[:] = 1
    amounts = [np.float32(rng.uniform(0.2, 1)) * _unit(layer) for layer in layers]
    density = np.einsum("lc,lyx->cyx", colors.astype(np.float32), np.stack(amounts))
    if rng.random() < 0.6:
        rgb = np.exp(-np.float32(rng.uniform(0.6, 1.8)) * density)
    else:
        rgb = density / max(1.0, float(density.max()))
    rgb = rgb + np.float32(rng.uniform(0, 0.04)) * np.stack([white(rng, density.shape[1])] * 3)
    rgb = np.clip(rgb + _grain(rng, rgb.shape), 0, 1)
    if rng.random() < 0.4:
        rgb = _color_jpeg(rng, rgb)
    return rgb_to_lab(rgb.astype(np.float32), 0, 1)


def _grain(rng: Rng, shape: tuple[int, ...]) -> Float32:
    return np.float32(rng.uniform(0, 0.03)) * rng.standard_normal(shape, dtype=np.float32)


def _unit(image: Float32) -> Float32:
    return np.asarray(
        np.clip(standard(image) * np.float32(0.25) + np.float32(0.5), 0, 1.5), np.float32
    )


def _color_jpeg(rng: Rng, rgb: NDArray[np.floating]) -> Float32:
    coded = (np.moveaxis(rgb, 0, -1) * 255).astype(np.uint8)
    _, stored = cv2.imencode(".jpg", coded, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])
    decoded = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.float32) / 255
    return np.ascontiguousarray(np.moveaxis(decoded, -1, 0))
