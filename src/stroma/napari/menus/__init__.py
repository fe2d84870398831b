"""What napari calls: commands and keys, readers, writers, sample images."""
