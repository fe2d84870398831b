"""From a trained model and an image to classes, block by block."""
