# %% [markdown]
# # How do I run it as a service?
#
# *Owners who send, a predictor that answers, and someone who decides what may be opened.*
#
# The servers are the `halflight` command (`cargo install --path crates/cli`; `HALFLIGHT` names another one).

# %%
import json
import os
import pathlib
import re
import subprocess
import tempfile

import matplotlib.pyplot as plt
import numpy as np

import halflight as hl

SCALE = float(os.environ.get("HALFLIGHT_SCALE", "1"))
HALFLIGHT = os.environ.get("HALFLIGHT", "halflight")
folder = pathlib.Path(tempfile.mkdtemp())


def halflight(*arguments):
    command = [HALFLIGHT, *map(str, arguments), "--json", "--quiet"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


data, test = hl.draw(int(20_000 * SCALE), seed=1), hl.draw(100, seed=2)
network = hl.train(data, test, units=16, encoder={"pooling": 4}, steps=max(60, int(600 * SCALE)), batch=min(500, len(data) // 4))
compiled = hl.compile(network, data, steps=max(40, int(300 * SCALE)))
compiled.save(folder / "compiled.safetensors")
test.save(folder / "test.safetensors")

# %% [markdown]
# ## The authority: a policy, and a ledger of everything it did
#
# The first policy allows this network and nothing else. `dry-run` says what a key would open, before anybody has it.

# %%
halflight("keygen", "--identity", "--out", "authority.identity")
authority = ["--folder", "authority", "--identity", "authority.identity"]
halflight("authority", "init", "--network", "compiled.safetensors", *authority)
print((folder / "authority" / "policy.toml").read_text())

# %%
halflight("authority", "issue", "--network", "compiled.safetensors", *authority, "--dry-run")

# %%
issued = halflight("authority", "issue", "--network", "compiled.safetensors", *authority, "--holder", "ward-3",
                   "--model", "models/digits")
issued

# %% [markdown]
# A network that the policy does not name gets no key.

# %%
other = hl.compile(network, data, steps=0, precision={"left": 6})
other.save(folder / "other.safetensors")
try:
    halflight("authority", "issue", "--network", "other.safetensors", *authority, "--out", "other.key")
except RuntimeError as refusal:
    print(refusal)
assert not (folder / "other.key").exists()

# %% [markdown]
# ## The predictor, and an owner who sends five items

# %%
server = subprocess.Popen(
    [HALFLIGHT, "serve", "predictor", "--models", "models", "--listen", "127.0.0.1:0", "--table-bits", "18"],
    cwd=folder, stderr=subprocess.PIPE, text=True,
)
address = next(found.group() for line in server.stderr if (found := re.search(r"http://[\d.:]+", line)))
try:
    sent = halflight("encrypt", "--url", address, "--model", "digits", "--pin", issued["pin"], "--data", "test.safetensors",
                     "--items", "0..5", "--client", "client")
finally:
    server.terminate()
    server.wait()
assert np.array_equal([result["output"] for result in sent["results"]], compiled.evaluate(test[:5]))
print("labels", [result["label"] for result in sent["results"]], "- as the network gives in the clear, output for output")
print("what the owner's counter says:", sent["odometer"])

# %%
import matplotlib.pyplot as plt

seen = np.array([result["output"] for result in sent["results"]], dtype=float)
figure, axes = plt.subplots(2, 5, figsize=(8, 3.2))
for item, (above, below) in enumerate(axes.T):
    above.imshow(test.images[item], cmap="gray_r")
    below.bar(range(seen.shape[1]), seen[item])
    for axis in (above, below):
        axis.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("owner")
axes[1, 0].set_ylabel("predictor")
plt.show()

# %% [markdown]
# ## What was done, and that nobody rewrote it

# %%
print(halflight("authority", "ledger", "verify", "--folder", "authority"))

# %% [markdown]
# **To take away**: a policy of ten lines, a ledger that refuses to be rewritten, and owners who count what they sent.
# Files, signals and failures are in the book: “Run the service”.
