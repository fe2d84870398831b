"""The bench for objects: what they are, how they measure, and which class each is of."""
