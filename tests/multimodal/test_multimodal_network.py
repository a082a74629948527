"""The network: padding and what is absent say nothing, any tasks, saved and loaded, what is refused."""

import numpy as np
import pytest
import torch

import affekt
from affekt.errors import CheckpointError, UsageError
from affekt.multimodal import FUSIONS, RECURRENT, AudioVisualNetwork, Draw

VARIANTS = [
    *({"audio": audio, "video": video} for audio in ("raw", "log-mel", None) for video in ("resnet8", None)),
    *({"recurrent": name} for name in RECURRENT),
    *({"fusion": name} for name in FUSIONS),
    *({"fusion": name, "video": None} for name in FUSIONS),
]
VARIANTS = [v for v in VARIANTS if any((v.get("audio", 1), v.get("video", 1)))]
IDS = [" ".join(f"{k}={v}" for k, v in variant.items()) for variant in VARIANTS]


def close(one, other, rows=slice(None)):
    for task, logits in one.logits.items():
        torch.testing.assert_close(logits, other.logits[task][rows], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS, ids=IDS)
def test_a_batch_says_of_a_clip_what_is_said_of_it_alone(variant, network, clips):
    model = network(**variant)
    audio, frames, lengths = clips()
    together = model(audio, frames, lengths)
    for row, n in enumerate(lengths.tolist()):
        close(model(audio[row : row + 1, : n * 32], frames[row : row + 1, :n]), together, slice(row, row + 1))
        assert not together.fused[row, n:].any()
    assert together.fused.shape == (4, 5, model.fusing.num_features)
    assert together.features.shape == (4, model.num_features)


@pytest.mark.parametrize("variant", VARIANTS, ids=IDS)
def test_saved_and_loaded_it_says_the_same(variant, network, clips, tmp_path):
    model = network(**variant, classes={"gender": ["male", "female"]})
    model.save_pretrained(tmp_path / "model")
    loaded = affekt.load(tmp_path / "model")
    one, other = model(*clips()), loaded(*clips())
    assert list(loaded.tasks.items()) == [("gender", 2), ("emotion", 4)] and loaded.classes == model.classes
    for task in one.logits:
        assert torch.equal(one.logits[task], other.logits[task])
    assert loaded.config() == model.config()


def test_batch_norm_sees_no_padding(network, clips):
    model = network(dropout=0.0).train()
    backbone = network().train().seeing
    audio, frames, lengths = clips()
    has_video = torch.tensor([True, False, True, True])
    model(audio, frames, lengths, has_video=has_video)
    backbone(torch.cat([frames[0, :3], frames[2, :1], frames[3, :4]]))
    found, expected = model.seeing.state_dict(), backbone.state_dict()
    assert any("running_var" in name for name in found)
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_sound_or_pictures_are_enough(fusion, network, clips):
    model = network(fusion=fusion)
    audio, frames, lengths = clips()
    has_audio = torch.tensor([True, False, True, True])
    has_video = torch.tensor([True, True, False, True])
    mixed = model(audio, frames, lengths, has_audio=has_audio, has_video=has_video)
    both, heard, seen = model(audio, frames, lengths), model(audio, None, lengths), model(None, frames, lengths)
    for row, whole in enumerate((both, seen, heard, both)):
        for task, logits in mixed.logits.items():
            torch.testing.assert_close(logits[row], whole.logits[task][row])
    assert not torch.allclose(heard.logits["emotion"], seen.logits["emotion"])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_what_is_absent_is_not_looked_at(fusion, network, clips):
    model = network(fusion=fusion)
    audio, frames, lengths = clips()
    masks = {"has_audio": torch.tensor([False, True, True, True]), "has_video": torch.tensor([True, False, True, True])}
    before = model(audio, frames, lengths, **masks)
    audio[0], frames[1] = 0.5, 7
    close(before, model(audio, frames, lengths, **masks))


def test_what_there_is_no_front_end_for_is_not_looked_at(network, clips):
    audio, frames, lengths = clips()
    deaf, blind = network(audio=None), network(video=None)
    close(deaf(audio, frames, lengths), deaf(None, frames, lengths))
    close(blind(audio, frames, lengths), blind(audio, None, lengths))


