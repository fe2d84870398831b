"""Objects of images larger than memory: found, parted and measured block by block."""
