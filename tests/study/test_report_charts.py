"""Charts of a report: where bars stand, which names are written, what a file holds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.report.drawing import NARROW, WIDE, as_pdf, as_svg, for_page, styled
from affekt.study.report import charts
from affekt.study.report.charts.attribution import levels
from affekt.study.report.charts.cost import efficient
from affekt.study.report.charts.curves import spread
from affekt.study.report.charts.rows import MOST_CLASSES, by_class, class_order

STEPS = st.lists(st.floats(-10, 10), min_size=1, max_size=6)


@given(STEPS)
def test_each_link_starts_where_the_one_before_it_ended(steps):
    found = levels(steps, sum(steps))
    assert found[0][0] == 0
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert found[-1][1] == pytest.approx(sum(steps))


@given(STEPS, STEPS, st.floats(-10, 10))
def test_links_behind_a_gap_end_at_the_whole(before, behind, gap):
    whole = sum(before) + gap + sum(behind)
    found = levels([*before, None, *behind], whole)
    assert found[len(before)] is None
    assert found[0][0] == 0
    assert found[-1][1] == pytest.approx(whole)
    assert found[len(before) + 1][0] - found[len(before) - 1][1] == pytest.approx(gap, abs=1e-6)


def test_link_that_nothing_places_starts_at_zero():
    assert levels([1.0, None, 2.0, None, 3.0], 10.0) == [(0, 1), None, (0, 2), None, (7, 10)]
    assert levels([1.0, None, 2.0], None) == [(0, 1), None, (0, 2)]


def test_no_chart_where_neither_a_link_nor_the_whole_is_there():
    link = {"first": "a", "second": "b", "adds": "", "difference": None}
    assert charts.attribution({"attribution": {"links": [link], "whole": None}}) is None
    whole = {"estimate": 1.0, "low": 0.5, "high": 1.5}
    chart = charts.attribution({"attribution": {"links": [link], "whole": whole}})
    assert [record["estimate"] for record in chart.table.records] == [None, 1.0]


def test_efficient_conditions_are_those_that_no_cheaper_one_beats():
    held = [("a", 1, 50), ("b", 2, 49), ("c", 3, 60), ("d", 3, 55), ("e", 9, 60)]
    records = [{"condition": n, "cost": c, "accuracy": a} for n, c, a in held]
    assert efficient(records, "cost") == ["a", "c"]


def test_spread_is_over_the_seeds_that_reached_an_epoch():
    epochs, mean, low, high, count = spread({0: ([1, 2], [50, 60]), 1: ([1], [40])})
    assert epochs.tolist() == [1, 2]
    assert mean.tolist() == [45, 60]
    assert (low.tolist(), high.tolist()) == ([40, 60], [50, 60])
    assert count.tolist() == [2, 1]


def test_quantiles_by_class_leave_out_unknown_classes_and_values():
    values = np.array([1.0, 3.0, np.nan, 9.0, 5.0])
    found = by_class(values, np.array([0, 0, 0, -1, 2]), ["a", "b"])
    assert [(r["class"], r["n"], r["median"]) for r in found] == [("a", 2, 2.0), ("class 2", 1, 5.0)]


def test_of_many_classes_both_ends_are_shown():
    found = [{"class": str(i), "median": float(i)} for i in range(100)]
    rows = class_order(found)
    assert len(rows.shown) == MOST_CLASSES
    assert (rows.shown[0]["class"], rows.shown[-1]["class"]) == ("0", "99")
    assert "of 100 classes" in rows.note
    assert class_order(found[:MOST_CLASSES]).note == ""


def curve():
    return charts.curves({"a": {0: ([1.0, 2.0], [50.0, 60.0])}, "b & $x$": {0: ([1.0], [40.0])}}, beside="a")


def test_text_is_text_in_files_and_page_and_colours_are_the_pages():
    chart = curve()
    with styled():
        figure = chart.draw(WIDE)
        svg = as_svg(figure)
    assert "b &amp; $x$" in svg
    assert "#0072b2" in svg
    page = for_page(svg, name="n", alt='say "no"')
    assert "b &amp; $x$" in page
    assert "#0072b2" not in page
    assert "var(--c0)" in page
    assert 'aria-label="say &quot;no&quot;"' in page
    assert "http" not in page
    assert "width: 730px" in page


def test_pdf_embeds_its_font_as_truetype():
    with styled():
        pdf = as_pdf(curve().draw(NARROW))
    assert pdf.startswith(b"%PDF")
    assert b"/Type3" not in pdf
    assert b"/CIDFontType2" in pdf
