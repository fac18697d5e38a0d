"""A real `git push` of one new commit about every second.

After a failure, or when users are sent to another site, the clone is first set
to what that site holds. Otherwise the next push would carry commits along that
the failover had lost, and the audit could not see the loss.
"""

import os
import subprocess
import time

from infra.lab import MARKER
from traffic import logs

PROJECTS = ["shop/web", "shop/api", "shop/mobile", "shop/infra", "shop/docs"]


class Pusher:
    def __init__(self, folder, destination, interval, clones="clones"):
        self.folder = folder / clones
        self.folder.mkdir(exist_ok=True)
        self.destination = destination
        self.interval = interval
        self.acknowledged = logs.Log(folder / "acked-pushes.log")
        self.refused = logs.Log(folder / "refused-pushes.log")
        self.current = {}       # project: site whose state the clone has

    def run(self, stopping):
        turn = 0
        while not stopping.is_set():
            began = time.monotonic()
            project = PROJECTS[turn % len(PROJECTS)]
            site = self.destination.site()
            try:
                sha = self.push(project, site)
                self.acknowledged.add(site, project, sha)
            except (subprocess.SubprocessError, OSError) as error:
                self.refuse(site, project, error)
            turn += 1
            stopping.wait(max(0.05, self.interval - (time.monotonic() - began)))

    def refuse(self, site, project, error):
        self.current.pop(project, None)
        self.refused.add(site, project, _reason(error))

    def push(self, project, site):
        clone = self.folder / project.replace("/", "-")
        url = f"{self.destination.url(site)}/{project}.git"
        if not clone.exists():
            self._git(None, "init", "--quiet", "--bare", "--initial-branch=main", str(clone))
        if self.current.get(project) != site:
            self._git(clone, "fetch", "--quiet", url, "+refs/heads/main:refs/heads/main")
            self.current[project] = site
        sha = self._git(clone, "commit-tree", "main^{tree}", "-p", "main", "-m", f"Commit of {logs.now()}")
        self._git(clone, "push", "--quiet", url, f"{sha}:refs/heads/main")
        self._git(clone, "update-ref", "refs/heads/main", sha)
        return sha

    def _git(self, clone, *arguments):
        where = ["--git-dir", str(clone)] if clone else []
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Load", "GIT_AUTHOR_EMAIL": "load@lab.test", "GIT_COMMITTER_NAME": "Load", "GIT_COMMITTER_EMAIL": "load@lab.test",
            "GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "8",
        }
        # By these a push that waits for a site without power is found, by `lab down` and by who runs the tests.
        environment |= {name: os.environ[name] for name in (MARKER, "TESTS_OF_GEO_FAILOVER") if name in os.environ}
        done = subprocess.run(["git", *where, "-c", "gc.auto=0", *arguments], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=15, check=True)
        return done.stdout.strip()


def _reason(error):
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line.strip() for line in error.stderr.splitlines() if line.strip()]
        return next((line for line in lines if line.startswith(("remote:", "fatal:", "error:"))), lines[-1] if lines else "git failed")
    return f"{type(error).__name__}"
