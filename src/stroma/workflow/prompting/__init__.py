"""Clicks on images in files to objects."""
