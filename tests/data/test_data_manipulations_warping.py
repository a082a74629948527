"""The morph by landmarks: against scikit-image's own piecewise affine warp, and by what it must do with faces."""

import numpy as np
import pytest
import torch

from affekt.data.manipulations import manipulate
from affekt.errors import UsageError

SIDE = 33


def blob(x, y, width=2.0):
    """A bright spot on grey; ``(1, 3, S, S)``."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    spot = torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))
    return (0.2 + 0.7 * spot).expand(1, 3, SIDE, SIDE).double()


def points(*rows):
    return torch.tensor([rows], dtype=torch.float64)


ONE = points((8, 8), (24, 8), (16, 24))
OTHER = points((12, 10), (26, 12), (18, 20))


def test_the_ends_are_the_pictures_themselves():
    one, other = blob(8, 8), blob(26, 12)
    morphed = [manipulate(one, "morph", s, others=other, landmarks=(ONE, OTHER)) for s in (0.0, 1.0)]
    assert torch.equal(morphed[0], one)
    assert torch.allclose(morphed[1], other, atol=1e-6)


def test_a_landmark_moves_in_a_straight_line_and_keeps_its_look():
    one, other = blob(8, 8), blob(12, 10)  # the first landmark of each
    halfway = manipulate(one, "morph", 0.5, others=other, landmarks=(ONE, OTHER))[0, 0]
    row, column = np.unravel_index(int(halfway.argmax()), halfway.shape)
    assert (column, row) == (10, 9)
    assert halfway.max() > 0.85  # cross-faded without a warp it would be two spots of half the light
    faded = manipulate(one, "morph", 0.5, others=other)[0, 0]
    assert faded[9, 10] < halfway[9, 10]


def test_it_is_what_scikit_image_does():
    transform = pytest.importorskip("skimage.transform")
    rng = torch.Generator().manual_seed(0)
    one, other = (torch.rand(1, 3, SIDE, SIDE, generator=rng, dtype=torch.float64) for _ in range(2))
    strength = 0.3
    found = manipulate(one, "morph", strength, others=other, landmarks=(ONE, OTHER))[0].numpy()
    last = SIDE - 1
    border = np.array([(x, y) for y in (0, last / 2, last) for x in (0, last / 2, last) if (x, y) != (16, 16)])
    faces = [np.concatenate([p[0].numpy(), border]) for p in (ONE, OTHER)]
    shape = (1 - strength) * faces[0] + strength * faces[1]
    warped = []
    for image, face in zip((one, other), faces, strict=True):
        affine = transform.PiecewiseAffineTransform.from_estimate(shape, face)
        channels = [transform.warp(c, affine, order=1, mode="edge") for c in image[0].numpy()]
        warped.append(np.stack(channels))
    wanted = (1 - strength) * warped[0] + strength * warped[1]
    inner = np.s_[:, 1:-1, 1:-1]  # on the border its triangles do not hold the last pixels
    assert np.abs(found - wanted)[inner].max() < 1e-6


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [
        ((ONE, OTHER[:, :2]), r"\(1, 3, 2\) and \(1, 2, 2\)"),
        ((ONE[:, :2], OTHER[:, :2]), "2 a face found"),
        ((ONE, points((12, 10), (40, 12), (18, 20))), "outside of 33 x 33"),
        ((ONE, points((12, 10), (float("nan"), 12), (18, 20))), "outside"),
        ((ONE, OTHER[:, [1, 0, 2]]), "turned over"),
        ((points((4, 4), (8, 8), (20, 20)), OTHER), "lie on one line; mark points beside it"),
        ((ONE, points((5, 5), (5, 5), (5, 5))), "lie on one line"),
    ],
)
def test_landmarks_that_are_not_the_same_points_are_refused(landmarks, message):
    with pytest.raises(UsageError, match=message):
        manipulate(blob(8, 8), "morph", 0.5, others=blob(12, 10), landmarks=landmarks)


def test_landmarks_may_be_arrays():
    made = [
        manipulate(blob(8, 8), "morph", 0.5, others=blob(12, 10), landmarks=pair)
        for pair in ((ONE, OTHER), (ONE.numpy(), OTHER.numpy()))
    ]
    assert torch.equal(*made)


def test_a_morph_of_two_sizes_is_refused():
    with pytest.raises(UsageError, match="two sizes"):
        manipulate(blob(8, 8), "morph", 0.5, others=blob(8, 8)[:, :, :20, :20], landmarks=(ONE, OTHER))


def test_other_manipulations_have_no_use_for_landmarks():
    with pytest.raises(UsageError, match="no use for landmarks"):
        manipulate(blob(8, 8), "eyes", 0.5, landmarks=(ONE, OTHER))
