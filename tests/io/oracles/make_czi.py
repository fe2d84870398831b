"""Write the CZI files of the tests, with Zeiss' own library: pip install pylibCZIrw; then run this.

Values are those of `values` in ``tests/io/test_microscopes.py``.
"""

from pathlib import Path

import numpy as np
from pylibCZIrw import czi

HERE = Path(__file__).parent
VALUES = np.random.default_rng(0).integers(0, 4000, (2, 2, 2, 12, 20)).astype(np.uint16)
COLOURS = np.random.default_rng(1).integers(0, 255, (12, 20, 3)).astype(np.uint8)


def write(path: Path, compression: str) -> None:
    """Write two scenes: one of two rectangles side by side, and one that is smaller."""
    path.unlink(missing_ok=True)
    with czi.create_czi(str(path), compression_options=compression) as file:
        for t, c, z in np.ndindex(VALUES.shape[:3]):
            plane = {"T": t, "C": c, "Z": z}
            for x in (0, 10):
                part = np.ascontiguousarray(VALUES[t, c, z, :, x : x + 10, None])
                file.write(part, plane=plane, location=(x, 0), scene=0)
            small = np.ascontiguousarray(VALUES[t, c, z, :5, :6, None])
            file.write(small, plane=plane, location=(100, 50), scene=1)
        file.write_metadata(
            document_name="cells",
            channel_names={0: "DAPI", 1: "GFP"},
            scale_x=0.2e-6,
            scale_y=0.25e-6,
            scale_z=1e-6,
        )


write(HERE / "plain.czi", "uncompressed:")
write(HERE / "zstd.czi", "zstd1:ExplicitLevel=3;PreProcess=HiLoByteUnpack")
path = HERE / "colours.czi"
path.unlink(missing_ok=True)
with czi.create_czi(str(path), compression_options="zstd0:ExplicitLevel=3") as file:
    file.write(np.ascontiguousarray(COLOURS[..., ::-1]), plane={})
