"""The dock widget around the tabs: the line of status, and what begins and ends with it."""
