# %% [markdown]
# # I trained against an adversary. Am I safe?
#
# *During training my simulated adversary fell to chance. What does that prove?*

# %%
import os

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data, test = hl.draw(int(10_000 * SCALE), seed=1), hl.draw(int(3_000 * SCALE), seed=2)
attack = hl.draw(int(10_000 * SCALE), seed=3)
epochs = [2, 6, 0] if SCALE >= 1 else [1, 1, 0]

# %% [markdown]
# The paper's loss is `L_digit − α·L_font` against one simulated adversary. The training reports that adversary's
# loss; we keep the last messages.

# %%
messages = []
network = hl.train(
    data,
    test,
    collateral="font",
    defence="paper",
    defence_options={"epochs": epochs, "adversaries": [{"feedforward": [64, 32]}], "rate": 0.02},
    batch=100,
    progress=lambda done, total, message: messages.append(message),
)
print("at the end of training:", messages[-1], "(an adversary that guesses has loss 0.693)")
print(f"digits: {network.accuracy(test):.2f} %")

# %%
report = hl.audit(network, attack, test, families="quick", vote=[1, 20], control=True)
print("fresh attackers:", report.strongest)
print("the floor of the procedure, on shuffled labels:", report.floor)

# %%
import matplotlib.pyplot as plt

pooled = [attacker for attacker in report.attackers if attacker["scope"] == "pooled"]
figure, axis = plt.subplots(figsize=(6, 3))
accuracies = [attacker["accuracy"] for attacker in pooled]
around = [[attacker["accuracy"] - attacker["low"] for attacker in pooled], [a["high"] - a["accuracy"] for a in pooled]]
axis.errorbar(accuracies, [attacker["family"] for attacker in pooled], xerr=around, fmt="o")
axis.axvline(50, linestyle=":", color="black")
axis.set_xlabel("font read by fresh attackers, % (95 %)")
plt.show()

# %% [markdown]
# The adversary of training chases a network that runs away from it; a fresh attacker has time, and other families
# see what it did not. **To take away**: the accuracy of the adversary used in training is never evidence of
# privacy. Audit with fresh attackers of many families, and quote the number of items they learned from.
