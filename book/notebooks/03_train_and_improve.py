# %% [markdown]
# # How good can a network of squares and products be?
#
# *Only sums and one product can run under encryption. What does that cost me?*

# %%
import os

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data, test = hl.draw(int(40_000 * SCALE), seed=1), hl.draw(int(5_000 * SCALE), seed=2)


def accuracy(**options):
    steps = max(60, int(800 * SCALE))
    network = hl.train(data, test, steps=steps, batch=min(1000, len(data) // 4), **options)
    return network.accuracy(test)


# %% [markdown]
# The paper uses squares, `(P·z)²`. Two different projections for each unit cost exactly the same pairings:

# %%
rows = [
    ("squares, 16 units", accuracy(kind="squares", units=16)),
    ("products, 16 units", accuracy(kind="bilinear", units=16)),
    ("products, 64 units", accuracy(kind="bilinear", units=64)),
]
for name, percent in rows:
    print(f"{name:20} {percent:6.2f} %")

# %% [markdown]
# What a unit costs under encryption is two pairings; what an input costs is paid by every owner. Fewer inputs:

# %%
for name, encoder in [("every pixel", {}), ("pooled 2×2", {"pooling": 2}), ("pooled 4×4", {"pooling": 4})]:
    n, m = hl.Encoder.fit(data, **encoder).inputs
    print(f"{name:12} n = {n:4}, {accuracy(units=32, encoder=encoder):6.2f} %")

# %%
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6, 1.8))
axis.barh([name for name, _ in rows], [percent for _, percent in rows])
axis.set_xlabel("digits right, %")
plt.show()

# %% [markdown]
# **To take away**: start from `kind="bilinear"` and pool as far as the accuracy holds. Options not given come from
# the preset: `preset="thorough"` with 240,000 pairs is the best recipe known.
