"""Feature extractors: what is computed for every pixel before it is classified."""

from stroma.registry import Registry

EXTRACTORS = Registry(
    "feature extractor",
    {
        "gaussian_features": "stroma.features.gaussian:GaussianFeatures",
        "ilastik_2d": "stroma.features.filterbank:FilterBank",
    },
    group="stroma.extractors",
)
