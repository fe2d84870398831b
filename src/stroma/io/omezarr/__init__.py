"""OME-Zarr images and their labels."""
