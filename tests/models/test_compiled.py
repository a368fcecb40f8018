"""What is written in C++ says what torch says in float64."""

import shutil

import pytest
import torch
from torch import nn
from torch.utils import cpp_extension

from zoomvqa.models.vqa.bias import Bias
from zoomvqa.models.vqa.compiled import (
    add_at,
    fits,
    norm_at,
    window_attention,
    window_attention_gradient,
)
from zoomvqa.models.vqa.windows import Group

builds = pytest.mark.skipif(
    shutil.which("c++") is None or not cpp_extension.is_ninja_available(), reason="no C++ compiler or no ninja"
)


def whole_parts(qkv: torch.Tensor, bias: Bias, group: Group) -> torch.Tensor:
    """Attend within (parts, N, 3, heads, width)."""
    places = slice(0, len(qkv) * group.tokens)
    mixed = window_attention(qkv.flatten(0, 1)[None], bias, [(group, places)])
    return mixed.view(len(qkv), group.tokens, -1)


BOTH = pytest.mark.parametrize(("dtype", "apart"), [(torch.float32, 2e-5), (torch.bfloat16, 0.04)])


@builds
@BOTH
@pytest.mark.slow
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("size", [(3, 5, 4), (2, 5, 4), (3, 2, 4), (3, 4, 3), (1, 1, 1)])
@pytest.mark.parametrize("width", [16, 32])
def test_the_compiled_attention(dtype, apart, gated, size, width):
    torch.manual_seed(0)
    parts, heads, window, tokens = 3, 2, (3, 5, 4), size[0] * size[1] * size[2]
    qkv = 2 * torch.randn(parts, tokens, 3, heads, width).to(dtype)
    tables = torch.randn(2, heads, *window, *window).to(dtype)
    gate = torch.randint(0, 12, (tokens, tokens), dtype=torch.uint8)
    group, bias = Group(size, 0, parts, gate), Bias(tables[0], tables[1] if gated else None)
    exact = Bias(tables[0].double(), tables[1].double() if gated else None).of(group)
    q, k, v = qkv.double().permute(2, 0, 3, 1, 4)
    wanted = torch.softmax(q @ k.transpose(-1, -2) / width**0.5 + exact, dim=-1) @ v
    wanted = wanted.transpose(1, 2).flatten(2)
    got = whole_parts(qkv, bias, group)
    assert got.dtype == dtype
    torch.testing.assert_close(got.double(), wanted, atol=apart, rtol=apart)
    for part in range(parts):  # whatever is beside it
        assert torch.equal(whole_parts(qkv[part : part + 1], bias, group)[0], got[part])
    qkv[1, -1, 0, 1, 0] = torch.nan
    spoilt = whole_parts(qkv, bias, group).unflatten(-1, (heads, width)).isnan()
    assert spoilt[1, -1, 1].all()
    assert spoilt.sum() == width


@builds
@pytest.mark.parametrize(("dtype", "apart"), [(torch.float32, 4e-6), (torch.bfloat16, 0.02)])
@pytest.mark.slow
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(("size", "parts"), [((3, 5, 4), 6), ((2, 5, 4), 1), ((3, 4, 3), 5), ((1, 1, 1), 3)])
@pytest.mark.parametrize("width", [16, 32])
def test_its_gradient(dtype, apart, gated, size, parts, width):
    """Of tokens and of biases, against that of torch in float64; the same on one thread."""
    torch.manual_seed(0)
    heads, window, tokens = 2, (3, 5, 4), size[0] * size[1] * size[2]
    qkv, above = torch.randn(parts, tokens, 3, heads, width), torch.randn(parts, tokens, heads * width)
    tables = torch.randn(2, heads, *window, *window)
    lower = torch.randint(0, 4, (tokens, tokens), dtype=torch.uint8).tril()
    group = Group(size, 0, parts, lower + lower.tril(-1).T)  # as far from one token to another as back
    qkv, above, tables = (each.to(dtype) for each in (qkv, above, tables))
    bias = Bias(tables[0], tables[1] if gated else None)
    given = qkv.double().requires_grad_()
    spread = Bias(tables[0].double(), tables[1].double() if gated else None).of(group).clone().requires_grad_()
    q, k, v = given.permute(2, 0, 3, 1, 4)
    mixed = torch.softmax(q @ k.transpose(-1, -2) / width**0.5 + spread, dim=-1) @ v
    mixed.transpose(1, 2).flatten(2).backward(above.double())
    arguments = above, whole_parts(qkv, bias, group), qkv, bias, bias.turned(), group
    found = window_attention_gradient(*arguments)
    assert (found[0].dtype, found[1].dtype) == (dtype, torch.float32)
    for got, wanted in zip(found, (given.grad, spread.grad), strict=True):
        assert (got.double() - wanted).abs().max() <= apart * max(1.0, float(wanted.abs().max()))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = window_attention_gradient(*arguments)
    torch.set_num_threads(threads)
    assert all(torch.equal(one, other) for one, other in zip(found, alone, strict=True))


@builds
@pytest.mark.slow
@pytest.mark.usefixtures("built")
def test_what_the_compiled_attention_refuses():
    assert [width for width in range(64) if fits(width)] == [16, 32]
    group, bias = (
        Group((1, 2, 2), 0, 1, torch.zeros(4, 4, dtype=torch.uint8)),
        Bias(torch.zeros(2, *(1, 2, 2) * 2), None),
    )
    for wrong in (torch.zeros(1, 4, 3, 2, 24), torch.zeros(1, 4, 3, 3, 16), torch.zeros(1, 4, 3, 2, 16).double()):
        with pytest.raises(RuntimeError):
            whole_parts(wrong, bias, group)


@builds
@BOTH
@pytest.mark.slow
@pytest.mark.usefixtures("built")
@torch.inference_mode()
def test_norms_and_sums_at_places(dtype, apart):
    torch.manual_seed(0)
    norm = nn.LayerNorm(48)
    norm.weight.normal_()
    norm.bias.normal_()
    x = 3 * torch.randn(2, 9, 48) + 5
    places = torch.tensor([7, 0, 9, 3])  # the third is padding
    got = norm_at(x[:, :], places, norm, dtype)
    assert got.dtype == dtype
    wanted = norm(x)[:, places.clamp(max=8)]
    wanted[:, 2] = 0
    torch.testing.assert_close(got.float(), wanted, atol=apart / 10, rtol=apart / 10)
    sums, more = x.clone(), torch.randn(2, 4, 48).to(dtype)
    add_at(sums, places, more)
    for row, place in enumerate(places.tolist()):
        if place < 9:
            assert torch.equal(sums[:, place], x[:, place] + more[:, row].float())
    rest = [1, 2, 4, 5, 6, 8]
    assert torch.equal(sums[:, rest], x[:, rest])
