"""Segment Anything: a network trained to answer prompts, with weights from a file or the hub."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn import functional as F

from stroma.backbones import device as devices
from stroma.backbones.loading import identity, pretrained
from stroma.errors import ParameterError
from stroma.features.networks.deep import inference
from stroma.prompts.contract import Answer, Embedding, Prompts, checked
from stroma.prompts.everything import Found
from stroma.prompts.sam.decoded import decoder_of, objects_of
from stroma.prompts.sam.kept import Kept, Levels, name_of
from stroma.prompts.sam.logits import at_pixels, found_in, held, inside, tensors_of
from stroma.prompts.sam.preprocess import input_of, reader
from stroma.prompts.sam.questions import Question, questions
from stroma.prompts.sam.windows import Window, best, windows

Bools = NDArray[np.bool_]
Logits = NDArray[np.float32]

FOLDER = "STROMA_EMBEDDINGS"
"""Names the folder where embeddings are kept, for all who are given no other."""

AT_ONCE = 64
"""Clicks that the network answers together."""


class Sam:
    """Segment Anything of a size and training; in planes.

    The image is brought to values from 0 to 1 (an rgb image of bytes as it is, others by their
    darkest and brightest values but one in a thousand), and shown to the network with its longer
    side enlarged or shrunk to what that takes, 1024 pixels. An image longer than 1.25 times that is
    also shown in parts at full resolution, each when it is first asked about; a click is answered
    from the part around it, and from the whole where the object reaches beyond that.

    Kirillov et al., Segment anything, ICCV 2023, arXiv:2304.02643.

    Parameters
    ----------
    weights : path, optional
        File or folder to take the weights from; also one of micro-sam, or trained further by
        anybody, of any size.
    cache : path, optional
        Folder where what the network makes of images is kept; of use to every later run. The
        folder that STROMA_EMBEDDINGS names, unless given; in memory alone, if it names none, or
        this is empty text.
    decoder : path, optional
        File with the decoder of micro-sam's automatic mode, for `decoded`.
    device : {"auto", "cpu", "cuda", "mps"}
        Where the network runs.
    """

    axes = ("yx",)
    model: ClassVar[str] = "sam_vit_b"
    version: ClassVar[str] = "sam 1"
    least = (0.88, 0.95)
    """Score and stability of objects that nobody clicked, as its authors ask for."""

    def __init__(
        self,
        *,
        weights: str | Path | None = None,
        cache: str | Path | None = None,
        decoder: str | Path | None = None,
        device: devices.Device = "auto",
    ) -> None:
        devices.check(device)
        self.decoder = None if decoder is None else Path(decoder).expanduser()
        self.weights = None if weights is None else str(weights)
        kept = os.environ.get(FOLDER) if cache is None else str(cache)
        self.cache = Path(kept).expanduser() if kept else None
        self.device = device
        self._image: _Image | None = None

    @property
    def key(self) -> str:
        """Version, name, and hash of the weights."""
        return f"{self.version} {self.model} {identity(self.model, None, self.weights)['digest']}"

    def set_image(self, image: NDArray[Any], *, rgb: bool = False) -> None:
        """Show the whole image to the network; see `PromptedSegmenter`."""
        read = self._reader(image, rgb)
        kept = Kept(self.cache, name_of(self.key, image, rgb=rgb) if self.cache else "")
        side = _side(self._network())
        self._image = _Image(windows(_plane(image.shape), side), side, kept, read)
        self._levels(self._image, 0)

    def embedding(self) -> Embedding:
        """Return the maps of all windows, those not asked about yet too."""
        image = self._known()
        found: dict[str, NDArray[Any]] = {
            "shape": np.array(image.windows[0].shape),
            "side": np.array(image.side),
        }
        for number in range(len(image.windows)):
            levels = self._levels(image, number)
            found |= {f"{number}.{i}": values for i, values in enumerate(levels)}
        return found

    def set_embedding(self, embedding: Embedding) -> None:
        """Take the maps of all windows."""
        rows, columns = (int(n) for n in embedding["shape"])
        side = int(embedding["side"])
        known, kept = windows((rows, columns), side), Kept()
        for number in range(len(known)):
            count = sum(key.startswith(f"{number}.") for key in embedding)
            kept.put(number, [embedding[f"{number}.{i}"] for i in range(count)])
        self._image = _Image(known, side, kept, None)

    def predict(
        self,
        *,
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        strokes: ArrayLike | None = None,
    ) -> Answer:
        """Return masks of the object that is meant; see `PromptedSegmenter`.

        One click is answered with three masks; anything else with one, which for several boxes is
        all of theirs together. Strokes are taken for some points along them.
        """
        image = self._known()
        shape = image.windows[0].shape
        given = checked(
            shape, points=points, labels=labels, boxes=boxes, mask=mask, strokes=strokes
        )
        asked = questions(given)
        answers = [self._answer(image, question, given.mask) for question in asked]
        masks, scores = answers[0]
        if len(answers) > 1:
            masks = np.any([found[0] for found, _ in answers], axis=0)[None]
            scores = np.array([min(own[0] for _, own in answers)], np.float32)
        return np.stack([self._finished(one, given) for one in masks]), scores

    def proposals(self, points: NDArray[np.float64]) -> Iterator[Found]:
        """Yield masks for clicks, many at a time; see `Proposes`.

        Each point is asked of the part around it; of masks that are cut there, and where there are
        no parts, of the whole.
        """
        image = self._known()
        numbers = np.array([best(image.windows, point[None]) for point in points], int)
        for number in np.unique(numbers).tolist():
            own = points[numbers == number]
            again = []
            for start in range(0, len(own), AT_ONCE):
                some = own[start : start + AT_ONCE]
                for place, found, cut in self._several(image, number, some):
                    if cut:
                        again.append(place)
                    else:
                        yield found
            places = own[np.unique(again)] if again else own[:0]
            for start in range(0, len(places), AT_ONCE):
                some = places[start : start + AT_ONCE]
                yield from (found for _, found, _ in self._several(image, 0, some))

    def decoded(self) -> NDArray[np.int32]:
        """Return all objects (y, x) that the decoder finds; see `Decodes`."""
        return objects_of(self.distances())

    def distances(self) -> NDArray[np.float32]:
        """Return foreground and distances (3, y, x) of the decoder, from 0 to 1.

        Raises
        ------
        ParameterError
            If there is no decoder, or no image.
        """
        if self.decoder is None:
            raise ParameterError(
                "This engine was given no decoder. Give its file with decoder=, such as "
                "micro-sam's vit_b_decoder.pt, or look for objects at a grid."
            )
        image, device = self._known(), devices.resolve(self.device)
        network = decoder_of(self.decoder, device=device)
        with inference(device):
            maps = torch.from_numpy(self._levels(image, 0)[0])[None].to(device)
            rows, columns = image.windows[0].inner
            fine = network(maps)[..., :rows, :columns].sigmoid()
            found = F.interpolate(fine, image.windows[0].shape, mode="bilinear")
        return np.asarray(found[0].float().cpu().numpy(), np.float32)

    def _several(
        self, image: _Image, number: int, points: NDArray[np.float64]
    ) -> Iterator[tuple[int, Found, bool]]:
        """Yield masks that the network is sure of: number of the point, mask, whether it is cut."""
        window, device = image.windows[number], devices.resolve(self.device)
        levels = [torch.from_numpy(v)[None].to(device) for v in self._levels(image, number)]
        places = torch.tensor(window.place(points)[:, ::-1].copy(), dtype=torch.float32)
        network: Any = self._network()
        with inference(device):
            found = network(
                **self._seen(levels),
                input_points=places[None, :, None].to(device),
                input_labels=torch.ones((1, len(points), 1), dtype=torch.int64, device=device),
                multimask_output=True,
            )
            scores = self._sure(found)[0].float().cpu().numpy()
            for i, k in np.argwhere(scores >= self.least[0]).tolist():
                logits = at_pixels(
                    found.pred_masks[0, i, k][None, None].float(), window, image.side
                )
                one = found_in(logits[0, 0].cpu().numpy(), window, float(min(scores[i, k], 1)))
                if one is not None:
                    yield i, one, number > 0 and window.cuts(logits[0, 0].cpu().numpy() > 0)

    def _answer(self, image: _Image, question: Question, before: Bools | None) -> Answer:
        """Return the masks and scores of one question, the best first."""
        number = best(image.windows, question.where)
        found = self._from(image, number, question, before)
        if number and any(
            image.windows[number].cuts(m[image.windows[number].slices]) for m in found[0]
        ):
            found = self._from(image, 0, question, before)
        return found

    def _from(self, image: _Image, number: int, question: Question, before: Bools | None) -> Answer:
        window = image.windows[number]
        logits, scores = self.asked(image, number, question, before)
        order = np.argsort(-scores, kind="stable")
        masks = np.zeros((len(order), *image.windows[0].shape), bool)
        for mask, own in zip(masks, logits[order], strict=True):
            mask[window.slices] = inside(own, window, question)
        return masks, np.clip(scores[order], 0, 1).astype(np.float32)

    def asked(
        self, image: _Image, number: int, question: Question, before: Bools | None
    ) -> tuple[Logits, NDArray[np.float32]]:
        """Return logits (n, y, x) at the pixels of a window, and scores (n,), as the network says.

        Above 0 is the object.
        """
        window, place = image.windows[number], devices.resolve(self.device)
        levels = [torch.from_numpy(v)[None].to(place) for v in self._levels(image, number)]
        prompts = tensors_of(window, question, before, image.side)
        network: Any = self._network()
        with inference(place):
            prompts = {name: values.to(place) for name, values in prompts.items()}
            found = network(
                **self._seen(levels),
                multimask_output=question.is_one_click and before is None,
                **prompts,
            )
            logits = at_pixels(found.pred_masks[0, 0][None].float(), window, image.side)
            return logits[0].cpu().numpy(), self._sure(found)[0, 0].float().cpu().numpy()

    def _finished(self, mask: Bools, given: Prompts) -> Bools:
        """Return what is answered for a mask that the network drew."""
        return held(mask, given)

    def _sure(self, found: Any) -> torch.Tensor:
        """Return how sure the network is of its masks, (B, N, m)."""
        scores: torch.Tensor = found.iou_scores
        return scores

    def _reader(self, image: NDArray[Any], rgb: bool) -> Callable[[Window], NDArray[np.float32]]:
        """Return what reads a window as the network is shown it."""
        return reader(image, rgb=rgb)

    def _levels(self, image: _Image, number: int) -> Levels:
        """Return the maps of a window, computed where they are not kept."""
        if (kept := image.kept.get(number)) is not None:
            return kept
        assert image.read is not None, "an embedding holds all windows"
        place = devices.resolve(self.device)
        network = self._network()
        with inference(place):
            shown = input_of(image.read(image.windows[number]), image.windows[number], image.side)
            found = [v[0].float().cpu().numpy() for v in self._encode(network, shown.to(place))]
        image.kept.put(number, found)
        return found

    def _encode(self, network: Any, images: torch.Tensor) -> list[torch.Tensor]:
        return [network.vision_encoder(images).last_hidden_state]

    def _seen(self, levels: list[torch.Tensor]) -> dict[str, Any]:
        """Return the maps of a window as the network takes them."""
        return {"image_embeddings": levels[0] if len(levels) == 1 else levels}

    def _network(self) -> torch.nn.Module:
        return pretrained(self.model, path=self.weights, device=devices.resolve(self.device))

    def _known(self) -> _Image:
        if self._image is None:
            raise ParameterError("There is no image yet. Give one with set_image.")
        return self._image


class SamTiny(Sam):
    """Segment Anything with TinyViT (MobileSAM): many times as fast as with ViT-B.

    Zhang et al., 2023, arXiv:2306.14289.
    """

    model = "sam_vit_t"


class MicroSamTiny(Sam):
    """micro-sam's TinyViT for light microscopy."""

    model = "sam_vit_t_lm"


