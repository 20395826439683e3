# %% [markdown]
# # Can I beat a certificate?
#
# *It says that no attacker is right more often than so. I try.*

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
characters = "01"
data = hl.draw(max(1_500, int(20_000 * SCALE)), seed=1, characters=characters, size=16, em=12.0)
network = hl.train(data, collateral="font", units=16, outputs=2, steps=max(100, int(600 * SCALE)), batch=400)
noisy = hl.compile(network, data, steps=max(20, int(200 * SCALE)), noise=1.0)
print(noisy)

# %% [markdown]
# ## The bound
#
# Over items that nothing was trained on. It holds for every attacker, with the confidence that it names.

# %%
certificate = hl.certify(noisy, draw=max(1_500, int(20_000 * SCALE)), seed=11)
print(certificate)
for assumption in certificate.assumptions:
    print("-", assumption)

# %% [markdown]
# ## The attempts
#
# Every family of the quick panel, with items of its own to learn from.

# %%
attack = hl.draw(max(1_500, int(20_000 * SCALE)), seed=12, characters=characters, size=16, em=12.0)
test = hl.draw(1_000, seed=13, characters=characters, size=16, em=12.0)
families = ["logistic", "qda", "knn-15", "forest-5"] if SCALE < 1 else hl.families("quick")
reached = {}
for family in families:
    attacker = hl.Attacker(family).fit(noisy.evaluate(attack), attack.labels("font"), attack.labels("character"))
    share = 100 * attacker.score(noisy.evaluate(test), test.labels("font"), test.labels("character"))
    reached[family] = share
    print(f"{family:12} {share:5.1f} %")
best, deviation = max(reached.values()), 100 * np.sqrt(0.25 / len(test))
print(f"bound {certificate.bound:.1f} %, best attempt {best:.1f} %, give or take {deviation:.1f}")
assert best <= certificate.bound + 4 * deviation

# %%
figure, axis = plt.subplots(figsize=(6, 3))
axis.bar(list(reached), list(reached.values()), yerr=2 * deviation)
axis.axhline(certificate.bound, color="black", label="certificate: no attacker is above")
axis.axhline(50, color="grey", ls=":", label="chance")
axis.set(ylabel="right about the font, %", ylim=(40, 101))
axis.tick_params(axis="x", rotation=45)
axis.legend()
plt.show()

# %% [markdown]
# ## What it does not promise
#
# Fifty encryptions of one item are fifty items of one subject: the bound for one says nothing of them, since whoever
# averages takes the noise away.

# %%
averaged = np.mean([noisy.evaluate(test) for _ in range(50)], axis=0)
quiet = np.mean([noisy.evaluate(attack) for _ in range(50)], axis=0)
attacker = hl.Attacker("forest-5").fit(quiet, attack.labels("font"), attack.labels("character"))
share = 100 * attacker.score(averaged, test.labels("font"), test.labels("character"))
print(f"from 50 encryptions of each item: {share:.1f} %, against {certificate.votes} for items of one subject")

# %% [markdown]
# **To take away**: attempts end below the bound, as they must. Whoever sees one item many times is outside its
# assumptions. Count what you send of one subject.
