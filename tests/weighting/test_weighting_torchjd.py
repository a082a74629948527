"""torchjd behind our seam: every rule as torchjd itself computes it, by its names, and what is refused."""

import sys

import pytest
import torch
from rules import SOLVERS, THEIRS, Shared, created, gradients, named, options, tasks

from affekt.errors import MissingExtra, TrainingError, UsageError
from affekt.randomness import torch_seed
from affekt.weighting import Aggregated, GradientWeighting, Scalarised, create_weighting, list_weightings
from affekt.weighting._torchjd_rules import AGGREGATORS, RULES, SCALARISERS

torchjd = pytest.importorskip("torchjd")
SCALARISED = [name for name in THEIRS if RULES[name].place == SCALARISERS]
AGGREGATED = [name for name in THEIRS if RULES[name].place == AGGREGATORS]
POSITIVE = [2.0, 1.0, 0.5]


def theirs(name, n):
    """torchjd's own object, made by hand."""
    import torchjd.aggregation
    import torchjd.scalarization

    rule = RULES[name]
    kind = getattr(getattr(torchjd, rule.place), rule.kind)
    filled = {"famo": {"shape": n}, "imtl-l": {"shape": n}, "nash-mtl": {"n_tasks": n}}.get(name, {})
    given = {k: torch.tensor(v) if isinstance(v, list) else v for k, v in options(name, n).items()}
    return kind(**filled, **given)


@pytest.mark.parametrize("name", SCALARISED)
def test_scalarisers_are_torchjds(name):
    ours, original = create_weighting(name, tasks(3), **options(name, 3)), theirs(name, 3)
    assert isinstance(ours, Scalarised)
    values = torch.tensor(POSITIVE, requires_grad=True)
    ours.begin(seed=7, epoch=0, step=3)
    scalar = ours(dict(zip(ours.tasks, values.unbind(), strict=True)))
    with torch_seed("weighting", 7, 3):
        expected = original(torch.tensor(POSITIVE).requires_grad_())
    torch.testing.assert_close(scalar, expected)
    scalar.backward()
    with torch_seed("weighting", 7, 3):
        leaf = torch.tensor(POSITIVE, requires_grad=True)
        original(leaf).backward()
    torch.testing.assert_close(values.grad, leaf.grad)
    weights = ours.weights(named(POSITIVE, torch.float32))
    assert [w.item() for w in weights.values()] == pytest.approx(leaf.grad.tolist())
    for mine, other in zip(ours.parameters(), original.parameters(), strict=True):
        assert (mine.grad is None) == (other.grad is None)
        assert mine.grad is None or torch.equal(mine.grad, other.grad)


@pytest.mark.parametrize("name", AGGREGATED)
def test_aggregators_are_torchjds_over_several_steps(name):
    ours, original, network = create_weighting(name, tasks(3), **options(name, 3)), theirs(name, 3), Shared(3).float()
    assert isinstance(ours, Aggregated)
    for step in range(3):
        network.zero_grad()
        ours.begin(seed=1, epoch=0, step=step)
        ours.backward(Single(network).losses(step), network.parameters())
        with torch_seed("weighting", 1, step):
            expected = original(Single(network).matrix(step))
        found = torch.cat([p.grad.flatten() for p in network.trunk.parameters()])
        torch.testing.assert_close(found, expected)
        assert network.frozen.weight.grad is None
        assert network.idle.weight.grad is None
        assert network.heads[1].weight.grad is not None


class Single:
    """The shared network in float32, as torchjd's settings are."""

    def __init__(self, network):
        self.network = network

    def losses(self, seed):
        with torch_seed("inputs", seed):
            x, y = torch.randn(6, 3), torch.randn(len(self.network.heads), 6, 1)
        h = self.network.trunk(self.network.frozen(x)).tanh()
        return {f"task{i}": (head(h) - y[i]).square().mean() for i, head in enumerate(self.network.heads)}

    def matrix(self, seed):
        trunk = list(self.network.trunk.parameters())
        rows = [torch.autograd.grad(loss, trunk, retain_graph=True) for loss in self.losses(seed).values()]
        return torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])


