# %% [markdown]
# # How do I get to integers without losing accuracy?
#
# *Encryption computes with integers, and a discrete logarithm has to find every output.*

# %%
import os

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data, test = hl.draw(int(40_000 * SCALE), seed=1), hl.draw(int(5_000 * SCALE), seed=2)
network = hl.train(data, test, steps=max(60, int(800 * SCALE)), batch=min(1000, len(data) // 4))
print(f"in floats: {network.accuracy(test):.2f} %")

# %%
rows = []
for bits in (2, 3, 4, 6):
    for steps in (0, max(40, int(400 * SCALE))):
        precision = {"left": bits, "right": bits, "combine": bits + 1}
        # Nothing is encrypted here, so that outputs may be wider than a table finds quickly.
        compiled = hl.compile(network, data, steps=steps, precision=precision, log_bits=48)
        width = max(output["bits"] for output in compiled.report["outputs"])
        rows.append((bits, steps, compiled.accuracy(test), width, compiled.report["zeros"]))
        print("%d bits, %3d steps: %.2f %%, outputs of %.1f bits, %.0f %% zeros" % rows[-1])

# %% [markdown]
# Rounding alone is steps = 0. Fine-tuning reads the rounded weights and moves the floats from which they come.
# Every output has a proved range: no encoded input can leave it, so no logarithm fails.

# %%
for (low, high), output in zip(compiled.exact_bounds, compiled.report["outputs"]):
    print(f"{low} to {high}; on the data {output['empirical'][0]} to {output['empirical'][1]}")

# %%
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6, 3))
for tuned in sorted({steps for _, steps, *_ in rows}):
    points = [(bits, accuracy) for bits, steps, accuracy, *_ in rows if steps == tuned]
    axis.plot(*zip(*points), "o-", label=f"{tuned} steps" if tuned else "rounded only")
axis.set_xlabel("bits of P and R")
axis.set_ylabel("digits right, %")
axis.legend()
plt.show()

# %% [markdown]
# **To take away**: the defaults (4, 4 and 5 bits) rarely need a change; raise `steps` before you raise bits, and
# audit again: rounding changes what leaks.
