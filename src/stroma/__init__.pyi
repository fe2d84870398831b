from stroma.data.image import Image as Image
from stroma.pixel.model import ConvpaintModel as ConvpaintModel
from stroma.pixel.param import Param as Param

__all__ = ["ConvpaintModel", "Image", "Param", "__version__"]

__version__: str
