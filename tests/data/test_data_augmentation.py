"""Augmentation: a function of (seed, epoch, item) alone, and each operation as torchvision defines it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision.transforms.v2.functional as tv
from scipy import stats
from torchvision.transforms import InterpolationMode, RandomResizedCrop

from affekt.data.augmentation import OPERATIONS, Augmentation, colour, crop, geometry, mixing, tone
from affekt.data.augmentation.cutout import cutout
from affekt.data.augmentation.randaugment import randaugment
from affekt.errors import UsageError
from affekt.recipe import AugmentationSettings

NOTHING = AugmentationSettings(crop="none", flip=0.0)
KINDS = {
    "none": NOTHING,
    "pad": AugmentationSettings(),
    "random-resized": AugmentationSettings(crop="random-resized", scale=(0.2, 1.0)),
    "jitter": AugmentationSettings(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
    "cutout": AugmentationSettings(cutout=8),
    "randaugment": AugmentationSettings(randaugment=3, magnitude=15),
}


def pictures(n: int, height: int = 32, width: int = 32, seed: int = 0) -> torch.Tensor:
    """Smooth random colour pictures: noise enlarged, so that resampling has something to be wrong about."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand((n, 3, 8, 8), generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return (smooth * 255).round().byte()


def floats(n: int, **kwargs: int) -> torch.Tensor:
    return pictures(n, **kwargs).float() / 255


@pytest.mark.parametrize("stored", [32, 48, 20])
@pytest.mark.parametrize("kind", KINDS)
def test_an_item_is_changed_alike_in_any_batch(kind: str, stored: int) -> None:
    augment = Augmentation(KINDS[kind], 32)
    images, items = pictures(13, stored, stored), torch.arange(100, 113)
    whole = augment(images, items, seed=3, epoch=2)
    assert whole.dtype == torch.float32
    assert whole.shape == (13, 3, 32, 32)
    assert whole.min() >= 0
    assert whole.max() <= 1
    order = torch.randperm(13, generator=torch.Generator().manual_seed(1))
    assert torch.equal(augment(images[order], items[order], seed=3, epoch=2), whole[order])
    for row in (0, 7, 12):
        alone = augment(images[row : row + 1], items[row : row + 1], seed=3, epoch=2)
        assert torch.equal(alone[0], whole[row])


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "none"])
def test_seed_and_epoch_change_what_is_drawn(kind: str) -> None:
    augment = Augmentation(KINDS[kind], 32)
    images, items = pictures(8), np.arange(8)
    first = augment(images, items, seed=0, epoch=0)
    assert torch.equal(first, augment(images, items, seed=0, epoch=0))
    assert not torch.equal(first, augment(images, items, seed=1, epoch=0))
    assert not torch.equal(first, augment(images, items, seed=0, epoch=1))


def test_the_pictures_handed_in_stay_as_they_are() -> None:
    images = pictures(4)
    before = images.clone()
    for settings in KINDS.values():
        Augmentation(settings, 32)(images, torch.arange(4), seed=0, epoch=0)
    assert torch.equal(images, before)


def test_plain_is_the_picture_over_255() -> None:
    images = pictures(3)
    assert torch.equal(Augmentation(KINDS["pad"], 32).plain(images), images.float() / 255)


def test_plain_takes_the_centred_square_and_resizes_it_antialiased() -> None:
    images = pictures(2, 64, 96)
    expected = tv.resize(images[..., 16:80].float() / 255, [32, 32], antialias=True)
    assert torch.allclose(Augmentation(NOTHING, 32).plain(images), expected, atol=1e-6)


def test_pad_crop_is_a_window_of_the_reflected_picture() -> None:
    images, padding = pictures(64), 4
    items = torch.arange(64)
    flipped = torch.arange(64) % 2 == 1
    out = crop.pad_crop(images, items, flipped, 32, padding, seed=0, epoch=0)
    padded = torch.nn.functional.pad(images.float(), (padding,) * 4, mode="reflect").byte()
    places = set()
    for row in range(64):
        windows = padded[row].unfold(1, 32, 1).unfold(2, 32, 1)  # (3, 9, 9, 32, 32)
        wanted = out[row].flip(-1) if flipped[row] else out[row]
        hit = (windows == wanted[:, None, None]).all(dim=0).flatten(2).all(dim=2).nonzero()
        assert len(hit) == 1
        places.add(tuple(hit[0].tolist()))
    assert len(places) > 35
    assert {y for y, _ in places} == {x for _, x in places} == set(range(9))


def test_pad_crop_of_larger_pictures_reaches_every_corner() -> None:
    ramp = torch.arange(40, dtype=torch.uint8).expand(1, 3, 40, 40).repeat(2000, 1, 1, 1)
    out = crop.pad_crop(ramp, torch.arange(2000), torch.zeros(2000, dtype=torch.bool), 32, 0, seed=0, epoch=0)
    assert set(out[:, 0, 0, 0].tolist()) == set(range(9))
    assert out[..., -1].max() == 39


