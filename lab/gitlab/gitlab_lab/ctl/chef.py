"""The output of a Chef run: hundreds of lines that say little, at the pace of the lab.

The number of lines per kind of node is what the real commands printed. Readers
must find the few lines that matter between them.
"""

import time

from gitlab_lab import paths
from gitlab_lab.ctl.output import err, out

VERSION = "18.3.0"
RESOURCES = {"puma": 487, "sidekiq": 455, "postgresql": 491, "gitaly": 296, "geo-postgresql": 301}
LINES = {"puma": 763, "sidekiq": 706, "postgresql": 769, "gitaly": 454, "geo-postgresql": 466}
PATHS = """/etc/gitlab /opt/gitlab/embedded/etc /var/log/gitlab /var/opt/gitlab /opt/gitlab/etc /opt/gitlab/sv /opt/gitlab/init
/opt/gitlab/service /var/opt/gitlab/.ssh /var/opt/gitlab/gitconfig /var/opt/gitlab/logrotate /opt/gitlab/etc/gitlab-rails
/var/opt/gitlab/gitlab-rails/etc /var/opt/gitlab/gitlab-rails/working /var/opt/gitlab/gitlab-rails/tmp /var/log/gitlab/gitlab-rails
/var/opt/gitlab/gitlab-rails/shared /opt/gitlab/etc/gitlab-rails/env /var/opt/gitlab/gitlab-shell""".split()
KINDS = ["directory[%s] action create", "template[%s/config] action create", "file[%s/VERSION] action create",
         "link[%s/current] action create", "env_dir[%s/env] action create", "account[%s] action create"]
WARNINGS = [
    f"/opt/gitlab/embedded/lib/ruby/gems/3.2.0/gems/chef-utils-{VERSION}/lib/{name}.rb:{line}: "
    f"warning: already initialized constant {constant}"
    for line, name, constant in [
        (14 + index, f"chef-utils/dist{index // 6}", f"ChefUtils::Dist::{constant}")
        for index, constant in enumerate(
            "Apply Automate CLI Habitat Infra Inspec Org Run Server Solo SoloLegacy Workstation Zero Product "
            "Short Client Website Email".split()
        )
    ]
]


def stamp():
    return time.strftime("[%Y-%m-%dT%H:%M:%S+00:00]", time.gmtime())


def kind_of(services):
    """The service that decides how much Chef has to do on this node."""
    for name in ("puma", "postgresql", "sidekiq", "geo-postgresql", "gitaly"):
        if name in services:
            return name
    return "gitaly"


class Run:
    """One Chef run; `work` prints part of the recipe lines and takes its share of the time."""

    def __init__(self, services):
        kind = kind_of(services)
        self.resources = RESOURCES[kind]
        self.lines = LINES[kind] - 12
        self.printed = 0
        self.started = time.monotonic()
        self.updated = 0

    def begin(self):
        out(f"{stamp()} INFO: Started Cinc Zero at chefzero://localhost:1 with 1 repositories at /opt/gitlab/embedded "
            "(One version per cookbook)")
        out(f"Cinc Client, version {VERSION}")
        out("Patents: https://www.chef.io/patents")
        out("Infra Phase starting")
        for warning in WARNINGS:
            err(warning)
        out(f"{stamp()} INFO: *** Cinc Client {VERSION} ***")
        out(f"{stamp()} INFO: Platform: x86_64-linux")
        out(f"{stamp()} INFO: Setting the run_list to [\"recipe[gitlab-ee]\"] from CLI options")

    def work(self, share):
        """Prints `share` (0 to 1) of the lines in ten portions, with the pretended work between them."""
        first = self.printed
        last = min(self.lines, first + round(self.lines * share))
        for portion in range(1, 11):
            self._lines(first + (last - first) * portion // 10)
            time.sleep(paths.pace("reconfigure") * share / 10)

    def _lines(self, goal):
        while self.printed < goal:
            index = self.printed
            path = PATHS[index % len(PATHS)]
            if index % 23 == 0:
                out(f"Recipe: gitlab::{path.rsplit('/', 1)[-1].strip('.')}")
            else:
                out(f"  * {KINDS[index % len(KINDS)] % path} (up to date)")
            self.printed += 1

    def changed(self, resource):
        self.updated += 1
        out(f"  * {resource}")

    def _elapsed(self):
        return f"{max(1, round(time.monotonic() - self.started)):02d} seconds"

    def complete(self):
        out("")
        out("Running handlers:")
        out(f"{stamp()} INFO: Running report handlers")
        out("Running handlers complete")
        out(f"{stamp()} INFO: Report handlers complete")
        out(f"Infra Phase complete, {self.updated}/{self.resources} resources updated in {self._elapsed()}")

    def failed(self, reason):
        out("")
        out("Running handlers:")
        out("There was an error running gitlab-ctl reconfigure:")
        out("")
        out(reason)
        out("")
        out("Running handlers complete")
        out(f"Infra Phase failed. {self.updated} resources updated in {self._elapsed()}")
