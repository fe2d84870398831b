"""The network that was trained for strokes, run without torch."""