def test_pictures_of_any_size_whole_numbers_or_floats(network, clips):
    model = network(audio=None)
    _, frames, lengths = clips(size=20)
    close(model(None, frames, lengths), model(None, frames.float() / 255, lengths))


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("recurrent", RECURRENT)
def test_every_parameter_learns(recurrent, fusion, network, clips):
    model = network(recurrent=recurrent, fusion=fusion).train()
    labels = {"gender": torch.tensor([0, 1, 1, 0]), "emotion": torch.tensor([0, 1, 2, 3])}
    sum(model.losses(model(*clips()), labels).values()).backward()
    unlearned = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # What is added to all scores of a softmax alike says nothing.
    assert [n for n in unlearned if "gate.bias" not in n and "project.bias" not in n] == []


@pytest.mark.parametrize("lost", ["audio", "video"])
def test_a_batch_without_sound_or_pictures_leaves_no_parameter_out(lost, network, clips):
    model = network().train()
    audio, frames, lengths = clips()
    out = model(None if lost == "audio" else audio, None if lost == "video" else frames, lengths)
    out.logits["emotion"].sum().backward()
    part = model.hearing if lost == "audio" else model.seeing
    assert all(p.grad is not None and not p.grad.any() for p in part.parameters())


def test_losses_are_named_by_task_and_leave_unknown_labels_out(network, clips):
    model = network()
    out = model(*clips())
    emotion = torch.tensor([2, -1, 0, -1])
    losses = model.losses(out, {"gender": torch.tensor([0, 1, 1, 0]), "emotion": emotion})
    assert list(losses) == ["gender", "emotion"]
    expected = torch.nn.functional.cross_entropy(out.logits["emotion"], emotion, ignore_index=-1)
    torch.testing.assert_close(losses["emotion"], expected)
    smoothed = model.losses(out, {"gender": torch.tensor([0, 1, 1, 0]), "emotion": emotion}, label_smoothing=0.1)
    expected = torch.nn.functional.cross_entropy(out.logits["emotion"], emotion, ignore_index=-1, label_smoothing=0.1)
    torch.testing.assert_close(smoothed["emotion"], expected)


def test_without_any_label_of_a_task_its_loss_is_zero_and_keeps_the_graph(network, clips):
    model = network().train()
    losses = model.losses(model(*clips()), {"gender": torch.tensor([0, 1, 1, 0]), "emotion": torch.full((4,), -1)})
    assert losses["emotion"] == 0
    losses["emotion"].backward()
    assert all(p.grad is not None and not p.grad.any() for p in model.heads.get_submodule("emotion_head").parameters())


def test_log_probabilities_are_of_the_logits_in_float32_also_under_autocast(network, clips):
    model = network()
    with torch.autocast("cpu", torch.bfloat16):
        out = model(*clips())
    for task, logs in out.log_probabilities.items():
        assert logs.dtype == torch.float32
        torch.testing.assert_close(logs, torch.log_softmax(out.logits[task], dim=1))


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("recurrent", RECURRENT)
def test_trains_under_autocast(recurrent, fusion, network, clips):
    model = network(recurrent=recurrent, fusion=fusion).train()
    with torch.autocast("cpu", torch.bfloat16):
        out = model(*clips(), has_video=torch.tensor([True, True, True, False]))
        loss = model.losses(out, {"gender": torch.tensor([0, 1, 1, 0]), "emotion": torch.arange(4)})["emotion"]
    loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_dropout_is_before_the_heads(network, clips):
    out = network(dropout=1.0).train()(*clips())
    assert out.features.any() and not out.logits["emotion"].diff(dim=0).any()


def test_any_tasks(clips):
    tasks = {"stress": np.int64(3), "type": 2, "a b": 7}  # one of them called as something that every module has
    model = AudioVisualNetwork(tasks, "log-mel", None, rate=800, audio_options={"mels": 2}, hidden=4).eval()
    out = model(*clips())
    assert {name: logits.shape[1] for name, logits in out.logits.items()} == tasks
    assert list(model.losses(out, dict.fromkeys(tasks, torch.zeros(4, dtype=torch.int64)))) == list(tasks)


