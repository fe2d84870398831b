"""The bench for strokes: what is painted, the model that learns from it, and what it says."""
