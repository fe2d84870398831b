"""From pixels to objects: finding, measuring and classing them."""
