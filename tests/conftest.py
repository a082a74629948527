"""What all tests share."""

from hypothesis import settings

# A deadline would make a test fail on a busy machine: nothing here is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
