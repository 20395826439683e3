# %% [markdown]
# # What does an audit look at?
#
# *One number from one attacker is not an audit.*

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data, test = hl.draw(int(40_000 * SCALE), seed=1), hl.draw(int(5_000 * SCALE), seed=2)
attack = hl.draw(int(20_000 * SCALE), seed=3)
steps = max(60, int(800 * SCALE))
network = hl.train(data, test, collateral="font", steps=steps, batch=min(1000, len(data) // 4))
report = hl.audit(network, attack, test, families="quick" if SCALE >= 1 else ["logistic", "qda", "knn-15", "forest-5"])
report.strongest

# %% [markdown]
# **Many families**: each sees something else, and the strongest is chosen on items held out from training.

# %%
for attacker in report.attackers:
    if attacker["scope"] == "pooled":
        print(f"{attacker['family']:12} {attacker['accuracy']:5.1f} % ({attacker['low']:.1f} to {attacker['high']:.1f}), "
              f"{attacker['bits']:.3f} bits")

# %%
pooled = [attacker for attacker in report.attackers if attacker["scope"] == "pooled"]
shown = np.array([[attacker["accuracy"], attacker["low"], attacker["high"]] for attacker in pooled])
figure, axis = plt.subplots(figsize=(6, 0.3 * len(pooled) + 1))
places = np.arange(len(pooled))
axis.errorbar(shown[:, 0], places, xerr=[shown[:, 0] - shown[:, 1], shown[:, 2] - shown[:, 0]], fmt="o")
axis.axvline(report.strongest_pooled.chance, color="grey", ls=":", label="chance, without outputs")
axis.set(yticks=places, yticklabels=[attacker["family"] for attacker in pooled], xlabel="right about the font, %, with 95 % intervals")
axis.legend()
plt.show()

# %% [markdown]
# **Within a class**: an average over digits hides the digit that tells most. The report chooses attacker and digit on
# items apart from the test; the largest of many figures of the test would be large by chance.

# %%
print(report.strongest_class)
print(f"pooled {report.strongest_pooled.accuracy:.1f} %")

# %% [markdown]
# **Over many items** of one subject: small leaks add up.

# %%
for vote in report.vote:
    print(f"from {vote['k']:3} items: {vote['accuracy']:.1f} % ({vote['low']:.1f} to {vote['high']:.1f})")

# %%
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6, 3))
items = [vote["k"] for vote in report.vote]
axis.fill_between(items, [vote["low"] for vote in report.vote], [vote["high"] for vote in report.vote], alpha=0.25)
axis.plot(items, [vote["accuracy"] for vote in report.vote], "o-")
axis.axhline(50, color="grey", linewidth=0.8)
axis.set(xscale="log", xlabel="items of one subject", ylabel="font right, %")
plt.show()

# %%
print("with shuffled labels the same procedure finds", report.floor)
report

# %% [markdown]
# **Labels that nobody listed**: whatever else is known of the items. Here it is the amount of ink. Intervals hold for
# all attributes at once.

# %%
def inked(drawn):
    ink = drawn.images.reshape(len(drawn), -1).mean(axis=1)
    return {"font": drawn.labels("font"), "ink": np.where(ink > ink_of_training, "much", "little")}


ink_of_training = np.median(data.images.reshape(len(data), -1).mean(axis=1))
sides = [(network.outputs(drawn), drawn.labels("character"), inked(drawn)) for drawn in (attack, test)]
for found in [both := hl.audit(None, *sides, families=["qda", "forest-5"], control=False, vote=[]), *both.attributes]:
    print(found.to_dict()["attribute"], found.strongest_pooled)

# %% [markdown]
# **To take away**: `report.save("report.html")` for people, `report.to_json()` for an authority's policy. An audit
# measures named attributes and known attackers; it is no proof.
