"""Affect cache: the same state as without it, by item, mixed as the pictures are, within its memory."""

import pytest
import torch

from affekt.errors import UsageError
from affekt.regulation import AffectCache
from affekt.training.task import Batch


def batch(pictures, items, **options):
    items = torch.tensor(items)
    return Batch(images=pictures()[items], labels={}, items=items, **options)


@pytest.fixture
def cache(affect_network, stimuli):
    made = AffectCache(affect_network().eval(), 16, features=True)
    made.fill("train", stimuli)
    return made


def test_it_holds_what_the_encoder_says_of_the_plain_pictures(cache, pictures):
    given = batch(pictures, [5, 0, 7])
    out = cache.emotional(given.images)
    torch.testing.assert_close(cache.state(given), out.state, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(cache.features(given), out.features, rtol=1e-4, atol=1e-5)


def test_pictures_stored_larger_are_seen_as_in_evaluation(affect_network, stimuli, pictures):
    cache = AffectCache(affect_network().eval(), 12)
    cache.fill("train", stimuli)
    cropped = pictures()
    from affekt.data.augmentation import Augmentation
    from affekt.recipe import AugmentationSettings

    plain = Augmentation(AugmentationSettings(), 12).plain((cropped * 255).round().to(torch.uint8))
    given = batch(pictures, list(range(8)))
    torch.testing.assert_close(cache.state(given), cache.emotional(plain).state, rtol=1e-4, atol=1e-5)


def test_the_state_of_a_mixed_picture_is_mixed(cache, pictures):
    partner, share = torch.tensor([1, 2, 0]), torch.tensor([0.25, 1.0, 0.5])
    plain = cache.state(batch(pictures, [3, 4, 6]))
    mixed = cache.state(batch(pictures, [3, 4, 6], partner=partner, share=share))
    torch.testing.assert_close(mixed[0], 0.25 * plain[0] + 0.75 * plain[1])
    assert torch.equal(mixed[1], plain[1])
    torch.testing.assert_close(mixed[2], 0.5 * plain[2] + 0.5 * plain[0])


def test_splits_are_kept_apart_and_filled_anew(cache, stimuli, pictures):
    assert "train" in cache
    assert "test" not in cache
    before, size = cache.state(batch(pictures, [0])), cache.nbytes
    cache.fill("test", stimuli.take(torch.arange(7, -1, -1).numpy()))
    assert torch.equal(cache.state(batch(pictures, [0])), before)
    assert cache.nbytes == 2 * size
    cache.fill("test", stimuli)
    assert cache.nbytes == 2 * size


def test_features_are_kept_only_if_asked(affect_network, stimuli, pictures):
    cache = AffectCache(affect_network().eval(), 16)
    cache.fill("train", stimuli)
    assert cache.features(batch(pictures, [0])) is None
    assert cache.nbytes == 8 * 2 * 4


def test_more_than_the_memory_allows_is_refused(affect_network, stimuli):
    cache = AffectCache(affect_network(), 16, features=True, memory_gib=1e-7)
    with pytest.raises(UsageError, match=r"affect cache: 18 numbers for each of 8 train pictures make 0\.00 GiB"):
        cache.fill("train", stimuli)
    assert "train" not in cache
