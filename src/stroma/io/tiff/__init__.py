"""TIFF: plain, BigTIFF, OME-TIFF and ImageJ stacks."""
