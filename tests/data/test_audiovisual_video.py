"""Video: pictures at their time, crops by rule, box and detector, and files that are wrong."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from audiovisual_files import cut, grey_frames, tone, write_media
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.data.audiovisual.boxes import read_boxes
from affekt.data.audiovisual.faces import ByBoxes, ByDetector, ByRule, centred_square, half_of, squared
from affekt.data.audiovisual.media import ClipSource, FileMedia
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.streaming import Tracks, tracks_of
from affekt.data.audiovisual.video import decode_faces, read_frames, video_seconds
from affekt.errors import DataError, MissingExtra, UsageError

av = pytest.importorskip("av")


def shade(pictures: np.ndarray) -> np.ndarray:
    """The number of the source picture that each is, by its grey (16 + 3 k)."""
    return np.rint((pictures[:, 1].mean(axis=(1, 2)) - 16) / 3).astype(int)


class TestTime:
    @pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("b.avi", "mpeg4"), ("c.mkv", "mpeg4")])
    def test_at_its_own_rate_every_picture_once(self, tmp_path: Path, name: str, codec: str) -> None:
        path = write_media(tmp_path / name, grey_frames(50), video=codec)
        found = read_frames(path, size=24)
        assert found.shape == (50, 3, 24, 24)
        assert found.dtype == np.uint8
        assert shade(found).tolist() == list(range(50))
        assert video_seconds(path) == pytest.approx(2.0)

    @pytest.mark.parametrize("fps", [Fraction(30), Fraction(30_000, 1_001), Fraction(15), Fraction(60)])
    def test_at_another_rate_the_picture_that_is_shown_in_the_middle_of_each_frame(
        self, tmp_path: Path, fps: Fraction
    ) -> None:
        path = write_media(tmp_path / "a.mp4", grey_frames(60), fps=fps, video="libx264")
        found = decode_faces(path, 25, 16)
        middles = [(k + 0.5) / 25 for k in range(len(found.pictures))]
        assert shade(found.pictures).tolist() == [int(t * fps + 1e-6) for t in middles]
        assert abs(len(middles) - 60 / fps * 25) <= 1
        assert any("pictures a second, shown at 25 by the nearest in time" in note for note in found.notes)

    def test_a_rate_that_divides_needs_no_word(self, tmp_path: Path) -> None:
        path = write_media(tmp_path / "a.mp4", grey_frames(50), fps=50, video="libx264")
        found = decode_faces(path, 25, 16)
        assert (len(found.pictures), found.notes) == (25, ())

    @settings(max_examples=20)
    @given(st.integers(0, 40), st.integers(1, 20))
    def test_a_stretch_is_that_of_the_whole(
        self, tmp_path_factory: pytest.TempPathFactory, first: int, count: int
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "stretch.mp4"
        if not path.exists():
            write_media(path, grey_frames(70), video="libx264")
        found = read_frames(path, size=8, start=first / 25, end=(first + count) / 25)
        assert shade(found).tolist() == list(range(first, first + count))

    def test_pictures_that_end_before_the_sound_stay_and_it_is_noted(self, tmp_path: Path) -> None:
        path = write_media(tmp_path / "a.mp4", grey_frames(25), video="libx264")
        found = decode_faces(path, 25, 16, count=50)
        assert shade(found.pictures).tolist() == [*range(25), *[24] * 25]
        assert found.notes == (f"{path}: pictures end 1.00 s early; the last one is kept",)
        assert decode_faces(path, 25, 16, count=27).notes == ()

    def test_a_limit_says_that_there_was_more(self, tmp_path: Path) -> None:
        path = write_media(tmp_path / "a.mp4", grey_frames(25), video="libx264")
        short, long = (decode_faces(path, 25, 16, limit=limit) for limit in (0.4, 2.0))
        assert (len(short.pictures), short.cut) == (10, True)
        assert (len(long.pictures), long.cut) == (25, False)

    def test_a_picture_that_a_telephone_turned_is_upright(self, tmp_path: Path) -> None:
        """The matrix in an mp4 that says how a picture is held: 90 degrees clockwise, as telephones write it."""
        frames = np.zeros((5, 48, 64, 3), dtype=np.uint8)
        frames[:, :, :32] = 255
        path = write_media(tmp_path / "a.mp4", frames, video="libx264")
        data = bytearray(path.read_bytes())
        at = data.index(b"tkhd") + 4 + 40
        turned = (0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000)
        data[at : at + 36] = b"".join(n.to_bytes(4, "big", signed=True) for n in turned)
        path.write_bytes(data)
        found = read_frames(path, size=16, crop=ByRule(rule="whole"))
        assert found[0, :, :6].min() > 200  # what was left is on top
        assert found[0, :, 10:].max() < 50


class TestBadInput:
    @pytest.mark.parametrize(("fps", "size"), [(0.0, 96), (-25.0, 96), (25.0, 0)])
    def test_numbers_that_cannot_be(self, fps: float, size: int) -> None:
        with pytest.raises(UsageError, match=rf"^fps = {fps}, size = {size}: write numbers above 0"):
            read_frames("a.mp4", fps, size)

    def test_no_video_track_and_the_cover_of_a_song(self, tmp_path: Path) -> None:
        path = write_media(tmp_path / "a.mp3", samples=tone(440, 1.0, 44_100), rate=44_100, audio="libmp3lame")
        with pytest.raises(DataError, match=r'a\.mp3: no video track; read its sound alone \(features = \["audio"\]'):
            read_frames(path)
        picture = b"\0image/png\0\3\0" + _png()
        frame = b"APIC" + len(picture).to_bytes(4, "big") + b"\0\0" + picture
        size = len(frame)
        head = b"ID3\3\0\0" + bytes([(size >> shift) & 0x7F for shift in (21, 14, 7, 0)])
        (tmp_path / "b.mp3").write_bytes(head + frame + path.read_bytes())
        with pytest.raises(DataError, match="no video track"):
            read_frames(tmp_path / "b.mp3")
        assert tracks_of(tmp_path / "b.mp3") == Tracks(sound=True, pictures=False)

    @pytest.mark.parametrize(
        ("name", "codec", "options"),
        [("a.mp4", "libx264", {}), ("b.mp4", "libx264", {"movflags": "faststart"}), ("c.avi", "mpeg4", {})],
    )
    def test_a_file_that_ends_in_the_middle(
        self, tmp_path: Path, name: str, codec: str, options: dict[str, str]
    ) -> None:
        frames = np.random.default_rng(0).integers(0, 256, (50, 48, 64, 3), dtype=np.uint8)
        whole = write_media(tmp_path / name, frames, video=codec, options=options)
        with pytest.raises(DataError, match="ends in the middle"):
            read_frames(cut(whole, tmp_path / f"cut-{name}", 0.6))

    def test_missing_no_media_and_a_stretch_after_the_end(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"x\.mp4: no such file"):
            read_frames(tmp_path / "x.mp4")
        (tmp_path / "y.mp4").write_text("no film")
        with pytest.raises(DataError, match="cannot be opened"):
            read_frames(tmp_path / "y.mp4")
        path = write_media(tmp_path / "a.mp4", grey_frames(10), video="libx264")
        with pytest.raises(DataError, match=r"no picture after 2\.00 s|ends in the middle"):
            read_frames(path, start=2.0, end=3.0)
        with pytest.raises(UsageError, match="ends after it begins"):
            read_frames(path, start=1.0, end=0.5)


def _png() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    return out.getvalue()


class TestCrops:
    def test_rules(self) -> None:
        assert half_of(720, 480, "left") == (0, 0, 360, 480)
        assert half_of(720, 480, "right") == (360, 0, 720, 480)
        assert centred_square((360, 0, 720, 480), 1.0) == (360, 60, 720, 420)
        assert centred_square((0, 0, 720, 480), 0.5) == (240, 120, 480, 360)
        with pytest.raises(UsageError, match='half "top"'):
            half_of(720, 480, "top")  # type: ignore[arg-type]

    @given(st.tuples(st.floats(-50, 150), st.floats(-50, 150), st.floats(1, 200), st.floats(1, 200)), st.floats(0, 1))
    def test_a_box_becomes_a_square_within_the_picture(
        self, box: tuple[float, float, float, float], margin: float
    ) -> None:
        left, top, width, height = box
        if not (left < 100 and top < 80 and left + width > 0 and top + height > 0):
            with pytest.raises(DataError, match="none of it within the picture"):
                squared((left, top, left + width, top + height), (0, 0, 100, 80), margin)
            return
        x0, y0, x1, y1 = squared((left, top, left + width, top + height), (0, 0, 100, 80), margin)
        assert x1 - x0 == pytest.approx(y1 - y0)
        assert x1 - x0 == pytest.approx(min(max(width, height) * (1 + margin), 80))
        assert x0 >= -1e-9
        assert y0 >= -1e-9
        assert x1 <= 100 + 1e-9
        assert y1 <= 80 + 1e-9

    def test_a_square_around_a_box_has_its_middle(self) -> None:
        assert squared((40, 30, 50, 50), (0, 0, 100, 80)) == (35, 30, 55, 50)

    @pytest.mark.parametrize(("half", "value"), [("left", 60), ("right", 200)])
    def test_a_half_of_the_picture(self, tmp_path: Path, half: str, value: int) -> None:
        frames = np.full((5, 48, 96, 3), 60, dtype=np.uint8)
        frames[:, :, 48:] = 200
        path = write_media(tmp_path / "a.mp4", frames, video="libx264")
        found = read_frames(path, size=16, crop=ByRule(half=half))  # type: ignore[arg-type]
        assert np.abs(found[:, :, :, 2:-2].astype(int) - value).max() < 8

    def test_resizing_is_antialiased(self, tmp_path: Path) -> None:
        """Stripes of a pixel become grey, not other stripes."""
        frames = np.zeros((3, 96, 96, 3), dtype=np.uint8)
        frames[:, ::2] = 255
        found = read_frames(write_media(tmp_path / "a.mp4", frames, video="libx264"), size=12)
        assert np.abs(found.astype(int) - 128).max() < 30

    def test_given_boxes_nearest_in_time(self, tmp_path: Path) -> None:
        frames = np.zeros((50, 48, 96, 3), dtype=np.uint8)
        frames[:, :24, :24] = 80
        frames[:, 24:, 72:] = 240
        path = write_media(tmp_path / "a.mp4", frames, video="libx264")
        boxes = ByBoxes(boxes=np.array([[4, 4, 20, 20], [76, 28, 92, 44.0]]), times=np.array([0.0, 2.0]))
        found = read_frames(path, size=8, crop=boxes).mean(axis=(1, 2, 3))
        assert np.abs(found[:24] - 80).max() < 8
        assert np.abs(found[26:] - 240).max() < 8
        outside = ByBoxes(boxes=np.array([[200, 0, 220, 20.0]]), times=np.zeros(1))
        with pytest.raises(DataError, match=r"a\.mp4: face box 200, 0 to 220, 20: none of it within the picture"):
            read_frames(path, crop=outside)

    def test_a_table_of_boxes(self, tmp_path: Path) -> None:
        table = tmp_path / "boxes.csv"
        table.write_text("id,time,left,top,width,height\nb,1,5,6,7,8\na,0,1,2,3,4\nb,0,10,20,30,40\n")
        found = read_boxes(table)
        assert found.of("a").boxes.tolist() == [[1, 2, 4, 6]]
        assert found.of("b").times.tolist() == [0, 1]
        assert found.of("b@0.00-6.00").boxes.tolist() == [[10, 20, 40, 60], [5, 6, 12, 14]]
        found.check(["a", "b@6.00-8.00"])
        with pytest.raises(DataError, match=r"boxes\.csv: no face box for 1 clip\(s\): c"):
            found.check(["a", "c"])
        table.write_text("id,left,top,width,height\na,1,2,0,4\n")
        with pytest.raises(DataError, match=r"1 box\(es\) without area \(line 2\)"):
            read_boxes(table)
        table.write_text("id,left,top,width,height\na,1,,3,4\n")
        with pytest.raises(DataError, match='column "top": empty in line 2'):
            read_boxes(table)


class TestDetector:
    def test_asked_every_half_second_smoothed_and_held(self) -> None:
        answers = iter([None, (10, 10, 30, 30), (20, 10, 40, 30), None])
        crop = ByDetector(lambda picture: next(answers), margin=0.0)
        picture = np.zeros((80, 100, 3), dtype=np.uint8)
        assert crop(picture, 0.0) == (10, 0, 90, 80)  # no face yet: the centred square
        assert crop(picture, 0.3) == (10, 0, 90, 80)
        assert crop.notes == ("no face found; the centred square was kept",)
        assert crop(picture, 0.5) == (10, 10, 30, 30)
        assert crop(picture, 0.9) == (10, 10, 30, 30)
        assert crop(picture, 1.0) == (15, 10, 35, 30)
        assert crop(picture, 1.5) == (15, 10, 35, 30)
        assert crop.notes == ()

    def test_it_sees_only_its_half_of_the_picture(self) -> None:
        seen = []
        crop = ByDetector(lambda picture: seen.append(picture.shape) or (5, 5, 15, 15), half="right", margin=0.0)
        assert crop(np.zeros((80, 100, 3), dtype=np.uint8), 0.0) == (55, 5, 65, 15)
        assert seen == [(80, 50, 3)]

    def test_a_clips_own_half_is_searched(self, tmp_path: Path) -> None:
        frames = np.full((10, 48, 96, 3), 60, dtype=np.uint8)
        frames[:, :, 48:] = 200
        path = str(write_media(tmp_path / "a.mp4", frames, video="libx264"))
        media = FileMedia(
            sources=[ClipSource(name="a", video=path, half="right"), ClipSource(name="b", video=path, half="left")],
            reading=Reading(features=("faces",), face="detector", size=8),
            detector=lambda picture: (10, 10, 30, 30) if picture.mean() > 100 else None,
        )
        right, left = media.read(0), media.read(1)
        assert right.faces is not None
        assert left.faces is not None
        assert np.abs(right.faces.astype(int) - 200).max() < 8
        assert np.abs(left.faces[..., :-1].astype(int) - 60).max() < 12
        assert right.notes == ()
        assert left.notes == (f"{path}: no face found; the centred square was kept",)

    def test_the_extra_is_named_where_it_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import sys

        from affekt.data.audiovisual.detecting import haar_detector

        monkeypatch.setitem(sys.modules, "cv2", None)
        with pytest.raises(MissingExtra, match=r'opencv-python-headless 4 is not installed; .*"affekt\[faces\]"'):
            haar_detector()

    def test_opencv_finds_no_face_in_grey(self) -> None:
        cv2 = pytest.importorskip("cv2")
        if not hasattr(cv2, "CascadeClassifier"):
            pytest.skip("OpenCV 5")
        from affekt.data.audiovisual.detecting import haar_detector

        assert haar_detector()(np.full((96, 96, 3), 128, dtype=np.uint8)) is None
