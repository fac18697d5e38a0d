"""The commands on a healthy pair of sites: nothing here changes a role. Needs the lab."""

import json
import re
import unittest

from support import fault, geo_psql, lab, lab_command, on, psql, sh, until

KEPT = ["geo_metrics_update_worker", "geo_prune_event_log_worker", "geo_verification_cron_worker", "repository_check_worker"]


class Privileges(unittest.TestCase):
    """Section 1 of the reference."""

    def test_status_and_stop_of_a_plain_user(self):
        done = on("tokyo-rails-1", "gitlab-ctl", "status", user="geo-ops")
        self.assertEqual(done.stdout.splitlines()[0], "warning: gitlab-workhorse: unable to open supervise/ok: access denied")
        self.assertEqual(done.returncode, 16)
        self.assertEqual(on("tokyo-rails-1", "gitlab-ctl", "stop", user="geo-ops").returncode, 4)
        self.assertEqual(on("tokyo-rails-1", "gitlab-ctl", "status").returncode, 0)

    def test_missing_privilege_looks_like_missing_reconfigure(self):
        done = on("seoul-sidekiq-1", "gitlab-ctl", "geo", "promote", "--force", user="geo-ops")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr, "Error while promoting the current node: Node attributes JSON file not found in "
                                      "/opt/gitlab/embedded/nodes, has reconfigure been run yet?\n")

    def test_other_commands_of_a_plain_user(self):
        done = on("tokyo-rails-1", "gitlab-ctl", "reconfigure", user="geo-ops")
        self.assertEqual((done.returncode, done.stdout), (1, "This command must be executed as root user\n"))
        done = on("tokyo-pg-1", "gitlab-psql", "-c", "SELECT 1", user="geo-ops")
        self.assertEqual((done.returncode, done.stderr), (111, "chpst: fatal: unable to setgroups: permission denied\n"))
        done = on("tokyo-rails-1", "gitlab-rake", "gitlab:geo:site:role", user="geo-ops")
        self.assertEqual((done.returncode, done.stderr), (
            111, "chpst: fatal: unable to switch to directory: /opt/gitlab/etc/gitlab-rails/env: access denied\n"))

    def test_programs_exist_only_where_they_do_in_reality(self):
        done = on("tokyo-rails-1", "gitlab-psql", "-c", "SELECT 1")
        self.assertEqual((done.returncode, done.stderr), (111, "chpst: fatal: unknown user/group: gitlab-psql\n"))
        for node in ("tokyo-redis-1", "seoul-geo-1", "tokyo-gitaly-1"):
            done = on(node, "gitlab-rake", "gitlab:geo:site:role")
            self.assertEqual((done.returncode, len(done.stdout.splitlines())), (1, 3))
            self.assertTrue(done.stdout.startswith("/opt/gitlab/bin/gitlab-rake error: could not load /opt/gitlab/etc/gitlab-rails-rc\n"))
        self.assertEqual(on("seoul-rails-1", "gitlab-geo-psql", "-c", "SELECT 1").returncode, 1)
        self.assertEqual(on("tokyo-redis-1", "gitlab-redis-cli", "ping").stdout, "PONG\n")

    def test_psql_exit_codes_are_psql_s_own(self):
        self.assertEqual(on("tokyo-pg-1", "gitlab-psql", "-tAc", "SELECT nonsense").returncode, 1)
        self.assertEqual(on("tokyo-pg-1", "gitlab-psql", "-tAc", "SELECT 1", "-d", "nosuch").returncode, 2)


