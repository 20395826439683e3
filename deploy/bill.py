#!/usr/bin/env python3
"""Writes what a build of the command consists of: bill.py TARGET FOLDER

FOLDER/sbom.cdx.json is a software bill of materials (CycloneDX 1.6): every crate that is linked, by the digest that
Cargo.lock has. FOLDER/THIRD-PARTY.txt has their licences. Needs cargo and the sources that it has fetched.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "halflight"
TEXTS = re.compile(r"(?i)^(licen[cs]e|copying|notice|unlicense)")


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def checksums():
    """Digests of packages, by name and version."""
    found = {}
    for block in (ROOT / "Cargo.lock").read_text().split("[[package]]")[1:]:
        field = dict(re.findall(r'^(\w+) = "(.*)"$', block, re.MULTILINE))
        if "checksum" in field:
            found[field["name"], field["version"]] = field["checksum"]
    return found


def linked(packages, nodes, root):
    """Packages that are linked into the command: neither build scripts' nor tests'."""
    seen, edges, todo = set(), {}, [root]
    while todo:
        package = todo.pop()
        if package in seen:
            continue
        seen.add(package)
        needs = [
            other["pkg"]
            for other in nodes[package]["deps"]
            if any(kind["kind"] is None for kind in other["dep_kinds"])
            and not any("proc-macro" in target["kind"] for target in packages[other["pkg"]]["targets"])
        ]
        edges[package] = sorted(needs)
        todo += needs
    return edges


def component(package, digest):
    made = {
        "type": "application" if package["name"] == PACKAGE else "library",
        "bom-ref": f"{package['name']}@{package['version']}",
        "name": package["name"],
        "version": package["version"],
        "licenses": [{"expression": package["license"].replace("/", " OR ")}] if package["license"] else [],
    }
    if digest:
        made["purl"] = f"pkg:cargo/{package['name']}@{package['version'].replace('+', '%2B')}"
        made["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return made


def texts(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    return [path.read_text(errors="replace").strip() for path in sorted(folder.iterdir()) if TEXTS.match(path.name) and path.is_file()]


def main(target, folder):
    folder = pathlib.Path(folder)
    about = json.loads(cargo("metadata", "--format-version", "1", "--locked", "--filter-platform", target))
    packages = {package["id"]: package for package in about["packages"]}
    nodes = {node["id"]: node for node in about["resolve"]["nodes"]}
    [root] = [package["id"] for package in about["packages"] if package["name"] == PACKAGE]
    edges, digests = linked(packages, nodes, root), checksums()
    made = {id: component(packages[id], digests.get((packages[id]["name"], packages[id]["version"]))) for id in edges}
    ref = {id: part["bom-ref"] for id, part in made.items()}
    others = sorted((part for id, part in made.items() if id != root), key=lambda part: part["bom-ref"])
    # The same sources give the same file.
    serial = hashlib.sha256(((ROOT / "Cargo.lock").read_text() + target).encode()).digest()[:16]
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=serial, version=4)}",
        "version": 1,
        "metadata": {"component": made[root], "properties": [{"name": "target", "value": target}]},
        "components": others,
        "dependencies": sorted(
            ({"ref": ref[id], "dependsOn": sorted(ref[other] for other in needs)} for id, needs in edges.items()),
            key=lambda entry: entry["ref"],
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sbom.cdx.json").write_text(json.dumps(bill, indent=1) + "\n")
    by_text = {}
    for id in sorted(edges, key=ref.get):
        if packages[id]["source"]:
            for text in texts(packages[id]) or [f"{packages[id]['license']} (the crate holds no text)"]:
                by_text.setdefault(text, []).append(ref[id])
    parts = [f"{', '.join(names)}\n\n{text}\n" for text, names in sorted(by_text.items(), key=lambda part: part[1])]
    (folder / "THIRD-PARTY.txt").write_text(f"\n{'=' * 80}\n".join(parts))
    print(f"{len(others)} crates, {len(by_text)} texts of licences")


main(*sys.argv[1:])
