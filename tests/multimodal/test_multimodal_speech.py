"""Speech encoders: alignment, padding, what learns, saving - with tiny random ones that nothing is downloaded for."""

import sys

import pytest
import torch

import affekt
from affekt.errors import AffektError, MissingExtra, UsageError
from affekt.multimodal import AudioVisualNetwork, create_audio

transformers = pytest.importorskip("transformers")

TINY = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24, "conv_dim": [8, 8],
    "conv_stride": [4, 4], "conv_kernel": [6, 4], "num_feat_extract_layers": 2, "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 2, "hidden_dropout": 0.0, "attention_dropout": 0.0,
    "activation_dropout": 0.0, "feat_proj_dropout": 0.0,
}  # fmt: skip
KINDS = {
    "wav2vec2, norm over time": transformers.Wav2Vec2Config(**TINY, feat_extract_norm="group"),
    "wav2vec2, norm of layers": transformers.Wav2Vec2Config(
        **TINY, feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True
    ),
    "hubert": transformers.HubertConfig(**TINY, feat_extract_norm="group"),
}


def speech(kind="hubert", fps=25, **options):
    torch.manual_seed(0)
    options = {"config": KINDS[kind].to_dict(), **options}
    return create_audio("speech:tiny", rate=800, fps=fps, options=options).eval()


@pytest.mark.parametrize("fps", [25, 20], ids=["32 samples a frame", "40, no multiple of the steps"])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_says_nothing(kind, fps):
    part = speech(kind, fps)
    audio = torch.rand(4, 6 * part.samples) * 2 - 1
    lengths = torch.tensor([6, 2, 5, 2])
    together = part(audio, lengths)
    assert together.shape == (4, 6, 16)
    for row, length in enumerate(lengths.tolist()):
        alone = part(audio[row : row + 1, : length * part.samples], torch.tensor([length]))
        torch.testing.assert_close(together[row : row + 1, :length], alone, rtol=1e-4, atol=1e-5)


def test_a_frame_is_the_mean_of_the_steps_whose_middle_it_holds():
    part = speech()
    audio, lengths = torch.rand(1, 4 * 32) - 0.5, torch.tensor([4])
    sound = (audio - audio.mean()) / torch.sqrt(audio.var(correction=0) + 1e-7)
    # Steps every 16 samples look at 6 + 3 * 4 = 18; the last one's two missing samples are silence.
    steps = part.encoder(torch.nn.functional.pad(sound, (0, 2))).last_hidden_state
    assert steps.shape[1] == 8
    torch.testing.assert_close(part(audio, lengths), steps.reshape(1, 4, 2, 16).mean(2), rtol=1e-4, atol=1e-5)


def test_wav2vec2_at_16_khz_has_two_steps_a_frame():
    config = transformers.Wav2Vec2Config(**{k: v for k, v in TINY.items() if "conv_" not in k or "pos" in k} | {
        "conv_dim": [4] * 7, "num_feat_extract_layers": 7
    })  # fmt: skip
    part = create_audio("speech:tiny", options={"config": config.to_dict()})
    assert (part.field, part.stride) == (400, 320)
    assert part._steps(25) == 50 and part._needed(25) == 25 * 640 + 80


def test_loudness_and_offset_are_taken_away():
    part = speech()
    audio, lengths = torch.rand(1, 4 * 32) - 0.5, torch.tensor([4])
    torch.testing.assert_close(part(audio, lengths), part(0.1 * audio + 0.3, lengths), rtol=1e-3, atol=1e-4)


def learning(part):
    return {name.split(".")[0] for name, p in part.encoder.named_parameters() if p.requires_grad}


def test_what_learns():
    assert learning(speech()) == {"feature_projection", "encoder"}
    assert learning(speech(trainable="all")) == {"feature_extractor", "feature_projection", "encoder"}
    still = speech(trainable="none").train()
    assert learning(still) == set() and not still.encoder.training
    assert not still(torch.rand(1, 64), torch.tensor([2])).requires_grad
    with pytest.raises(UsageError, match=r'trainable "heads": unknown\. .*All: all, none, transformer'):
        speech(trainable="heads")


@pytest.mark.parametrize("trainable", ["transformer", "all"])
@pytest.mark.parametrize("kind", KINDS)
def test_all_that_learns_has_a_gradient(kind, trainable):
    part = speech(kind, trainable=trainable).train()
    part(torch.rand(2, 4 * 32) - 0.5, torch.tensor([4, 2])).square().sum().backward()
    assert all(p.grad is not None for p in part.parameters() if p.requires_grad)


def test_training_draws_nothing_where_no_seed_reaches():
    part = speech(config={**KINDS["hubert"].to_dict(), "mask_time_prob": 0.9, "layerdrop": 0.9}).train()
    audio, lengths = torch.rand(1, 20 * 32) - 0.5, torch.tensor([20])
    assert torch.equal(part(audio, lengths), part(audio, lengths))


def test_saved_and_loaded_without_the_hub(tmp_path):
    torch.manual_seed(0)
    options = {"config": KINDS["hubert"].to_dict(), "trainable": "none"}
    model = AudioVisualNetwork({"emotion": 3}, "speech:tiny", None, hidden=4, rate=800, audio_options=options).eval()
    model.save_pretrained(tmp_path / "model")
    loaded = affekt.load(tmp_path / "model")
    audio = torch.rand(2, 3 * 32) - 0.5
    assert torch.equal(loaded(audio).logits["emotion"], model(audio).logits["emotion"])
    assert not any(p.requires_grad for p in loaded.hearing.parameters())


def test_loaded_by_name_it_is_saved_with_its_form(tmp_path):
    transformers.HubertModel(KINDS["hubert"]).save_pretrained(tmp_path / "hubert")
    model = AudioVisualNetwork({"emotion": 3}, f"speech:{tmp_path / 'hubert'}", None, hidden=4, rate=800).eval()
    reference = transformers.HubertModel.from_pretrained(tmp_path / "hubert")
    for name, values in model.hearing.encoder.state_dict().items():
        assert torch.equal(values, reference.state_dict()[name]), name
    model.save_pretrained(tmp_path / "model")
    (tmp_path / "hubert").rename(tmp_path / "gone")
    audio = torch.rand(2, 3 * 32) - 0.5
    assert torch.equal(affekt.load(tmp_path / "model")(audio).features, model(audio).features)


def test_models_that_cannot_be_had_are_named(tmp_path):
    with pytest.raises(AffektError, match=rf"speech:{tmp_path}: cannot be had"):
        create_audio(f"speech:{tmp_path}")
    with pytest.raises(UsageError, match="speech:b: bert is no plain encoder of the wav2vec2 kind"):
        create_audio("speech:b", options={"config": {"model_type": "bert"}})
    with pytest.raises(UsageError, match="its steps of 16 samples look at 18; a frame has 8: lower fps"):
        speech(fps=100)


def test_without_transformers(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r'pip install "affekt\[speech\]"'):
        create_audio("speech:facebook/wav2vec2-base")