class Services(unittest.TestCase):
    """Section 6 of the reference, facts 10 and 11."""

    def test_exit_codes_are_sums_and_unknown_names_are_silent(self):
        node = "seoul-rails-2"
        self.assertRegex(on(node, "gitlab-ctl", "stop", "puma", "nginx").stdout, r"^ok: down: puma: \d+s, normally up\n$")
        self.assertEqual(on(node, "gitlab-ctl", "stop", "nginx").returncode, 0)
        done = on(node, "gitlab-ctl", "status")
        self.assertEqual(done.returncode, 6)
        self.assertRegex(done.stdout, r"(?m)^down: puma: \d+s, normally up; run: log: \(pid \d+\) \d+s$")
        self.assertRegex(done.stdout, r"(?m)^run: gitlab-workhorse: \(pid \d+\) \d+s; run: log: \(pid \d+\) \d+s$")
        for command in ("status", "start", "stop"):
            done = on(node, "gitlab-ctl", command, "sidekiq")
            self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertRegex(on(node, "gitlab-ctl", "start").stdout, r"(?m)^ok: run: puma: \(pid \d+\) \d+s$")
        done = on(node, "gitlab-ctl", "frobnicate")
        self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (1, "I don't know that command."))

    def test_reconfigure_leaves_stopped_services_stopped(self):
        on("seoul-gitaly-1", "gitlab-ctl", "stop", "logrotate")
        done = on("seoul-gitaly-1", "gitlab-ctl", "reconfigure")
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, "gitlab Reconfigured!"))
        self.assertEqual(on("seoul-gitaly-1", "gitlab-ctl", "status").returncode, 3)
        on("seoul-gitaly-1", "gitlab-ctl", "start")

    def test_a_hung_service_is_given_up_and_can_be_killed(self):
        node = "seoul-gitaly-1"
        fault("hung-service", node, "gitaly")
        done = on(node, "gitlab-ctl", "stop", "gitaly", env={"SVWAIT": "2"})
        self.assertRegex(done.stdout, r"^timeout: run: gitaly: \(pid \d+\) \d+s, want down, got TERM\n$")
        self.assertEqual(done.returncode, 1)
        done = on(node, "gitlab-ctl", "graceful-kill", "gitaly", env={"SVWAIT": "2"})
        self.assertRegex(done.stdout, r"found stuck pids still running in process group: \d+, sending SIGKILL\n$")
        fault("heal", "hung-service")
        self.assertEqual(on(node, "gitlab-ctl", "start", "gitaly").returncode, 0)
        self.assertEqual(on(node, "gitlab-ctl", "stop", "gitaly").returncode, 0)
        self.assertEqual(on(node, "gitlab-ctl", "start", "gitaly").returncode, 0)

    def test_stop_does_not_survive_a_reboot_and_disabled_does(self):
        node = "tokyo-rails-2"
        on(node, "gitlab-ctl", "stop")
        self.assertEqual(on(node, "gitlab-ctl", "status").returncode, 12)
        fault("reboot", node)
        until(lambda: on(node, "gitlab-ctl", "status").returncode == 0, what="all services after a reboot")
        on(node, "systemctl", "disable", "gitlab-runsvdir")
        fault("reboot", node)
        for command in ("status", "start"):
            done = on(node, "gitlab-ctl", command)
            self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (4, "fail: gitlab-workhorse: runsv not running"))
        on(node, "systemctl", "enable", "--now", "gitlab-runsvdir")
        until(lambda: on(node, "gitlab-ctl", "status").returncode == 0, what="all services after enabling")


class Prompts(unittest.TestCase):
    """Section 2, facts 8 and 9."""

    def test_prompts_at_the_end_of_input(self):
        done = on("seoul-sidekiq-1", "gitlab-ctl", "geo", "promote")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr, "Error while promoting the current node: undefined method `chomp' for nil:NilClass\n")
        self.assertEqual(on("seoul-sidekiq-1", "test", "-e", "/etc/gitlab/gitlab-cluster.json").returncode, 1)
        done = on("seoul-sidekiq-1", "gitlab-ctl", "geo", "promote", input="n\n")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        done = on("seoul-rails-1", "gitlab-ctl", "promotion-preflight-checks", "-p")
        self.assertEqual(done.returncode, 1)
        self.assertIn("confirm_manual_checks': undefined method `chomp'", done.stderr)

    def test_replicate_without_an_answer_loops_for_ever(self):
        script = "timeout 60 gitlab-ctl replicate-geo-database --host=10.0.0.1 --slot-name=x --force </dev/null | head -c 200000 | wc -c"
        self.assertEqual(sh("seoul-pg-1", script).stdout.strip(), "200000")
        self.assertEqual(on("seoul-pg-1", "gitlab-ctl", "status").returncode, 0)

    def test_preflight_passes_on_the_primary_and_prints_twice(self):
        done = on("tokyo-rails-1", "gitlab-ctl", "promotion-preflight-checks", input="y\ny\n")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count("This command is only available on a secondary node"), 2)
        self.assertEqual(done.stdout.splitlines()[-1], "All preflight checks have passed. This node can now be promoted.")
        done = on("seoul-rails-1", "gitlab-ctl", "promotion-preflight-checks", input="y\nn\n")
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (1, "ERROR: Primary node must be down."))