def test_flip_happens_as_often_as_asked() -> None:
    ramp = torch.arange(32, dtype=torch.uint8).expand(4000, 3, 32, 32)
    for probability in (0.0, 0.3, 1.0):
        augment = Augmentation(AugmentationSettings(crop="none", flip=probability), 32)
        out = augment(ramp, torch.arange(4000), seed=0, epoch=0)
        assert (out[:, 0, 0, 0] > 0).float().mean().item() == pytest.approx(probability, abs=0.03)


@pytest.mark.parametrize("height,width,size", [(32, 32, 32), (48, 40, 32), (96, 96, 32), (16, 20, 32)])
def test_resized_crop_is_torchvisions(height: int, width: int, size: int) -> None:
    images = pictures(24, height, width)
    box = crop.boxes(torch.arange(24), (height, width), (0.1, 1.0), (0.5, 2.0), seed=0, epoch=0)
    flipped = torch.arange(24) % 3 == 0
    out = crop.resized_crop(images, box, flipped, size)
    for row in range(24):
        top, left, h, w = box[row].tolist()
        expected = tv.resized_crop(images[row].float() / 255, top, left, h, w, [size, size], antialias=True)
        expected = expected.flip(-1) if flipped[row] else expected
        assert torch.allclose(out[row], expected, atol=2e-6)


def test_boxes_are_distributed_as_torchvisions() -> None:
    scale, ratio = (0.35, 1.0), (0.75, 4 / 3)
    ours = crop.boxes(torch.arange(3000), (64, 64), scale, ratio, seed=0, epoch=0).double()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        image = torch.zeros(3, 64, 64)
        drawn = [RandomResizedCrop.get_params(image, list(scale), list(ratio)) for _ in range(3000)]
    theirs = torch.tensor(drawn).double()
    for column in range(4):
        assert stats.ks_2samp(ours[:, column], theirs[:, column]).pvalue > 1e-3
    assert stats.ks_2samp(ours[:, 2] * ours[:, 3], theirs[:, 2] * theirs[:, 3]).pvalue > 1e-3


def test_a_box_that_never_fits_is_the_largest_of_an_allowed_ratio() -> None:
    box = crop.boxes(torch.arange(5), (100, 10), (0.9, 1.0), (0.75, 4 / 3), seed=0, epoch=0)
    assert box.tolist() == [[43, 0, 13, 10]] * 5


FACTORS = torch.tensor([0.3, 0.8, 1.0, 1.4, 1.9])


@pytest.mark.parametrize(
    "ours,theirs",
    [
        (colour.brightness, tv.adjust_brightness),
        (colour.contrast, tv.adjust_contrast),
        (colour.saturation, tv.adjust_saturation),
        (tone.sharpness, tv.adjust_sharpness),
    ],
)
def test_factors_act_as_in_torchvision(ours, theirs) -> None:  # type: ignore[no-untyped-def]
    images = floats(5)
    out = ours(images, FACTORS)
    for row, factor in enumerate(FACTORS.tolist()):
        assert torch.allclose(out[row], theirs(images[row], factor), atol=1.5e-3)
    assert torch.allclose(out[2], images[2], atol=1e-6)


def test_hue_turns_as_in_torchvision() -> None:
    images = floats(5)
    images[0, :, :4] = 0.5  # grey has no hue
    shifts = torch.tensor([-0.5, -0.2, 0.0, 0.1, 0.4])
    out = colour.hue(images, shifts)
    for row, shift in enumerate(shifts.tolist()):
        assert torch.allclose(out[row], tv.adjust_hue(images[row], shift), atol=1e-5)


def test_levels_act_as_in_torchvision() -> None:
    images = pictures(4)
    images[0] = images[0] // 4 + 60
    images[1, 0] = 77
    unit = images.float() / 255

    def levels(out: torch.Tensor) -> torch.Tensor:
        return (out * 255).round().byte()

    for bits in (4, 6, 8):
        assert torch.equal(levels(tone.posterize(unit, torch.full((4,), bits))), tv.posterize(images, bits))
    for threshold in (0, 100, 255):
        assert torch.equal(
            levels(tone.solarize(unit, torch.full((4,), threshold / 255))), tv.solarize(images, float(threshold))
        )
    assert torch.equal(levels(tone.equalize(unit)), tv.equalize(images))
    assert (levels(tone.autocontrast(unit)).int() - tv.autocontrast(images).int()).abs().max() <= 1