@pytest.mark.parametrize("name", [n for n in SCALARISED if n not in ("random", "famo", "dwa")])
def test_gradients_are_those_of_finite_differences(name):
    weighting = created(name, 3, seed=1)

    def scalar(losses, *_):
        return weighting(dict(zip(weighting.tasks, losses.unbind(), strict=True)))

    losses = torch.tensor(POSITIVE, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(scalar, (losses, *weighting.parameters()))


@pytest.mark.parametrize(
    "name", [n for n in THEIRS if n not in ("pcd", "krum", "random", "graddrop", "pcgrad", "gradvac")]
)
def test_names_of_the_tasks_do_not_matter(name):
    """PCD's first task is another than the rest, by design; Krum and those that draw see them in their order."""
    order = [2, 0, 1]
    one, other = created(name, 3), create_weighting(name, [f"task{i}" for i in order], **options(name, 3)).double()
    if isinstance(one, Scalarised):
        a, b = one.weights(named(POSITIVE)), other.weights(named(POSITIVE))
        assert {k: v.item() for k, v in a.items()} == pytest.approx({k: v.item() for k, v in b.items()})
        return
    first, second = Shared(3), Shared(3)
    one.backward(first.losses(), first.parameters())
    other.backward(second.losses(), second.parameters())
    torch.testing.assert_close(first.trunk.weight.grad, second.trunk.weight.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["mgda", "upgrad", "dualproj", "cagrad", "config"])
def test_no_task_is_harmed(name):
    if name not in THEIRS:
        pytest.skip(f"{SOLVERS[name]} is not installed")
    weighting = created(name, 3)
    network = Shared(3)
    weighting.backward(network.losses(), network.parameters())
    trunk = list(network.trunk.parameters())
    direction = torch.cat([p.grad.flatten() for p in trunk])
    for loss in network.losses().values():
        gradient = torch.cat([g.flatten() for g in torch.autograd.grad(loss, trunk, retain_graph=True)])
        assert gradient @ direction >= -1e-3 * gradient.norm() * direction.norm()


@pytest.mark.parametrize("name", ["mgda", "random"])
def test_weights_sum_to_one(name):
    if name == "random":
        weights = created(name, 4).weights(named([1.0, 2.0, 3.0, 4.0]))
    else:
        network = Shared(4)
        weights = created(name, 4).backward(network.losses(), network.parameters())
    assert sum(w.item() for w in weights.values()) == pytest.approx(1)
    assert all(w.item() >= 0 for w in weights.values())


def test_every_class_can_be_had_by_its_own_name():
    from affekt.weighting._torchjd import kinds

    short = {(rule.place, rule.kind) for rule in RULES.values()}
    doubled = {
        (SCALARISERS, "Sum"), (SCALARISERS, "Mean"), (SCALARISERS, "Constant"), (SCALARISERS, "UW"),
        (AGGREGATORS, "Sum"), (AGGREGATORS, "Mean"), (AGGREGATORS, "Constant"), (AGGREGATORS, "Random"),
    }  # fmt: skip
    every = {(place, kind) for place in (SCALARISERS, AGGREGATORS) for kind in kinds(place)}
    assert every == short | doubled
    network, plain = Shared(2), Shared(2)
    create_weighting("torchjd:aggregation.Mean", tasks(2)).backward(network.losses(), network.parameters())
    created("uniform", 2).backward(plain.losses())
    torch.testing.assert_close(network.trunk.weight.grad, plain.trunk.weight.grad)
    uw = create_weighting("torchjd:scalarization.UW", tasks(2))
    assert uw(named([1.0, 2.0])).item() == created("uw", 2)(named([1.0, 2.0])).item()


def test_rules_that_make_up_for_long_gradients_are_not_watched():
    unwatched = {"imtl-g", "aligned-mtl", "nash-mtl", "fairgrad", "pcd"}
    assert {name for name in THEIRS if not created(name, 3).watched} == unwatched & set(THEIRS)


def test_rules_without_weights_say_so():
    for name in ("config", "graddrop", "trimmed-mean"):
        network, weighting = Shared(3), created(name, 3)
        assert not weighting.has_weights
        assert weighting.backward(network.losses(), network.parameters()) == {}
        assert network.trunk.weight.grad is not None
    assert all(isinstance(created(name, 3), GradientWeighting) for name in AGGREGATED)


def test_half_precision_makes_no_difference():
    def found():
        weighting = create_weighting("pbi", tasks(2), theta=1.0, weights=[1.0, 3.0])
        return weighting({"task0": torch.tensor(1.2345), "task1": torch.tensor(0.1234)})

    expected = found()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(found(), expected)
        network, plain = Shared(2).float(), Shared(2).float()
        create_weighting("mgda", tasks(2)).backward(Single(network).losses(0), network.parameters())
    assert network.trunk.weight.grad.dtype == torch.float32
    create_weighting("mgda", tasks(2)).backward(Single(plain).losses(0), plain.parameters())
    torch.testing.assert_close(network.trunk.weight.grad, plain.trunk.weight.grad, rtol=0.05, atol=0.01)


def test_lists_become_tensors_of_the_losses_kind():
    weighting = created("stch", 2, weights=[0.25, 0.75])
    found = weighting(named([1.0, 2.0])).item()
    expected = 0.5 * torch.logsumexp(torch.tensor([0.25, 1.5]).double() / 0.5, 0).item()
    assert found == pytest.approx(expected)
    assert weighting.settings == {"mu": 0.5, "weights": [0.25, 0.75]}
    assert set(weighting.versions) == {"torchjd"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: create_weighting("cagrad", ["a", "b"]), r"needs c: set it in \[weighting.options\], e.g. c = 0.4"),
        (lambda: create_weighting("stch", ["a", "b"], mu=-1.0), 'weighting "stch": .*strictly positive'),
        (lambda: create_weighting("pcgrad", ["a", "b"], c=1), 'weighting "pcgrad" has no option "c"; it has none'),
        (lambda: create_weighting("famo", ["a"], shape=3), 'no option "shape"; it has min_losses, lr, weight_decay'),
        (
            lambda: create_weighting("krum", ["a", "b"], n_byzantine=0),
            'weighting "krum" for 2 tasks: .*at least 3 rows',
        ),
        (lambda: create_weighting("pbi", ["a"], theta=1.0, weights=[1.0, 1.0]), 'weighting "pbi" for 1 tasks: '),
        (lambda: create_weighting("famo", ["a"]).observe(torch.ones(1)), 'weighting "famo" looks back'),
        (lambda: create_weighting("pcgrd", ["a", "b"]), 'weighting "pcgrd": unknown. Nearest: pcgrad'),
        (lambda: create_weighting("torchjd:Mean", ["a"]), "Nearest: torchjd:aggregation.Mean"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_what_a_rule_cannot_work_with_is_one_line():
    weighting = created("geometric-mean", 2)
    with pytest.raises(TrainingError, match='weighting "geometric-mean": ValueError: GeometricMean is only defined'):
        weighting(named([-1.0, 1.0]))


def test_without_torchjd_the_line_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchjd", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'torchjd is not installed; get it with: pip install "affekt\[weights\]"'):
        create_weighting("pcgrad", ["a", "b"])
    assert "pcgrad" in list_weightings()
    assert create_weighting("uw", ["a", "b"]).name == "uw"


@pytest.mark.parametrize("name", [n for n in SOLVERS if n not in THEIRS])
def test_without_its_solver_the_line_to_install_it(name):
    with pytest.raises(MissingExtra, match=rf'{SOLVERS[name]} is not installed; get it with: pip install "affekt'):
        create_weighting(name, ["a", "b"], **options(name, 2))


def test_torchjd_is_imported_only_when_it_is_named():
    import subprocess

    code = (
        "import sys, affekt; affekt.create_weighting('softmax', ['a']); affekt.list_weightings(); import affekt.study; "
        "assert 'torchjd' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_parameters_that_no_task_reaches_stay_without_gradient():
    network = Shared(2)
    created("mgda", 2).backward(network.losses(), network.parameters())
    found = gradients(network)
    assert [k for k, v in found.items() if v is None] == ["frozen.weight", "frozen.bias", "idle.weight", "idle.bias"]
