# %% [markdown]
# # How do I get data with two labels?
#
# *To see what a model gives away, I need to know more of each item than what the model predicts.*

# %%
import os

import numpy as np
from IPython.display import Image

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data = hl.draw(int(5_000 * SCALE), seed=1)
data

# %%
Image(data.sheet(columns=12, rows=8))

# %% [markdown]
# Every image has a `character` (what the service is for) and a `font` (which nobody should learn). The same random seed always
# gives the same set. `pairs=True` draws every distortion in each font, which the defence by matching uses.

# %%
pairs = hl.draw(int(1_000 * SCALE), seed=2, pairs=True)
first, second = pairs[0::2], pairs[1::2]
assert (first.labels("character") == second.labels("character")).all()
np.bincount(data.labels("character") * 2 + data.labels("font")).reshape(10, 2)

# %% [markdown]
# ## Your own arrays
#
# Images are uint8 `[N, H, W]`; labels are indices, strings, or indices with class names.

# %%
rng = np.random.default_rng(0)
mine = hl.Dataset(
    rng.integers(0, 256, (300, 16, 16), dtype=np.uint8),
    {"answer": rng.choice(["no", "yes"], 300), "speaker": rng.integers(0, 5, 300)},
    about={"source": "made here"},
)

# %% [markdown]
# Split by speaker: a network that has heard a voice in training is no judge of how it does on strangers.

# %%
held = mine.labels("speaker") == 4
train, test = mine[~held], mine[held]
assert not set(train.labels("speaker")) & set(test.labels("speaker"))
print(mine, "→", len(train), "and", len(test), "of a speaker of their own")

# %% [markdown]
# **To take away**: `data.save("mine.safetensors")` writes a file that the `halflight` command, numpy and PyTorch
# open. `data.split` draws at random: where one person has several items, split by person, as above.