@pytest.mark.parametrize("amount", [-0.3, 0.1, 0.25])
def test_geometry_is_torchvisions(amount: float) -> None:
    images = floats(2, height=24, width=32)
    amounts = torch.full((2,), amount)
    degrees = float(np.degrees(np.arctan(amount)))
    bilinear = InterpolationMode.BILINEAR

    def sheared(pixels: torch.Tensor, shear: list[float]) -> torch.Tensor:
        how = {"interpolation": bilinear, "center": [0.0, 0.0], "fill": None}
        return tv.affine(pixels, angle=0.0, translate=[0, 0], scale=1.0, shear=shear, **how)

    def moved(pixels: torch.Tensor) -> torch.Tensor:
        by = [round(20 * amount), round(-10 * amount)]
        return tv.affine(pixels, angle=0.0, translate=by, scale=1.0, shear=[0.0, 0.0], interpolation=bilinear)

    ours = {
        "shear_x": geometry.shear_x(images, amounts),
        "shear_y": geometry.shear_y(images, amounts),
        "translate": geometry.translate(images, (20 * amounts).round(), (-10 * amounts).round()),
        "rotate": geometry.rotate(images, 100 * amounts),
    }
    theirs = {
        "shear_x": lambda pixels: sheared(pixels, [degrees, 0.0]),
        "shear_y": lambda pixels: sheared(pixels, [0.0, degrees]),
        "translate": moved,
        "rotate": lambda pixels: tv.rotate(pixels, 100 * amount, interpolation=bilinear),
    }
    for name, transform in theirs.items():
        # Its own filling mixes at the border by the square of what is covered; this is what it should be.
        covered = transform(torch.ones_like(images))
        expected = transform(images) + 0.5 * (1 - covered)
        assert 0.5 < covered.mean() < 0.999, name
        assert torch.allclose(ours[name], expected, atol=1e-3), name


def test_randaugment_has_torchvisions_operations_and_draws_each_equally() -> None:
    assert len(OPERATIONS) == 14
    images = (0.2 + 0.6 * floats(1, height=16, width=16)).expand(2800, -1, -1, -1).clone()
    out = randaugment(images, torch.arange(2800), 1, 15, seed=0, epoch=0)
    # An operation with a sign gives two pictures (n/28 each), one without gives one (n/14).
    distinct, counts = np.unique(out.flatten(1).numpy(), axis=0, return_counts=True)
    assert len(distinct) == 5 + 18
    assert counts.min() > 60
    assert counts.max() < 260


def test_randaugment_at_magnitude_zero_moves_nothing() -> None:
    images = floats(64)
    geometric = ("identity", "shear-x", "shear-y", "translate-x", "translate-y", "rotate", "brightness", "colour")
    for name in (*geometric, "contrast", "sharpness", "posterize"):
        out = OPERATIONS[name](images, torch.ones(64), 0.0)
        assert torch.allclose(out, images, atol=1e-5), name


def test_cutout_greys_one_square() -> None:
    images = torch.zeros(500, 3, 32, 32)
    out = cutout(images.clone(), torch.arange(500), 8, seed=0, epoch=0)
    area = (out[:, 0] == 0.5).sum(dim=(1, 2))
    assert area.max() == 64
    assert area.min() >= 16  # a quarter of it, when centred on a corner
    assert torch.equal(out[:, 0], out[:, 2])
    assert (out[:, 0] == 0.5).float().mean(0).min() > 0


def mixed(settings: AugmentationSettings, labels: dict[str, torch.Tensor], n: int = 16, **kwargs: int) -> mixing.Mixed:
    return Augmentation(settings, 32).mix(
        floats(n), labels, torch.arange(n), **({"seed": 0, "epoch": 0, "categories": 4} | kwargs)
    )


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_mixing_gives_labels_the_share_of_the_pixels(kind: str) -> None:
    n = 16
    images = torch.arange(n).view(n, 1, 1, 1).expand(n, 3, 32, 32).float() / n
    settings = AugmentationSettings(mixup=1.0) if kind == "mixup" else AugmentationSettings(cutmix=1.0)
    valence = torch.arange(n).float() / n
    category = torch.arange(n) % 4
    labels = {"valence": valence, "category": category}
    out = Augmentation(settings, 32).mix(images, labels, torch.arange(n), seed=0, epoch=0, categories=4)
    assert out.partner is not None
    assert out.share is not None
    assert (out.partner != torch.arange(n)).all()
    assert sorted(out.partner.tolist()) == list(range(n))
    assert torch.allclose(out.images.mean(dim=(1, 2, 3)), out.labels["valence"], atol=1e-5)
    assert torch.allclose(out.labels["category"].sum(1), torch.ones(n))
    rows = torch.arange(n)
    expected = torch.zeros(n, 4)
    expected[rows, category] += out.share
    expected[rows, category[out.partner]] += 1 - out.share
    assert torch.allclose(out.labels["category"], expected)
    assert out.share.std() > 0.1


