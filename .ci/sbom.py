"""Writes the bill of materials of the program, CycloneDX 1.6, from what cargo resolves: every crate that goes into
`routix`, with its version, licence and checksum. `python3 .ci/sbom.py <file>`"""

import json
import re
import subprocess
import sys
from pathlib import Path


def resolved():
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def shipped(metadata):
    """The ids of the crates that the program is made of: neither what only builds it nor what only tests it."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    left = [package["id"] for package in metadata["packages"] if package["name"] == "routix"]
    found = set()
    while left:
        at = left.pop()
        if at not in found:
            found.add(at)
            deps = nodes[at]["deps"]
            left += [dep["pkg"] for dep in deps if any(kind["kind"] is None for kind in dep["dep_kinds"])]
    return found, nodes


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums):
    name, version = package["name"], package["version"]
    entry = {"type": "library", "bom-ref": purl(package), "name": name, "version": version, "purl": purl(package)}
    if package["license"]:
        entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if checksum := checksums.get((name, version)):
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return entry


def main(target):
    metadata = resolved()
    found, nodes = shipped(metadata)
    entry = r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"'
    checksums = {(name, version): sum_ for name, version, sum_ in re.findall(entry, Path("Cargo.lock").read_text())}
    refs = {package["id"]: purl(package) for package in metadata["packages"]}
    packages = sorted((p for p in metadata["packages"] if p["id"] in found), key=lambda p: (p["name"], p["version"]))
    routix = next(package for package in packages if package["name"] == "routix")
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(routix, checksums) | {"type": "application"}},
        "components": [component(package, checksums) for package in packages if package is not routix],
        "dependencies": [
            {"ref": refs[at], "dependsOn": sorted({refs[dep["pkg"]] for dep in nodes[at]["deps"] if dep["pkg"] in found})}
            for at in sorted(found)
        ],
    }
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(json.dumps(bill, indent=1) + "\n")
    print(f"{len(packages)} crates are in {target}")


main(*sys.argv[1:])
