"""Layers against people: the numbers are those of the plain functions, units are counted against chance."""

import numpy as np
import pytest
from comparison_people import feature_model, measure_of, ratings, trials, votes

from affekt.humans.comparison import Model, compare, to_json
from affekt.humans.comparison.report.page import key, sections
from affekt.humans.people import Features
from affekt.humans.representations import compare_rdms, feature_rdm, linear_cka, rating_rdm, selective_units

RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(1, 7, 60)
NOTHING = RNG.normal(size=(60, 12))
MUCH = np.column_stack([TRUTH + RNG.normal(0, 0.5, 60), -TRUTH + RNG.normal(0, 0.5, 60), RNG.normal(size=(60, 10))])


def deep_model(name="deep", features=MUCH, **layers):
    model = feature_model(name, features)
    ids = model.features.ids
    found = {layer: Features(name=layer, ids=ids, features=table) for layer, table in layers.items()}
    return Model(name=name, features=model.features, layers=found)


@pytest.fixture(scope="module")
def found():
    return compare(ratings(TRUTH), [deep_model(early=NOTHING, late=MUCH)], resamples=50)


def test_a_row_for_each_layer_and_model(found):
    part = next(p for p in found.parts if p.id == "layers")
    assert part.models == ("deep: early", "deep: late")
    rsa, cka = measure_of(part, "rsa-ratings"), measure_of(part, "cka-ratings")
    for row, table in (("deep: early", NOTHING), ("deep: late", MUCH)):
        assert rsa.models[row].value == pytest.approx(compare_rdms(feature_rdm(table), rating_rdm(TRUTH[:, None])))
        assert cka.models[row].value == pytest.approx(linear_cka(table, TRUTH[:, None]))
    assert rsa.interval("deep: late") is not None and not rsa.pairs


def test_selective_units_stand_beside_chance(found):
    part = next(p for p in found.parts if p.id == "selective-units")
    expected = selective_units(MUCH, np.where(TRUTH > 4, "positive", "negative"), draws=50, seed=0)
    assert expected.counts() == {"negative": 1, "positive": 1}
    values = {m.name: m.models["deep: late"].value for m in part.measures}
    assert values["selective"] == 2 and values["positive"] == 1 and values["units"] == 12
    assert values["share"] == pytest.approx(2 / 12) and values["p"] == expected.p_consistent < 0.1
    assert values["chance"] == pytest.approx(expected.null_consistent.mean() / 12)
    assert max(values["chance"], values["chance-high"]) < values["share"]
    assert measure_of(part, "selective").models["deep: early"].value == 0


def test_votes_have_a_valence_by_polarity():
    counts = np.where(TRUTH[:, None] > 4, [[9, 1, 0]], [[1, 8, 1]])
    found = compare(votes(counts, ("happiness", "anger", "surprise")), [deep_model(late=MUCH)], resamples=20)
    part = next(p for p in found.parts if p.id == "selective-units")
    assert part.stimuli == 60 and measure_of(part, "selective").models["deep: late"].value == 2


def test_choices_of_trials_count_by_what_their_names_mean():
    truth = np.where(TRUTH > 4, "happy", "angry").tolist()
    other = [{"happy": "Happiness", "angry": "anger"}[word] for word in truth]
    people = trials({"a": truth, "b": other}, truth)
    part = next(p for p in compare(people, [deep_model(late=MUCH)], resamples=20).parts if p.id == "selective-units")
    assert part.stimuli == 60 and measure_of(part, "selective").models["deep: late"].value == 2


def test_without_a_valence_there_are_no_such_units():
    of_things = votes(RNG.multinomial(9, [0.5, 0.5], 60), ("cat", "dog"))
    assert [p.id for p in compare(of_things, [deep_model(late=MUCH)], resamples=20).parts] == ["features", "layers"]
    too_few = compare(ratings(np.r_[np.full(57, 5.0) + TRUTH[:57] / 9, 1, 2, 3]), [deep_model(late=MUCH)], resamples=20)
    assert "selective-units" not in [p.id for p in too_few.parts]


def test_stimuli_at_the_middle_of_the_scale_have_no_valence():
    found = compare(ratings(np.r_[TRUTH[:57], 4, 4, 4]), [deep_model(late=MUCH)], resamples=20)
    assert {p.id: p.stimuli for p in found.parts if p.layers} == {"layers": 60, "selective-units": 57}


def test_many_stimuli_are_drawn_from_and_it_is_said():
    many = np.tile(TRUTH, 7)
    model = deep_model(features=np.tile(MUCH, (7, 1)), late=np.tile(MUCH, (7, 1)))
    found = {p.id: p for p in compare(ratings(many), [model], resamples=2).parts}
    for name in ("features", "layers", "selective-units"):
        assert found[name].notes[0] == "400 of 420 stimuli, drawn by the seed."


def test_the_record_says_what_a_row_is_and_the_page_singles_none_out(found):
    held = to_json(found)
    part = next(p for p in held["parts"] if p["id"] == "layers")
    assert part["layers"]["deep: early"] == {"model": "deep", "layer": "early"}
    assert held["parts"][0]["layers"] == {} and held["models"][0]["layers"] == ["early", "late"]
    assert [entry["name"].split(":")[0] for entry in key(found)] == ["Features"]
    units = next(s for s in sections(found, None, "") if s.id == "selective-units")
    assert len(units.charts) == 1


def test_a_model_may_have_layers_alone():
    layers = deep_model(late=MUCH).layers
    assert compare(ratings(TRUTH), [Model(name="m", layers=layers)], resamples=20).parts[0].id == "layers"
