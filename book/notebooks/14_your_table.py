# %% [markdown]
# # From a table of my own to an encrypted prediction
#
# *I have a pandas table and a column to predict. What do I write?*

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
rng = np.random.default_rng(1)
count = max(400, int(4_000 * SCALE))
frame = pd.DataFrame(
    {
        "age": rng.integers(18, 90, count),
        "smokes": rng.choice(["yes", "no"], count),
        "ward": pd.Categorical(rng.choice(["north", "south", "east"], count)),
        "pressure": rng.normal(120, 15, count).round(1),
    }
)
risk = (frame["age"] - 55) / 20 + (frame["smokes"] == "yes") + (frame["pressure"] - 120) / 15
label = np.where(risk + rng.normal(0, 0.4, count) > 0.5, "refer", "wait")
train, test = frame[: count * 3 // 4], frame[count * 3 // 4 :]
frame.head()

# %% [markdown]
# ## Fit
#
# Numbers are scaled by their range, categories get one input each. What was learned of the columns is kept.

# %%
model = hl.PrivateClassifier(units=16, outputs=2, steps=max(150, int(600 * SCALE)), compile_steps=60)
model.fit(train, label[: len(train)])
print(f"right on the rest: {100 * model.score(test, label[len(train):]):.1f} %")
list(model.scaler_.get_feature_names_out())

# %% [markdown]
# ## Keys, and an owner who encrypts
#
# The owner has the public parameters and the scaler. Nothing that the owner holds can decrypt.

# %%
parameters = model.setup()
scaler = hl.TableScaler.from_json(model.scaler_.to_json())
ciphertexts = hl.encrypt(parameters, scaler.transform(test[:5]))
print(len(ciphertexts[0].to_bytes()), "bytes each")

# %% [markdown]
# ## What the predictor learns
#
# Two integers an item, and the class that they give.

# %%
found = model.predict_encrypted(ciphertexts)
assert np.array_equal(found, model.predict(test[:5]))
print(found)
model.transform(test[:5])

# %%
opened, truth = model.transform(test), label[len(train) :]
figure, axis = plt.subplots(figsize=(4.5, 4))
for value in model.classes_:
    axis.scatter(*opened[truth == value].T, s=8, alpha=0.6, label=value)
axis.set(xlabel="output 0", ylabel="output 1", title="all that is opened of each patient")
axis.legend()
plt.show()

# %% [markdown]
# ## What the two integers say of the ward
#
# The ward decides nothing here, and yet a network that nobody told to keep it gives some of it away: an attacker who
# learned from the outputs of others reads it better than by guessing.

# %%
half = len(train) // 2
attacker = hl.Attacker("forest-5").fit(model.transform(train[:half]), train["ward"].to_numpy()[:half])
share = attacker.score(model.transform(train[half:]), train["ward"].to_numpy()[half:])
print(f"ward: {100 * share:.1f} %, guessing gives about {100 / 3:.0f} %")

# %% [markdown]
# **To take away**: `fit`, `setup`, `encrypt`, `predict_encrypted`. Audit what may not be told before keys leave; tutorial
# 7 says how.
