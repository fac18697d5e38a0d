"""gitlab-rake: the Geo tasks, `gitlab:db:active`, and the answer to everything else."""

import os
import sys
import time
import traceback

from gitlab_lab import faults, paths


class Abort(Exception):
    """`abort` of a rake task: the text goes to stderr, the exit code is 1."""


def main(argv):
    faults.obey("gitlab-rake", argv)
    time.sleep(paths.pace("rails_boot"))
    from gitlab_lab.rails import database, db_tasks, geo_tasks, geo_waits

    os.environ.update(word.split("=", 1) for word in argv if "=" in word and not word.startswith("-"))
    names = [name for name in argv if not name.startswith("-") and "=" not in name]
    tasks = {**geo_tasks.TASKS, **geo_waits.TASKS, **db_tasks.tasks()}
    # Before 17.x the Geo tasks had no `gitlab:` in front of their names.
    tasks.update({name.removeprefix("gitlab:"): task for name, task in tasks.items() if name.startswith("gitlab:geo:")})
    for name in names or ["default"]:
        if name not in tasks:
            print(f"rake aborted!\nDon't know how to build task '{name}' (See the list of available tasks with `rake --tasks`)\n\n"
                  "(See full trace by running task with --trace)", file=sys.stderr)
            return 1
        try:
            code = tasks[name]()
        except Abort as stop:
            print(stop, file=sys.stderr)
            return 1
        except database.Error as error:
            return _aborted(name, database.ruby_text(error))
        except Exception as error:  # noqa: BLE001, rake reports every exception this way
            if type(error).__module__.startswith("redis"):
                return _aborted(name, f"Redis::CannotConnectError: {error}")
            traceback.print_exc()
            return _aborted(name, f"{type(error).__name__}: {error}")
        if code:
            return code
    return 0


def _aborted(name, reason):
    print(f"rake aborted!\n{reason}\n\nTasks: TOP => {name}\n(See full trace by running task with --trace)", file=sys.stderr)
    return 1


def run():
    sys.exit(main(sys.argv[1:]))
