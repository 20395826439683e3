# %% [markdown]
# # Can someone read the font from four numbers?
#
# *The predictor sees only `output(x)`, four integers from which the digit follows. Is the rest safe?*

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data, test = hl.draw(int(40_000 * SCALE), seed=1), hl.draw(int(5_000 * SCALE), seed=2)
steps = max(60, int(800 * SCALE))
network = hl.train(data, test, collateral="font", steps=steps, batch=min(1000, len(data) // 4))
print(f"digits: {network.accuracy(test):.2f} %")

# %% [markdown]
# The font was never asked for. An attacker with labelled outputs of his own learns it all the same:

# %%
mine = hl.draw(int(20_000 * SCALE), seed=3)
attacker = hl.Attacker("forest-5").fit(network.outputs(mine), mine.labels("font"), mine.labels("character"))
share = attacker.score(network.outputs(test), test.labels("font"), test.labels("character"))
print(f"the font of {100 * share:.1f} % of the images; guessing gives 50 %")

# %%
outputs, digit, font = network.outputs(test), test.labels("character"), test.labels("font")
of_class = digit == 4
figure, axes = plt.subplots(1, 2, figsize=(9, 4))
axes[0].scatter(outputs[:, 0], outputs[:, 1], c=digit, s=3, cmap="tab10")
axes[0].set_title("two outputs, coloured by digit")
axes[1].scatter(outputs[of_class, 0], outputs[of_class, 1], c=font[of_class], s=6, cmap="coolwarm")
axes[1].set_title("the digit 4, coloured by font")
plt.show()

# %% [markdown]
# **To take away**: outputs that predict one thing well carry others along. `hl.Attacker(family)` follows
# scikit-learn, so that `cross_val_score` and your own attackers work on `network.outputs(data)` too.
