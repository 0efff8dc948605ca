# SPDX-License-Identifier: GPL-2.0-only
"""Reads TAP and KTAP as kselftest, KUnit and our own scripts print it, nested in any of their ways."""

import re

RESULT = re.compile(r"(ok|not ok) (\d+)(?: -)? ?(.*)$")
PLAN = re.compile(r"1\.\.(\d+)\b")


class Result:
    def __init__(self, ok, name, skip=False, note=""):
        self.ok, self.name, self.skip, self.note = ok, name, skip, note


class _Level:
    def __init__(self):
        self.results, self.plan, self.seen = [], None, 0


def _depth(line):
    """How deep a line is nested, and its text: "# " (kselftest) and four spaces (KTAP) are a level each."""
    depth = 0
    while True:
        if line.startswith("# ") and (PLAN.match(line[2:].lstrip("# ")) or RESULT.match(line[2:].lstrip("# "))
                                      or line[2:].startswith(("#", "    "))):
            line = line[2:]
        elif line.startswith("    "):
            line = line[4:]
        else:
            return depth, line
        depth += 1


def parse(text):
    """-> leaf results, outermost names first. A parent counts only where no child tells of its failure."""
    levels = {0: _Level()}

    def close(depth, name):
        """The results below @depth, each with the parent's name, and whether one of them failed."""
        below = []
        for deeper in sorted(d for d in levels if d > depth):
            level = levels.pop(deeper)
            below += [Result(r.ok, f"{name}: {r.name}", r.skip, r.note) for r in level.results]
            if level.plan is not None and level.seen < level.plan:
                below.append(Result(False, f"{name}: {level.plan - level.seen} of {level.plan} tests gave no result"))
        return below

    for raw in text.splitlines():
        depth, line = _depth(raw.rstrip("\r"))
        plan = PLAN.match(line)
        if plan:
            level = levels.setdefault(depth, _Level())
            if level.plan is None:
                level.plan = int(plan.group(1))
            else:
                level.plan += int(plan.group(1))
            if re.search(r"#\s*SKIP", line, re.I):
                level.results.append(Result(True, "all", True, line.split("#", 1)[1].strip()))
            continue
        m = RESULT.match(line)
        if not m:
            continue
        ok = m.group(1) == "ok"
        name, _, directive = m.group(3).partition("#")
        name, directive = name.strip(), directive.strip()
        below = close(depth, name or m.group(2))
        level = levels.setdefault(depth, _Level())
        level.seen += 1
        level.results += below
        skip = bool(re.match(r"SKIP", directive, re.I))
        if not below:
            level.results.append(Result(ok, name or m.group(2), skip, directive))
        elif not ok and all(r.ok for r in below):
            level.results.append(Result(False, name, False, directive or "ended badly after its last test"))
    left = close(0, "cut short")
    top = levels[0]
    out = top.results + left
    if top.plan is not None and top.seen < top.plan:
        out.append(Result(False, f"{top.plan - top.seen} of {top.plan} tests gave no result"))
    return out
