"""How objects are told from pixels and from each other: touching ones parted, block by block."""
