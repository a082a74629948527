"""Target sets: pictures with the classes that a classifier learns; one file a set."""
