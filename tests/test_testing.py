import threading
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy import ndimage as ndi
from tests.patience import PATIENCE

from stroma.features.contract import FeatureMap, Wants
from stroma.testing import ContractError, check_extractor

ANY, RGB = Wants(), Wants("imagenet", 3)


@dataclass(frozen=True)
class Mean:
    """Block means over cells of some pixels, then over 3 x 3 cells: right, and easily spoilt."""

    step: int = 2
    halo: int = 2
    stride: int = 2
    wants: Wants = ANY

    def names(self, channels):
        return [f"{channel}:mean" for channel in channels]

    def __call__(self, block):
        c, y, x = block.shape
        cells = block.reshape(c, y // self.step, self.step, x // self.step, self.step)
        smooth = ndi.uniform_filter(cells.mean(axis=(2, 4)), (1, 3, 3))
        cut = self.halo // self.step
        inner = smooth[:, cut : smooth.shape[1] - cut, cut : smooth.shape[2] - cut]
        return [FeatureMap(inner, step=self.step)]


@dataclass(frozen=True)
class Global(Mean):
    """Depends on the whole window, and says so."""

    halo: int | None = None

    def __call__(self, block):
        maps = Mean(halo=0)(block)
        return [FeatureMap(m.values - block.mean(), step=m.step) for m in maps]


@dataclass(frozen=True)
class Half(Mean):
    def __call__(self, block):
        return [
            FeatureMap(m.values.astype(np.float16), step=m.step) for m in super().__call__(block)
        ]


@dataclass(frozen=True)
class Rgb(Mean):
    wants: Wants = RGB

    def names(self, channels):
        return ["red", "green", "blue"]


@dataclass(frozen=True)
class Dense(Mean):
    """Repeats its cells to pixels, so that only their positions tell its stride."""

    def __call__(self, block):
        height, width = (n - 2 * self.halo for n in block.shape[1:])
        even = np.pad(block, [(0, 0), *((0, n % 2) for n in block.shape[1:])], mode="edge")
        (cells,) = super().__call__(even)
        pixels = cells.values.repeat(2, axis=1).repeat(2, axis=2)
        return [FeatureMap(pixels[:, :height, :width])]


@pytest.mark.parametrize("extractor", [Mean(), Global(), Half(), Rgb(), Dense()], ids=repr)
def test_right_extractors_pass(extractor):
    check_extractor(extractor)


class Thawed:
    halo, stride, wants = 0, 1, ANY

    def names(self, channels):
        return list(channels)

    def __call__(self, block):
        return [FeatureMap(block)]


@dataclass(frozen=True)
class WrongNames(Mean):
    def names(self, channels):
        return ["mean"]


@dataclass(frozen=True)
class RepeatedNames(Mean):
    def names(self, channels):
        return ["mean" for _ in channels]


@dataclass(frozen=True)
class Mutating(Mean):
    def __call__(self, block):
        block -= 1
        return super().__call__(block)


@dataclass(frozen=True)
class Remembering(Mean):
    results: list = field(default_factory=list, compare=False)

    def __call__(self, block):
        self.results.append(float(block[0, 0, 0]))
        return super().__call__(block)


@dataclass(frozen=True)
class Random(Mean):
    def __call__(self, block):
        noise = np.random.default_rng().normal(size=block.shape)
        return super().__call__((block + noise).astype(np.float32))


@dataclass(frozen=True)
class Forgetful(Mean):
    """Loses a parameter when pickled."""

    offset: float = field(default=1.0, compare=False)

    def __reduce__(self):
        return Forgetful, (self.step, self.halo, self.stride, self.wants, 0.0)

    def __call__(self, block):
        return super().__call__(block + np.float32(self.offset))


@dataclass(frozen=True)
class Muddled(Mean):
    """Returns the maps of a batch in another order."""

    batch_pixels: int = 10**6

    def batch(self, blocks):
        return [self(block) for block in sorted(blocks, key=np.sum)]


@dataclass(frozen=True)
class BlockStatistics(Mean):
    def __call__(self, block):
        return super().__call__(block - block.mean())


@dataclass(frozen=True)
class Doubles(Mean):
    def __call__(self, block):
        return super().__call__(block.astype(np.float64))


@dataclass(frozen=True)
class NotANumber(Mean):
    def __call__(self, block):
        return super().__call__(np.sqrt(block, where=block > 0, out=np.full_like(block, np.nan)))


@dataclass(frozen=True)
class Constant(Mean):
    def __call__(self, block):
        return super().__call__(np.zeros_like(block))


@dataclass(frozen=True)
class NeedsMemoryOrder(Mean):
    def __call__(self, block):
        height = block.strides[1] // block.itemsize // block.shape[2]
        return super().__call__(block * np.float32(height))


@dataclass(frozen=True)
class Shifted(Mean):
    def __call__(self, block):
        return [replace(m, origin=(-2, 0)) for m in super().__call__(block)]


@dataclass(frozen=True)
class Unequal(Mean):
    weights: np.ndarray = field(default_factory=lambda: np.ones(2), compare=False)
    token: object = field(default_factory=object)


@dataclass(frozen=True)
class Heavy(Mean):
    weights: bytes = bytes(2**17)


RUNNING = []
TOGETHER = threading.Barrier(2)


@dataclass(frozen=True)
class Crosstalk(Mean):
    """Lets calls that run at the same time disturb each other."""

    def __call__(self, block):
        RUNNING.append(block)
        if threading.current_thread() is not threading.main_thread():
            TOGETHER.wait(PATIENCE)
        block = block * np.float32(len(RUNNING))
        RUNNING.pop()
        return super().__call__(block)


@dataclass(frozen=True)
class Coarser(Mean):
    """Says that its cells are larger than they are."""

    def __call__(self, block):
        return [replace(m, step=4) for m in super().__call__(block)]


@dataclass(frozen=True)
class Short(Mean):
    """Leaves out the last row of cells."""

    def __call__(self, block):
        return [FeatureMap(m.values[:, :-1], step=m.step) for m in super().__call__(block)]


@pytest.mark.parametrize(
    ("extractor", "complaint"),
    [
        (Mean, "not an extractor object"),
        (Thawed(), "frozen dataclass"),
        (Mean(halo=-2), "halo is -2"),
        (Mean(stride=0), "stride is 0"),
        (Mean(wants="rgb"), "wants is 'rgb'"),
        (Mean(wants=Wants("z-score")), "wants is"),
        (Mean(wants=lambda: None), "wants is"),
        (WrongNames(), "declares 1 names but computes 2 features"),
        (RepeatedNames(), "repeated: .'mean'."),
        (Mean(halo=0), r"halo \(0\) or the stride \(2\) is too small"),
        (Coarser(), "divisor of the stride 2"),
        (Dense(stride=1), r"the stride \(1\) is too small"),
        (BlockStatistics(), "statistics of the block"),
        (Muddled(), "blocks in a batch gave other features"),
        (Mutating(), "changed its block"),
        (Remembering(), "changed the extractor"),
        (Random(), "the same block gave different features"),
        (Doubles(), "float64"),
        (NotANumber(), "NaN or infinite"),
        (Constant(), "constant"),
        (Short(), r"covers \[44, 62\] pixels of a core of \[46, 62\]"),
        (Crosstalk(), "parallel threads"),
        (NeedsMemoryOrder(), "not contiguous"),
        (Shifted(), r"its origin at 0"),
        (Unequal(), "not equal to its pickled copy"),
        (Forgetful(), "pickled copy computes different"),
        (Heavy(), "pickles to 131"),
    ],
    ids=lambda value: (
        "" if isinstance(value, str) else getattr(value, "__name__", repr(value))[:40]
    ),
)
def test_broken_extractors_are_found(extractor, complaint):
    with pytest.raises(ContractError, match=complaint):
        check_extractor(extractor)


def test_extractors_that_cannot_be_pickled_are_found():
    @dataclass(frozen=True)
    class Local(Mean):
        pass

    with pytest.raises(ContractError, match="cannot be pickled"):
        check_extractor(Local())


def test_a_failed_check_is_an_assertion():
    assert issubclass(ContractError, AssertionError)
