"""The three planes through a voxel of a volume, beside one another."""
