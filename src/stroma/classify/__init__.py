"""Classifiers: from rows of features to probabilities of classes."""

from stroma.registry import Registry

CLASSIFIERS = Registry(
    "classifier",
    {
        "catboost": "stroma.classify.catboost:CatBoost",
        "forest": "stroma.classify.forest:Forest",
        "logistic": "stroma.classify.logistic:Logistic",
        "ensemble": "stroma.classify.ensemble:Ensemble",
        "families": "stroma.classify.families:FamilyEnsemble",
    },
    group="stroma.classifiers",
)
