"""From the watcher's log to the two questions: was there ever no writable site, was there ever more than one."""

import json

from traffic import logs

LEVELS = ("database", "application")


def writable(folder):
    """{level: {site: [(first yes, last yes), ...]}} with monotonic times, and {level: seconds of silence}."""
    records = logs.read(folder / "writable.log", 6)
    result, silent, value = {level: {} for level in LEVELS}, {}, {}
    for _, at, level, site, new, last in records:
        at, last = float(at), float(last)
        if level == "watcher":
            # A new watcher knows nothing of the time before it: what was open ended when it was last seen.
            value = {}
            continue
        _end(result, silent, value, level, site, last)
        value[level, site] = (new, at)
    for (level, site), moment in _watched(folder).items():
        _end(result, silent, value, level, site, moment)
    return result, silent


def _end(result, silent, value, level, site, last):
    old, since = value.pop((level, site), (None, 0.0))
    if old == "yes":
        result[level].setdefault(site, []).append((since, max(since, last)))
    elif old == "unknown":
        silent[level, site] = silent.get((level, site), 0.0) + max(0.0, last - since)


def _watched(folder):
    try:
        document = json.loads((folder / "watched.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {tuple(name.split(" ")): seen for name, (_, seen) in document["probes"].items()}


def overlaps(sites):
    """Times at which two sites were writable at once: [(start, end, site, other)]."""
    names = sorted(sites)
    found = []
    for index, one in enumerate(names):
        for other in names[index + 1:]:
            for start, end in sites[one]:
                for begin, finish in sites[other]:
                    if max(start, begin) < min(end, finish):
                        found.append((max(start, begin), min(end, finish), one, other))
    return sorted(found)


def longest_gap(sites):
    """The longest time between the last yes of any site and the next yes of any: (seconds, from, to) or None."""
    spans = sorted(span for spans in sites.values() for span in spans)
    if not spans:
        return None
    best, end = (0.0, spans[0][0], spans[0][0]), spans[0][1]
    for start, finish in spans[1:]:
        if start - end > best[0]:
            best = (start - end, end, start)
        end = max(end, finish)
    return best
