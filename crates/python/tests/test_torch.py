"""PyTorch: parity with the library's own training, reading, fine-tuning in integers, end to end."""

from __future__ import annotations

import json
import math
import pathlib

import numpy as np
import pytest

import halflight as hl
from halflight.errors import ImportFailed

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import halflight.torch as ht  # noqa: E402
from halflight.torch.modules import straight  # noqa: E402
from halflight.torch.rounding import levels  # noqa: E402

#: The vectors that the Rust losses and gradients are tested with.
VECTORS = json.loads((pathlib.Path(__file__).parents[2] / "training/tests/vectors/parity.json").read_text())


def pattern(seed: float, *shape: int, scale: float = 1.0) -> torch.Tensor:
    values = [scale * math.sin(seed + 0.7 * index) for index in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float32).double().reshape(shape)


@pytest.mark.parametrize("case", VECTORS["networks"], ids=lambda case: f"{case['kind']}-{case['normalised']}")
def test_the_private_part_has_the_values_and_gradients_of_the_rust_one(case: dict) -> None:
    layer = ht.PrivateQuadratic(5, outputs=3, units=4, kind=case["kind"]).double()
    projections = [("left", 2.0, layer.left), ("right", 3.0, layer.right)]
    with torch.no_grad():
        for _, seed, projection in projections:
            if projection is not None:
                whole = pattern(seed, 6, 4, scale=0.6)
                projection.bias.copy_(whole[0])
                projection.weight.copy_(whole[1:].T)
        layer.combine.weight.copy_(pattern(4.0, 4, 3, scale=0.8).T)
    q = layer(pattern(1.0, 6, 5))
    if case["normalised"]:
        q = nn.functional.batch_norm(q, None, None, training=True)
    assert np.allclose(q.detach().numpy().ravel(), case["q"], atol=1e-7)
    hidden = torch.relu(q @ pattern(5.0, 3, 7) + pattern(6.0, 7))
    loss = nn.functional.cross_entropy(hidden @ pattern(7.0, 7, 4) + pattern(8.0, 4), torch.tensor([0, 1, 2, 3, 1, 2]))
    loss.backward()
    assert loss.item() == pytest.approx(case["loss"], abs=1e-7)
    for name, _, projection in projections:
        if projection is not None:
            found = torch.cat([projection.bias.grad[None], projection.weight.grad.T]).numpy().ravel()
            assert np.allclose(found, case["gradients"][name], atol=1e-6), name
    assert np.allclose(layer.combine.weight.grad.T.numpy().ravel(), case["gradients"]["combine"], atol=1e-6)


@pytest.mark.parametrize("case", VECTORS["matching"], ids=lambda case: f"{case['values']}-{case['paired']}-{case['whiten']}")
def test_matching_has_the_values_and_gradients_of_the_rust_one(case: dict) -> None:
    values, paired, items = case["values"], case["paired"], case["items"]
    q = pattern(40.0, 2 * values * items, 3, scale=1.3).requires_grad_()
    main = torch.arange(2).repeat_interleave(values * items)
    collateral = torch.arange(values).repeat_interleave(items).repeat(2)
    matching = ht.Matching(weight=1.0, scales=4, pairing=0.3, whiten=case["whiten"], paired=paired)
    loss = matching(q, main, collateral)
    loss.backward()
    expected = case["mmd"] + (0.3 * case["pairing"] if paired else 0.0)
    assert loss.item() == pytest.approx(expected, abs=1e-6)
    assert np.allclose(q.grad.numpy().ravel(), case["gradient"], atol=1e-6)
    # The order of the rows of different cells does not matter.
    turned = torch.arange(len(q)).reshape(-1, items).flip(0).ravel()
    again = matching(q[turned], main[turned], collateral[turned])
    assert again.item() == pytest.approx(expected, abs=1e-7)


def test_matching_of_one_value_is_nothing() -> None:
    q = pattern(1.0, 10, 2)
    assert ht.Matching()(q, torch.zeros(10), torch.zeros(10)).item() == 0.0
    with pytest.raises(ValueError, match="two items"):
        ht.Matching()(q, torch.zeros(10), torch.arange(10))


def test_sabotage_losses_are_what_they_say() -> None:
    logits, adversary = pattern(1.0, 6, 3), pattern(2.0, 6, 2)
    main, collateral = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([0, 1, 0, 1, 0, 1])
    cross_entropy = nn.functional.cross_entropy
    paper = ht.sabotage_loss(logits, main, [adversary, adversary], collateral, weight=2.0)
    assert paper.item() == pytest.approx((cross_entropy(logits, main) - 2 * cross_entropy(adversary, collateral)).item())
    silent = ht.sabotage_loss(logits, main, [torch.zeros(6, 2)], collateral, weight=1.0, kind="maxent")
    assert silent.item() == pytest.approx(cross_entropy(logits, main).item() + math.log(2))
    with pytest.raises(ValueError, match="choose"):
        ht.sabotage_loss(logits, main, [], collateral, kind="hope")


