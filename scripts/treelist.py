# SPDX-License-Identifier: GPL-2.0-only
"""What scripts/tree.list says, for scripts/tree and scripts/series to act on."""

import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOTS = ("drivers/", "include/", "samples/", "Documentation/", "tools/")


class TreeList:
    """The three kinds of line in tree.list, in the file's order."""

    def __init__(self, path=os.path.join(TOP, "scripts", "tree.list")):
        self.out, self.copy, self.edits = [], [], []
        for number, line in enumerate(open(path), 1):
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            verb, _, rest = line.partition(" ")
            if verb == "out":
                self.out.append(rest)
            elif verb == "copy":
                if not (rest + "/").startswith(ROOTS):
                    raise SystemExit(f"tree.list:{number}: {rest} is not below {', '.join(ROOTS)}")
                self.copy.append(rest)
            elif verb in EDITS:
                name, _, args = rest.partition(" ")
                self.edits.append((number, verb, name, args))
            else:
                raise SystemExit(f"tree.list:{number}: unknown word {verb}")

    def edited_files(self):
        return list(dict.fromkeys(name for _, _, name, _ in self.edits))

    def edit(self, name, text, skip=lambda verb, args: False):
        """The base's @text of the file @name, with our lines."""
        for number, verb, file, args in self.edits:
            if file != name or skip(verb, args):
                continue
            after = EDITS[verb](text, name, args)
            if after is None:
                raise SystemExit(f"tree.list:{number}: nothing in the base's {name} matches")
            text = after
        return text

    def our_files(self):
        """Every file of ours that is laid over the base, but what git ignores."""
        listed = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard", "--"] + self.copy,
                                capture_output=True, text=True)
        if listed.returncode == 0:
            names = listed.stdout.splitlines()
        else:
            names = [os.path.relpath(os.path.join(at, f), TOP) for path in self.copy
                     for at, _, files in os.walk(os.path.join(TOP, path)) for f in files]
        return sorted(set(n for n in names if os.path.isfile(os.path.join(TOP, n))))


def _lines(text):
    return text.splitlines(keepends=True)


def _drop(text, name, pattern):
    kept = [l for l in _lines(text) if not re.search(pattern, l.rstrip("\n"))]
    return "".join(kept) if len(kept) < len(_lines(text)) else None


def _add(text, name, args):
    pattern, new = args.split(" | ")
    out, done = [], False
    for line in _lines(text):
        out.append(line)
        if not done and re.search(pattern, line):
            out.append(new.replace("\\t", "\t") + "\n")
            done = True
    return "".join(out) if done else None


def _cut(text, name, args):
    first, last = args.split(" | ")
    out, state = [], 0
    for line in _lines(text):
        if state == 0 and re.search(first, line):
            state = 1
        elif state == 1 and re.search(last, line):
            state = 2
        if state != 1:
            out.append(line)
    return "".join(out) if state == 2 else None


def parse_sections(text):
    """MAINTAINERS as (head, [(title, body)]); a section is a title with lines 'X:\t...' after it."""
    start = re.search(r"^Maintainers List\n-+\n", text, re.M)
    at = start.end() if start else 0
    # What stands before the first title (an explanatory note) belongs to the head.
    first = re.compile(r"^(?=[0-9A-Z][^\n]*\n[A-Z]:\t)", re.M).search(text, at)
    head, rest = text[:first.start()], text[first.start():]
    sections = []
    for block in re.split(r"\n\n+", rest.rstrip("\n")):
        title, _, body = block.partition("\n")
        sections.append((title, body))
    return head, sections


def _join_sections(head, sections):
    return head + "\n\n".join(f"{t}\n{b}" for t, b in sections) + "\n"


def _sections(text, name, args):
    head, theirs = parse_sections(text)
    with open(os.path.join(TOP, name)) as f:
        _, ours = parse_sections(f.read())
    for title, body in ours:
        found = [k for k, (t, _) in enumerate(theirs) if t == title]
        if found:
            theirs[found[0]] = (title, body)
            continue
        later = [k for k, (t, _) in enumerate(theirs) if t.upper() > title.upper() and t != "THE REST"]
        theirs.insert(later[0] if later else len(theirs) - 1, (title, body))
    return _join_sections(head, theirs)


def _unsection(text, name, title):
    head, sections = parse_sections(text)
    kept = [s for s in sections if s[0] != title]
    return _join_sections(head, kept) if len(kept) < len(sections) else None


EDITS = {"drop": _drop, "add": _add, "cut": _cut, "sections": _sections, "unsection": _unsection}
