"""Compiled parts of targets; all run on one thread and release the GIL."""