class Plain(nn.Module):
    """As a script would write it, without this project."""

    def __init__(self, bilinear: bool) -> None:
        super().__init__()
        self.p, self.r = nn.Linear(144, 10), nn.Linear(144, 10)
        self.d, self.norm = nn.Linear(10, 4), nn.BatchNorm1d(4)
        self.head = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 4))
        self.bilinear = bilinear

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x.view(x.size(0), -1) - 0.2) / 0.4
        units = self.p(x) * self.r(x) if self.bilinear else self.p(x) ** 2
        return torch.log_softmax(self.head(self.norm(self.d(units))), dim=1)


def pixels(data: hl.Dataset) -> torch.Tensor:
    return torch.tensor(data.images / 255).float()


def fitted(model: nn.Module, data: hl.Dataset, steps: int = 150) -> nn.Module:
    torch.manual_seed(1)
    x, y = pixels(data), torch.tensor(data.labels("character"))
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        batch = torch.randint(len(x), (200,))
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


@pytest.mark.parametrize("bilinear", [False, True])
def test_a_plain_model_goes_end_to_end(bilinear: bool, data: hl.Dataset, test: hl.Dataset) -> None:
    torch.manual_seed(0)
    model = fitted(Plain(bilinear), data)
    network = ht.load(model, data, main="character", collateral=["font"])
    with torch.no_grad():
        logits = model.eval()(pixels(test))
    assert np.allclose(network.predict_proba(test), logits.softmax(1).numpy(), atol=1e-3)
    assert network.record["options"]["kind"] == ("bilinear" if bilinear else "squares")
    compiled = hl.compile(network, data, precision={"input": 4}, steps=60, batch=300)
    share = 100 * (logits.argmax(1).numpy() == test.labels("character")).mean()
    assert share > 70 and compiled.accuracy(test) > share - 10
    authority = hl.setup(compiled)
    found = hl.predict(authority.issue(compiled), compiled, hl.encrypt(authority.parameters, test, items=slice(2)))
    assert np.array_equal(found.outputs, compiled.evaluate(test[:2]))


def test_fine_tuning_reads_what_the_integers_are(data: hl.Dataset, test: hl.Dataset) -> None:
    torch.manual_seed(0)
    encoder = hl.Encoder.fit(data, bits=4, pooling=2, right=20)
    layer = ht.PrivateQuadratic(encoder.inputs[0] - 1, outputs=3, units=8, right=encoder.right)
    layer.quantise(encoder, data, left=3, right=4, combine=5)
    z = levels(encoder, test)
    before, scale = layer.left.weight.detach().clone(), layer.scales["left"].detach().clone()
    loss = layer(z).square().mean()
    loss.backward()
    torch.optim.SGD(layer.parameters(), lr=1e-2).step()
    assert layer.left.weight.grad.abs().sum() > 0 and not torch.equal(before, layer.left.weight)
    assert not torch.equal(scale, layer.scales["left"])
    whole = ht.to_integers(layer)
    assert np.abs(whole.P[:, 1:]).max() <= 3 and np.abs(whole.R[:, 1:]).max() <= 7 and np.abs(whole.D).max() <= 15
    compiled = whole.compiled(encoder, "character", None)
    q = layer(z).detach().numpy()
    assert np.allclose(whole.worth * compiled.evaluate(test), q, atol=2e-3 * np.abs(q).max())


def test_scales_learn_by_what_rounding_leaves() -> None:
    """A rounded weight q = s·round(w/s) changes by q − w with ln s, a clipped one by q."""
    values = torch.tensor([0.3, 1.2, -9.0])
    logarithm = torch.tensor(0.5).log().requires_grad_()
    rounded = straight(values, logarithm.exp(), 3)
    assert torch.allclose(rounded, torch.tensor([0.5, 1.0, -1.5]))
    (gradient,) = torch.autograd.grad(rounded @ torch.tensor([1.0, 10.0, 100.0]), logarithm)
    assert torch.isclose(gradient, torch.tensor((0.5 - 0.3) + 10 * (1.0 - 1.2) + 100 * -1.5))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 4)], r"layer `2` \(ReLU\) comes before"),
        ([nn.Conv2d(1, 4, 3), nn.Flatten()], "has no private part"),
        ([nn.Flatten(), nn.Linear(100, 8)], "reads 100 numbers but gets 144"),
        ([nn.Flatten(), nn.Linear(144, 4)], "has no private part"),
        ([ht.PrivateQuadratic(144, 4), nn.ReLU()], "ends with ReLU"),
        ([ht.PrivateQuadratic(144, 7)], "7 logits and label `character` has 4 classes"),
        ([ht.PrivateQuadratic(144, 4), nn.Softmax(1), nn.Linear(4, 4)], "after softmax"),
    ],
)
def test_what_does_not_fit_is_named(layers: list[nn.Module], message: str, data: hl.Dataset) -> None:
    with pytest.raises(ImportFailed, match=message):
        ht.load(nn.Sequential(*layers), data, main="character")


def test_operations_that_do_not_fit_are_named(data: hl.Dataset) -> None:
    class Cubed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.p, self.d = nn.Linear(144, 8), nn.Linear(8, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            p = self.p(x.flatten(1))
            return self.d(p * p * p)

    with pytest.raises(ImportFailed, match="more than two projections"):
        ht.load(Cubed(), data, main="character")

    class Branching(Cubed):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.d(self.p(x) ** 2) if x.sum() > 0 else x

    with pytest.raises(ImportFailed, match="cannot be traced"):
        ht.load(Branching(), data, main="character")
