# %% [markdown]
# # How long does one encrypted prediction take, here?
#
# *Numbers from someone else's machine do not help me.*

# %%
import os
import time

import numpy as np

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
data, test = hl.draw(int(40_000 * SCALE), seed=1), hl.draw(int(2_000 * SCALE), seed=2)
pooling, units = (1, 64) if SCALE >= 1 else (4, 12)
network = hl.train(
    data, test, units=units, encoder={"pooling": pooling}, steps=max(60, int(800 * SCALE)), batch=min(1000, len(data) // 4)
)
compiled = hl.compile(network, data, steps=max(40, int(400 * SCALE)))
compiled

# %%
clock = []


def timed(name, call):
    start = time.perf_counter()
    result = call()
    clock.append((name, 1000 * (time.perf_counter() - start)))
    return result


authority = timed("setup", lambda: hl.setup(compiled))
key = timed("issue", lambda: authority.issue(compiled))
timed("first encryption, with tables", lambda: hl.encrypt(authority.parameters, test, items=[0]))
ciphertexts = timed("encrypt, 5 items", lambda: hl.encrypt(authority.parameters, test, items=slice(5)))
predictor = timed("discrete-log table", lambda: hl.Predictor(key, compiled))
outputs = timed("evaluate, 5 items", lambda: predictor.evaluate(ciphertexts))
for name, milliseconds in clock:
    print(f"{name:30} {milliseconds:9.1f} ms")
print(f"a ciphertext has {len(ciphertexts[0].to_bytes()):,} bytes, compressed {len(ciphertexts[0].to_bytes(True)):,}")

# %%
assert np.array_equal(outputs, compiled.evaluate(test[:5]))
found = predictor.predict(ciphertexts)
print("predicted", found.labels, "true", [test.classes("character")[c] for c in test.labels("character")[:5]])

# %%
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6, 2.5))
axis.barh([name for name, _ in clock][::-1], [milliseconds for _, milliseconds in clock][::-1])
axis.set_xscale("log")
axis.set_xlabel("ms")
plt.show()

# %% [markdown]
# **To take away**: keep the `Parameters` and the `Predictor` objects: tables are built once. For every operation in
# milliseconds and field multiplications, next to the paper's, run `halflight bench --explain`.
