#!/usr/bin/env python3
"""The package's copyright file: ours, and that of everything linked in: copyright.py FILE.

Debian's machine-readable form. Where a crate may be taken under one of several licences, it is taken under Apache-2.0 if that is
one of them, which Debian keeps a copy of; else under the first that is there. Texts that are the same but for who holds the
copyright are printed once.
"""

import re
import sys

import components

OURS = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: usher
Comment: usher is linked from the crates named below, and its pages are bundled with the npm packages named below.
 The list is made from what the linker and the bundler took in. The weights of networks are no part of the package and have
 licences of their own (usher models list).

Files: *
Copyright: the makers of usher
License: Apache-2.0

License: Apache-2.0
 On Debian systems the text of the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.
"""
# In this order one of several is chosen.
LIKED = ["Apache-2.0", "MIT", "ISC", "BSD-3-Clause", "BSD-2-Clause", "Zlib", "0BSD", "Unlicense", "Unicode-3.0", "OFL-1.1", "blessing"]
SQLITE = """The author disclaims copyright to this source code. In place of a legal notice, here is a blessing:
May you do good and not evil. May you find forgiveness for yourself and forgive others.
May you share freely, never taking more than you give."""


def chosen(expression):
    """What is kept to: one of each `OR`, all of each `AND`."""
    def either(text):
        offered = [part.strip("() ").removesuffix(" WITH LLVM-exception") for part in text.split(" OR ")]
        return min(offered, key=lambda name: LIKED.index(name) if name in LIKED else len(LIKED))
    return sorted({either(part) for part in re.split(r" AND (?![^(]*\))", expression)})


def holders(part):
    """Lines of its texts that say whose it is, else who wrote it."""
    said = []
    for text in part["texts"].values():
        for line in text.splitlines():
            line = line.strip(" /*#").strip()
            if re.match(r"copyright\s+(\(c\)|©|\d{4})", line, re.IGNORECASE) and "[yyyy]" not in line and line not in said:
                said.append(line)
    return said or [", ".join(part["authors"]) or f"the authors of {part['name']}"]


def text_for(part, licence):
    """The text of one licence among those beside a package."""
    if licence == "blessing":
        return SQLITE
    marks = {
        "MIT": "Permission is hereby granted, free of charge", "ISC": "Permission to use, copy, modify", "0BSD": "Permission to use, copy, modify",
        "BSD-3-Clause": "Redistribution and use in source and binary", "BSD-2-Clause": "Redistribution and use in source and binary",
        "Zlib": "This software is provided 'as-is'", "Unlicense": "free and unencumbered software", "Unicode-3.0": "UNICODE LICENSE",
        "OFL-1.1": "SIL OPEN FONT LICENSE",
    }
    flat = {name: " ".join(text.split()) for name, text in part["texts"].items()}
    named = [name for name in flat if licence.split("-")[0].lower() in name.lower()]
    for name in named + list(flat):
        if marks[licence].lower() in flat[name].lower():
            return part["texts"][name]
    return None


def body(text):
    """A licence without the lines that say whose it is, which stand beside the package's name, and without another after it."""
    text = re.split(r"(?:\n[^\n]*)?\n-{20,}\n\s*Apache License|\n\s*Apache License\s*\n\s*Version 2.0", text)[0]
    lines = [line.strip() for line in text.strip().splitlines()]
    keep = [line for line in lines if not re.match(r"copyright\s+(\(c\)|©|\d{4})|all rights reserved", line, re.IGNORECASE)]
    return "\n".join(keep).strip()


def indented(text):
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.splitlines())


def main(path):
    crates, c, npm = components.everything()
    told, texts, numbers, notices = [OURS], [], {}, []
    borrowed = {}
    parts = [part for part in crates + c + npm if not part["ours"]]
    # Some crates of a family bring no text; another's of the same licence stands for it.
    for part in parts:
        for licence in chosen(part["licence"]):
            if licence != "Apache-2.0" and (text := text_for(part, licence)):
                borrowed.setdefault(licence, text)
    for part in parts:
        names = []
        for licence in chosen(part["licence"]):
            if licence == "Apache-2.0":
                names.append(licence)
                continue
            text = text_for(part, licence) or borrowed.get(licence)
            if text is None:
                raise SystemExit(f"{part['name']} {part['version']}: no text of {licence} is known")
            key = re.sub(r"\W+", " ", body(text)).lower()
            if key not in numbers:
                count = sum(1 for name in numbers.values() if name == licence or name.startswith(f"{licence}~"))
                numbers[key] = licence if count == 0 else f"{licence}~{count + 1}"
                texts.append(f"License: {numbers[key]}\n{indented(body(text))}\n")
            names.append(numbers[key])
        notices += [(part, text) for name, text in part["texts"].items() if name.lower().startswith("notice")]
        where = f"linked/{part['kind']}/{part['name']}-{part['version']}/*"
        said = "\n           ".join(holders(part))
        told.append(f"Files: {where}\nCopyright: {said}\nLicense: {' and '.join(names)}\n")
    for part, text in notices:
        told.append(f"Files: linked/{part['kind']}/{part['name']}-{part['version']}/NOTICE\nCopyright: as follows\n"
                    f"License: Apache-2.0\nComment:\n{indented(text)}\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(told + texts))
    print(f"{path}: {len(parts)} parts, {len(texts)} texts of licences, {len(notices)} notices")


if __name__ == "__main__":
    main(*sys.argv[1:])
