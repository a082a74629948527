"""Tables of a report as text: shapes, escapes, and numbers that read back."""

import csv
import io

import pytest
import synthetic_study
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import UsageError
from affekt.report.numbers import probability, short_count, shortened, signed
from affekt.report.table import Column, Table, as_csv, as_latex, as_markdown
from affekt.study.report import tables

SEEDS = (0, 1)


@pytest.fixture
def comparison():
    accuracy = {"baseline": [70.0, 71.5], "mixture": [72.0, 73.0], "learn-e-reg": [72.5, 73.1]}
    return synthetic_study.comparison(accuracy, seeds=SEEDS, n=1000, classes=("a", "b"))


def table(*records):
    columns = (Column("Name_1", lambda r: r["name"], numeric=False), Column("Value", lambda r: f"{r['value']:.1f}"))
    return Table(name="some", caption="Up 5 % & more", records=records, columns=columns)


def test_markdown_has_one_row_a_record_and_as_many_cells_everywhere(comparison):
    lines = tables(comparison, "markdown", only="comparisons").splitlines()
    body = lines[: lines.index("")]
    assert len(body) == 2 + len(comparison["comparisons"])
    assert len({line.count("|") for line in body}) == 1
    assert set(body[1]) == set("| -:")
    assert "| learn-e-reg - baseline | 2 | +2.05 |" in body[2]


def test_markdown_escapes_what_would_be_markup():
    line = as_markdown(table({"name": "a|b *c* <i>_\nd", "value": 1.0})).splitlines()[2]
    assert line == r"| a\|b \*c\* &lt;i&gt;\_ d | 1.0 |"


def test_latex_escapes_its_signs():
    text = as_latex(table({"name": r"50 % & a_b #1 {x} ~^ \y $z", "value": -1.0}))
    assert r"50 \% \& a\_b \#1 \{x\} \textasciitilde{}\textasciicircum{} \textbackslash{}y \$z & -1.0 \\" in text
    assert r"\caption{Up 5 \% \& more}" in text
    assert r"Name\_1 & Value \\" in text


def test_latex_is_a_whole_table(comparison):
    text = tables(comparison, "latex", only="comparisons")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\begin{tabular}{lrrrrrrlrrr}") == 1
    rows = text[text.index(r"\midrule") : text.index(r"\bottomrule")].splitlines()[1:]
    assert len(rows) == len(comparison["comparisons"])
    assert all(row.replace(r"\&", "").count("&") == 10 for row in rows)
    assert "{[}+0.74, +3.36]" in text
    assert "−" not in text


@given(st.lists(st.tuples(st.text(alphabet=st.characters(exclude_characters="\r\0", codec="utf-8")),
                          st.floats(allow_nan=False))))  # fmt: skip
def test_csv_reads_back(pairs):
    text = as_csv(table(*({"name": name, "value": value} for name, value in pairs)))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["name"], float(row["value"])) for row in rows] == pairs


def test_csv_of_all_tables_names_each(comparison):
    blocks = tables(comparison, "csv").split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["conditions", "comparisons", "attribution"]
    assert blocks[1].splitlines()[1].startswith("comparison,first,second,seeds,estimate")


def test_missing_link_is_called_missing(comparison):
    text = tables(comparison, "markdown", only="attribution")
    assert "| mixture | scalar-gate | a learned balance | missing | – |" in text
    assert "| baseline | learn-e-reg | the whole | +2.05 |" in text


def test_groups_are_told_from_items(comparison):
    assert "on 1,000 test pictures." in tables(comparison, "markdown", only="comparisons").replace(" First", "")
    grouped = tables(comparison | {"n_groups": 90}, "markdown", only="comparisons")
    assert "1,000 test pictures in 90 groups" in grouped


def test_a_study_without_comparisons_has_no_such_table(comparison):
    assert "Comparison" not in tables(comparison | {"comparisons": []}, "markdown")


def test_unknown_format_and_table_are_refused(comparison):
    with pytest.raises(UsageError, match="latex"):
        tables(comparison, "latx")
    with pytest.raises(UsageError, match="conditions"):
        tables(comparison, "csv", only="condition")


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "< .001"), (0.034, ".034"), (0.9999, "1"), (None, "–"), (float("nan"), "–")]
)
def test_probabilities(value, text):
    assert probability(value) == text


@pytest.mark.parametrize(("value", "text"), [(2655993, "2.66 M"), (172506, "173 k"), (12, "12"), (None, "–")])
def test_short_counts(value, text):
    assert short_count(value) == text


def test_differences_have_a_sign_and_a_true_minus():
    assert (signed(1.234), signed(-0.5), signed(None)) == ("+1.23", "−0.50", "–")


def test_long_names_keep_both_ends():
    assert shortened("class-with-a-long-name-007", 12) == "class…me-007"
    assert shortened("short", 5) == "short"


@pytest.mark.parametrize(("seeds", "said"), [(2, "none would do"), (1, "one seed cannot say")])
def test_seeds_needed_are_said_in_words_where_no_number_can_be(comparison, seeds, said):
    for held in comparison["comparisons"]:
        held |= {"seeds": list(range(seeds)), "seeds_needed": {"0.5": None}}
    lines = tables(comparison, "markdown", only="comparisons").splitlines()
    assert all(line.rstrip(" |").endswith(said) for line in lines[2 : lines.index("")])
