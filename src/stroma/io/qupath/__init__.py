"""QuPath objects."""
