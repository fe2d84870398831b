"""Objects in files: found, measured, classed, and handed to other programs."""
