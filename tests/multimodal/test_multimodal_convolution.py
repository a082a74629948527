"""Wide convolution: by FFT and directly the same, and the same as torch's own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.errors import UsageError
from affekt.multimodal.convolution import WideConv1d


@settings(max_examples=60)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 40), st.integers(1, 300))
def test_both_ways_are_torchs_same_convolution(batch, channels, out, kernel, length):
    torch.manual_seed(0)
    reference = torch.nn.Conv1d(channels, out, kernel, padding="same").double()
    x = torch.randn(batch, channels, length, dtype=torch.float64)
    for way in ("fft", "direct"):
        ours = WideConv1d(channels, out, kernel, way=way).double()
        ours.load_state_dict(reference.state_dict())
        torch.testing.assert_close(ours(x), reference(x), rtol=1e-9, atol=1e-9)


def test_of_the_published_width_they_agree_in_float32():
    torch.manual_seed(0)
    fft, direct = (WideConv1d(2, 3, 4000, way=way) for way in ("fft", "direct"))
    direct.load_state_dict(fft.state_dict())
    x = torch.randn(1, 2, 9000)
    torch.testing.assert_close(fft(x), direct(x), rtol=1e-4, atol=1e-5)


def test_gradients_agree():
    torch.manual_seed(0)
    found = []
    for way in ("fft", "direct"):
        torch.manual_seed(0)
        layer = WideConv1d(2, 3, 11, way=way).double()
        x = torch.linspace(-1, 1, 2 * 50, dtype=torch.float64).reshape(1, 2, 50).requires_grad_()
        layer(x).square().sum().backward()
        found.append((x.grad, layer.weight.grad, layer.bias.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_an_even_kernel_looks_once_more_ahead():
    layer = WideConv1d(1, 1, 4, way="fft", bias=False)
    torch.nn.init.ones_(layer.weight)
    x = torch.tensor([[[1.0, 10.0, 100.0, 1000.0]]])
    torch.testing.assert_close(layer(x), torch.tensor([[[111.0, 1111.0, 1110.0, 1100.0]]]))


def test_stays_in_float32_under_autocast():
    torch.manual_seed(0)
    layer = WideConv1d(2, 2, 64, way="fft")
    x = torch.randn(1, 2, 200)
    with torch.autocast("cpu", torch.bfloat16):
        cast = layer(x)
    assert cast.dtype == torch.float32
    torch.testing.assert_close(cast, layer(x))


def test_another_way_is_refused():
    with pytest.raises(UsageError, match=r'convolution "fourier": unknown\. .*All: direct, fft'):
        WideConv1d(1, 1, 3, way="fourier")
