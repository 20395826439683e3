"""What the studies of people share: three networks for one task, judged alike, and the table of what was found."""

from common import halflight, kept, once, row

HEAD = ("network", "S", "seed", "n + m", "main %, float", "main %, integer", "attribute", "found: balanced %", "AUC",
        "highest balanced %", "certified: balanced %", "estimate %", "parity distance: predictions, any (certified)",
        "found over all %", "floor %",
        "under encryption: items, mismatches, ms")


def head():
    row(*HEAD)
    row(*["---"] * len(HEAD))


def made(folder, name, data, validation, main, collateral, recipe, seed):
    """Trains and compiles one network; returns what compiling it said. Only compiling sees `validation`, to report on it:
    a network that was selected on items may not be certified on them."""
    defend = [part for label in collateral for part in ("--collateral", label)] if recipe["defence"] != "none" else []
    once(folder, f"{name}.float", "train", "--data", data, "--main", main, *defend,
         "--defence", recipe["defence"], *recipe["train"], "--seed", seed)
    return once(folder, f"{name}.compiled", "compile", f"{name}.float", "--data", data, "--validation", validation,
                *recipe["compile"], "--seed", seed)


def judged(folder, name, attack, test, main, attributes, recipe, audit=(), certify=None, members=None, overall=False):
    """Audits every attribute and encrypts some items. Networks with noise are certified on the items of both data sets, or
    with the options `certify` on `recipe["fresh"]`."""
    found = {}
    for attribute in attributes:
        more = ["--members", members] if members else []
        if recipe["noise"] and not certify:
            more += ["--certify", "--repeated"]
        found[attribute] = kept(folder, f"{name}.{attribute}.audit", "audit", f"{name}.compiled", "--train", attack, "--test",
                                test, "--main", main, "--collateral", attribute, *audit, *more)
        bound = found[attribute].get("certificate")
        if recipe["noise"] and certify:
            bound = kept(folder, f"{name}.{attribute}.bound", "certify", f"{name}.compiled", "--data", recipe["fresh"],
                         "--collateral", attribute, *certify)
        found[attribute]["bound"] = bound
        if recipe["noise"] and overall:
            found[attribute]["overall"] = kept(folder, f"{name}.{attribute}.overall", "certify", f"{name}.compiled", "--data",
                                               test, "--collateral", attribute, "--overall", "--repeated", "--votes", 1)
    check = kept(folder, f"{name}.check", "check", f"{name}.compiled", "--data", test, "--items", "0..20")
    return found, check


def told(label, outputs, seed, compiled, found, check):
    """One row for each attribute."""
    for attribute, audit in found.items():
        strongest, highest, floor = audit["strongest_balanced"], audit["highest_balanced"], audit["main_label"]
        pooled = [one for one in audit["attackers"] if one["scope"] == "pooled" and one["family"] == strongest["family"]]
        bound = audit.get("bound")
        row(label, outputs, seed, f"{check['inputs'][0]} + {check['inputs'][1]}", f"{compiled['main_accuracy_float']:.2f}",
            f"{compiled['main_accuracy_integer']:.2f}", attribute,
            f"{strongest['accuracy']:.1f} ({strongest['low']:.1f} to {strongest['high']:.1f}), {strongest['family']}",
            f"{strongest['auc']:.3f}", f"{highest['accuracy']:.1f} (to {highest['high']:.1f})",
            f"{bound['pooled']['bound']:.1f}" if bound else "none without noise",
            f"{bound['pooled']['plug_in']:.1f}" if bound else "–", parity(audit),
            f"{pooled[0]['balanced']['overall']:.1f}", f"{floor['balanced_accuracy']:.1f}",
            f"{check['items']}, {check['mismatches']}, {check['encrypt_ms']:.0f} + {check['evaluate_ms']:.0f}")


def parity(audit):
    own = f"{audit['parity']['distance']:.3f}"
    return f"{own}, {audit['overall']['pooled']['total_variation']:.3f}" if "overall" in audit else own


def summary(told):
    """What a picture shows of one row: `(label, main %, found, low, high, certified or None, chance)`."""
    label, compiled, audit = told
    found, bound = audit["strongest_balanced"], audit["bound"]
    return (label, compiled["main_accuracy_integer"], found["accuracy"], found["low"], found["high"],
            bound["pooled"]["bound"] if bound else None, found["chance"])
