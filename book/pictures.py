"""Draws the pictures of tutorials 1 to 5 from runs of their commands; needs matplotlib.

    HALFLIGHT=target/debug/halflight python book/pictures.py [--scale 0.05] [--only keys] [OUT]

OUT is a folder, book/src/images by default. The scale is that of the numbers of items and steps.
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = pathlib.Path(__file__).resolve().parent.parent
HALFLIGHT = os.environ.get("HALFLIGHT", str(ROOT / "target/debug/halflight"))
BLUE, ORANGE, SOFT = "#1f5fa8", "#c2540a", "#59626c"
TYPES = {"I64": ("q", 8), "U8": ("B", 1), "I32": ("i", 4), "F32": ("f", 4), "F64": ("d", 8)}
os.environ.setdefault("HALFLIGHT_PASSPHRASE", "correct horse battery staple")


class Workshop:
    """A folder with files, the command, and the scale of a run."""

    def __init__(self, scale):
        self.folder, self.scale = pathlib.Path(tempfile.mkdtemp()), scale

    def halflight(self, text):
        """Runs a verb; its JSON object."""
        command = [HALFLIGHT, *text.split(), "--json", "--quiet"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"halflight {text}\n{done.stderr}")
        return json.loads(done.stdout)

    def drawn(self, name, count, seed, more=""):
        if not (self.folder / name).exists():
            self.halflight(f"dataset draw --count {int(count * self.scale)} --seed {seed} --out {name} {more}")

    def trained(self, name, options):
        """A compiled network; its accuracy in percent before compilation."""
        self.drawn("train.safetensors", 20_000, 1, "--pairs")
        self.drawn("test.safetensors", 5_000, 2)
        steps, small = max(20, int(800 * self.scale)), max(4, int(300 * self.scale))
        trained = self.halflight(
            f"train --data train.safetensors --validation test.safetensors --main character --defence none "
            f"--steps {steps} {options} --out {name}.float"
        )
        self.halflight(f"compile {name}.float --data train.safetensors --steps {small} --out {name}")
        return trained["main_accuracy"]


def read(path):
    """The tensors of a safetensors file, as flat tuples with their shapes."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        code, size = TYPES[entry["dtype"]]
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        found[name] = (entry["shape"], struct.unpack(f"<{(end - start) // size}{code}", data[start:end]))
    return found


