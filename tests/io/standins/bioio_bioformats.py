"""In place of bioio-bioformats: scenes of an archive of arrays, as that package gives its own.

What the stand-in does was compared with the package: its tests run with the real one, too.
"""

import os
import threading
import time
from types import SimpleNamespace

import dask.array as da
import jpype
import numpy as np
import xarray as xr
from bioio_base.exceptions import UnsupportedFileFormatError

DIMS = ("T", "C", "Z", "Y", "X")


class _Pixels:
    """Values that are read box by box, by one thread at a time and never in steps."""

    def __init__(self, values):
        self.values, self.shape, self.dtype, self.ndim = (
            *(values, values.shape),
            *(values.dtype, values.ndim),
        )
        self._busy = threading.Lock()

    def __getitem__(self, key):
        if any(k.step not in (None, 1) for k in key if isinstance(k, slice)):
            raise NotImplementedError("step != 1 is not supported")
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("Java's reader is asked by two threads at once")
        try:
            time.sleep(0.002)  # as a disk needs: so that threads meet
            found = self.values[key]
            if (found == 999).any():
                raise jpype.JException("java.io.EOFException: beyond end of file")
            return found
        finally:
            self._busy.release()


class Reader:
    def __init__(self, path, *, dask_tiles=False):
        assert dask_tiles
        try:
            held = np.load(path, allow_pickle=False)
            self._arrays = {name: held[name] for name in held.files}
        except ValueError as error:
            raise UnsupportedFileFormatError("not supported") from error
        self.scenes = tuple(self._arrays)
        self._scene = 0

    @staticmethod
    def bioformats_version():
        if os.environ.get("STANDIN_NO_JAVA"):
            raise RuntimeError("Failed to download Java")
        return "7.3.1"

    def set_scene(self, number):
        self._scene = number

    @property
    def xarray_dask_data(self):
        values = self._arrays[self.scenes[self._scene]]
        lazy = da.from_array(_Pixels(values), chunks=(1, 1, 1, 32, 32, 3)[: values.ndim])
        return xr.DataArray(lazy, dims=(*DIMS, "S")[: values.ndim])

    @property
    def ome_metadata(self):
        return SimpleNamespace(images=[_image(a) for a in self._arrays.values()])


def _image(values):
    samples = values.shape[5] if values.ndim > 5 else None
    names = [f"dye {i}" for i in range(values.shape[1])]
    told = dict(zip((f"size_{a}".lower() for a in DIMS), values.shape, strict=False))
    told["size_c"] *= samples or 1
    for axis, size in zip("zyx", (1.5, 200.0, 200.0), strict=True):
        unit = SimpleNamespace(value="µm" if axis == "z" else "nm")
        told |= {f"physical_size_{axis}": size, f"physical_size_{axis}_unit": unit}
    told |= {"time_increment": 2.0, "time_increment_unit": SimpleNamespace(value="min")}
    channels = [SimpleNamespace(name=n, samples_per_pixel=samples) for n in names]
    return SimpleNamespace(pixels=SimpleNamespace(**told, channels=channels))
