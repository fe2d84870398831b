"""Networks for a few strokes, trained on generated images."""
