"""From the watcher's log to the two questions: was there ever no writable site, was there ever more than one."""

import json

from traffic import logs

LEVELS = ("database", "application")


def writable(folder):
    """When each site took writes: {level: {site: [(first yes, last yes), ...]}} with monotonic times; the same from the
    answer before to the answer after, and with the times nobody watched: outside of them it took none for sure; and
    {(level, site): seconds of silence}."""
    records = logs.read(folder / "writable.log", 6)
    seen, outer, silent, value = {level: {} for level in LEVELS}, {level: {} for level in LEVELS}, {}, {}

    def end(level, site, last, at):
        old, since, before = value.pop((level, site), (None, 0.0, 0.0))
        if old == "yes":
            seen[level].setdefault(site, []).append((since, max(since, last)))
        if old in ("yes", "unwatched"):
            outer[level].setdefault(site, []).append((min(before or since, since), max(since, at)))
        elif old == "unknown":
            silent[level, site] = silent.get((level, site), 0.0) + max(0.0, last - since)

    for _, at, level, site, new, last in records:
        at, last = float(at), float(last)
        if level == "watcher":
            # A watcher that was killed left no record of its end: of the time since its last change nothing is known.
            for (name, place), (old, since, _) in list(value.items()):
                if old != "unwatched":
                    end(name, place, since, at)
                    value[name, place] = ("unwatched", since, since)
            continue
        end(level, site, last, at)
        value[level, site] = (new, at, last)
    for (level, site), moment in _watched(folder).items():
        end(level, site, moment, moment)
    return seen, outer, silent


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