def test_a_module_of_ones_own_sees_but_cannot_be_saved(network, clips, tmp_path):
    class Mine(torch.nn.Module):
        num_features = 3

        def forward(self, images):
            return images.mean((2, 3))

    model = network(video=Mine())
    frames = clips()[1]
    assert model(*clips()).fused.shape[2] == model.hearing.num_features + 3
    assert not model(clips()[0]).fused[..., -3:].any()
    expected = (frames[1].float().mean((2, 3)) / 255 - 0.5) / 0.25
    torch.testing.assert_close(model(*clips()).fused[1, :, -3:], expected)
    with pytest.raises(UsageError, match="its video is a module; give a backbone by name to save"):
        model.save_pretrained(tmp_path / "model")


# --- modality dropout ---


def drawn(step=0):
    return Draw(seed=3, step=step, items=torch.tensor([10, 11, 12, 13]))


def test_modality_dropout_is_training_alone_and_repeats(network, clips):
    model = network(modality_dropout=1.0, dropout=0.0)
    model.seeing.eval()
    close(model(*clips()), network(dropout=0.0)(*clips()))
    model.train()
    model.seeing.eval()
    one, other = model(*clips(), draw=drawn()), model(*clips(), draw=drawn())
    close(one, other)
    steps = torch.stack([model(*clips(), draw=drawn(step)).logits["emotion"] for step in range(5)])
    assert len(torch.unique(steps, dim=0)) > 1


def test_with_dropout_of_one_each_clip_is_heard_or_seen(network, clips):
    model = network(modality_dropout=1.0, dropout=0.0).train()
    model.seeing.eval()
    audio, frames, lengths = clips()
    fused = model(audio, frames, lengths, draw=drawn()).fused
    heard, seen = fused[..., : model.hearing.num_features].any(2)[:, 0], fused[..., -16:].any(2)[:, 0]
    assert (heard ^ seen).all()


def test_modality_dropout_needs_a_draw(network, clips):
    with pytest.raises(UsageError, match=r"modality_dropout = 0\.5: in training, say what is drawn by: draw = "):
        network(modality_dropout=0.5).train()(*clips())


# --- what is refused ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": {}}, r"tasks = \{\}: write names and numbers of classes"),
        ({"tasks": ["emotion"]}, "write names and numbers of classes"),
        ({"tasks": {"emotion": 1}}, 'tasks: "emotion" has 1 classes; write a whole number, 2 or more'),
        ({"tasks": {"e.g": 2}}, "'e.g' cannot be a name; write a word without dots"),
        ({"classes": {"emotoin": ["a", "b"]}}, 'classes: task "emotoin": unknown. Nearest: emotion'),
        ({"classes": {"gender": ["a", "b", "c"]}}, 'classes of "gender": 3 names for 2 classes'),
        ({"classes": {"gender": ["a", "a"]}}, "each a different one"),
        ({"audio": None, "video": None}, "nothing is left"),
        ({"dropout": 2}, "dropout = 2: a share from 0 to 1"),
        ({"modality_dropout": -0.1}, "modality_dropout = -0.1: a share from 0 to 1"),
        ({"modality_dropout": 0.1, "video": None}, "this one reads one of them"),
        ({"audio": None, "audio_options": {"pool": 2}}, "for audio = None there are none"),
        ({"recurrent": "rnn"}, 'recurrent "rnn": unknown'),
        ({"fusion": "sum"}, 'fusion "sum": unknown'),
        ({"video": "resnet51"}, "resnet51"),
    ],
)
def test_arguments_that_make_no_sense(arguments, message, network):
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        network(**arguments)


def changed(clips, **other):
    audio, frames, lengths = clips()
    return {"audio": audio, "frames": frames, "lengths": lengths, **other}


