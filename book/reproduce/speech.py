#!/usr/bin/env python3
"""Spoken digits whose speakers' accents are to stay unknown: the Free Spoken Digit Dataset.

speech.py FOLDER_OF_RECORDINGS WORKING_FOLDER [recording|speaker] [FOLDS]

`recording`: three folds; in fold f the takes 10f .. 10f+9 of every digit and speaker are the test, the next 15 teach
the attackers, the other 25 train the network. `speaker`: one USA and one German speaker are the test, the takes of the
four others are divided between network (0 .. 29) and attackers (30 .. 49).
"""

import sys
from pathlib import Path

from common import halflight, kept, once, pooled, row
from picture import picture

source, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
kind = sys.argv[3] if len(sys.argv) > 3 else "recording"
folds = [int(fold) for fold in sys.argv[4].split(",")] if len(sys.argv) > 4 else [0, 1, 2]
folder.mkdir(parents=True, exist_ok=True)

ACCENTS = "jackson=USA,theo=USA,nicolas=Belgian,yweweler=German,lucas=German,george=Greek"
if kind == "speaker":
    # Two speakers cannot have four accents: there the question is USA or not.
    ACCENTS = "jackson=USA,theo=USA,nicolas=other,yweweler=other,lucas=other,george=other"
accents = f"accents-{kind}"
UNKNOWN = ["theo,yweweler", "jackson,lucas", "theo,lucas"]
ENCODER = ["--dct", "10x12", "--input-bits", 6]
NETWORK = ["--units", 32, "--steps", 500, "--batch", 600]
DEFENCES = {
    "none": ["--outputs", 6],
    "match": ["--outputs", 6, "--collateral", "speaker", "--weight", 30],
    # Few outputs and much noise: a certificate from a few hundred recordings allows no more.
    "certify": ["--outputs", 4, "--collateral", "speaker", "--weight", 10, "--noise", 0.3],
}
# So much noise on finer outputs has more values than a certificate evaluates.
COMPILE = {"none": [], "match": [], "certify": ["--combine-bits", 4]}
NAMES = {"none": "undefended", "match": "defended", "certify": "certified"}
FAMILIES = "logistic,qda,knn-15,forest-5,mlp-64x32"
VOTES = (1, 5, 20)


def parts(fold):
    """Writes train, attack and test of one fold."""
    names = [f"{kind}-{part}-{fold}" for part in ("train", "attack", "test")]
    if (folder / names[2]).exists():
        return names
    if kind == "recording":
        takes = [(10 * fold + take) % 50 for take in range(50)]
        test, attack, data = takes[:10], takes[10:25], accents
    else:
        test, attack, data = None, range(30, 50), f"known-{fold}"
        halflight(folder, "dataset", "split", accents, "--by", "speaker", "--hold", UNKNOWN[fold], "--rest", data,
                  "--held", "all", "--force")
    if test:
        halflight(folder, "dataset", "split", data, "--by", "index", "--hold", ",".join(map(str, test)), "--rest", "rest",
                  "--held", "all", "--force")
        data = "rest"
    halflight(folder, "dataset", "split", data, "--by", "index", "--hold", ",".join(map(str, attack)),
              "--rest", names[0], "--held", names[1], "--force")
    halflight(folder, "dataset", "split", "all", "--by", "copy", "--hold", "0", "--held", names[2], "--force")
    return names


def attacks(name, compiled, attack, test):
    """What the strongest attackers read of accent and speaker."""
    found = {}
    for attribute in ("accent", "speaker") if kind == "recording" else ("accent",):
        found[attribute] = kept(folder, f"{name}-{attribute}", "audit", compiled, "--train", attack, "--test", test,
                                "--main", "digit", "--collateral", attribute, "--families", FAMILIES, "--attack-size", 2000)
    return found


once(folder, "words", "dataset", "import", "speech", source, "--pattern", "{digit}_{speaker}_{index}.wav",
     "--augment", 4, "--seed", 1)
once(folder, accents, "dataset", "derive", "words", "--from", "speaker", "--label", "accent", "--classes", ACCENTS)

