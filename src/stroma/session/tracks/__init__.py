"""The bench for tracks: how objects are linked over time, and what people corrected there."""
