"""What owners and predictors do with halflight-core, and what it says where the trainer is asked for.

Run by a Python that has halflight-core in place of halflight; needs numpy alone.
"""

import pathlib
import platform
import tempfile

import numpy as np

import halflight as hl

P, R, D = np.array([[1, 2, -3], [0, 1, 1]]), np.array([[0, 1, 1], [2, 0, 5]]), np.array([[1, 0], [3, -1]])
network = hl.CompiledNetwork.from_integers(P, R, D, encoder=hl.Encoder.pixels(1, 2, bits=4), classes=["a", "b"])
items = hl.Dataset(np.array([[[17, 51]], [[255, 0]], [[34, 68]]], dtype=np.uint8), {})
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    authority = hl.setup(network)
    authority.parameters.save(folder / "public")
    authority.issue(network).save(folder / "functional.key")
    network.save(folder / "compiled.safetensors")
    for item, ciphertext in enumerate(hl.encrypt(hl.Parameters.load(folder / "public"), items)):
        ciphertext.save(folder / f"{item}.ct")
    key, opened = hl.FunctionalKey.load(folder / "functional.key"), hl.CompiledNetwork.load(folder / "compiled.safetensors")
    key.verify(authority.parameters)
    answers = hl.predict(key, opened, [hl.Ciphertext.load(folder / f"{item}.ct") for item in range(3)])
u, v = network.encoder.encode(items)
assert np.array_equal(answers.outputs, ((u @ P.T) * (v @ R.T)) @ D.T), answers
assert hl.TableScaler().fit(np.arange(12.0).reshape(6, 2)).transform(np.ones((2, 2))).shape[0] == 2
for ask in (lambda: hl.train(items), lambda: hl.audit(None, (u, [0], [0]), (u, [0], [0])), lambda: hl.defences()):
    try:
        ask()
    except ImportError as error:
        assert "halflight-core" in str(error) and "pip install halflight" in str(error), error
    else:
        raise AssertionError("halflight-core trains")
print(f"halflight-core {hl.__version__} on {platform.machine()}: {answers.labels}")
