"""What torchjd's rules remember and draw: in checkpoints of ours, by seed and step, and never by being looked at."""

import pytest
import torch
from rules import THEIRS, Shared, created, named

from affekt.weighting import create_weighting

pytest.importorskip("torchjd")
CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["random", "pcgrad", "graddrop", "gradvac"])
def test_draws_are_functions_of_seed_and_step(name):
    def drawn(step, noise):
        network, weighting = Shared(4), created(name, 4)
        torch.manual_seed(noise)
        weighting.begin(seed=5, epoch=0, step=step)
        state = torch.get_rng_state()
        weighting.backward(network.losses(), network.parameters())
        assert torch.equal(torch.get_rng_state(), state)
        return network.trunk.weight.grad

    first = drawn(0, noise=1)
    assert torch.equal(first, drawn(0, noise=2))
    if name in ("random", "graddrop"):  # two orders of a few tasks can be the same
        assert not torch.equal(first, drawn(1, noise=1))


def test_asking_for_the_weights_leaves_no_trace():
    for name in ("dwa", "famo"):
        weighting = created(name, 2)
        weighting.begin()
        before = weighting.memory()
        weighting.weights(named([1.0, 2.0]))
        weighting(named([1.0, 2.0]))
        after = weighting.memory()
        assert before.keys() == after.keys()
        assert all(torch.equal(before[k], after[k]) for k in before)


def test_dwa_follows_the_epochs():
    weighting = create_weighting("dwa", ["a", "b"], temperature=2.0)
    for epoch, losses in enumerate(([4.0, 1.0], [2.0, 1.0])):
        for step in range(2):
            weighting.begin(seed=0, epoch=epoch, step=2 * epoch + step)
            weighting.observe(torch.tensor(losses))
    weighting.begin(seed=0, epoch=2, step=4)
    # Rates of 1/2 and 1, by the temperature of 2: softmax of 1/4 and 1/2, times two tasks.
    weights = weighting.weights({"a": torch.tensor(1.0), "b": torch.tensor(1.0)})
    assert [w.item() for w in weights.values()] == pytest.approx([0.875647, 1.124353], rel=1e-5)


def test_famo_gives_weight_to_the_loss_that_falls_less():
    weighting = create_weighting("famo", ["a", "b"])
    before, after = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 0.5])
    for step in range(50):
        weighting.begin(seed=0, epoch=0, step=step)
        weighting.observe(before, after)
    weights = weighting.weights({"a": before[0], "b": before[1]})
    assert weights["a"] > 0.6


@pytest.mark.parametrize("name", THEIRS)
def test_goes_on_from_its_memory_as_if_nothing_was(name):
    def steps(weighting, network, numbers):
        found = []
        for step in numbers:
            weighting.begin(seed=2, epoch=step // 2, step=step)
            network.zero_grad()
            losses = network.losses(step)
            weighting.backward(losses, network.parameters())
            if weighting.looks_back:
                values = torch.stack(list(losses.values())).detach()
                weighting.observe(values, values * torch.tensor([0.9, 0.7, 0.8]).double())
            found.append(network.trunk.weight.grad.clone())
        return found

    whole = steps(created(name, 3), Shared(3), range(7))
    first, again = created(name, 3), created(name, 3)
    steps(first, Shared(3), range(4))
    again.load_state_dict(first.state_dict())
    again.load_memory({k: v.clone() for k, v in first.memory().items()}, CPU)
    rest = steps(again, Shared(3), range(4, 7))
    for a, b in zip(rest, whole[4:], strict=True):
        assert torch.equal(a, b)


def test_what_remembers_is_known():
    def remembers(name):
        weighting, network = created(name, 3), Shared(3)
        weighting.begin()
        weighting.backward(network.losses(), network.parameters())
        return bool(weighting.memory())

    assert {name for name in THEIRS if remembers(name)} - {"nash-mtl"} == {
        "dwa",
        "famo",
        "gradvac",
        "excess-mtl",
        "pcd",
    }


def test_state_dict_keeps_its_shape():
    for name in THEIRS:
        weighting, network = created(name, 3), Shared(3)
        before = {k: v.shape for k, v in weighting.state_dict().items()}
        weighting.begin()
        weighting.backward(network.losses(), network.parameters())
        assert {k: v.shape for k, v in weighting.state_dict().items()} == before
