from stroma.data.image import Image as Image
from stroma.pixel.model import ConvpaintModel as ConvpaintModel
from stroma.pixel.param import Param as Param
from stroma.training.model import Network as Network
from stroma.workflow.learn import learn as learn
from stroma.workflow.load import load as load

__all__ = ["ConvpaintModel", "Image", "Network", "Param", "__version__", "learn", "load"]

__version__: str
