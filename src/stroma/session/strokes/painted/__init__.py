"""What is painted, and what steps of undo changed of it: runs of pixels in tiles."""
