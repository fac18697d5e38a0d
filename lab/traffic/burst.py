"""`lab load burst SITE`: users who reach one site directly, wherever the others are sent.

What a site acknowledges while replication from it is cut is what an unplanned failover leaves behind. The records are those of
the other users, so that the audit knows them.
"""

import subprocess
import sys

from traffic import logs
from traffic.destination import Destination
from traffic.pushes import PROJECTS, Pusher
from traffic.writes import BURST, Writer, tried

ATTEMPTS = 6        # other users push to the same projects


def burst(lab, options):
    if options.site is None:
        print("lab load: burst needs a site: load burst SITE [--writes N] [--pushes N]", file=sys.stderr)
        return 64
    folder, destination = logs.directory(lab), Destination(lab)
    folder.mkdir(exist_ok=True)
    writes = _write(folder, destination, options.site, options.writes)
    pushes = _push(folder, destination, options.site, options.pushes)
    print(f"{options.site} acknowledged {writes} of {options.writes} writes and {pushes} of {options.pushes} pushes.")
    return 0 if (writes, pushes) == (options.writes, options.pushes) else 1


def _write(folder, destination, site, count):
    writer = Writer(folder, destination, 1)
    first = max([number for number in tried(folder) if number >= BURST], default=BURST) + 1
    done = 0
    for number in range(first, first + count):
        reason = writer.send(site, number)
        if reason is None:
            writer.acknowledged.add(site, number)
            done += 1
        else:
            writer.refused.add(site, number, reason)
    return done


def _push(folder, destination, site, count):
    pusher = Pusher(folder, destination, 1, clones="clones-burst")
    return sum(_push_one(pusher, site, PROJECTS[turn % len(PROJECTS)]) for turn in range(count))


def _push_one(pusher, site, project):
    for _ in range(ATTEMPTS):
        try:
            pusher.acknowledged.add(site, project, pusher.push(project, site))
            return True
        except (subprocess.SubprocessError, OSError) as error:
            pusher.refuse(site, project, error)
    return False
