"""The session of a viewer: what happens in one is shown in the other."""