def test_mixing_depends_on_the_set_of_items_not_on_their_order() -> None:
    images, items = floats(16), torch.arange(50, 66)
    labels = {"category": torch.arange(16) % 4}
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    for settings in (
        AugmentationSettings(mixup=0.4),
        AugmentationSettings(cutmix=1.0),
        AugmentationSettings(mixup=0.4, cutmix=1.0),
    ):
        augment = Augmentation(settings, 32)
        one = augment.mix(images, labels, items, seed=0, epoch=1, categories=4)
        two = augment.mix(
            images[order], {"category": labels["category"][order]}, items[order], seed=0, epoch=1, categories=4
        )
        assert torch.equal(one.images[order], two.images)
        assert torch.equal(one.labels["category"][order], two.labels["category"])
        assert one.share is not None
        assert two.share is not None
        assert torch.equal(one.share[order], two.share)


def test_equal_draws_of_partners_do_not_bring_the_order_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "uniforms", lambda items, **_: torch.zeros(len(items), 1))
    items = torch.tensor([4, 9, 2, 7])
    assert items[mixing.partners(items, seed=0, epoch=0)].tolist() == [7, 2, 4, 9]


def test_with_both_each_batch_gets_one_of_the_two() -> None:
    settings = AugmentationSettings(mixup=1.0, cutmix=1.0)
    images = torch.stack([torch.zeros(3, 32, 32), torch.ones(3, 32, 32)])
    kinds = set()
    for epoch in range(20):
        out = Augmentation(settings, 32).mix(images, {}, torch.arange(2), seed=0, epoch=epoch, categories=0)
        kinds.add(bool(((out.images == 0) | (out.images == 1)).all()))
    assert kinds == {True, False}


def test_shares_follow_the_beta_distribution() -> None:
    for alpha in (0.2, 1.0, 2.0):
        share = mixing.beta_shares(torch.arange(5000), alpha, seed=0, epoch=0).double().numpy()
        assert stats.kstest(share, stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_unknown_labels_stay_unknown_when_mixed() -> None:
    labels = {
        "category": torch.tensor([-1, 2, -1, 1]),
        "valence": torch.tensor([float("nan"), 1.0, 2.0, 3.0]),
        "votes": torch.tensor([[0.0, 0, 0, 0], [10, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 3]]),
    }
    out = mixed(AugmentationSettings(mixup=1.0), labels, n=4)
    assert out.partner is not None
    assert out.share is not None
    for row in range(4):
        partner, share = int(out.partner[row]), float(out.share[row])
        known = share * (labels["category"][row] >= 0) + (1 - share) * (labels["category"][partner] >= 0)
        assert out.labels["category"][row].sum().item() == pytest.approx(float(known), abs=1e-6)
        voted = share * (row != 0) + (1 - share) * (partner != 0)
        assert out.labels["votes"][row].sum().item() == pytest.approx(voted, abs=1e-6)
        assert bool(out.labels["valence"][row].isnan()) == (0 in (row, partner))


def test_without_mixing_nothing_changes() -> None:
    labels = {"category": torch.arange(4)}
    out = mixed(AugmentationSettings(), labels, n=4)
    assert torch.equal(out.images, floats(4))
    assert out.labels == labels
    assert out.partner is None
    one = mixed(AugmentationSettings(mixup=1.0), {"category": torch.arange(1)}, n=1)
    assert one.share is None


def test_under_autocast_pictures_keep_their_precision() -> None:
    images, items = pictures(4, 48, 48), torch.arange(4)
    augment = Augmentation(KINDS["random-resized"], 32)
    expected = augment(images, items, seed=0, epoch=0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(augment(images, items, seed=0, epoch=0), expected)


def test_no_global_generator_is_read() -> None:
    before = torch.random.get_rng_state()
    for settings in KINDS.values():
        Augmentation(settings, 32)(pictures(4), torch.arange(4), seed=0, epoch=0)
    mixed(AugmentationSettings(mixup=1.0, cutmix=1.0), {"category": torch.zeros(16, dtype=torch.int64)})
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    "settings,message",
    [
        (AugmentationSettings(padding=32), "padding = 32: a border of less than image_size = 32 can be mirrored"),
        (AugmentationSettings(scale=(1.0, 0.5)), r"scale = \[1, 0.5\]: write the smaller number first"),
        (AugmentationSettings(ratio=(2.0, 0.5)), r"ratio = \[2, 0.5\]: write the smaller number first"),
    ],
)
def test_settings_that_contradict_are_named(settings: AugmentationSettings, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Augmentation(settings, 32)


def test_items_must_be_one_a_picture() -> None:
    with pytest.raises(UsageError, match=r"items: \(3,\) for 4 pictures"):
        Augmentation(NOTHING, 32)(pictures(4), torch.arange(3), seed=0, epoch=0)
