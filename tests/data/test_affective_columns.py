"""Tables as people have them: delimiters, encodings, line ends, widths, numbers."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.data.affective.columns import Columns, parse_number, read_columns, split_names
from affekt.errors import DataError, MissingExtra

TEXT = "path,valence\na.jpg,1\nb.jpg,2\n"


def table(folder: Path, content: bytes | str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, content: bytes | str, **options: str) -> dict[str, list[str]]:
    found = read_columns(table(folder, content), **options)
    return {name: list(cells) for name, cells in found.values.items()}


GOOD = {"path": ["a.jpg", "b.jpg"], "valence": ["1", "2"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(tmp_path: Path, end: str, last: bool) -> None:
    text = TEXT.replace("\n", end)
    assert read(tmp_path, text if last else text.removesuffix(end)) == GOOD


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    assert read(tmp_path, TEXT.replace(",", delimiter)) == GOOD


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_and_without_a_mark(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, TEXT.replace("a.jpg", "Käse.jpg").encode(encoding))
    assert found == {"path": ["Käse.jpg", "b.jpg"], "valence": ["1", "2"]}


def test_windows_text_is_read_and_said(tmp_path: Path) -> None:
    path = table(tmp_path, TEXT.replace("a.jpg", "Käse.jpg").encode("cp1252"))
    found = read_columns(path)
    assert found.values["path"][0] == "Käse.jpg"
    assert found.notes == ("t.csv is not UTF-8; read as Windows-1252",)
    assert read_columns(path, encoding="cp1252").notes == ()


def test_a_decimal_comma_beside_semicolons(tmp_path: Path) -> None:
    found = read_columns(table(tmp_path, "path;valence\na.jpg;4,25\nb.jpg;-1,5\n"))
    assert found.numbers("valence").tolist() == [4.25, -1.5]


def test_delimiters_inside_quotes(tmp_path: Path) -> None:
    found = read(tmp_path, 'path;note\n"a;1.jpg";"x, y"\n"b.jpg";"two\nlines"\n')
    assert found == {"path": ["a;1.jpg", "b.jpg"], "note": ["x, y", "two\nlines"]}


def test_one_column(tmp_path: Path) -> None:
    assert read(tmp_path, "path\na.jpg\n") == {"path": ["a.jpg"]}


def test_blanks_empty_lines_and_trailing_delimiters(tmp_path: Path) -> None:
    found = read_columns(table(tmp_path, "path, valence \n\n a.jpg ,1,,\n,,\n\nb.jpg,2\n"))
    assert dict(found.values) == GOOD
    assert list(found.lines) == [3, 6]


def test_lines_count_quoted_line_ends(tmp_path: Path) -> None:
    found = read_columns(table(tmp_path, 'path,note\na,"x\ny"\nb,z\n'))
    assert list(found.lines) == [2, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"t\.csv: empty; a table begins with a line of column names"),
        ("\n\n", r"t\.csv: empty"),
        ("path,valence\na.jpg,1\nb.jpg\n", r"t\.csv: line 3 has 1 cells, the header 2"),
        ("path,valence\na.jpg,1,5\n", r"t\.csv: line 2 has 3 cells, the header 2; see its delimiter and quotes"),
        ("path,valence,path\na,1,b\n", r"t\.csv: column name twice: path; give each column a name of its own"),
        (b"p\0a\0t\0h\0,\0v\0", r"t\.csv: no text table \(zero bytes found\); name its encoding"),
    ],
)
def test_tables_that_cannot_be(tmp_path: Path, content: bytes | str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_columns(table(tmp_path, content))


def test_options_that_cannot_be(tmp_path: Path) -> None:
    path = table(tmp_path, TEXT.replace("a.jpg", "Käse.jpg").encode("cp1252"))
    with pytest.raises(DataError, match=r'encoding "utf-9": unknown'):
        read_columns(path, encoding="utf-9")
    with pytest.raises(DataError, match=r"t\.csv: not readable as ascii \(byte \d+\)"):
        read_columns(path, encoding="ascii")
    with pytest.raises(DataError, match=r'delimiter "::": write one character'):
        read_columns(path, delimiter="::")
    with pytest.raises(DataError, match=r"nothing\.csv: no such table"):
        read_columns(tmp_path / "nothing.csv")


def test_a_column_that_is_not_there_names_the_nearest_and_all(tmp_path: Path) -> None:
    found = read_columns(table(tmp_path, "path,Valenz,arousal\na,1,2\n"))
    with pytest.raises(
        DataError, match=r'^t\.csv: no column "valence"\. Nearest: Valenz\. Found: path, Valenz, arousal$'
    ):
        found.require("valence")
    assert found.require("AROUSAL") == "arousal"
    assert found.find("dominance") is None


def test_cells_that_are_no_numbers_are_counted_with_the_first_line(tmp_path: Path) -> None:
    found = read_columns(table(tmp_path, "path,valence\na,1\nb,high\nc,low\n"))
    with pytest.raises(DataError, match=r'column "valence": 2 cell\(s\) are no numbers \(first: "high", line 3\)'):
        found.numbers("valence")


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "NaN", "None", "null", "."])
def test_empty_cells(cell: str) -> None:
    number = parse_number(cell)
    assert number is not None
    assert math.isnan(number)


@given(st.floats(allow_nan=False))
def test_numbers_survive(number: float) -> None:
    assert parse_number(repr(number)) == number


@pytest.mark.parametrize("cell", ["four", "1,234.5", "1 2", "0x10", "5.3.2"])
def test_no_numbers(cell: str) -> None:
    assert parse_number(cell) is None


rows = st.lists(
    st.tuples(
        *[st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=6).map(str.strip) for _ in range(3)]
    ),
    min_size=1,
    max_size=6,
).filter(lambda found: all(any(row) for row in found))


@given(rows, st.sampled_from([",", ";", "\t"]))
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, cells: Sequence[tuple[str, str, str]], delimiter: str
) -> None:
    import csv

    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([("one", "two", "three"), *cells])
    found = read_columns(path, delimiter=delimiter)
    expected = list(cells)
    assert list(zip(*found.values.values(), strict=True)) == expected


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"path": ["a", "b"], "valence": [1.5, None], "n": [3, 4]}), path)
    found = read_columns(path)
    np.testing.assert_array_equal(found.numbers("valence"), [1.5, np.nan])
    assert found.numbers("n").tolist() == [3, 4]
    assert found.text("path") == ["a", "b"]
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"t\.parquet: not readable as parquet"):
        read_columns(path)


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    actual = builtins.__import__

    def without(name: str, *arguments: object, **options: object) -> object:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return actual(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r'pyarrow is not installed; get it with: pip install "affekt\[parquet\]"'):
        read_columns(table(tmp_path, b"", "t.parquet"))


def columns(cells: list[str]) -> Columns:
    return Columns(name="t.csv", values={"split": cells}, lines=range(2, len(cells) + 2))


def test_split_names() -> None:
    cells = ["Train", "training", "val", "dev", "validation", "TEST", ""]
    assert split_names(columns(cells), "split") == [*["train"] * 2, *["validation"] * 3, "test", ""]
    with pytest.raises(DataError, match=r"""column "split": 'holdout' is no split; write train, validation or test"""):
        split_names(columns(["train", "holdout"]), "split")
