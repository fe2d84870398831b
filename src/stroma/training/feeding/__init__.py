"""From what users give to the patches of a step."""
