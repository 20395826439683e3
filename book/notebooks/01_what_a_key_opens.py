# %% [markdown]
# # What does a functional key open?
#
# *I give someone a key and my encrypted data. What exactly will they know?*
#
# We make the smallest function that is worth a key, encrypt a picture of two pixels, and open it.

# %%
import matplotlib.pyplot as plt
import numpy as np

import halflight as hl

# Pixels 0 to 255 become levels 0 to 15; u = v = (1, level of pixel 0, level of pixel 1).
encoder = hl.Encoder.pixels(1, 2, bits=4)

# One output: (level0 + level1) · (level0 − level1).
P = np.array([[0, 1, 1]])
R = np.array([[0, 1, -1]])
D = np.array([[1]])
function = hl.CompiledNetwork.from_integers(P, R, D, encoder=encoder)
function, function.bounds

# %% [markdown]
# The authority draws keys and issues one for this function. The owner needs only what is public.

# %%
authority = hl.setup(encoder)
key = authority.issue(function)
secret = hl.Dataset(np.array([[[7 * 17, 3 * 17]]], dtype=np.uint8), {})
ciphertext = hl.encrypt(authority.parameters, secret)[0]
print(len(ciphertext.to_bytes()), "bytes, and without a key they say nothing")

# %%
output = hl.Predictor(key, function).evaluate([ciphertext])
print("opened:", output, "in the clear:", function.evaluate(secret))
assert np.array_equal(output, function.evaluate(secret))

# %% [markdown]
# (7 + 3)·(7 − 3) = 40, and that is all: the same key cannot distinguish 7 and 3 from other levels with this value.
# Here is what it gives for every picture of two pixels; those that open as 40 are marked.

# %%
levels = np.arange(16)
pictures = hl.Dataset(17 * np.stack(np.meshgrid(levels, levels), axis=-1).reshape(-1, 1, 2).astype(np.uint8), {})
values = function.evaluate(pictures).reshape(16, 16)
figure, axis = plt.subplots(figsize=(4.5, 4))
figure.colorbar(axis.imshow(values, origin="lower", cmap="RdBu"), label="opened")
rows, columns = np.nonzero(values == output[0, 0])
axis.plot(columns, rows, "ko", mfc="none")
axis.set(xlabel="level of pixel 0", ylabel="level of pixel 1", title=f"{len(rows)} pictures open as {output[0, 0]}")
plt.show()

# %% [markdown]
# But the key opens its function on *every* ciphertext of this public key, past and future, and keys add up. A second key
# for another function, in other hands, opens what the two say together:

# %%
other = hl.CompiledNetwork.from_integers(P, P, D, encoder=encoder)
print("one key opens", hl.open_rank([function]), "form; both together", hl.open_rank([function, other]))
a, b = (hl.Predictor(authority.issue(f), f).evaluate([ciphertext])[0, 0] for f in (function, other))
total = int(np.sqrt(b))
print("pooled: the levels are", (total + a // total) // 2, "and", (total - a // total) // 2)
assert (total + a // total) // 2 == 7

# %% [markdown]
# All 256 pictures at once: what one key says of each of them, and which share the value 40.

# %%
import matplotlib.pyplot as plt

levels = np.arange(256)
everything = hl.Dataset((17 * np.stack([levels // 16, levels % 16], axis=1)).astype(np.uint8).reshape(256, 1, 2), {})
opened = hl.Predictor(key, function).evaluate(hl.encrypt(authority.parameters, everything))[:, 0]
figure, axis = plt.subplots(figsize=(5, 4))
picture = axis.imshow(opened.reshape(16, 16), origin="lower", cmap="coolwarm")
alike = levels[opened == 40]
axis.scatter(alike % 16, alike // 16, s=110, facecolors="none", edgecolors="black")
axis.set(xlabel="level of the second pixel", ylabel="level of the first pixel", title="what the key opens; circles: 40")
figure.colorbar(picture)
plt.show()
assert len(alike) == 2

# %% [markdown]
# **To take away**: `hl.open_rank(networks)` before every issue. What counts is the rank of all forms that were ever
# issued under one public key, over all holders: see the chapter on the threat model.
