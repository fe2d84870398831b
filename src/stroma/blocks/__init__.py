"""Where a function runs: blocks of an image, and what to read around them."""
