"""Values that everything else speaks in: images with named axes, classes, boxes."""
