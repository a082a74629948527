"""People: what they say about the same pictures, and how close a network comes to it."""
