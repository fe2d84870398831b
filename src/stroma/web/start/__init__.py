"""The page that is shown before a project is open."""