results, items = {}, []
for fold in folds:
    train, attack, test = parts(fold)
    items.append(halflight(folder, "dataset", "show", test)["items"])
    for label, given in (("digit", []), ("accent", ["--given", "digit"])):
        name = f"{kind}-clear-{label}-{fold}"
        clear = kept(folder, name, "baseline", "--train", train, "--test", test, "--label", label, *given,
                     "--families", "mlp-256x128", *ENCODER)
        results.setdefault(f"clear {label}", []).append(clear["strongest"])
    for defence, choices in DEFENCES.items():
        name = f"{kind}-{defence}-{fold}"
        # A network that was selected on the test may not be certified on it.
        once(folder, name, "train", "--data", train, "--main", "digit", "--defence", defence, *choices, *NETWORK, *ENCODER,
             "--seed", fold)
        compiled = once(folder, f"{name}-compiled", "compile", name, "--data", train, "--validation", test, "--steps", 200,
                        *COMPILE[defence], "--seed", fold)
        check = kept(folder, f"{name}-check", "check", f"{name}-compiled", "--data", test, "--items", "0..40")
        bound = None
        if "--noise" in choices:
            bound = kept(folder, f"{name}-bound", "certify", f"{name}-compiled", "--data", test, "--collateral", "accent",
                         "--confidence", 90, "--votes", 1)
        results.setdefault(defence, []).append((compiled, check, attacks(name, f"{name}-compiled", attack, test), bound))

print(f"\nSplit by {kind}; test recordings {items}; per digit and vote: strongest attacker, chosen on held-out items.\n")
row("network", "fold", "digit %, float", "digit %, integer", "under encryption: items, mismatches, %", "accent % per item",
    "balanced", "no attacker (90 %)", "accent, worst digit", *(f"accent vote@{k}" for k in VOTES), "speaker % per item", "n + m", "encrypt, evaluate ms")
row(*["---"] * (12 + len(VOTES)))
for defence in DEFENCES:
    for fold, (compiled, check, found, bound) in zip(folds, results[defence]):
        accent = found["accent"]
        worst = accent["strongest_class"]
        votes = {vote["k"]: vote for vote in accent["vote"]}
        item = lambda finding: f"{finding['accuracy']:.1f} (chance {finding['chance']:.1f})"
        row(NAMES[defence], fold, f"{compiled['main_accuracy_float']:.1f}",
            f"{compiled['main_accuracy_integer']:.1f}", f"{check['items']}, {check['mismatches']}, {check['accuracy']:.0f}",
            item(accent["strongest_pooled"]), item(accent["strongest_balanced"]),
            f"{bound['pooled']['bound']:.1f}" if bound else "–", f"{item(worst)}, “{worst['class']}”" if worst else "–",
            *(f"{votes[k]['accuracy']:.1f}" if k in votes else "–" for k in VOTES),
            item(found["speaker"]["strongest_pooled"]) if "speaker" in found else "–",
            f"{check['inputs'][0]} + {check['inputs'][1]}", f"{check['encrypt_ms']:.0f}, {check['evaluate_ms']:.0f}")
shown = []
for defence in DEFENCES:
    compiled, _, found, bound = results[defence][0]
    told = found["accent"]["strongest_balanced"]
    shown.append((NAMES[defence], compiled["main_accuracy_integer"], told["accuracy"], told["low"], told["high"],
                  bound["pooled"]["bound"] if bound else None, told["chance"]))
picture(folder / "speech.svg", "Accent from what is published of a spoken digit", shown)
print()
for label in ("digit", "accent"):
    found = results[f"clear {label}"]
    families = ", ".join(one["family"] for one in found)
    print(f"{label} by a network without constraint, from the inputs in the clear ({families}):",
          pooled([one["accuracy"] for one in found], items), "%")
for defence in DEFENCES:
    shares = [compiled["main_accuracy_integer"] for compiled, *_ in results[defence]]
    print(f"digit by the integers, {defence}:", pooled(shares, items), "%")
    shares = [found["accent"]["strongest_pooled"]["accuracy"] for _, _, found, _ in results[defence]]
    print(f"accent of one item, {defence}:", pooled(shares, items), "%")
