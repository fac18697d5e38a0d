"""`gitlab-ctl reconfigure`, alone (with an honest exit code) and inside `geo promote`."""

import fcntl
import os
import time

from gitlab_lab import attributes, cluster_file, gitlab_rb, paths
from gitlab_lab.config import Config
from gitlab_lab.ctl import chef, render, runit, services, tracking_database
from gitlab_lab.ctl.output import capture, err, out

LOCK = "/opt/gitlab/lab/reconfigure.lock"
UNIT = "/usr/lib/systemd/system/gitlab-runsvdir.service"
UNIT_TEMPLATE = "/opt/gitlab/embedded/cookbooks/package/templates/default/gitlab-runsvdir.service.erb"


def command(_arguments):
    if os.geteuid() != 0:
        out("This command must be executed as root user")
        return 1
    reason = converge()
    if reason:
        err(reason)
        return 1
    out("gitlab Reconfigured!")
    return 0


def converge():
    """One Chef run. Returns None, or the reason why it failed. Two at once run one after the other."""
    paths.directory(paths.LAB_DIR, 0o755)
    with open(paths.at(LOCK), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = chef.Run(services.enabled())
        run.begin()
        attributes.begin()
        try:
            config = Config.load()
            overrides = cluster_file.load()
        except (gitlab_rb.ConfigError, cluster_file.Broken) as error:
            time.sleep(paths.pace("reconfigure") * 0.15)
            run.failed(str(error))
            return str(error)
        _announce(overrides)
        run.work(0.5)
        try:
            reason = supervise(run.changed)
            if not reason:
                apply(config, run.changed)
        except OSError as error:
            reason = f"{error.strerror} - {error.filename}"
        if reason:
            run.failed(reason)
            return reason
        run.work(0.5)
        attributes.finish(config.settings, config.services, overrides)
        run.complete()
        _warnings()
    return None


def supervise(changed):
    """The recipe package::runit_systemd: a unit whose file was written anew, as after an upgrade, is enabled and started at
    once. Returns why that failed."""
    if paths.ROOT or not paths.write(UNIT, paths.read(UNIT_TEMPLATE)):
        return None
    changed(f"template[{UNIT}] action create")
    for words in (["daemon-reload"], ["enable", "gitlab-runsvdir"], ["start", "gitlab-runsvdir"]):
        code, _, said = capture(["systemctl", *words])
        if code:
            return f"execute[systemctl {' '.join(words)}]: Expected process to exit with [0], but received '{code}'\n{said.strip()}"
        changed(f"execute[systemctl {' '.join(words)}] action run")
    return None


def apply(config, changed=lambda line: None):
    """Makes the node what gitlab.rb says. The cluster file does not take part: it is merged
    at the top level of the node, where no recipe of the split services looks."""
    definitions = {name for name in config.services if runit.define(name)}
    if tracking_database.initialise(config):
        changed("execute[/opt/gitlab/embedded/bin/initdb -D /var/opt/gitlab/geo-postgresql/data -E UTF8] action run")
    restarts = render.everything(config)
    started = set()
    for name in config.services:
        if runit.enable(name):
            started.add(name)
            changed(f"link[/opt/gitlab/service/{name}] action create")
            restarts.discard(name)
        elif name in definitions:
            restarts.add(name)
    for name in services.enabled():
        if name not in config.services:
            changed(f"runit_service[{name}] action disable")
            if not paths.ROOT:
                services.stop(name)
            runit.disable(name)
    for made in tracking_database.create(config, "geo-postgresql" in started):
        changed(made)
    for name in sorted(restarts):
        if name in config.services and services.running(name):
            changed(f"runit_service[{name}] action restart")
            services.restart_and_report(name)


def _announce(overrides):
    if overrides:
        out("The configured values from /etc/gitlab/gitlab-cluster.json overrides the the setting in the "
            "/etc/gitlab/gitlab.rb configuration file")


def _warnings():
    locale = os.environ.get("LC_ALL", "")
    if locale and "utf" not in locale.lower():
        out("")
        out("Warnings:")
        out("Environment variable LC_ALL specifies a non-UTF-8 locale. GitLab requires UTF-8 encoding to function properly. "
            "Please check your locale settings.")
