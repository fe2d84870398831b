"""Carving: strokes on an object and on the rest, an answer from regions, and objects with names."""
