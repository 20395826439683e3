# %% [markdown]
# # Do I get the paper's numbers?
#
# *Ryffel et al. 2019 report digits, fonts and milliseconds. Here they are computed again, table by table.*

# %%
import os

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data, test = hl.draw(int(60_000 * SCALE), seed=1), hl.draw(int(10_000 * SCALE), seed=2)
attack = hl.draw(int(20_000 * SCALE), seed=3)
epochs = [10, 50, 0] if SCALE >= 1 else [1, 1, 0]

# %% [markdown]
# ## Collateral learning (their section 5)
#
# Their network: 40 squares, a head of one hidden layer of 32, batches of 64, plain SGD. Their defence: α = 1.7, one
# CNN as adversary. Their poster: digit 98.6 %, font 93.5 % without defence; digit 98.4 %, font 55.3 % (CNN) and
# 58.9 % (the best of scikit-learn's) with it; guessing gives 10 and 50 %.

# %%
families = ["logistic", "knn-15", "forest-5"] if SCALE < 1 else "quick"
for name, defence, options in [
    ("undefended", "paper", {"epochs": [sum(epochs), 0, 0], "adversaries": [{"feedforward": [8]}]}),
    ("defended", "paper", {"epochs": epochs, "adversaries": [{"feedforward": [64, 32]}] if SCALE < 1 else ["convolutional"]}),
]:
    network = hl.train(data, test, collateral="font", preset="paper", defence=defence, defence_options=options)
    report = hl.audit(network, attack, test, families=families, vote=[1], control=False)
    print(f"{name:11} digits {network.accuracy(test):.2f} %, font {report.strongest_pooled}")

# %%
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6, 2.5))
pooled = [attacker for attacker in report.attackers if attacker["scope"] == "pooled"]
axis.barh([attacker["family"] for attacker in pooled], [attacker["accuracy"] for attacker in pooled], label="fresh attackers, here")
axis.axvline(58.9, linestyle="--", color="black", label="their best attacker")
axis.axvline(50, linestyle=":", color="black", label="guessing")
axis.set_xlabel("font of the defended network, %")
axis.legend(loc="lower left")
plt.show()

# %% [markdown]
# ## Times (their table 2)
#
# `halflight bench --explain` prints the paper's shape (784 inputs, 10 outputs) next to the paper's figures, on this
# machine. **To take away**: `preset="paper"` is their network; where our attackers find more than theirs did, it is
# because there are more of them, and they are trained anew.
