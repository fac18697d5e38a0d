"""A planned failover with everything that can go wrong on the way, under load. Needs the lab, and uses it up.

The tests are steps of one story and run in the order of their numbers.
"""

import json
import unittest

from support import contains, fault, lab, lab_command, leave, on, psql, sh, until

DONE = "You successfully promoted the current node! It might take some time to reload the services, and for the changes to take effect."
PROMOTE = ["gitlab-ctl", "geo", "promote", "--force"]
DATA = "/var/opt/gitlab/postgresql/data"
TOKYO = ["tokyo-rails-1", "tokyo-rails-2", "tokyo-sidekiq-1", "tokyo-gitaly-1", "tokyo-redis-1", "tokyo-pg-1"]


def recovery():
    return psql("seoul-pg-1", "SELECT pg_is_in_recovery()")


def wait_for_steady_load(through):
    def served():
        audit = json.loads(lab_command("audit", "--json", check=False).stdout)
        text = (lab().state / "load/acked-pushes.log").read_text()
        return "writes" in audit and text.count(f" {through} ") >= 3
    until(served, what=f"pushes through {through}")


class PlannedFailover(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lab()
        lab_command("load", "start")

    @classmethod
    def tearDownClass(cls):
        leave()

    def test_01_a_node_of_the_primary_accepts_promote(self):
        """Reference 3.7."""
        wait_for_steady_load("tokyo")
        done = on("tokyo-sidekiq-1", *PROMOTE)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, DONE))
        self.assertEqual(json.loads(sh("tokyo-sidekiq-1", "cat /etc/gitlab/gitlab-cluster.json").stdout), {"geo_secondary": {"enable": False}})
        self.assertEqual(psql("tokyo-pg-1", "SELECT name FROM geo_nodes WHERE \"primary\""), "tokyo")

    def test_02_a_redis_node_has_nothing_to_promote(self):
        done = on("seoul-redis-1", *PROMOTE)
        self.assertEqual((done.returncode, len(done.stdout.split("\n")) - 1), (0, 3))
        contains(done.stdout, "\033[31mNOT OK\033[0m\n")

    def test_03_rails_before_postgresql_fails_without_harm(self):
        done = on("seoul-rails-1", *PROMOTE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("PG::ReadOnlySqlTransaction: ERROR:  cannot execute DELETE in a read-only transaction", done.stderr)
        self.assertEqual(done.stderr.splitlines()[-1], "Unable to promote secondary site to primary site.")
        self.assertTrue(done.stdout.endswith("\rPromoting secondary site to primary site: \033[31mNOT OK\033[0m\n"))

    def test_04_a_cut_session_leaves_a_stub_and_promote_refuses_for_ever(self):
        """Facts 4 and 5: the reader of the output goes away in the middle of the reconfigure."""
        node = "seoul-sidekiq-1"
        sh(node, "gitlab-ctl geo promote --force 2>/dev/null | head -n 60 >/dev/null")
        until(lambda: sh(node, "pgrep -f '[g]itlab-ctl geo' || echo gone").stdout.strip() == "gone", what="the end of gitlab-ctl")
        self.assertLess(len(sh(node, "cat /opt/gitlab/embedded/nodes/*.json").stdout), 45)
        for _ in range(2):
            done = on(node, *PROMOTE)
            self.assertEqual(done.returncode, 3)
            self.assertEqual(done.stderr, f"Error while promoting the current node: Attributes not found in /opt/gitlab/embedded/nodes/{node}.lab.test.json, "
                                          "has reconfigure been run yet?\n")
        self.assertEqual(on(node, "gitlab-ctl", "reconfigure").returncode, 0)

    def test_05_block_writes_and_wait(self):
        on("tokyo-rails-1", "gitlab-rake", "gitlab:geo:prevent_updates_to_primary_site", timeout=300)
        done = on("seoul-rails-1", "gitlab-rake", "gitlab:geo:wait_until_replicated_and_verified", timeout=300)
        self.assertEqual(done.stdout.splitlines()[-1], "Data replication/verification: All data successfully replicated and verified")

    def test_06_the_stopped_primary_has_sent_everything(self):
        for node in TOKYO:
            on(node, "systemctl", "disable", "gitlab-runsvdir")
            on(node, "gitlab-ctl", "stop")
            self.assertEqual(on(node, "gitlab-ctl", "status").returncode % 3, 0)
        control = sh("tokyo-pg-1", f"LC_ALL=C /opt/gitlab/embedded/bin/pg_controldata -D {DATA}").stdout
        self.assertIn("shut down\n", control)
        location = next(line.split()[-1] for line in control.splitlines() if line.startswith("Latest checkpoint location"))
        self.assertEqual(psql("seoul-pg-1", f"SELECT pg_last_wal_replay_lsn() >= '{location}'"), "t")

    def test_07_a_leftover_pitr_file_makes_a_false_success(self):
        """Facts 2 and 3, and the way out of reference 5.3."""
        sh("seoul-pg-1", f"printf 0/3000110 > {DATA}/geo-pitr-file; chown gitlab-psql: {DATA}/geo-pitr-file")
        done = on("seoul-pg-1", *PROMOTE)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, DONE))
        contains(done.stdout, "Recovery to point 0/3000110 and promoting...\n")
        contains(done.stdout, "The database is successfully promoted!\n")
        self.assertNotEqual(recovery(), "f")
        self.assertEqual(on("seoul-pg-1", "test", "-s", f"{DATA}/geo-pitr-file").returncode, 0)
        sh("seoul-pg-1", f"rm {DATA}/geo-pitr-file; : > {DATA}/gitlab-geo.conf; gitlab-ctl restart postgresql")
        until(lambda: recovery() == "t", what="the standby's answer")

    def test_08_postgresql_is_promoted_and_a_second_time_nothing_happens(self):
        done = on("seoul-pg-1", *PROMOTE)
        self.assertEqual((done.returncode, recovery()), (0, "f"))
        lines = done.stdout.splitlines()
        self.assertIn("server promoted", lines)
        contains(done.stdout, "\rPromoting the PostgreSQL to end standby mode and begin read-write operations:\n")
        self.assertAlmostEqual(done.stdout.count("\n"), 780, delta=2)
        self.assertEqual(done.stdout.count("NOT OK"), 0)
        self.assertEqual(done.stderr.count("warning: already initialized constant"), 18)
        self.assertEqual(on("seoul-pg-1", "test", "-e", "/etc/gitlab/gitlab-cluster.json").returncode, 1)
        again = on("seoul-pg-1", *PROMOTE)
        self.assertEqual(again.returncode, 0)
        self.assertEqual(again.stdout.count("Promoting the PostgreSQL"), 0)

    def test_09_a_failed_reconfigure_is_not_reported(self):
        """Fact 1."""
        fault("reconfigure-fails", "seoul-gitaly-1")
        done = on("seoul-gitaly-1", *PROMOTE)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, DONE))
        contains(done.stdout, "\rRunning reconfigure to apply changes: \033[31mNOT OK\033[0m\n")
        self.assertRegex(done.stdout, r"Infra Phase failed\. 0 resources updated in \d\d seconds\n")
        honest = on("seoul-gitaly-1", "gitlab-ctl", "reconfigure")
        self.assertEqual(honest.returncode, 1)
        self.assertIn("syntax error", honest.stderr)
        fault("heal", "reconfigure-fails")
        done = on("seoul-gitaly-1", *PROMOTE)
        self.assertEqual((done.returncode, done.stdout.count("NOT OK")), (0, 0))
        self.assertRegex(done.stdout, r"\rRunning restart on gitaly:ok: run: gitaly: \(pid \d+\) \d+s\n")

    def test_10_a_full_disk_leaves_an_empty_cluster_file(self):
        """Fact 6."""
        fault("full-disk", "seoul-geo-1")
        done = on("seoul-geo-1", *PROMOTE)
        fault("heal", "full-disk")
        self.assertEqual((done.returncode, done.stderr), (3, "Error while promoting the current node: No space left on device @ fptr_finalize_flush - "
                                                             "/etc/gitlab/gitlab-cluster.json\n"))
        self.assertEqual(sh("seoul-geo-1", "stat -c %s /etc/gitlab/gitlab-cluster.json").stdout, "0\n")
        done = on("seoul-geo-1", *PROMOTE)
        self.assertEqual((done.returncode, done.stderr), (3, "Error while promoting the current node: Top level JSON object must be a Hash or Array. (actual: NilClass)\n"))
        self.assertEqual(on("seoul-geo-1", "gitlab-ctl", "reconfigure").returncode, 1)
        sh("seoul-geo-1", "rm /etc/gitlab/gitlab-cluster.json; gitlab-ctl reconfigure")

    def test_11_sidekiq_and_rails(self):
        self.assertEqual(on("seoul-sidekiq-1", *PROMOTE).returncode, 0)
        done = on("seoul-rails-1", *PROMOTE)
        self.assertEqual((done.returncode, done.stdout.count("NOT OK")), (0, 0))
        contains(done.stdout, "\rAttempting to detect the role of this Geo node:secondary\n")
        contains(done.stdout, "/ is now the primary Geo site\n\rPromoting secondary site to primary site: \033[32mOK\033[0m\n")
        done = on("seoul-rails-2", *PROMOTE)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count("Promoting secondary site"), 0)
        self.assertEqual(psql("seoul-pg-1", "SELECT name, \"primary\" FROM geo_nodes"), "seoul|t")
        for node in ("seoul-rails-1", "seoul-rails-2"):
            until(lambda node=node: on(node, "gitlab-ctl", "status").returncode == 0, what="all services")

    def test_12_the_cluster_file_stops_no_split_service(self):
        """Fact 7; gitlab.rb is what counts."""
        self.assertEqual(on("seoul-geo-1", *PROMOTE).returncode, 0)
        self.assertEqual(json.loads(sh("seoul-geo-1", "cat /etc/gitlab/gitlab-cluster.json").stdout), {"geo_postgresql": {"enable": False}})
        self.assertEqual(json.loads(sh("seoul-sidekiq-1", "cat /etc/gitlab/gitlab-cluster.json").stdout),
                         {"geo_secondary": {"enable": False}, "geo_logcursor": {"enable": False}})
        done = on("seoul-sidekiq-1", "gitlab-ctl", "reconfigure")
        contains(done.stdout, "gitlab-cluster.json overrides the the setting in the /etc/gitlab/gitlab.rb configuration file")
        self.assertRegex(on("seoul-sidekiq-1", "gitlab-ctl", "status", "geo-logcursor").stdout, r"^run: geo-logcursor: ")
        self.assertRegex(on("seoul-geo-1", "gitlab-ctl", "status", "geo-postgresql").stdout, r"^run: geo-postgresql: ")
        self.assertEqual(sh("seoul-rails-1", "grep -c '^  geo:' /var/opt/gitlab/gitlab-rails/etc/database.yml").stdout, "1\n")
        sh("seoul-sidekiq-1", "sed -i 's/^geo_logcursor/# &/' /etc/gitlab/gitlab.rb; gitlab-ctl reconfigure")
        self.assertEqual(on("seoul-sidekiq-1", "gitlab-ctl", "status", "geo-logcursor").stdout, "")

    def test_13_seoul_serves_and_nothing_was_lost(self):
        lab()
        on("seoul-rails-1", "gitlab-rails", "runner", "::Gitlab::CurrentSettings.update!(maintenance_mode: false)")
        (lab().state / "dns").write_text("seoul\n")
        wait_for_steady_load("seoul")
        show = "puts Sidekiq::Cron::Job.all.map { |job| [job.name, job.status] }.to_h.to_json"
        self.assertEqual(json.loads(on("seoul-rails-1", "gitlab-rails", "runner", show).stdout)["pipeline_schedule_worker"], "enabled")
        fresh = "SELECT s.updated_at > now() - interval '20 s' FROM geo_node_statuses s JOIN geo_nodes n ON n.id = geo_node_id WHERE \"primary\""
        until(lambda: psql("seoul-pg-1", fresh) == "t", what="a fresh status of the new primary")
        done = lab_command("audit", "--json", check=False)
        result = json.loads(done.stdout)
        self.assertEqual((done.returncode, result["verdict"], result["site"]), (0, "nothing lost", "seoul"), done.stdout)

    def test_14_a_write_that_only_the_former_primary_has_is_found(self):
        """The audit must be able to fail: an acknowledged write that seoul never had."""
        lab_command("load", "stop")
        log = lab().state / "load/acked-writes.log"
        kept = log.read_text()
        log.write_text(kept + "2026-01-01T00:00:00.000Z 1.000 tokyo 987654\n")
        done = lab_command("audit", check=False)
        log.write_text(kept)
        self.assertEqual(done.returncode, 2)
        contains(done.stdout, "1 lost")

    def test_15_the_former_primary_is_seeded_again(self):
        """Section 7 and fact 12: the stopped database is no obstacle, the default sslmode streams nothing."""
        on("tokyo-pg-1", "systemctl", "enable", "--now", "gitlab-runsvdir")
        until(lambda: on("tokyo-pg-1", "gitlab-ctl", "stop").returncode == 0, what="runit on tokyo-pg-1")
        host = lab().nodes["seoul-pg-1"].address
        seed = ["gitlab-ctl", "replicate-geo-database", f"--host={host}", "--slot-name=tokyo", "--no-wait", "--skip-backup"]
        wrong = on("tokyo-pg-1", *seed, input="wrong\n")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("*** Initial replication failed! ***\n", wrong.stdout)
        self.assertIn("\n\nFailed to execute: ", wrong.stdout)
        self.assertEqual(on("tokyo-pg-1", "gitlab-ctl", "status").returncode, 6)
        done = on("tokyo-pg-1", *seed, input="practice-replication\n", timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("Found data inside", done.stdout)
        until(lambda: psql("tokyo-pg-1", "SELECT pg_is_in_recovery()") == "t", what="the new standby")
        self.assertEqual(psql("tokyo-pg-1", "SELECT count(*) FROM pg_stat_wal_receiver"), "0")
        refused = on("tokyo-pg-1", *seed, input="practice-replication\n")
        self.assertEqual((refused.returncode, "Found data inside the gitlabhq_production database!" in refused.stdout), (1, True))
        sh("tokyo-pg-1", f"sed -i 's/verify-full/prefer/' {DATA}/gitlab-geo.conf; gitlab-ctl restart postgresql")
        until(lambda: psql("tokyo-pg-1", "SELECT status FROM pg_stat_wal_receiver") == "streaming", what="streaming from the new primary")


if __name__ == "__main__":
    unittest.main()