BAD_INPUTS = [
    ({"audio": None, "frames": None}, "no clips: this network reads audio or frames; give it"),
    ({"audio": np.zeros((4, 160))}, r"audio: a ndarray; give a tensor, of an array: torch\.from_numpy"),
    ({"audio": torch.zeros(4, 160, dtype=torch.int16)}, r"audio: int16; give float in \[-1, 1\]: .* / 32768"),
    ({"audio": torch.full((4, 160), 3000.0)}, r"audio: samples up to 3e\+03"),
    ({"audio": torch.full((4, 160), torch.nan)}, "audio: samples up to nan"),
    ({"audio": torch.zeros(4, 5, 32)}, r"write audio\.flatten\(1\)"),
    ({"audio": torch.zeros(4, 128)}, "audio of 4 clips of 4 frames, but pictures of 4 clips of 5 frames"),
    ({"audio": torch.zeros(3, 160)}, "audio of 3 clips of 5 frames, but pictures of 4 clips"),
    ({"frames": torch.zeros(4, 3, 16, 16)}, r"frames of shape \(4, 3, 16, 16\): give \(B, T, 3, H, W\)"),
    ({"frames": torch.full((4, 5, 3, 16, 16), 255.0)}, "values from 255 to 255"),
    ({"lengths": torch.tensor([1, 2, 3])}, r"lengths \(3,\) int64: for 4 clips give \(4,\) int64"),
    ({"lengths": [1, 2, 3, 5]}, r"lengths: a list; give a tensor: torch\.tensor\(lengths\)"),
    ({"has_video": [True] * 4}, "has_video: a list; give a tensor"),
    ({"lengths": torch.ones(4)}, r"lengths \(4,\) float32"),
    ({"lengths": torch.tensor([1, 2, 3, 6])}, "lengths from 1 to 6: clips of this batch have 1 to 5 frames"),
    ({"lengths": torch.tensor([0, 2, 3, 5])}, "lengths from 0 to 5"),
    ({"has_audio": torch.ones(4)}, r"has_audio \(4,\) float32: for 4 clips give \(4,\) bool"),
    (
        {"has_audio": torch.tensor([True, True, False, False]), "has_video": torch.tensor([False, True, False, True])},
        "clips 2 of the batch have nothing that this network reads",
    ),
]


@pytest.mark.parametrize(("other", "message"), BAD_INPUTS)
def test_clips_that_do_not_fit_are_refused(other, message, network, clips):
    with pytest.raises(UsageError, match=message):
        network()(**changed(clips, **other))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"emotion": torch.zeros(4, dtype=torch.int64)}, 'labels: none of the task "gender"; found emotion'),
        ({"gender": torch.tensor([0, 1, 2, 0])}, r'labels\["gender"\] from 0 to 2: classes are 0 to 1'),
        ({"gender": torch.zeros(3, dtype=torch.int64)}, r'labels\["gender"\] \(3,\) int64: for 4 clips write'),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message, network, clips):
    model = network()
    with pytest.raises(UsageError, match=message):
        model.losses(model(*clips()), labels)


@pytest.mark.parametrize(
    ("parts", "pipeline", "tags"),
    [
        ({"video": None}, "audio-classification", '["affekt", "audio-classification", "affective-computing"]'),
        ({"audio": None}, "video-classification", '["affekt", "video-classification", "affective-computing"]'),
        ({}, "video-classification",
         '["affekt", "video-classification", "affective-computing", "audio-classification"]'),
    ],
)  # fmt: skip
def test_its_card_is_not_that_of_a_network_of_pictures(parts, pipeline, tags, network, tmp_path):
    card = (network(**parts).save_pretrained(tmp_path / "model") / "README.md").read_text()
    assert f'pipeline_tag: "{pipeline}"' in card and f"tags: {tags}" in card


def test_a_folder_of_another_affekt_network_is_named(network, tmp_path):
    network().save_pretrained(tmp_path / "model")
    with pytest.raises(CheckpointError, match="holds AudioVisualNetwork, not AffectNetwork"):
        affekt.AffectNetwork.from_pretrained(tmp_path / "model")
