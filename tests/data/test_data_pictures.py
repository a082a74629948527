"""Pictures: every mode as upright RGB, sizes and fits, and files that cannot be read."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from affekt.data import pictures as module
from affekt.data.pictures import ArrayPictures, FilePictures, read_picture
from affekt.errors import DataError, UsageError


def save(path: Path, image: Image.Image, **how: object) -> Path:
    image.save(path, **how)
    return path


def gradient(width: int, height: int) -> Image.Image:
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 50)], axis=-1).astype(np.uint8))


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    return save(tmp_path / "photograph.jpg", gradient(96, 64), quality=95)


def test_a_file_of_the_asked_size_comes_as_it_is(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", gradient(16, 16))
    assert np.array_equal(read_picture(path, image_size=16), np.asarray(gradient(16, 16)))


def test_crop_takes_the_centre_and_squash_takes_all(tmp_path: Path) -> None:
    path = save(tmp_path / "wide.png", gradient(96, 32))
    cropped = read_picture(path, image_size=32)
    squashed = read_picture(path, image_size=32, fit="squash")
    assert np.abs(cropped[0, [0, -1], 0].astype(int) - [86, 169]).max() <= 3
    assert np.abs(squashed[0, [0, -1], 0].astype(int) - [2, 253]).max() <= 3


def test_reduction_is_antialiased(tmp_path: Path) -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    path = save(tmp_path / "board.png", Image.fromarray(board.astype(np.uint8)))
    assert np.abs(read_picture(path, image_size=8).astype(int) - 127).max() <= 4


def test_a_large_jpeg_is_decoded_small_and_looks_the_same(tmp_path: Path) -> None:
    path = save(tmp_path / "large.jpg", gradient(1600, 1200), quality=95)
    plain = gradient(1600, 1200).resize((64, 64), Image.Resampling.BILINEAR, box=(200, 0, 1400, 1200))
    assert np.abs(read_picture(path, image_size=64).astype(int) - np.asarray(plain).astype(int)).max() <= 4


def test_decoding_small_keeps_the_detail_that_is_asked_for(tmp_path: Path) -> None:
    squares = (np.indices((512, 512)) // 4).sum(axis=0)
    path = save(tmp_path / "squares.jpg", Image.fromarray((squares % 2 * 255).astype(np.uint8)), quality=95)
    out = read_picture(path, image_size=128).astype(int)
    assert out.std() > 20  # at an eighth of its size it is an even grey


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "LAB"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    grey = np.full((8, 8), 200, dtype=np.uint8)
    if mode in ("I;16", "I"):
        image = Image.fromarray((grey.astype(np.int32) * 257).astype(np.uint16 if mode == "I;16" else np.int32))
    elif mode == "F":
        image = Image.fromarray(grey.astype(np.float32) / 255)
    elif mode == "LAB":
        image = Image.new("LAB", (8, 8), (206, 128, 128))  # L* = 80.8, no colour
    else:
        image = Image.fromarray(grey) if mode == "P" else Image.fromarray(grey).convert("RGB")
        image = image.convert(mode)
    # Pillow before 13 writes a YCbCr TIFF that it cannot read.
    path = save(tmp_path / "a.jpg", image, quality=100) if mode == "YCbCr" else save(tmp_path / "a.tif", image)
    out = read_picture(path, image_size=8)
    assert out.shape == (8, 8, 3)
    expected = 255 if mode == "1" else 200
    if mode == "1":
        out = out[out.any(axis=-1)]
    assert np.abs(out.astype(int) - expected).max() <= 2


def test_sixteen_bit_png_is_scaled_by_its_range_not_by_its_content(tmp_path: Path) -> None:
    dark = Image.fromarray(np.full((8, 8), 250, dtype=np.uint16))
    assert read_picture(save(tmp_path / "dark.png", dark), image_size=8).max() == 1


def test_floats_of_255_are_read_and_others_are_refused(tmp_path: Path) -> None:
    fine = save(tmp_path / "fine.tif", Image.fromarray(np.full((8, 8), 200.0, dtype=np.float32)))
    assert read_picture(fine, image_size=8).max() == 200
    odd = save(tmp_path / "odd.tif", Image.fromarray(np.full((8, 8), 3000.0, dtype=np.float32)))
    with pytest.raises(DataError, match=r"odd.tif: grey values 3000 to 3000 in mode F; 0 to 255 can be read"):
        read_picture(odd, image_size=8)
    nan = save(tmp_path / "nan.tif", Image.fromarray(np.full((8, 8), np.nan, dtype=np.float32)))
    with pytest.raises(DataError, match=r"nan.tif: pixels that are no numbers"):
        read_picture(nan, image_size=8)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    half = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    half.paste((0, 0, 255, 255), (0, 0, 4, 8))
    for name, image in {"a.png": half, "b.png": half.convert("P"), "c.gif": half}.items():
        out = read_picture(save(tmp_path / name, image), image_size=8)
        assert out[0, 7].tolist() == [255, 255, 255], name
        assert out[0, 0].tolist() == [0, 0, 255], name
    keyed = save(tmp_path / "keyed.png", Image.new("RGB", (8, 8), (9, 9, 9)), transparency=(9, 9, 9))
    assert read_picture(keyed, image_size=8).min() == 255


@pytest.mark.parametrize("orientation,corner", [(1, (0, 0)), (3, (1, 1)), (6, (0, 1)), (8, (1, 0))])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, corner: tuple[int, int]) -> None:
    image = Image.new("RGB", (64, 64), "black")
    image.paste("white", (0, 0, 32, 32))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = read_picture(save(tmp_path / "a.jpg", image, exif=exif), image_size=32)
    assert out[8 + 16 * corner[0], 8 + 16 * corner[1]].min() > 240
    assert (out.mean(axis=-1) > 128).mean() == pytest.approx(0.25, abs=0.02)


def test_the_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    red, blue = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    path = save(tmp_path / "a.gif", red, save_all=True, append_images=[blue])
    assert read_picture(path, image_size=8)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_jpeg_is_an_error_that_names_it(photograph: Path, share: float) -> None:
    data = photograph.read_bytes()
    photograph.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=r"photograph.jpg: cannot be decoded as a picture \(.*[Tt]runcated"):
        read_picture(photograph, image_size=32)


def test_a_truncated_png_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "noise.png", gradient(64, 64))
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError, match=r"noise.png: cannot be decoded"):
        read_picture(path, image_size=32)


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\xff\xd8\xff\xe0garbage", b"GIF89a" + b"\0" * 20])
def test_what_is_no_picture_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd.jpg"
    path.write_bytes(data)
    with pytest.raises(DataError) as error:
        read_picture(path, image_size=8)
    assert str(error.value).startswith(f"{path}: cannot be decoded as a picture (")
    assert "\n" not in str(error.value)


def test_a_flipped_byte_never_escapes_as_another_error(photograph: Path, tmp_path: Path) -> None:
    png = save(tmp_path / "a.png", gradient(24, 24)).read_bytes()
    rng = np.random.default_rng(0)
    for data in (photograph.read_bytes(), png):
        for _ in range(60):
            damaged = bytearray(data)
            damaged[rng.integers(len(data))] ^= int(rng.integers(1, 256))
            try:
                assert read_picture(bytes(damaged), image_size=8, name="x").shape == (8, 8, 3)
            except DataError as error:
                assert str(error).startswith("x: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone.jpg: no such file"):
        read_picture(tmp_path / "gone.jpg", image_size=8)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge; it has no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("pillows_own_limit", [True, False])
def test_a_decompression_bomb_is_refused(monkeypatch, pillows_own_limit: bool) -> None:  # type: ignore[no-untyped-def]
    if not pillows_own_limit:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(DataError, match=r"x: 10000 x 10000 pixels; more than 89,478,485 are refused"):
        read_picture(bomb(10_000, 10_000), image_size=8, name="x")
    with pytest.raises(DataError, match=r"x: .*(refused|decompression bomb)"):
        read_picture(bomb(50_000, 50_000), image_size=8, name="x")


def test_files_are_read_by_index_and_taken_without_being_read(tmp_path: Path) -> None:
    for i in range(4):
        save(tmp_path / f"{i}.png", Image.new("RGB", (8, 8), (i, 2 * i, 3 * i)))
    found = FilePictures([tmp_path / f"{i}.png" for i in range(4)] + [tmp_path / "gone.png"], image_size=8)
    assert len(found) == 5
    batch = found.read(np.array([3, 1]))
    assert batch.shape == (2, 3, 8, 8)
    assert batch.dtype == torch.uint8
    assert batch[:, :, 0, 0].tolist() == [[3, 6, 9], [1, 2, 3]]
    taken = found.take(np.array([4, 2]))
    assert taken.read(np.array([1]))[0, :, 0, 0].tolist() == [2, 4, 6]
    with pytest.raises(DataError, match=r"gone\.png"):
        taken.read(np.array([0]))


def test_arrays_share_their_pixels() -> None:
    pixels = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 3, 4, 4).contiguous()
    found = ArrayPictures(pixels).take(np.array([5, 3, 1])).take(np.array([2, 0]))
    assert found.pixels.data_ptr() == pixels.data_ptr()
    assert len(found) == 2
    assert found.read(np.array([0, 1, 0]))[:, 0, 0, 0].tolist() == [1, 5, 1]


def test_arrays_are_resized_once() -> None:
    pixels = torch.randint(0, 256, (10, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = ArrayPictures(pixels, np.array([1, 3]))
    assert found.resized(16) is found
    small = found.resized(8)
    assert small.pixels.shape == (10, 3, 8, 8)
    expected = torch.nn.functional.interpolate(pixels[3:4].float(), (8, 8), mode="bilinear", antialias=True)
    assert torch.equal(small.read(np.array([1])), expected.round().byte())


def test_resizing_goes_part_by_part(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    pixels = torch.randint(0, 256, (10, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    whole = ArrayPictures(pixels).resized(8).pixels
    monkeypatch.setattr(module, "_TENSOR_BYTES_AT_ONCE", 1)
    assert torch.equal(ArrayPictures(pixels).resized(8).pixels, whole)


def test_wrong_arguments_are_answered() -> None:
    with pytest.raises(
        DataError, match=r"pictures: \(2, 8, 8, 3\) torch.uint8 found, \(N, 3, H, W\) torch.uint8 asked"
    ):
        ArrayPictures(torch.zeros((2, 8, 8, 3), dtype=torch.uint8))
    with pytest.raises(UsageError, match=r'fit "crp": unknown. Nearest: crop'):
        FilePictures([], image_size=8, fit="crp")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="image_size = 0"):
        FilePictures([], image_size=0)


def test_bytes_are_read_as_files_are(photograph: Path) -> None:
    assert np.array_equal(read_picture(photograph.read_bytes(), image_size=16), read_picture(photograph, image_size=16))
    with pytest.raises(DataError, match=r"^picture: cannot be decoded"):
        read_picture(io.BytesIO(b"x").getvalue(), image_size=8)
