"""The tab of objects: clicking, classing and correcting them, and looking at their measures."""
