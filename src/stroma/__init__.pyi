from stroma.data.image import Image as Image
from stroma.data.tracks import Tracks as Tracks
from stroma.features.build import register_extractor as register_extractor
from stroma.objects.classes import ObjectClassifier as ObjectClassifier
from stroma.objects.find import objects_of as objects_of
from stroma.objects.measure import measure as measure
from stroma.pixel.model import ConvpaintModel as ConvpaintModel
from stroma.pixel.param import Param as Param
from stroma.training.model import Network as Network
from stroma.workflow.applying.load import load as load
from stroma.workflow.learning.adapt import adapt as adapt
from stroma.workflow.learning.learn import learn as learn
from stroma.workflow.moving.links import learn_links as learn_links
from stroma.workflow.moving.track import track as track
from stroma.workflow.prompting.prompt import prompt as prompt

__all__ = [
    "ConvpaintModel",
    "Image",
    "Network",
    "ObjectClassifier",
    "Param",
    "Tracks",
    "__version__",
    "adapt",
    "learn",
    "learn_links",
    "load",
    "measure",
    "objects_of",
    "prompt",
    "register_extractor",
    "track",
]

__version__: str
