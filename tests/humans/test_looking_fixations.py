"""Fixation maps beside EMOd's pictures, in its layout; a map over its picture as PNG."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from affekt.data import dataset
from affekt.errors import DataError, UsageError
from affekt.humans.agreement import bootstrap
from affekt.humans.looking import FACE, fixation_overlap, overlay, read_fixations

NUMBERS = [3, 12, 700]
SHAPE = (40, 60)
"""Rows and columns of every picture: wider than high."""


def blob(row, column, shape=SHAPE, spread=4):
    rows, columns = (
        np.exp(-((np.arange(n) - at) ** 2) / (2 * spread**2)) for n, at in zip(shape, (row, column), strict=True)
    )
    return np.rint(255 * np.outer(rows, columns)).astype(np.uint8)


MAPS = {3: blob(20, 30), 12: blob(5, 15), 700: blob(30, 50)}


@pytest.fixture
def root(tmp_path):
    """``FixationMap/Continous_map/<number>.png`` (lossless) beside ``EMOdImages1019``; the table has two more rows."""
    rng = np.random.default_rng(0)
    for folder in ("EMOdImages1019", "FixationMap/Continous_map"):
        (tmp_path / folder).mkdir(parents=True)
    table = np.full((5, 15), 2.0)
    table[:, 0] = [*NUMBERS, 800, 801]
    savemat(tmp_path / "allfindata1019_renamed.mat", {"allfindata1019": table})
    for number in [*NUMBERS, 800]:
        save(tmp_path, number, "EMOdImages1019", rng.integers(256, size=(*SHAPE, 3), dtype=np.uint8))
    for number, pixels in MAPS.items():
        save(tmp_path, number, "FixationMap/Continous_map", pixels)
    return tmp_path


def save(root, number, folder, pixels):
    Image.fromarray(pixels).save(root / folder / f"{number}.png")


def opened(root):
    return dataset("emod").open(root, "all", image_size=20)


def test_maps_are_joined_on_the_number_and_cut_as_the_pictures_are(root):
    stimuli = opened(root)
    assert stimuli.ids.tolist() == ["3", "12", "700", "800"]
    found = read_fixations(stimuli, root, image_size=40)
    assert found.rows.tolist() == [0, 1, 2] and found.density.dtype == np.float32
    for number, density in zip(NUMBERS, found.density, strict=True):
        np.testing.assert_allclose(density, MAPS[number][:, 10:50] / 255, atol=1e-6)
    assert found.notes == ("1 of 4 pictures have no map of fixations, left out",)


def test_pictures_in_another_order_keep_their_maps(root):
    stimuli = opened(root).take(np.array([2, 3, 0]))
    found = read_fixations(stimuli, root, image_size=40)
    assert found.rows.tolist() == [0, 2]
    np.testing.assert_allclose(found.density[0], MAPS[700][:, 10:50] / 255, atol=1e-6)


def test_squashed_pictures_have_squashed_maps(root):
    density = read_fixations(opened(root), root, image_size=20, fit="squash").density
    assert np.unravel_index(density[2].argmax(), (20, 20)) == (15, 16)  # row 30 of 40, column 50 of 60
    assert np.unravel_index(density[1].argmax(), (20, 20)) == (2, 5)


def test_maps_of_another_resolution_are_the_same_maps(root):
    save(root, 3, "FixationMap/Continous_map", blob(40, 60, (80, 120), 8))
    density = read_fixations(opened(root), root, image_size=40).density
    np.testing.assert_allclose(density[0], MAPS[3][:, 10:50] / 255, atol=0.08)


def test_they_go_into_the_overlap(root):
    found = read_fixations(opened(root), root, image_size=20)
    same = fixation_overlap(found.density, found.density, bootstrap(3, resamples=10))
    assert same["CC"].value.value == pytest.approx(1) and same["SIM"].value.value == pytest.approx(1)
    assert same["CC"].against["shuffled"].difference.value > 0.5


def test_a_black_map_is_left_out_and_said(root):
    save(root, 12, "FixationMap/Continous_map", np.zeros(SHAPE, np.uint8))
    found = read_fixations(opened(root), root, image_size=20)
    assert found.rows.tolist() == [0, 2]
    assert "1 maps of fixations are black within the picture, left out: 12" in found.notes
    for number in NUMBERS:
        save(root, number, "FixationMap/Continous_map", np.zeros(SHAPE, np.uint8))
    with pytest.raises(DataError, match="emod: all 3 maps of fixations are black"):
        read_fixations(opened(root), root, image_size=20)


def test_a_map_that_cannot_lie_over_its_picture(root):
    save(root, 12, "FixationMap/Continous_map", blob(5, 5, (40, 40)))
    with pytest.raises(DataError, match=r"emod: 1 maps .* another shape .*: 12\.png 40 x 40 for a picture of 60 x 40"):
        read_fixations(opened(root), root, image_size=20)


def test_a_map_that_does_not_decode(root):
    (root / "FixationMap/Continous_map/12.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"12\.png: cannot be read as a picture"):
        read_fixations(opened(root), root, image_size=20)


def test_no_map_at_all(root):
    for path in (root / "FixationMap/Continous_map").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"emod: no map of fixations for its 4 pictures; .*Continous_map/<number>\.jpg"):
        read_fixations(opened(root), root, image_size=20)


# ------------------------------------------------------------------------------------------------ drawing


def drawn(picture, looked, **options):
    data = overlay(picture, looked, **options)
    assert data == overlay(picture, looked, **options)  # the same bytes every time
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_signed_map_is_red_where_it_speaks_for_and_blue_where_it_speaks_against():
    picture = np.full((20, 30, 3), 128, np.uint8)
    looked = np.zeros((20, 30))
    looked[:, :10], looked[:, 20:] = 2.0, -1.0
    pixels = drawn(picture, looked, title="a $ title")
    half = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2 :]
    red, blue = (half[:, 0] - half[:, 2] > 20), (half[:, 2] - half[:, 0] > 20)
    assert red.sum() > 40 and blue.sum() > 40
    assert red.nonzero()[0][0] < blue.nonzero()[0][0]
    plain = pixels[pixels.shape[0] // 2, : pixels.shape[1] // 3]
    assert (abs(plain - 128) < 3).all(axis=1).sum() > 200  # the picture itself stands beside it


@pytest.mark.parametrize("looked", [np.zeros((8, 8)), np.full((8, 8), 3.0), np.random.default_rng(0).random((8, 8))])
def test_any_map_can_be_drawn(looked):
    assert drawn(np.zeros((8, 8, 3), np.uint8), looked).shape[2] == 3


def test_regions_are_framed():
    framed, bare = (drawn(np.zeros((48, 48, 3), np.uint8), np.zeros((48, 48)), boxes=b) for b in (FACE, None))
    yellow = [((p[..., 0] > 200) & (p[..., 1] > 150) & (p[..., 2] < 60)).sum() for p in (framed, bare)]
    assert yellow[0] > yellow[1] + 3000  # the bar has some too


def test_shapes_that_do_not_fit():
    with pytest.raises(UsageError, match=r"overlay: picture \(8, 8, 3\) uint8, map \(4, 4\)"):
        overlay(np.zeros((8, 8, 3), np.uint8), np.zeros((4, 4)))
