"""`lab audit`: what users were told is stored, against what the writable site holds.

Exit 0: nothing lost and never two writable sites. 2: something was lost, or two
sites were writable at once. 3: it cannot be told. With --divergence: 0 no site has
anything that the writable one has not, 2 one has, 3 it cannot be told.
"""

import argparse
import json
import sys

from traffic import divergence, intervals, logs
from traffic.destination import Destination


class CannotTell(Exception):
    """A source of the audit is missing; the text says which."""


def main(argv, lab):
    parser = argparse.ArgumentParser(prog="lab audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--site", choices=lab.sites, help="compare with this site (default: the one whose database takes writes)")
    parser.add_argument("--divergence", action="store_true", help="list exactly what only another site has: rows, projects and commits")
    options = parser.parse_args(argv)
    ask, show = (diverged, divergence.as_text) if options.divergence else (audit, as_text)
    try:
        if not lab.exists:
            raise CannotTell(f"lab {lab.name} is not up")
        result = ask(lab, options.site)
    except CannotTell as reason:
        result = {"verdict": "cannot tell", "reason": str(reason)}
    print(json.dumps(result, indent=2) if options.json else show(result))
    return {"nothing lost": 0, "no divergence": 0, "cannot tell": 3}.get(result["verdict"], 2)


def diverged(lab, site=None):
    folder = logs.directory(lab)
    acknowledged = {(record[2], int(record[3])) for record in logs.read(folder / "acked-writes.log", 4)}
    acknowledged |= {(record[2], record[4]) for record in logs.read(folder / "acked-pushes.log", 5)}
    site = site or _site_to_compare(lab, _writable_sites(lab))
    only, unreadable = divergence.compare(lab, site, acknowledged, lambda name, query: _psql(lab, name, query), _node)
    found = any(kind for side in only.values() for kind in side.values())
    verdict = "diverged" if found else "cannot tell" if unreadable else "no divergence"
    return {"verdict": verdict, "compared_with": site, "only_on": only, "unreadable": unreadable}


def audit(lab, site=None):
    folder = logs.directory(lab)
    writes = [(record[0], record[2], int(record[3])) for record in logs.read(folder / "acked-writes.log", 4)]
    pushes = [(record[0], record[2], record[3], record[4]) for record in logs.read(folder / "acked-pushes.log", 5)]
    if not writes and not pushes:
        raise CannotTell("nothing was acknowledged yet: run `lab load start`")
    writable_now = _writable_sites(lab)
    site = site or _site_to_compare(lab, writable_now)
    stored = _stored_writes(lab, site)
    lost_writes = [{"time": time, "through": through, "number": number} for time, through, number in writes if number not in stored]
    commits = _stored_commits(lab, site, sorted({project for _, _, project, _ in pushes}))
    lost_pushes = [{"time": time, "through": through, "project": project, "commit": commit}
                   for time, through, project, commit in pushes if commit not in commits[project]]
    spans, _, silent = intervals.writable(folder)
    if not any(spans.values()):
        raise CannotTell("the watcher has seen no writable site")
    levels = {level: _level(spans[level], {s: round(t, 1) for (name, s), t in silent.items() if name == level and t >= 0.5})
              for level in intervals.LEVELS}
    bad = lost_writes or lost_pushes or len(writable_now) > 1 or any(level["two_writable"] for level in levels.values())
    return {
        "verdict": "not good" if bad else "nothing lost",
        "site": site,
        "writable_now": writable_now,
        "writes": {"acknowledged": len(writes), "lost": len(lost_writes), "first_lost": lost_writes[:5]},
        "pushes": {"acknowledged": len(pushes), "lost": len(lost_pushes), "first_lost": lost_pushes[:5]},
        **levels,
    }


def _level(sites, silent):
    gap = intervals.longest_gap(sites)
    return {
        "longest_without_writable_seconds": round(gap[0], 2) if gap else None,
        "two_writable": [{"seconds": round(end - start, 2), "from_monotonic": round(start, 3), "sites": [one, other]}
                         for start, end, one, other in intervals.overlaps(sites)],
        "unknown_seconds": silent,
    }


def _node(lab, site, component):
    return next(node for node in lab.nodes.values() if node.site == site and component in node.components)


def _ask(lab, node, argv, **options):
    """A program in a node, or None: a node that is down cannot be asked."""
    try:
        done = lab.exec(node, argv, check=False, timeout=30, **options)
    except Exception:  # noqa: BLE001, a stopped node and a hung one are the same to the audit
        return None
    return done.stdout if done.returncode == 0 else None


def _psql(lab, site, query):
    return _ask(lab, _node(lab, site, "postgresql"), ["/opt/gitlab/bin/gitlab-psql", "-At", "-c", query])


def _writable_sites(lab):
    return [site for site in lab.sites if (_psql(lab, site, "SELECT pg_is_in_recovery()") or "").strip() == "f"]


def _site_to_compare(lab, writable):
    """The writable site; of two, the one users are sent to: that the other is writable, too, is found anyway."""
    if not writable:
        raise CannotTell("no database takes writes now; choose with --site")
    users = Destination(lab).site()
    return users if users in writable else writable[0]


def _stored_writes(lab, site):
    answer = _psql(lab, site, "SELECT number FROM lab_writes")
    if answer is None:
        raise CannotTell(f"the database of {site} does not answer")
    return {int(line) for line in answer.split()}


def _stored_commits(lab, site, projects):
    node, result = _node(lab, site, "gitaly"), {}
    for project in projects:
        path = _psql(lab, site, "SELECT r.disk_path FROM routes t JOIN project_repositories r ON r.project_id = t.source_id"
                     f" WHERE t.source_type = 'Project' AND t.path = '{project}'")
        directory = f"/var/opt/gitlab/git-data/repositories/{(path or '').strip()}.git"
        answer = _ask(lab, node, ["/opt/gitlab/embedded/bin/chpst", "-u", "git:git", "git", "--git-dir", directory, "rev-list", "--all"])
        if answer is None:
            raise CannotTell(f"cannot read the repository of {project} on {node.name}")
        result[project] = set(answer.split())
    return result


def as_text(result):
    if result["verdict"] == "cannot tell":
        return f"Cannot tell: {result['reason']}."
    lines = [f"Compared with {result['site']}."]
    if len(result["writable_now"]) > 1:
        lines.append(f"TWO DATABASES TAKE WRITES NOW: {' and '.join(result['writable_now'])}")
    for kind in ("writes", "pushes"):
        counts = result[kind]
        lines.append(f"{kind.capitalize()}: {counts['acknowledged']} acknowledged, {counts['lost']} lost")
        lines += [f"  lost: {' '.join(str(value) for value in item.values())}" for item in counts["first_lost"]]
    for level in intervals.LEVELS:
        facts = result[level]
        gap = facts["longest_without_writable_seconds"]
        lines.append(f"{level.capitalize()}: longest time without a writable site {'unknown' if gap is None else f'{gap} s'}; "
                     f"two writable at once: {len(facts['two_writable'])} times")
        lines += [f"  {' and '.join(item['sites'])} for {item['seconds']} s" for item in facts["two_writable"]]
        lines += [f"  {site} could not be seen for {seconds} s" for site, seconds in facts["unknown_seconds"].items()]
    lines.append("Nothing lost, never two writable sites." if result["verdict"] == "nothing lost" else "NOT GOOD: see above.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit("run it as: lab/lab audit")
