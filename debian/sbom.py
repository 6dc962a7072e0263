#!/usr/bin/env python3
"""A bill of materials of the binary, CycloneDX 1.5: sbom.py VERSION FILE.

Without times and random numbers of its own, so that the same sources give the same bytes.
"""

import base64
import datetime
import json
import os
import sys
import urllib.parse
import uuid

import components


def purl(part):
    name = part["name"]
    scope, _, rest = name.rpartition("/")
    path = f"{urllib.parse.quote(scope, safe='')}/{rest}" if scope else rest
    return f"pkg:{part['kind']}/{path}@{part['version']}"


def component(part):
    told = {"type": "library", "bom-ref": purl(part), "name": part["name"], "version": part["version"], "purl": purl(part)}
    if part["licence"]:
        told["licenses"] = [{"expression": part["licence"]}]
    if part.get("sha256"):
        told["hashes"] = [{"alg": "SHA-256", "content": part["sha256"]}]
    if (part.get("integrity") or "").startswith("sha512-"):
        told["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(part["integrity"][7:]).hex()}]
    if (part["url"] or "").startswith("https://"):
        told["externalReferences"] = [{"type": "website", "url": part["url"]}]
    if part.get("maybe"):
        told["properties"] = [{"name": "usher:inside", "value": "declared by a package that comes as one prebuilt file; may be inside"}]
    if part["authors"]:
        told["author"] = ", ".join(part["authors"])
    return told


def main(version, path):
    crates, c, npm = components.everything()
    refs = {crate["id"]: purl(crate) for crate in crates}
    root = next(crate for crate in crates if crate["name"] == "usher")
    needs = {refs[crate["id"]]: {refs[need] for need in crate["needs"]} for crate in crates}
    for part in c:
        needs[refs[part["of"]]].add(purl(part))
        needs[purl(part)] = set()
    for part in npm:
        needs[refs[root["id"]]].add(purl(part))
        needs[purl(part)] = set()
    parts = [component(part) for part in crates + c + npm if part is not root]
    head = component(root) | {"type": "application", "version": version, "description": "The gate's program: cameras in, welcomes out"}
    when = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": head},
        "components": sorted(parts, key=lambda part: part["purl"]),
        "dependencies": [{"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted(needs.items())],
    }
    # The number of a bill is that of its contents.
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill, sort_keys=True))
    bill["serialNumber"] = f"urn:uuid:{number}"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(bill, file, indent=1, sort_keys=True)
        file.write("\n")
    print(f"{path}: {len(crates)} crates, {len(c)} library in C, {sum(not part['maybe'] for part in npm)} npm packages "
          f"({sum(part['maybe'] for part in npm)} more may be inside)")


if __name__ == "__main__":
    main(*sys.argv[1:])
