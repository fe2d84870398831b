"""Layers of the viewer: images, what is painted over them, and results."""
