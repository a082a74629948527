"""Warping: two faces brought to the shape between them by their landmarks, triangle by triangle, and cross-faded."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import Delaunay
from torch import Tensor

from affekt.errors import UsageError, first

Floats = NDArray[np.float64]

LINE = 1e-6
"""Spread across a line, as a share of that along it, at which points lie on it."""

FEWEST = 3
"""Landmarks of a face, at least: fewer have no shape."""


def warped_morph(images: Tensor, others: Tensor, landmarks: Tensor, other_landmarks: Tensor, strength: float) -> Tensor:
    """``(B, 3, H, W)``: both pictures of each pair warped to a shape on the way between theirs, then cross-faded.

    The shape is ``1 - strength`` of the first landmarks plus ``strength`` of the second (Benson & Perrett 1993). It is
    cut into Delaunay triangles, with corners and middles of the border as further points that stay, and each triangle
    is filled by the affine map to either picture, bilinearly.

    Args:
        images, others: ``(B, 3, H, W)`` float64.
        landmarks, other_landmarks: ``(B, L, 2)`` float64, x to the right and y down, in pixels; the middle of the upper
            left pixel is (0, 0).
        strength: 0 to 1.

    Raises:
        UsageError: landmarks by which a triangle would be turned over.
    """
    pairs = zip(images, others, landmarks.numpy(), other_landmarks.numpy(), strict=True)
    made = [_morphed(a, b, x, y, strength, number) for number, (a, b, x, y) in enumerate(pairs)]
    return torch.stack(made) if made else images.clone()


def check_landmarks(landmarks: tuple[Tensor, Tensor], n: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Both ``(B, L, 2)`` as float64 on the CPU.

    Raises:
        UsageError: other shapes, too few points, points outside of the picture or all on one line.
    """
    first_, second = (torch.as_tensor(each).to("cpu", torch.float64) for each in landmarks)
    asked = f"(B, L, 2) twice, L {FEWEST} or more, for {n} pairs"
    if first_.shape != second.shape or first_.ndim != 3 or len(first_) != n or first_.shape[2] != 2:
        raise UsageError(f"landmarks: {tuple(first_.shape)} and {tuple(second.shape)} found; {asked}")
    if first_.shape[1] < FEWEST:
        raise UsageError(f"landmarks: {first_.shape[1]} a face found; {asked}")
    most = torch.tensor([width - 1, height - 1], dtype=torch.float64)
    for points in (first_, second):
        inside = (points >= 0) & (points <= most)  # so that NaN is none, too
        if not bool(inside.all()):
            wrong = points[~inside.all(dim=2)].tolist()
            raise UsageError(f"landmarks: {first(wrong, n=2)} outside of {width} x {height}; x, y in pixels asked")
        _check_spread(points)
    return first_, second


def _check_spread(landmarks: Tensor) -> None:
    """
    Raises:
        UsageError: a face whose points lie on one line, so that they say nothing of its shape across it.
    """
    centred = landmarks - landmarks.mean(dim=1, keepdim=True)
    spread = torch.linalg.svdvals(centred)
    flat = spread[:, 1] <= LINE * spread[:, 0].clamp(min=1.0)
    if bool(flat.any()):
        wrong = landmarks[flat][0].tolist()
        raise UsageError(f"landmarks: {first(wrong, n=3)} lie on one line; mark points beside it, eyes and mouth say")


def _morphed(one: Tensor, other: Tensor, x: Floats, y: Floats, strength: float, number: int) -> Tensor:
    height, width = one.shape[1:]
    border = _border(height, width)
    a, b = np.concatenate([x, border]), np.concatenate([y, border])
    shape = (1 - strength) * a + strength * b
    triangles = Delaunay(shape)
    _check_turned(triangles.simplices, shape, (a, b), number)
    rows, columns = np.mgrid[0:height, 0:width]
    points = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
    inside, weights = _barycentric(triangles, points)
    looked = [_sampled(image, weights, vertices[inside]) for image, vertices in ((one, a), (other, b))]
    return torch.lerp(looked[0], looked[1], strength)


def _border(height: int, width: int) -> Floats:
    """Corners and middles of the edges, so that every pixel lies in a triangle."""
    right, below = width - 1.0, height - 1.0
    found = [
        (x, y) for y in (0.0, below / 2, below) for x in (0.0, right / 2, right) if (x, y) != (right / 2, below / 2)
    ]
    return np.array(found)


def _barycentric(triangles: Delaunay, points: Floats) -> tuple[NDArray[np.int64], Floats]:
    """``(P, 3)`` corners of the triangle that each point lies in, and its weights, which sum to 1."""
    place = triangles.find_simplex(points, tol=1e-6)
    transform = triangles.transform[place]
    two = np.einsum("pij,pj->pi", transform[:, :2], points - transform[:, 2])
    weights = np.concatenate([two, 1 - two.sum(axis=1, keepdims=True)], axis=1)
    return triangles.simplices[place].astype(np.int64), weights


def _sampled(image: Tensor, weights: Floats, corners: Floats) -> Tensor:
    """The picture at weighted corners, bilinearly."""
    at = np.einsum("pk,pkd->pd", weights, corners)
    pixels = image.numpy()
    found = [map_coordinates(channel, at[:, ::-1].T, order=1, mode="nearest") for channel in pixels]
    return torch.from_numpy(np.stack(found).reshape(pixels.shape))


def _check_turned(corners: NDArray[np.int32], shape: Floats, faces: tuple[Floats, Floats], number: int) -> None:
    """
    Raises:
        UsageError: a triangle that one of the faces has the other way round: points in another order, most likely.
    """
    sign = np.sign(_area(shape[corners]))
    for face in faces:
        turned = int((_area(face[corners]) * sign < -1e-6).sum())
        if turned:
            raise UsageError(
                f"landmarks of pair {number}: {turned} of {len(corners)} triangles would be turned over; give both "
                "faces the same points in the same order, within the face"
            )


def _area(corners: Floats) -> Floats:
    """``(T,)`` twice the signed area of ``(T, 3, 2)``."""
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
