"""Face boxes of pictures: moved with the crop by hand, turned with the picture, named when they are missing."""

import numpy as np
import pytest
from PIL import Image

from affekt.data import ArrayPictures, FilePictures, Labels, Stimuli
from affekt.data.audiovisual.boxes import read_boxes
from affekt.data.face_boxes import boxes_of_files, boxes_of_stimuli, check_own, in_square, upright_size
from affekt.errors import DataError

BOX = np.array([30.0, 10.0, 70.0, 50.0])


def table(path, *rows):
    path.write_text("\n".join(["id,left,top,width,height", *rows]) + "\n")
    return read_boxes(path)


def test_a_box_is_cropped_and_scaled_as_its_picture():
    # 100 x 60: a column of 20 goes on either side, then 60 pixels become 30.
    assert in_square("t", "a", BOX, (100, 60), 30, "crop").tolist() == [5, 5, 25, 25]
    assert in_square("t", "a", BOX, (100, 60), 30, "squash").tolist() == [9, 5, 21, 25]
    assert in_square("t", "a", BOX, (60, 100), 60, "crop").tolist() == [30, -10, 70, 30]


def test_a_box_that_is_cropped_away_is_refused():
    with pytest.raises(DataError, match=r"boxes\.csv: the face box of a.png lies outside"):
        in_square("boxes.csv", "a.png", np.array([0.0, 0, 10, 10]), (100, 60), 30, "crop")


def test_a_picture_on_its_side_is_turned_first(tmp_path):
    image, turned = Image.new("RGB", (40, 20)), Image.Exif()
    turned[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=turned)
    image.save(tmp_path / "b.jpg")
    assert upright_size(tmp_path / "a.jpg") == (20, 40) and upright_size(tmp_path / "b.jpg") == (40, 20)
    assert upright_size((tmp_path / "a.jpg").read_bytes()) == (20, 40)


def test_pictures_are_found_by_path_name_and_stem(tmp_path):
    found = table(tmp_path / "boxes.csv", "x/a.png,1,2,3,4", "b.png,5,6,7,8", "c,9,9,1,1")
    assert [box.tolist() for box in boxes_of_files(found, ["x/a.png", "y/b.png", "z/c.png"])] == [
        [1, 2, 4, 6], [5, 6, 12, 14], [9, 9, 10, 10],
    ]  # fmt: skip


def test_what_a_table_lacks_or_has_twice(tmp_path):
    found = table(tmp_path / "boxes.csv", "a.png,1,2,3,4", "b.png,5,6,7,8", "b.png,9,9,1,1")
    with pytest.raises(DataError, match=r"no face box for 1 picture\(s\): c.png"):
        boxes_of_files(found, ["a.png", "c.png"])
    with pytest.raises(DataError, match=r"several face boxes for b\.png; a picture takes one"):
        boxes_of_files(found, ["b.png"])
    with pytest.raises(DataError, match=r"one face box for 2 pictures: x/a\.png, y/a\.png; write paths as ids"):
        check_own(found, ["x/a.png", "y/a.png"])
    check_own(found, ["a.png", "b.png", "c.png", "d.png"])


def test_of_stimuli_in_files_and_in_memory(tmp_path):
    import torch

    Image.new("RGB", (100, 60)).save(tmp_path / "a.png")
    found = table(tmp_path / "boxes.csv", "a,30,10,40,40")
    ids = np.array(["other", "a"])
    files = FilePictures([tmp_path / "none.png", tmp_path / "a.png"], image_size=30)
    held = ArrayPictures(torch.zeros(2, 3, 60, 100, dtype=torch.uint8))
    sets = [Stimuli(name="s", ids=ids, pictures=p, labels=Labels(), groups=ids) for p in (files, held)]
    assert boxes_of_stimuli(found, sets[0], [1])["a"].tolist() == [5, 5, 25, 25]
    assert boxes_of_stimuli(found, sets[1], [1])["a"].tolist() == [30, 10, 70, 50]
    with pytest.raises(DataError, match=r"the face box of a lies outside"):
        boxes_of_stimuli(table(tmp_path / "far.csv", "a,100,10,40,40"), sets[1], [1])


def test_of_stimuli_in_a_pack(tmp_path):
    from affekt.data import dataset
    from affekt.data.packs import pack_pictures

    for name, size in (("a", (60, 60)), ("b", (100, 60))):
        Image.new("RGB", size).save(tmp_path / f"{name}.png")
    ids = np.array(["a", "b"])
    files = FilePictures([tmp_path / "a.png", tmp_path / "b.png"], image_size=30)
    source = Stimuli(name="s", ids=ids, pictures=files, labels=Labels(), groups=ids)
    pack_pictures(source, tmp_path / "pack", how="bytes", described=dataset("folder"))
    found = table(tmp_path / "boxes.csv", "b,30,10,40,40")
    packed = dataset("pack").open(tmp_path / "pack", "all", image_size=30)
    assert boxes_of_stimuli(found, packed, [1])["b"].tolist() == [5, 5, 25, 25]


def test_a_box_of_a_name_that_two_pictures_have(tmp_path):
    files = FilePictures([tmp_path / "x/a.png", tmp_path / "y/a.png"], image_size=30)
    ids = np.array(["x/a.png", "y/a.png"])
    source = Stimuli(name="s", ids=ids, pictures=files, labels=Labels(), groups=ids)
    with pytest.raises(DataError, match=r"one face box for 2 pictures: x/a\.png, y/a\.png"):
        boxes_of_stimuli(table(tmp_path / "boxes.csv", "a.png,1,2,3,4"), source, [0, 1])
