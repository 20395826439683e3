# %% [markdown]
# # Can I bring my own PyTorch model?
#
# *I have a training loop and do not want another.*

# %%
import os

import numpy as np
import torch
from torch import nn

import halflight as hl
import halflight.torch

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
torch.manual_seed(0)
data = hl.draw(int(20_000 * SCALE), seed=1, size=14, em=9.7, elastic_alpha=17.0)
test = hl.draw(int(2_000 * SCALE), seed=2, size=14, em=9.7, elastic_alpha=17.0)

# %% [markdown]
# A plain script, with nothing of this project: pixels from 0 to 1, a linear layer, squares, a linear layer, a head.

# %%


class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(14 * 14, 24)
        self.combine = nn.Linear(24, 6)
        self.norm = nn.BatchNorm1d(6)
        self.head = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x):
        x = (x.flatten(1) - 0.1) / 0.3
        return self.head(self.norm(self.combine(self.project(x) ** 2)))


model = Mine()
x, y = torch.tensor(data.images / 255).float(), torch.tensor(data.labels("character"))
optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(max(150, int(600 * SCALE))):
    batch = torch.randint(len(x), (256,))
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
model.eval()
with torch.no_grad():
    logits = model(torch.tensor(test.images / 255).float())
print(f"in PyTorch: {100 * (logits.argmax(1).numpy() == test.labels('character')).mean():.2f} %")

# %% [markdown]
# Reading it: normalisations are folded in, and what does not fit is named.

# %%
network = hl.torch.load(model, data, main="character")
assert np.allclose(network.predict_proba(test), logits.softmax(1).numpy(), atol=1e-3)
try:
    hl.torch.load(nn.Sequential(nn.Flatten(), nn.Linear(196, 8), nn.ReLU(), nn.Linear(8, 10)), data, main="character")
except hl.HalflightError as error:
    print("refused:", error)

# %%
compiled = hl.compile(network, data, precision={"input": 4}, steps=max(40, int(400 * SCALE)))
print(f"in integers: {compiled.accuracy(test):.2f} %")
authority = hl.setup(compiled)
ciphertexts = hl.encrypt(authority.parameters, test, items=slice(3))
found = hl.predict(authority.issue(compiled), compiled, ciphertexts)
assert np.array_equal(found.outputs, compiled.evaluate(test[:3]))
print("under encryption:", found.labels, "equal to the integer network, output for output")

# %% [markdown]
# A defence in your own loop: add `hl.torch.Matching` to your loss.

# %%
matching = hl.torch.Matching(weight=1.0)
q = nn.functional.batch_norm(model.combine(model.project((x[:400].flatten(1) - 0.1) / 0.3) ** 2), None, None, training=True)
print("discrepancy of the outputs between the fonts:", float(matching(q, y[:400] * 0, torch.tensor(data.labels("font")[:400]))))

# %%
import matplotlib.pyplot as plt

seen, fonts = compiled.evaluate(test), test.labels("font")
figure, axis = plt.subplots(figsize=(4, 4))
for value, name in enumerate(test.classes("font")):
    axis.scatter(*seen[fonts == value, :2].T, s=4, label=name)
axis.set_xlabel("output 0, all that the predictor sees")
axis.set_ylabel("output 1")
axis.legend()
plt.show()

# %% [markdown]
# **To take away**: `hl.torch.load(model, data)`, then everything else of this package. ONNX files go through
# `halflight.onnx.load`, whose head runs in onnxruntime.
