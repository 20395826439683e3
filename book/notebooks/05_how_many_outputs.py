# %% [markdown]
# # How many outputs should I open?
#
# *Every output is a number that the predictor learns about every item.*

# %%
import os

import matplotlib.pyplot as plt

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data, test = hl.draw(int(40_000 * SCALE), seed=1), hl.draw(int(5_000 * SCALE), seed=2)
attack = hl.draw(int(10_000 * SCALE), seed=3)
steps = max(60, int(800 * SCALE))

rows = []
for outputs in (1, 2, 4, 8):
    network = hl.train(data, test, collateral="font", outputs=outputs, steps=steps, batch=min(1000, len(data) // 4))
    report = hl.audit(network, attack, test, families=["logistic", "qda", "knn-15"], vote=[], control=False)
    rows.append((outputs, network.accuracy(test), report.strongest_pooled.accuracy))
    print("S = %d: digits %.2f %%, font %.1f %%" % rows[-1])

# %%
figure, axis = plt.subplots(figsize=(6, 3.5))
axis.plot([r[0] for r in rows], [r[1] for r in rows], "o-", label="digit, wanted")
axis.plot([r[0] for r in rows], [r[2] for r in rows], "s--", label="font, strongest attacker")
axis.set_xlabel("outputs S")
axis.set_ylabel("accuracy, %")
axis.legend()
plt.show()

# %% [markdown]
# **To take away**: choose the least S whose accuracy you can live with; each output also costs a discrete
# logarithm and a dimension of what your keys open (`hl.open_rank`).
