"""Files of microscopes, read plane by plane through libraries that know them."""
