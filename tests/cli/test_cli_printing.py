"""Tables and JSON."""

import json

import pytest

from affekt.cli.printing import show, table, write_json


def test_numbers_stand_right_words_left():
    assert table(("name", "n"), [("a", 1), ("long", 1234)]).splitlines() == [
        "name      n",
        "----  -----",
        "a         1",
        "long  1,234",
    ]


def test_a_missing_number_leaves_its_cell_empty():
    assert table(("m", "test"), [("r", None), ("n", 5)]).splitlines()[2] == "r"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456, "0.1235"), (99.95, "99.95"), (12345.6, "12,346"), (float("nan"), "nan"), (True, "True"), (None, "")],
)
def test_cells(value, text):
    assert show(value) == text


def test_json_has_no_nan(capsys):
    write_json({"a": float("nan"), "b": (1, float("inf")), "c": "ü"}, indent=None)
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": None, "b": [1, None], "c": "ü"}
    assert "ü" in out
