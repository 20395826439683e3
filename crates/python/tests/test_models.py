"""Models from elsewhere: what is read equals the model, what does not fit is refused by name."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import pytest

import halflight as hl
from halflight.errors import ImportFailed

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import halflight.torch as ht  # noqa: E402

Model = Callable[[], nn.Module]


class Of(nn.Module):
    """A forward of one expression over layers ``p``, ``r``, ``d``, …"""

    def __init__(self, forward: Callable[[Any, torch.Tensor], torch.Tensor], **layers: Any) -> None:
        super().__init__()
        self.own = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.own(self, x)


class Square(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x**2


def linear(*sizes: int) -> nn.Linear:
    return nn.Linear(*sizes)


def usual(units: Callable[[Any, torch.Tensor], torch.Tensor], out: int = 4, **more: Any) -> Model:
    """``d(units(x)²)`` with ``p`` of five units over flat pictures."""
    return lambda: Of(lambda s, x: s.d(units(s, x.flatten(1)) ** 2), p=linear(144, 5), d=linear(5, out), **more)


def head(*layers: nn.Module) -> Model:
    return lambda: nn.Sequential(nn.Flatten(), linear(144, 6), Square(), linear(6, 3), *layers)


def warmed(model: nn.Module) -> nn.Module:
    """With running statistics that are not 0 and 1."""
    model.train()
    for _ in range(3):
        model(torch.rand(50, 1, 12, 12) * 2 + 0.5)
    return model.eval()


FITS: dict[str, Model] = {
    "squares": lambda: nn.Sequential(nn.Flatten(), linear(144, 8), Square(), linear(8, 4)),
    "products": lambda: Of(lambda s, x: s.d(s.p(x.flatten(1)) * s.r(x.flatten(1))), p=linear(144, 7), r=linear(144, 7), d=linear(7, 4)),
    "own layer": lambda: nn.Sequential(ht.PrivateQuadratic(144, 4, units=5), linear(4, 4)),
    "torch.square": usual(lambda s, x: torch.sqrt(torch.tensor(4.0)) * s.p(x)),
    "add with alpha": usual(lambda s, x: torch.add(s.p(x), 1.0, alpha=3)),
    "sub with alpha": usual(lambda s, x: torch.sub(s.p(x), s.r(x), alpha=0.5), r=linear(144, 5)),
    "reverse sub": usual(lambda s, x: 1.0 - s.p(x)),
    "division": usual(lambda s, x: s.p((x - 0.13) / 0.3)),
    "true division": usual(lambda s, x: torch.div(s.p(x), 3.0)),
    "negation": usual(lambda s, x: -s.p(x)),
    "residual": usual(lambda s, x: s.p(x) + x[:, :5]),
    "weights of its own": lambda: Of(
        lambda s, x: ((x.flatten(1) @ s.w) ** 2) @ s.v, w=nn.Parameter(torch.randn(144, 5)), v=nn.Parameter(torch.randn(5, 4))
    ),
    "einsum": usual(lambda s, x: torch.einsum("bi,oi->bo", x, s.w), w=nn.Parameter(torch.randn(5, 144))),
    "functional linear": usual(lambda s, x: nn.functional.linear(x, s.w, bias=s.b), w=nn.Parameter(torch.randn(5, 144)), b=nn.Parameter(torch.ones(5))),
    "halves": lambda: Of(lambda s, x: s.d(s.p(x.flatten(1)[:, :72]) * s.r(x.flatten(1)[:, 72:])), p=linear(72, 5), r=linear(72, 5), d=linear(5, 4)),
    "concatenation": lambda: Of(
        lambda s, x: s.d(torch.cat([s.p(x.flatten(1)), s.r(x.flatten(1))], 1) ** 2), p=linear(144, 5), r=linear(144, 3), d=linear(8, 4)
    ),
    "split": lambda: Of(lambda s, x: s.d(s.p(x.flatten(1))[:, :5] * s.p(x.flatten(1))[:, 5:]), p=linear(144, 10), d=linear(5, 4)),
    "transposed": lambda: Of(lambda s, x: s.d(s.p(x.transpose(-1, -2).flatten(1)) ** 2), p=linear(144, 5), d=linear(5, 4)),
    "permuted": lambda: Of(lambda s, x: s.d(s.p(x.permute(0, 2, 1).reshape(x.shape[0], 144)) ** 2), p=linear(144, 5), d=linear(5, 4)),
    "rolled and flipped": usual(lambda s, x: s.p(torch.flip(torch.roll(x, 3, 1), [1]))),
    "in place": usual(lambda s, x: s.p(x).add_(1.0).mul_(0.5)),
    "convolution": lambda: nn.Sequential(nn.Conv2d(1, 3, 3, stride=3), Square(), nn.Flatten(), linear(48, 4)),
    "convolution, padded, dilated, grouped": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, stride=2), nn.Conv2d(2, 4, 3, groups=2, dilation=2), Square(), nn.Flatten(), linear(16, 4)
    ),
    "convolution without bias behind normalisation": lambda: warmed(
        nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 3, 5, bias=False), nn.BatchNorm2d(3), nn.AvgPool2d(4), Square(), nn.Flatten(), linear(12, 4))
    ),
    "transposed convolution": lambda: nn.Sequential(nn.AvgPool2d(4), nn.ConvTranspose2d(1, 1, 2), Square(), nn.Flatten(), linear(16, 4)),
    "average pooling": lambda: nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), linear(36, 5), Square(), linear(5, 4)),
    "adaptive pooling": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten(), linear(9, 5), Square(), linear(5, 4)),
    "global pooling of squares": lambda: Of(lambda s, x: s.d((s.p(x.view(-1, 1, 12, 12)) ** 2).mean((2, 3))), p=nn.Conv2d(1, 4, 4, stride=4), d=linear(4, 4)),
    "zero padding": lambda: nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(1, 2, 7, stride=7), Square(), nn.Flatten(), linear(8, 4)),
    "rows by rows": lambda: nn.Sequential(nn.Linear(12, 2), nn.Flatten(), Square(), linear(24, 4)),
    "dropout": lambda: nn.Sequential(nn.Flatten(), nn.Dropout(0.5), linear(144, 5), Square(), nn.Dropout(0.2), linear(5, 4)),
    "normalised products": lambda: warmed(nn.Sequential(nn.Flatten(), linear(144, 5), Square(), nn.BatchNorm1d(5), linear(5, 4))),
    "normalised outputs": lambda: warmed(nn.Sequential(nn.Flatten(), linear(144, 5), Square(), linear(5, 3), nn.BatchNorm1d(3), nn.ReLU(), linear(3, 4))),
    "head": head(nn.ReLU(), linear(3, 8), nn.ReLU(), linear(8, 4)),
    "head without ReLU": head(linear(3, 4)),
    "softmax": head(nn.ReLU(), linear(3, 4), nn.Softmax(dim=1)),
    "log softmax": head(nn.ReLU(), linear(3, 4), nn.LogSoftmax(dim=-1)),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Flatten(), linear(144, 5)), nn.Sequential(Square(), nn.Sequential(linear(5, 4)))),
    "parallel": lambda: nn.DataParallel(nn.Sequential(nn.Flatten(), linear(144, 5), Square(), linear(5, 4))),
    "compiled": lambda: torch.compile(nn.Sequential(nn.Flatten(), linear(144, 5), Square(), linear(5, 4))),
    "double": lambda: nn.Sequential(nn.Flatten(), linear(144, 5), Square(), linear(5, 4)).double(),
}


def exported() -> Any:
    model = nn.Sequential(nn.Flatten(), linear(144, 5), Square(), linear(5, 4), nn.ReLU(), linear(4, 4))
    return torch.export.export(model, (torch.rand(3, 12, 12),), dynamic_shapes=({0: torch.export.Dim("items")},))


def softmax(values: np.ndarray) -> np.ndarray:
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def run(model: Any, data: hl.Dataset) -> np.ndarray:
    """What the model itself gives, in whichever shape it takes pictures."""
    pixels = torch.tensor(data.images / 255)
    for shape in ((-1, 12, 12), (-1, 1, 12, 12)):
        try:
            with torch.no_grad():
                return model.double().eval()(pixels.reshape(shape)).numpy()
        except (RuntimeError, ValueError):
            continue
    raise AssertionError("the model takes neither shape")


@pytest.mark.parametrize("name", FITS)
def test_what_is_read_equals_the_model(name: str, data: hl.Dataset, test: hl.Dataset, tell: Callable[[str], None]) -> None:
    torch.manual_seed(1)
    model = FITS[name]()
    network = ht.load(model, data, main="character")
    assert network.difference is not None and network.difference < 1e-9
    own = run(getattr(model, "_orig_mod", model), test[:100])
    expected = own if name == "softmax" else softmax(own)
    found = network.predict_proba(test[:100])
    assert np.abs(found - expected).max() < 1e-3
    tell(f"torch, {name}: {network.units} units, {network.width} outputs, difference {network.difference:.0e}, {np.abs(found - expected).max():.0e}")


def test_a_model_that_takes_two_shapes_is_asked_which(data: hl.Dataset) -> None:
    torch.manual_seed(1)
    model = Of(lambda s, x: s.d(s.p(x.movedim(1, -1).flatten(1)) ** 2), p=linear(144, 5), d=linear(5, 4))
    with pytest.raises(ImportFailed, match=r"shapes \(144,\) and \(12, 12\).*give `shape`"):
        ht.load(model, data, main="character")
    with torch.no_grad():
        for shape in ((12, 12), (1, 12, 12)):
            network = ht.load(model, data, main="character", shape=shape)
            expected = model(torch.tensor(data.images[:9] / 255).float().reshape(-1, *shape)).softmax(1).numpy()
            assert np.allclose(network.predict_proba(data[:9]), expected, atol=1e-4)


def test_an_exported_program_is_read(data: hl.Dataset, test: hl.Dataset) -> None:
    program = exported()
    network = ht.load(program, data, main="character")
    with torch.no_grad():
        expected = program.module()(torch.tensor(test.images[:50] / 255).float()).softmax(1).numpy()
    assert np.abs(network.predict_proba(test[:50]) - expected).max() < 1e-4


@pytest.mark.parametrize("ended", [False, True])
def test_one_logit_stands_for_two_classes(ended: bool, data: hl.Dataset, test: hl.Dataset) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), linear(144, 5), Square(), linear(5, 1), *([nn.Sigmoid()] if ended else []))
    network = ht.load(model, data, main="font")
    with torch.no_grad():
        found = model(torch.tensor(test.images / 255).float())[:, 0]
    expected = (found if ended else found.sigmoid()).numpy()
    assert np.allclose(network.predict_proba(test)[:, 1], expected, atol=1e-4)


def scripted() -> Any:
    return torch.jit.script(nn.Sequential(nn.Flatten(), linear(144, 5)))


def branching() -> nn.Module:
    return Of(lambda s, x: s.d(s.p(x.flatten(1)) ** 2) if x.sum() > 0 else x, p=linear(144, 5), d=linear(5, 4))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "ReLU too early": (lambda: nn.Sequential(nn.Flatten(), linear(144, 8), nn.ReLU(), linear(8, 4)), r"layer `2` \(ReLU\) comes before"),
    "rounding division": (usual(lambda s, x: torch.div(s.p(x), 0.3, rounding_mode="floor")), "operation `div` comes before"),
    "floor": (usual(lambda s, x: torch.floor(s.p(x))), "operation `floor` comes before"),
    "absolute value": (usual(lambda s, x: s.p(x).abs()), "operation `abs_1` comes before"),
    "clamp": (usual(lambda s, x: s.p(x).clamp(-0.5, 0.5)), "operation `clamp` comes before"),
    "largest of": (lambda: nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), linear(36, 5), Square(), linear(5, 4)), r"layer `0` \(MaxPool2d\) comes before"),
    "tanh": (usual(lambda s, x: s.p(x).tanh()), "operation `tanh` comes before"),
    "layer norm": (lambda: nn.Sequential(nn.Flatten(), nn.LayerNorm(144), linear(144, 5), Square(), linear(5, 4)), r"layer `1` \(LayerNorm\)"),
    "comparison": (usual(lambda s, x: s.p((x > 0.5).double())), "operation `gt` gives torch.bool"),
    "whole numbers": (usual(lambda s, x: s.p((x * 15).int().double())), "operation `int_1` gives torch.int32"),
    "cube": (usual(lambda s, x: s.p(x) * s.p(x).square()), "multiplies more than two|joins two parts"),
    "fourth power": (usual(lambda s, x: s.p(x) ** 2), "multiplies more than two"),
    "quotient": (usual(lambda s, x: s.p(x) / s.r(x), r=linear(144, 5)), "operation `truediv` comes before"),
    "products and inputs": (lambda: Of(lambda s, x: s.d(torch.cat([s.p(x.flatten(1)) ** 2, x.flatten(1)], 1)), p=linear(144, 5), d=linear(149, 4)), "operation `cat` joins two parts"),
    "skip over ReLU": (lambda: Of(lambda s, x: (lambda q: s.e(q + q.relu()))(s.d(s.p(x.flatten(1)) ** 2)), p=linear(144, 5), d=linear(5, 4), e=linear(4, 4)), "joins two parts"),
    "mean of the batch": (usual(lambda s, x: s.p(x - x.mean(0, keepdim=True))), "operation `mean` mixes the items"),
    "spread of the batch": (lambda: nn.Sequential(nn.Flatten(), linear(144, 5), nn.BatchNorm1d(5, track_running_stats=False), Square(), linear(5, 4)), "running statistics"),
    "batch flattened too": (lambda: Of(lambda s, x: s.d(s.p(x.flatten().view(-1, 144)) ** 2), p=linear(144, 5), d=linear(5, 4)), "operation `flatten` mixes the items"),
    "chance": (usual(lambda s, x: s.p(nn.functional.dropout(x, 0.5, training=True))), "dropout|differ by|with different results"),
    "softmax over items": (head(linear(3, 4), nn.Softmax(0)), "along axis 0"),
    "softmax twice": (head(linear(3, 4), nn.Softmax(1), nn.Softmax(1)), "after softmax"),
    "GELU in the head": (head(nn.GELU(), linear(3, 4)), r"layer `4` \(GELU\) has no place in the head.*cut"),
    "ends with ReLU": (head(linear(3, 4), nn.ReLU()), "ends with ReLU"),
    "linear only": (lambda: nn.Sequential(nn.Flatten(), linear(144, 4)), "no private part"),
    "wrong size": (lambda: nn.Sequential(nn.Flatten(), linear(100, 8)), "reads 100 numbers but gets 144"),
    "other classes": (lambda: nn.Sequential(nn.Flatten(), linear(144, 8), Square(), linear(8, 7)), "7 logits and label `character` has 4 classes"),
    "infinite weights": (usual(lambda s, x: s.p(x) * float("inf")), "not finite"),
    "two inputs": (lambda: TwoInputs(), "second input"),
    "script": (scripted, "script"),
    "branch on values": (branching, "cannot be traced"),
    "no module": (lambda: lambda x: x, "of type function"),
}


class TwoInputs(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * y


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_named(name: str, data: hl.Dataset, tell: Callable[[str], None]) -> None:
    torch.manual_seed(1)
    make, message = REFUSED[name]
    with pytest.raises(ImportFailed, match=message) as refused:
        ht.load(make(), data, main="character")
    tell(f"torch, {name}: refused, {str(refused.value)[:100]}")


def test_any_head_runs_after_a_cut(data: hl.Dataset, test: hl.Dataset) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 4, stride=4), Square(), nn.Flatten(), linear(18, 3), nn.GELU(), nn.LayerNorm(3), linear(3, 5))
    parts = ht.cut(model, data, left=7, combine=8, main="character")
    assert parts.difference < 1e-9 and parts.compiled.width == 3
    with torch.no_grad():
        expected = model(torch.tensor(np.round(test.images[:200] / 17) / 15).float()[:, None]).numpy()
    found = parts.run(test[:200])
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
    authority = hl.setup(parts.compiled)
    ciphertexts = hl.encrypt(authority.parameters, test, items=[3, 4])
    assert np.array_equal(parts.predict(authority.issue(parts.compiled), ciphertexts), parts.run(test[[3, 4]]))
    with pytest.raises(ImportFailed, match="also reads the input"):
        ht.cut(Of(lambda s, x: s.d(s.p(x.flatten(1)) ** 2).tanh() + x.flatten(1)[:, :4], p=linear(144, 5), d=linear(5, 4)), data)
