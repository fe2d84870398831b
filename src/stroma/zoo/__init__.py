"""Other programs: what they saved becomes images, strokes, classes and parameters of ours."""

from stroma.registry import Registry

IMPORTERS = Registry(
    "reader of other programs' files",
    {
        ".ilp": "stroma.zoo.ilastik:take",
        "_seg.npy": "stroma.zoo.cellpose:take",
        ".json": "stroma.zoo.qupath:take",
        ".classifier": "stroma.zoo.labkit:take_classifier",
        ".labeling": "stroma.zoo.labkit:take_labeling",
        ".arff": "stroma.zoo.weka:take",
        ".yml": "stroma.zoo.convpaint:take",
        ".yaml": "stroma.zoo.convpaint:take",
    },
    group="stroma.importers",
    extras={".ilp": "formats"},
)
"""How a file's name ends -> ``take(path, images) -> Taken``; the longest ending wins."""
