"""What is inside the binary: the crates that are linked, the C library bundled with one, the npm packages of the pages.

Crates are those that cargo links for one target, without build scripts' and macros' own; of npm those of which the bundler took
at least one byte (`pipeline/web/bundled.json`, which `npm run build` writes).
"""

import json
import pathlib
import re
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEB = ROOT / "pipeline/web"
LICENCE_FILE = re.compile(r"^(licen[cs]e|copying|unlicense|notice)", re.IGNORECASE)


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def host():
    return next(line.split()[1] for line in run("rustc", "-vV").splitlines() if line.startswith("host:"))


def licence_files(folder):
    """Texts beside a package, by name."""
    found = sorted(path for path in folder.iterdir() if path.is_file() and LICENCE_FILE.match(path.name))
    return {path.name: path.read_text(encoding="utf-8", errors="replace") for path in found}


def expression(text):
    """An SPDX expression; older crates write a stroke for `OR`."""
    return re.sub(r"\s*/\s*", " OR ", text or "")


def crates(target=None):
    """Every crate that is linked into `usher`, ours first, then by name."""
    target = target or host()
    tree = run("cargo", "tree", "-p", "usher", "-e", "normal,no-proc-macro", "--prefix", "none", "--locked", "--target", target)
    linked = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target))
    with open(ROOT / "Cargo.lock", "rb") as lock:
        sums = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.load(lock)["package"]}
    found = []
    for package in metadata["packages"]:
        name, version = package["name"], package["version"]
        if (name, f"v{version}") not in linked:
            continue
        folder = pathlib.Path(package["manifest_path"]).parent
        found.append({
            "kind": "cargo", "name": name, "version": version, "id": package["id"], "ours": package["source"] is None,
            "licence": expression(package["license"]), "authors": package["authors"], "sha256": sums.get((name, version)),
            "url": package["repository"] or package["homepage"], "folder": folder,
            "texts": licence_files(folder) if package["source"] else {},
        })
    if len(found) != len(linked):
        raise SystemExit(f"{len(linked)} crates are linked, {len(found)} are known: metadata and tree disagree")
    needs = {node["id"]: [d["pkg"] for d in node["deps"] if any(k["kind"] is None for k in d["dep_kinds"])]
             for node in metadata["resolve"]["nodes"]}
    known = {crate["id"] for crate in found}
    for crate in found:
        crate["needs"] = [need for need in needs[crate["id"]] if need in known]
    return sorted(found, key=lambda crate: (not crate["ours"], crate["name"], crate["version"]))


def bundled_c(linked):
    """C sources that a crate brings and compiles in: SQLite."""
    found = []
    for crate in linked:
        header = crate["folder"] / "sqlite3/sqlite3.h"
        if crate["name"] == "libsqlite3-sys" and header.exists():
            version = re.search(r'#define SQLITE_VERSION\s+"([^"]+)"', header.read_text()).group(1)
            found.append({"kind": "generic", "name": "sqlite", "version": version, "licence": "blessing", "authors": ["the authors of SQLite"],
                          "url": "https://www.sqlite.org", "of": crate["id"], "texts": {}, "ours": False})
    return found


def npm():
    """Packages of which the pages hold a part, and those that a package among them declares.

    MQTT.js comes as one file that holds its dependencies, unnamed: those it declares are listed as what may be inside.
    """
    record = WEB / "bundled.json"
    if not record.exists():
        raise SystemExit(f"{record.relative_to(ROOT)} is not there; run `make pages`")
    lock = json.loads((WEB / "package-lock.json").read_text())["packages"]
    held = json.loads(record.read_text())
    seen, left = dict.fromkeys(held), list(held)
    while left:
        folder = left.pop()
        for name in lock[folder].get("dependencies", {}):
            nested = f"{folder}/node_modules/{name}"
            need = nested if nested in lock else f"node_modules/{name}"
            if not name.startswith("@types/") and need not in seen:
                seen[need] = folder
                left.append(need)
    found = []
    for folder, of in seen.items():
        about, package = lock[folder], json.loads((WEB / folder / "package.json").read_text())
        author = package.get("author") or package.get("contributors") or []
        people = author if isinstance(author, list) else [author]
        found.append({
            "kind": "npm", "name": package["name"], "version": about["version"], "licence": package.get("license") or about.get("license"),
            "integrity": about.get("integrity"), "url": package.get("homepage"), "ours": False,
            "authors": [p if isinstance(p, str) else p.get("name", "") for p in people], "texts": licence_files(WEB / folder),
            "maybe": of is not None,
        })
    return sorted(found, key=lambda part: (part["name"], part["version"]))


def everything(target=None):
    linked = crates(target)
    return linked, bundled_c(linked), npm()
