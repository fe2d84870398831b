"""Seeds in, an object out: a click, a box or a stroke says which object is meant."""

from stroma.registry import Registry

_NETWORKS = {
    "sam2_hiera_tiny": "stroma.prompts.sam.sam2:Sam2Tiny",
    "sam2_hiera_small": "stroma.prompts.sam.sam2:Sam2Small",
    "sam2_hiera_base_plus": "stroma.prompts.sam.sam2:Sam2BasePlus",
    "sam2_hiera_large": "stroma.prompts.sam.sam2:Sam2Large",
    "sam3": "stroma.prompts.sam.sam3:Sam3",
    "sam_hq_vit_b": "stroma.prompts.sam.sam_hq:SamHQ",
    "sam_hq_vit_l": "stroma.prompts.sam.sam_hq:SamHQLarge",
    "sam_hq_vit_h": "stroma.prompts.sam.sam_hq:SamHQHuge",
    "sam_vit_t": "stroma.prompts.sam.engine:SamTiny",
    "sam_vit_t_lm": "stroma.prompts.sam.engine:MicroSamTiny",
    "sam_vit_t_em_organelles": "stroma.prompts.sam.engine:MicroSamOrganellesTiny",
    "sam_vit_b": "stroma.prompts.sam.engine:Sam",
    "sam_vit_l": "stroma.prompts.sam.engine:SamLarge",
    "sam_vit_h": "stroma.prompts.sam.engine:SamHuge",
    "sam_vit_b_lm": "stroma.prompts.sam.engine:MicroSam",
    "sam_vit_l_lm": "stroma.prompts.sam.engine:MicroSamLarge",
    "sam_vit_b_em_organelles": "stroma.prompts.sam.engine:MicroSamOrganelles",
    "sam_vit_l_em_organelles": "stroma.prompts.sam.engine:MicroSamOrganellesLarge",
}
"""Those with pretrained weights, by the name the weights have in the catalogue."""

ENGINES = Registry(
    "prompt engine",
    {
        "graph": "stroma.prompts.graph:Graph",
        "carve": "stroma.workflow.prompting.carve_engine:Carve",
        "trained": "stroma.workflow.prompting.trained_engine:Trained",
        "sam": "stroma.prompts.sam.engine:Sam",
        "sam_hq": "stroma.prompts.sam.sam_hq:SamHQ",
        "sam2": "stroma.prompts.sam.sam2:Sam2Tiny",
        **_NETWORKS,
    },
    group="stroma.prompts",
    extras={**dict.fromkeys(("sam", "sam_hq", "sam2", *_NETWORKS), "deep"), "trained": "train"},
)
"""Classes that keep `stroma.prompts.contract.PromptedSegmenter`, made without arguments."""
