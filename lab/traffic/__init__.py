"""The users of the practice lab, and the count of what they lost."""
