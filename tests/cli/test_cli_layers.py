"""``--layers``: words, each once."""

import argparse

import pytest

from affekt.cli.layers import layers, words


def test_a_word_counts_once_and_in_its_place():
    assert layers(" last, stage-1,,last") == ("last", "stage-1")
    assert words(("map", "last"))("last,map,last") == ("last", "map")


@pytest.mark.parametrize("text", ["", ","])
def test_no_word_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="a module's dotted name were expected"):
        layers(text)
    with pytest.raises(argparse.ArgumentTypeError, match="word"):
        words(("map", "last"))(text)
