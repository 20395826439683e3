"""What the studies of people share: networks for one task, chosen and judged alike, and tables of what was found.

Data sets go by the names of their roles:

    train    trains the network
    report   compiling reports accuracy on it; none if absent
    attack   teaches attackers
    test     attackers, integers and encryption are scored on it; no network and no choice has seen it
    fresh    certificates rest on it; no network and no choice has seen it
"""

import math

from common import kept, once, row

HEAD = ("network", "S", "seed", "n + m", "main % where chosen", "main %, test", "attribute", "found: balanced %", "AUC",
        "highest balanced %", "certified: balanced %", "estimate %", "parity distance: own, any (certified)",
        "found over all %", "floor %", "members − others, points", "under encryption: items, mismatches, ms")


def made(folder, name, data, main, collateral, recipe, seed):
    """Trains and compiles one network; returns what compiling it said."""
    defend = [part for label in collateral for part in ("--collateral", label)] if recipe["defence"] != "none" else []
    once(folder, f"{name}.float", "train", "--data", data["train"], "--main", main, *defend,
         "--defence", recipe["defence"], *recipe["train"], "--seed", seed)
    report = ["--validation", data["report"]] if "report" in data else []
    return once(folder, f"{name}.compiled", "compile", f"{name}.float", "--data", data["train"], *report,
                *recipe["compile"], "--seed", seed)


def certified(folder, name, attribute, data, more=(), kind="bound"):
    return kept(folder, f"{name}.{attribute}.{kind}", "certify", f"{name}.compiled", "--data", data, "--collateral", attribute,
                "--votes", 1, *more)


def judged(folder, name, data, main, attributes, recipe, audit=(), certify=(), overall=False):
    """Audits every attribute, certifies what has noise, and encrypts some items of the test."""
    found = {}
    for attribute in attributes:
        audited = kept(folder, f"{name}.{attribute}.audit", "audit", f"{name}.compiled", "--train", data["attack"], "--test",
                       data["test"], "--members", data["train"], "--main", main, "--collateral", attribute, *audit)
        if recipe["noise"]:
            audited["bound"] = certified(folder, name, attribute, data["fresh"], certify)
            if overall:
                audited["overall"] = certified(folder, name, attribute, data["fresh"], [*certify, "--overall"], "overall")
        found[attribute] = audited
    check = kept(folder, f"{name}.check", "check", f"{name}.compiled", "--data", data["test"], "--items", "0..20")
    return found, check


def study(folder, plan, data, main, attributes, recipes, audit=(), certify=(), overall=False):
    """Every network of the `plan`, pairs of seed and number of outputs, under every recipe. Prints a table and answers what a
    picture shows of the first seed."""
    row(*HEAD)
    row(*["---"] * len(HEAD))
    shown = []
    for seed, outputs in plan:
        for label, recipe in recipes(outputs).items():
            name = f"{label}-{outputs}-{seed}"
            compiled = made(folder, name, data, main, attributes, recipe, seed)
            found, check = judged(folder, name, data, main, attributes, recipe, audit, certify, overall)
            told(label, outputs, seed, compiled, found, check)
            if seed == plan[0][0]:
                shown.append(summary(f"{label}, S = {outputs}", found[attributes[0]], check))
    return shown


def choose(folder, candidates, seeds, data, main, attributes, least, certify=()):
    """Trains every candidate with every seed and answers the name of the best: of those that keep `least` percent of the main
    label with each seed, the one whose certificates on `data["report"]` are lowest in the mean of seeds and attributes."""
    row("candidate", "main %, by seed", *(f"{attribute}: certificate % (estimate)" for attribute in attributes), "mean")
    row(*["---"] * (3 + len(attributes)))
    best = (float("inf"), None)
    for name, recipe in candidates.items():
        runs = []
        for seed in seeds:
            compiled = made(folder, f"{name}-{seed}", data, main, attributes, recipe, seed)
            bounds = [certified(folder, f"{name}-{seed}", attribute, data["report"], certify, "choice")
                      for attribute in attributes]
            runs.append((compiled["main_accuracy_integer"], bounds))
        mean = sum(bound["pooled"]["bound"] for _, bounds in runs for bound in bounds) / len(runs) / len(attributes)
        row(name, ", ".join(f"{main:.2f}" for main, _ in runs),
            *(", ".join(f"{above(bounds[at])} ({bounds[at]['pooled']['plug_in']:.1f})" for _, bounds in runs)
              for at in range(len(attributes))), f"{mean:.2f}")
        if min(main for main, _ in runs) >= least:
            best = min(best, (mean, name))
    return best[1]


def told(label, outputs, seed, compiled, found, check):
    """One row for each attribute."""
    for attribute, audit in found.items():
        strongest, highest, floor = audit["strongest_balanced"], audit["highest_balanced"], audit["main_label"]
        pooled = [one for one in audit["attackers"] if one["scope"] == "pooled" and one["family"] == strongest["family"]]
        bound, members = audit.get("bound"), audit["members"]
        chosen = compiled["main_accuracy_integer"]
        row(label, outputs, seed, f"{check['inputs'][0]} + {check['inputs'][1]}",
            "–" if chosen is None else f"{chosen:.2f}", f"{check['accuracy_clear']:.2f}", attribute,
            f"{strongest['accuracy']:.1f} ({strongest['low']:.1f} to {strongest['high']:.1f}), {strongest['family']}",
            f"{strongest['auc']:.3f}", f"{highest['accuracy']:.1f} (to {highest['high']:.1f})",
            above(bound) if bound else "none without noise",
            f"{bound['pooled']['plug_in']:.1f}" if bound else "–", parity(audit),
            f"{pooled[0]['balanced']['overall']:.1f}", f"{floor['balanced_accuracy']:.1f}",
            f"{members['difference']:.1f} ({members['low']:.1f} to {members['high']:.1f})",
            f"{check['items']}, {check['mismatches']}, {check['encrypt_ms']:.0f} + {check['evaluate_ms']:.0f}")


def above(certificate):
    """A bound is never rounded down."""
    return f"{math.ceil(10 * certificate['pooled']['bound']) / 10:.1f}"


def parity(audit):
    own = f"{audit['parity']['distance']:.3f}"
    if "overall" not in audit:
        return own
    return f"{own}, {math.ceil(1000 * audit['overall']['pooled']['total_variation']) / 1000:.3f}"


def summary(label, audit, check):
    """What a picture shows of one row: `(label, main %, found, low, high, certified or None, chance)`."""
    found, bound = audit["strongest_balanced"], audit.get("bound")
    return (label, check["accuracy_clear"], found["accuracy"], found["low"], found["high"],
            bound["pooled"]["bound"] if bound else None, found["chance"])