class MicroSamOrganellesTiny(Sam):
    """micro-sam's TinyViT for organelles in electron microscopy."""

    model = "sam_vit_t_em_organelles"


class SamLarge(Sam):
    """Segment Anything with ViT-L."""

    model = "sam_vit_l"


class SamHuge(Sam):
    """Segment Anything with ViT-H."""

    model = "sam_vit_h"


class MicroSam(Sam):
    """micro-sam's ViT-B for light microscopy.

    Archit et al., Nature Methods 2025, doi 10.1038/s41592-024-02580-4.
    """

    model = "sam_vit_b_lm"


class MicroSamLarge(Sam):
    """micro-sam's ViT-L for light microscopy."""

    model = "sam_vit_l_lm"


class MicroSamOrganelles(Sam):
    """micro-sam's ViT-B for organelles in electron microscopy."""

    model = "sam_vit_b_em_organelles"


class MicroSamOrganellesLarge(Sam):
    """micro-sam's ViT-L for organelles in electron microscopy."""

    model = "sam_vit_l_em_organelles"


class _Image:
    """What is known of the image in hand."""

    def __init__(
        self,
        known: list[Window],
        side: int,
        kept: Kept,
        read: Callable[[Window], NDArray[np.float32]] | None,
    ) -> None:
        self.windows, self.side, self.kept, self.read = known, side, kept, read


def _side(network: Any) -> int:
    return int(network.config.prompt_encoder_config.image_size)


def _plane(shape: tuple[int, ...]) -> tuple[int, int]:
    _, rows, columns = shape
    return rows, columns
