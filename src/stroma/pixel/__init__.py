"""The few-stroke model: from strokes to a class for every pixel."""