def write(path, tensors, metadata=None):
    header, body = {"__metadata__": metadata} if metadata else {}, b""
    for name, (dtype, shape, values) in tensors.items():
        code, size = TYPES[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + size * len(values)]}
        body += struct.pack(f"<{len(values)}{code}", *values)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def finish(figure, out):
    figure.savefig(out, dpi=110, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    print(out)


def keys(shop, out):
    """All pictures of two pixels, encrypted and opened by one key: which of them look alike to its holder."""
    write(shop.folder / "form.safetensors", {
        "P": ("I32", [1, 3], [0, 1, 1]), "R": ("I32", [1, 3], [0, 1, -1]), "D": ("I32", [1, 1], [1]),
    })
    pixels = [17 * level for pair in range(256) for level in divmod(pair, 16)]
    labels = {"labels": '["kind"]', "classes": '{"kind":["0"]}'}
    write(
        shop.folder / "all.safetensors",
        {"kind": ("I64", [256], [0] * 256), "images": ("U8", [256, 1, 2], pixels)},
        {"format": "halflight dataset", "version": "1", **labels},
    )
    shop.halflight("import form.safetensors --height 1 --width 2 --input-bits 4 --bias first --out form")
    shop.halflight("authority init --network form --folder authority")
    shop.halflight("authority issue --network form --folder authority --out form.key")
    shop.halflight("encrypt --parameters authority/public --data all.safetensors --items 0..256 --out sealed")
    files = " ".join(f"sealed/{item}.ct" for item in range(256))
    opened = [result["output"][0] for result in shop.halflight(f"predict --key form.key --network form {files}")["results"]]
    figure, axis = plt.subplots(figsize=(5, 4.2))
    image = axis.imshow([opened[16 * row : 16 * row + 16] for row in range(16)], origin="lower", cmap="coolwarm")
    alike = [divmod(pair, 16) for pair in range(256) if opened[pair] == 40]
    axis.scatter([b for _, b in alike], [a for a, _ in alike], s=110, facecolors="none", edgecolors="black", linewidths=1.6)
    axis.set(xlabel="level of the second pixel", ylabel="level of the first pixel")
    axis.set(xticks=range(0, 16, 5), yticks=range(0, 16, 5))
    axis.set_title("what the key opens; circles: 40", fontsize=11)
    figure.colorbar(image)
    finish(figure, out / "keys.png")


def data(shop, out):
    """The contact sheet of `dataset show`."""
    shop.drawn("sheet.safetensors", 20_000, 1)
    shop.halflight(f"dataset show sheet.safetensors --sheet {out / 'data.png'} --force")
    print(out / "data.png")


def training(shop, out):
    """Accuracy of squares, products and pooled cells."""
    kinds = {
        "squares, 16 units": "--kind squares --units 16",
        "products, 16 units": "--kind bilinear --units 16",
        "products, 64 units, cells of 2 × 2": "--pooling 2",
        "products, 64 units": "",
    }
    found = {name: shop.trained(f"kind-{number}", options) for number, (name, options) in enumerate(kinds.items())}
    figure, axis = plt.subplots(figsize=(6.5, 2))
    bars = axis.barh(list(found), list(found.values()), color=BLUE)
    axis.bar_label(bars, fmt="%.2f %%", padding=3)
    axis.set(xlim=(min(found.values()) - 2, 101), xlabel="digits right, %")
    axis.set_xticks([tick for tick in axis.get_xticks() if tick <= 100])
    finish(figure, out / "training.png")


def stealing(shop, out):
    """Two outputs of an undefended network, by digit and, within one digit, by font."""
    shop.trained("plain", "--collateral font")
    shop.drawn("attack.safetensors", 20_000, 3)
    options = "--train attack.safetensors --test test.safetensors"
    shop.halflight(f"audit plain {options} --outputs outputs.safetensors --outputs-only")
    tensors = read(shop.folder / "outputs.safetensors")
    shape, flat = tensors["test_outputs"]
    rows = [flat[start : start + 2] for start in range(0, len(flat), shape[1])]
    digit, font = tensors["test_main"][1], tensors["test_collateral"][1]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    left.scatter([x for x, _ in rows], [y for _, y in rows], c=digit, s=2, cmap="tab10")
    left.set_title("two outputs, by digit", fontsize=11)
    for value, colour in ((0, BLUE), (1, ORANGE)):
        chosen = [row for row, d, f in zip(rows, digit, font) if d == 4 and f == value]
        right.scatter([x for x, _ in chosen], [y for _, y in chosen], s=6, color=colour, label=f"font {value + 1}")
    right.set_title("the digit 4, by font", fontsize=11)
    right.legend()
    for axis in (left, right):
        axis.set(xticks=[], yticks=[])
    finish(figure, out / "stealing.png")


def outputs(shop, out):
    """Accuracy of the digit and of the font by the number of outputs."""
    shop.drawn("attack.safetensors", 20_000, 3)
    rows = []
    for count in (1, 2, 4, 8):
        main = shop.trained(f"outputs-{count}", f"--collateral font --outputs {count}")
        options = "--train attack.safetensors --test test.safetensors --families logistic,qda,knn-15"
        rows.append((count, main, shop.halflight(f"audit outputs-{count} {options}")["strongest_pooled"]["accuracy"]))
    figure, axis = plt.subplots(figsize=(6, 3.4))
    counts = [row[0] for row in rows]
    axis.plot(counts, [row[1] for row in rows], "o-", color=BLUE, label="digit, wanted")
    axis.plot(counts, [row[2] for row in rows], "s--", color=ORANGE, label="font, strongest attacker")
    axis.axhline(50, color=SOFT, linewidth=0.8)
    axis.set(xlabel="outputs S", ylabel="right, %", xticks=counts)
    axis.legend()
    finish(figure, out / "outputs.png")


PICTURES = {function.__name__: function for function in (keys, data, training, stealing, outputs)}


def main():
    arguments = sys.argv[1:]
    options = {"--scale": "1", "--only": ",".join(PICTURES)}
    for name in options:
        if name in arguments:
            place = arguments.index(name)
            options[name] = arguments[place + 1]
            del arguments[place : place + 2]
    out = pathlib.Path(arguments[0] if arguments else ROOT / "book/src/images").resolve()
    out.mkdir(parents=True, exist_ok=True)
    shop = Workshop(float(options["--scale"]))
    for name in options["--only"].split(","):
        PICTURES[name](shop, out)


if __name__ == "__main__":
    main()
