"""ImageJ regions of interest."""