class Rails(unittest.TestCase):
    def test_roles_and_unknown_tasks(self):
        self.assertEqual(on("tokyo-rails-1", "gitlab-rake", "gitlab:geo:site:role").stdout, "primary\n")
        self.assertEqual(on("seoul-rails-1", "gitlab-rake", "geo:site:role").stdout, "secondary\n")
        done = on("seoul-rails-1", "gitlab-rake", "gitlab:geo:nonsense")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Don't know how to build task 'gitlab:geo:nonsense'", done.stderr)

    def test_status_has_the_layout_of_the_real_one(self):
        text = on("seoul-rails-1", "gitlab-rake", "gitlab:geo:status").stdout
        self.assertIn("\n" + " " * 38 + "Name: seoul\n", text)
        self.assertRegex(text, r"(?m)^ +Uploads replicated: succeeded 14 / total 14 \(100%\)$")
        self.assertNotIn("Job Artifacts", text)
        done = on("tokyo-rails-1", "gitlab-rake", "gitlab:geo:status")
        self.assertEqual((done.returncode, done.stdout), (0, "This command is only available on a secondary node\n"))

    def test_maintenance_mode_and_cron_jobs(self):
        node = "tokyo-rails-1"
        on(node, "gitlab-rails", "runner", "::Gitlab::CurrentSettings.update!(maintenance_mode: true,\n maintenance_mode_message: 'Moving, don\\'t panic')")
        self.assertEqual(psql("tokyo-pg-1", "SELECT maintenance_mode_message FROM application_settings"), "Moving, don't panic")
        self.assertEqual(on(node, "gitlab-rails", "runner", "puts Gitlab::CurrentSettings.maintenance_mode").stdout, "true\n")
        refused = on(node, "curl", "-s", "-w", " %{http_code}", "-d", '{"number": 900001}', "http://127.0.0.1/lab/writes").stdout
        self.assertEqual(refused, '{"message": "GitLab Maintenance: system is in maintenance mode"} 503')
        push = on(node, "curl", "-s", "-w", "%{http_code}", "http://127.0.0.1/shop/web.git/info/refs?service=git-receive-pack").stdout
        self.assertEqual(push, "Git push is not allowed because this GitLab instance is currently in (read-only) maintenance mode.\n403")
        on(node, "gitlab-rails", "runner", "Sidekiq::Cron::Job.all.each { |job| %w[" + " ".join(KEPT) + "].include?(job.name) ? job.enable! : job.disable! }")
        show = "puts Sidekiq::Cron::Job.all.map { |job| [job.name, job.status] }.to_h.to_json"
        statuses = json.loads(on(node, "gitlab-rails", "runner", show).stdout)
        self.assertEqual(sorted(name for name, status in statuses.items() if status == "enabled"), KEPT)
        on(node, "gitlab-rails", "runner", "Sidekiq::Cron::Job.all.each(&:enable!)")
        self.assertEqual(set(json.loads(on(node, "gitlab-rails", "runner", show).stdout).values()), {"enabled"})
        on(node, "gitlab-rails", "runner", "::Gitlab::CurrentSettings.update!(maintenance_mode: false)")
        self.assertEqual(psql("tokyo-pg-1", "SELECT maintenance_mode FROM application_settings"), "f")

    def test_a_secondary_refuses_writes(self):
        answer = on("seoul-rails-1", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", '{"number": 900002}', "http://127.0.0.1/lab/writes")
        self.assertEqual(answer.stdout, "403")


class Faults(unittest.TestCase):
    def test_each_leaves_its_trace_twice_and_heals(self):
        paused = lambda: psql("seoul-pg-1", "SELECT pg_is_wal_replay_paused()")  # noqa: E731
        pitr = lambda: sh("seoul-pg-1", "cat /var/opt/gitlab/postgresql/data/geo-pitr-file").stdout  # noqa: E731
        cases = [
            ("pause-replay", [], lambda: paused() == "t" and re.fullmatch(r"[0-9A-F]+/[0-9A-F]+", pitr())),
            ("leftover-pitr-file", [], lambda: paused() == "f" and pitr()),
            ("failed-registry-row", [], lambda: geo_psql("SELECT count(*) FROM file_registry WHERE state = 3") == "1"),
            ("missing-registry-rows", [], lambda: geo_psql("SELECT count(*) FROM file_registry") == "11"),
            ("garbage", ["tokyo-pg-1"], lambda: sh("tokyo-pg-1", "gitlab-ctl status | wc -c; gitlab-psql -c 'SELECT 1' | wc -c").stdout.split() == ["4096"] * 2),
            ("hung-probe", ["tokyo-gitaly-1"], lambda: on("tokyo-gitaly-1", "timeout", "2", "gitlab-ctl", "status").returncode == 124),
            ("hung-command", ["tokyo-rails-1", "gitlab-rails runner"],
             lambda: on("tokyo-rails-1", "timeout", "2", "gitlab-rails", "runner", "x").returncode == 124),
            ("reconfigure-fails", ["tokyo-gitaly-1"], lambda: on("tokyo-gitaly-1", "gitlab-ctl", "reconfigure").returncode == 1),
            ("stub-attributes", ["tokyo-gitaly-1"], lambda: len(sh("tokyo-gitaly-1", "cat /opt/gitlab/embedded/nodes/*").stdout) < 60),
            ("empty-cluster-json", ["tokyo-gitaly-1"], lambda: on("tokyo-gitaly-1", "gitlab-ctl", "reconfigure").returncode == 1),
        ]
        for name, words, active in cases:
            with self.subTest(fault=name):
                fault(name, *words)
                fault(name, *words)
                self.assertTrue(active())
                fault("heal", name)
                self.assertFalse(active())
        self.assertEqual(on("tokyo-gitaly-1", "gitlab-ctl", "reconfigure").returncode, 0)
        self.assertEqual(psql("tokyo-pg-1", "SELECT bool_and(enabled) FROM geo_nodes"), "t")

    def test_a_stale_status_row_grows_old(self):
        stamp = lambda site: psql("tokyo-pg-1", f"SELECT s.updated_at FROM geo_node_statuses s JOIN geo_nodes n ON n.id = geo_node_id WHERE name = '{site}'")  # noqa: E731
        fault("stale-status", "seoul")
        until(lambda: on("seoul-sidekiq-1", "test", "-e", "/opt/gitlab/lab/faults/stale-status").returncode == 0)
        tokyo, seoul = stamp("tokyo"), None
        until(lambda: stamp("tokyo") > tokyo, what="tokyo's status")
        seoul, tokyo = stamp("seoul"), stamp("tokyo")
        until(lambda: stamp("tokyo") > tokyo, what="tokyo's status")
        self.assertEqual(stamp("seoul"), seoul)
        fault("heal", "stale-status")
        until(lambda: stamp("seoul") > seoul, what="seoul's status")

    def test_postgresql_down_takes_readiness_with_it(self):
        lab()
        fault("postgresql-down", "tokyo")
        done = on("tokyo-pg-1", "gitlab-psql", "-tAc", "SELECT 1")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        ready = lambda: on("tokyo-rails-1", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1/-/readiness").stdout  # noqa: E731
        self.assertEqual(ready(), "503")
        done = on("tokyo-pg-1", "gitlab-ctl", "geo", "promote", "--force")
        self.assertEqual(done.returncode, 3)
        self.assertIn("Error while promoting the current node: Unable to check if PostgreSQL is in recovery psql: error: connection to server on socket", done.stderr)
        lab_command("fault", "heal", "postgresql-down")
        until(lambda: ready() == "200", what="readiness")


if __name__ == "__main__":
    unittest.main()
