"""`check` on two sites that are in use and break: what it must see, what it must not believe, and how long it may take.

Reads only, so all these stories share one lab; each heals what it broke.
"""

import json
import re
import unittest

from support import Story, Tool, lab, until

# What nobody knows of a candidate while its PostgreSQL is not heard.
SILENT_DATABASE = [(f"database.{name}", "tokyo->seoul") for name in (
    "same-lineage", "same-timeline", "standby-readable", "standby-settings", "pending-restart", "collation", "long-transactions",
    "room-for-secondaries", "admits-secondaries")] + [
    (name, "tokyo->seoul") for name in ("gitlab.schema-migrated", "ssh.key-lookup", "geo.license", "geo.hashed-storage", "geo.http-cloning")]
CONNECT_LIMIT = 10          # seconds, the inventory's default
PROBE_LIMIT = 20            # seconds that one probe may take
# What a check may take beyond the slowest probe on a busy machine.
BUSY = 90


class Checks(Story):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-main")
        cls.tool = Tool(cls.lab)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.lab.heal)

    def check(self, *argv):
        answer = self.tool("check", "-o", "json", *argv)
        self.assertEqual(answer.err, "", answer)
        return answer, [json.loads(line) for line in answer.out.splitlines()]

    def concerns(self, lines, about="tokyo->seoul"):
        """Findings that are not pass, by check and subject; nobody can have drilled on a lab that is minutes old."""
        return {(line["check"], line["subject"]): line for line in lines
                if line["type"] == "finding" and line["about"] == about and line["verdict"] != "pass"
                and not line["check"].startswith("operator.last-")}

    def verdict(self, lines, about="tokyo->seoul"):
        return next(line for line in lines if line["type"] == "verdict" and line["about"] == about)

    def ready(self):
        """The answer once the lab is as new; what a fault left behind may take some seconds to go away."""
        last = []

        def passes():
            last[:] = [self.check()]
            return last[0][0].code == 0
        try:
            until(passes, what="the lab to be ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.concerns(last[0][1])}\n{last[0][0]}") from None
        return last[0]

    def broken(self, fault, expected, limit=None, follows=()):
        """The concerns after a fault: the first answer has all that are expected, and in the end there are no others.

        Never ready meanwhile. `expected` maps (check, subject) to a verdict.
        """
        self.lab.fault(*fault)
        return self.concerned(expected, limit, follows)

    def concerned(self, expected, limit=None, follows=()):
        found = {}

        def only_these():
            answer, self.lines = self.check()
            lines = self.lines
            found.clear()
            found.update(self.concerns(lines))
            self.assertEqual(answer.code, 2, answer)
            self.assertFalse(self.verdict(lines)["isReady"])
            if limit:
                self.assertLess(answer.seconds, limit)
            verdicts = {key: line["verdict"] for key, line in found.items() if key not in follows}
            self.assertEqual({key: verdicts.get(key) for key in expected}, expected)
            return verdicts == expected
        try:
            until(only_these, what="nothing else to be wrong")
        except AssertionError as error:
            told = "\n".join(f"  {line['verdict']} {check} {subject}: {line['summary']}" for (check, subject), line in found.items())
            raise AssertionError(f"{error}\nconcerns:\n{told}") from None
        return found

    def words(self, line):
        """Everything that a finding says."""
        return " ".join([line["summary"], line.get("remedy") or "", *(e["text"] for e in line["evidence"])])

    # --- Nothing is wrong

    def test_a_healthy_deployment_is_ready(self):
        self.ready()
        answer = self.tool("check")
        self.assertEqual((answer.code, answer.err), (0, ""), answer)
        self.assertSays(answer.out, "tokyo -> seoul: READY", "checks pass")
        self.assertNotIn("seoul -> tokyo", answer.out)
        self.assertNotIn("\x1b", answer.out)
        self.assertLessEqual(max(map(len, answer.out.splitlines())), 80)

    def test_every_line_of_json_names_its_schema_and_type(self):
        answer, lines = self.ready()
        self.assertEqual({line["schema"] for line in lines}, {1})
        self.assertEqual({line["type"] for line in lines}, {"finding", "verdict", "loss"})
        self.assertEqual(lines[-1]["type"], "verdict")
        self.assertTrue(lines[-1]["isReady"])
        self.assertEqual(self.concerns(lines), {})
        for line in (line for line in lines if line["type"] == "finding"):
            self.assertLessEqual({"about", "check", "subject", "subjectKind", "verdict", "summary", "evidence"}, set(line))
            self.assertTrue(line["summary"])
            for evidence in line["evidence"]:
                self.assertLess(abs(evidence.get("ageSeconds", 0)), 60)

    def test_a_check_is_one_connection_and_one_exec_per_node(self):
        nodes = list(self.lab.nodes)
        self.assertEqual(len(nodes), 15)
        self.ready()
        before = {node: len(self.lab.sshd_log(node)) for node in nodes}
        for node in nodes:      # sshd counts commands only when it is asked to talk more
            self.lab.on(node, "sh", "-c", "grep -q VERBOSE /etc/ssh/sshd_config || echo 'LogLevel VERBOSE' >>/etc/ssh/sshd_config; pkill -HUP -o -x sshd")
        for node in nodes:
            until(lambda: any("Server listening on 0.0.0.0" in line for line in self.lab.sshd_log(node)[before[node]:]),
                  what=f"sshd of {node} to start again")
        before = {node: len(self.lab.sshd_log(node)) for node in nodes}
        answer, lines = self.check()
        self.assertEqual((answer.code, self.concerns(lines)), (0, {}))
        for node in nodes:
            with self.subTest(node):
                said = "\n".join(self.lab.sshd_log(node)[before[node]:])
                self.assertEqual(said.count("Connection from "), 1, said)
                self.assertEqual(said.count("Accepted publickey for geo-ops"), 1, said)
                self.assertEqual(said.count("Starting session: command for geo-ops"), 1, said)
                self.assertEqual(said.count("Starting session: "), 1, said)

    def test_a_check_leaves_the_nodes_as_they_are(self):
        self.ready()
        script = ("find /etc /var/opt/gitlab/gitlab-rails /opt/gitlab /var/lib/geo-failover /home -xdev -type f -newer /var/log/before"
                  " ! -path '*/supervise/*' ! -path '*/lab/*' 2>/dev/null; true")
        nodes = ["tokyo-rails-1", "tokyo-pg-1", "seoul-pg-1", "seoul-geo-1", "tokyo-lb-1"]
        for node in nodes:
            self.lab.on(node, "touch", "/var/log/before")
        self.assertEqual(self.tool("check").code, 0)
        for node in nodes:
            with self.subTest(node):
                self.assertEqual(self.lab.on(node, "sh", "-c", script), "")

    # --- Nodes that do not answer, or not well

    def unreached(self, node, also=()):
        """What nobody knows while a node of that kind does not answer."""
        known = {"node.reachable", "node.sudo", "node.clock", "node.disk", "node.services-up", "node.starts-at-boot",
                 "node.attributes-good", "node.cluster-file", "node.no-change-running", "node.reconfigured"}
        pair = {"nodes.distinct", "gitlab.versions-equal", "secrets.equal", "capacity.machines"}
        return ({(check, node): "unknown" for check in known} | {(check, "tokyo->seoul"): "unknown" for check in pair}
                | {key: "unknown" for key in also})

    def test_a_node_that_is_down_is_unknown_and_the_others_still_answer(self):
        found = self.broken(["node-down", "tokyo-gitaly-1"], self.unreached("tokyo-gitaly-1"), CONNECT_LIMIT + BUSY)
        # Which of the two depends on whether the network still remembers the node.
        self.assertRegex(found["node.reachable", "tokyo-gitaly-1"]["summary"], "the time limit for connecting passed|No route to host")
        self.assertSays(found["node.disk", "tokyo-gitaly-1"]["summary"], "was not reached")
        text = self.tool("check")
        self.assertEqual(text.code, 2)
        self.assertSays(text.out, "NOT READY", "UNKNOWN", "tokyo-gitaly-1")
        others = [line for line in self.lines if line["type"] == "finding" and line["check"] == "node.services-up" and line["verdict"] == "pass"]
        self.assertEqual(len(others), 12, "all other nodes with services")

    def test_an_sshd_that_hangs_is_unknown_within_the_connect_limit(self):
        found = self.broken(["sshd-hang", "tokyo-gitaly-1"], self.unreached("tokyo-gitaly-1"), CONNECT_LIMIT + BUSY)
        self.assertSays(found["node.reachable", "tokyo-gitaly-1"]["summary"], "time limit", "key exchange")

    def test_a_database_that_the_operator_cannot_reach_is_not_called_down(self):
        pair = [("postgresql.versions-equal", "tokyo->seoul"), ("deployment.one-primary", "deployment"), ("site.role", "seoul"),
                ("replication.streaming", "tokyo->seoul"), ("replication.slot", "tokyo->seoul"), ("site.node-name", "seoul"),
                ("replication.lag", "tokyo->seoul"), ("replication.not-paused", "tokyo->seoul"),
                ("network.between-sites", "tokyo->seoul"), ("passwords.equal", "tokyo->seoul"), *SILENT_DATABASE]
        found = self.broken(["partition-operator", "seoul-pg-1"], self.unreached("seoul-pg-1", pair), CONNECT_LIMIT + BUSY)
        for line in found.values():
            self.assertNotIn("down", line["summary"].split(":")[0])

    def test_a_wrong_host_key_is_named_and_nothing_is_said_to_that_node(self):
        self.lab.fault("wrong-host-key", "tokyo-rails-1")
        before = len(self.lab.sshd_log("tokyo-rails-1"))
        also = [("ssh-host-keys.equal", "tokyo->seoul"), ("node.ready", "tokyo-rails-1"), ("site.node-name", "tokyo"),
                *((check, "tokyo->seoul") for check in ("network.between-sites", "certificate.authorities", "backup.age",
                                                          "ssh.key-lookup", "gitlab.schema-migrated", "passwords.equal"))]
        found = self.concerned(self.unreached("tokyo-rails-1", also))
        line = found["node.reachable", "tokyo-rails-1"]
        self.assertSays(self.words(line), "offers", "SHA256:", "known_hosts:", "someone may be in between")
        self.assertSays(found["node.disk", "tokyo-rails-1"]["summary"], "its host key is not the known one")
        said = "\n".join(self.lab.sshd_log("tokyo-rails-1")[before:])
        self.assertRegex(said, r"Disconnected from .* \[preauth\]|Connection (closed|reset) by .* \[preauth\]", "it was seen, and left")
        self.assertNotIn("Accepted", said)
        self.assertNotIn("geo-ops", said, "not even the account's name is told to a stranger")

    def test_sudo_that_asks_for_a_password_fails_and_names_the_remedy(self):
        node = "tokyo-rails-2"
        unknown = {(check, node): "unknown" for check in
                   ("node.services-up", "node.attributes-good", "node.cluster-file", "node.no-change-running", "node.reconfigured")}
        unknown |= {("site.node-name", "tokyo"): "unknown"}
        unknown |= {(check, "tokyo->seoul"): "unknown" for check in ("backup.age", "ssh.key-lookup", "passwords.equal")}
        found = self.broken(["sudo-password", node], {("node.sudo", node): "fail", ("secrets.equal", "tokyo->seoul"): "unknown", **unknown})
        self.assertSays(self.words(found["node.sudo", node]), "sudo -n", "geo-ops", "geo-failover sudoers")
        self.assertSays(found["node.services-up", node]["summary"], "sudo asks for a password")

    def test_a_probe_that_hangs_costs_its_limit_and_nothing_else(self):
        node = "seoul-sidekiq-1"
        self.ready()                            # what an earlier fault left is not the probe's doing
        self.lab.fault("hung-probe", node)
        answer, lines = self.check()
        self.assertEqual(answer.code, 2, answer)
        self.assertLess(answer.seconds, PROBE_LIMIT + BUSY)
        found = self.concerns(lines)
        # A visit that was slow measures the clock badly, and may say so.
        on_nodes = {key: line["summary"] for key, line in found.items() if "->" not in key[1]}
        self.assertLessEqual(set(on_nodes), {("node.services-up", node), ("node.clock", node)}, on_nodes)
        self.assertEqual(found["node.services-up", node]["verdict"], "unknown")
        self.assertSays(found["node.services-up", node]["summary"], "gitlab-ctl status did not answer within 20 s")
        self.lab.heal()
        until(lambda: "gitlab-ctl status" not in self.lab.on(node, "ps", "ax"), what="the probe to leave nothing behind")

    def test_garbage_is_unknown_and_never_reaches_the_terminal(self):
        pair = ["postgresql.versions-equal", "database.same-lineage", "replication.streaming", "replication.slot", "replication.lag",
                "replication.not-paused"]
        expected = {(check, "tokyo->seoul"): "unknown" for check in pair}
        expected |= {key: "unknown" for key in SILENT_DATABASE}
        expected |= {("node.services-up", "seoul-pg-1"): "unknown", ("deployment.one-primary", "deployment"): "unknown",
                     ("site.role", "seoul"): "unknown"}
        found = self.broken(["garbage", "seoul-pg-1"], expected)
        self.assertSays(found["node.services-up", "seoul-pg-1"]["summary"], "gitlab-ctl status did not answer with text")
        self.assertSays(found["replication.lag", "tokyo->seoul"]["summary"], "gitlab-psql did not answer with text")
        text = self.tool("check", "--verbose")
        self.assertEqual(text.code, 2)
        self.assertEqual(re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text.text), [])

    def test_a_full_disk_fails_and_names_directory_and_node(self):
        # Nothing can be copied to it any more: what Geo tries meanwhile fails, and may be seen too.
        found = self.broken(["full-disk", "seoul-gitaly-1"], {("node.disk", "seoul-gitaly-1"): "fail"},
                            follows={(f"geo.{name}", "tokyo->seoul") for name in ("complete", "verified", "waiting-items")})
        self.assertSays(found["node.disk", "seoul-gitaly-1"]["summary"], "/etc/gitlab of seoul-gitaly-1 has 0 bytes free")

    def test_an_empty_cluster_file_fails_and_names_the_remedy(self):
        found = self.broken(["empty-cluster-json", "seoul-rails-1"], {("node.cluster-file", "seoul-rails-1"): "fail"})
        self.assertSays(self.words(found["node.cluster-file", "seoul-rails-1"]), "gitlab-cluster.json of seoul-rails-1 has 0 bytes",
                        "mv /etc/gitlab/gitlab-cluster.json")

    def test_a_reconfigure_that_never_ended_fails_and_names_the_remedy(self):
        found = self.broken(["stub-attributes", "seoul-rails-1"], {("node.attributes-good", "seoul-rails-1"): "fail",
                                                                  ("passwords.equal", "tokyo->seoul"): "unknown"})
        self.assertSays(self.words(found["node.attributes-good", "seoul-rails-1"]), "attribute file is a stub", "sudo gitlab-ctl reconfigure")

    # --- Replication that only looks good

    def test_cut_replication_is_not_ready_whatever_the_lag_says_and_ready_again_after_healing(self):
        self.lab.fault("cut-replication")
        until(lambda: self.lab.sql("seoul-pg-1", "select count(*) from pg_stat_wal_receiver") == "0", what="the receiver to be gone")
        expected = {(check, "tokyo->seoul"): "fail" for check in ("replication.streaming", "replication.slot", "replication.lag")}
        found = self.concerned(expected | {("network.between-sites", "tokyo->seoul"): "warn"})
        for key in expected:
            self.assertSays(found[key]["summary"], "no WAL receiver runs on seoul-pg-1")
        self.assertSays(found["network.between-sites", "tokyo->seoul"]["summary"], "seoul-pg-1 does not reach PostgreSQL of tokyo",
                        "tokyo-pg-1 does not reach PostgreSQL of seoul, which it needs")
        text = self.tool("check")
        self.assertEqual(text.code, 2, text)
        self.assertSays(text.out, "tokyo -> seoul: NOT READY", "replication.streaming", "no WAL receiver runs on seoul-pg-1", "means nothing")
        self.assertNotRegex(text.out, r"(?i)lag (is|of) 0")
        self.lab.heal()
        self.ready()

    def test_a_plan_is_not_made_while_the_deployment_is_not_ready(self):
        self.lab.fault("cut-replication")
        until(lambda: self.lab.sql("seoul-pg-1", "select count(*) from pg_stat_wal_receiver") == "0", what="the receiver to be gone")
        path = self.tool.state / "never.geoplan"
        answer = self.tool("plan", "--out", path)
        self.assertEqual(answer.code, 2, answer)
        self.assertEqual(answer.out, "")
        self.assertSays(answer.err, "NOT READY", "no WAL receiver runs on seoul-pg-1", "no plan was made: the deployment is not ready")
        self.assertEqual(list(self.tool.state.glob("*.geoplan*")), [])

    def test_paused_replay_fails_and_names_file_and_remedy(self):
        found = self.broken(["pause-replay"], {("replication.not-paused", "tokyo->seoul"): "fail", ("geo.site-registered", "tokyo->seoul"): "fail"})
        line = found["replication.not-paused", "tokyo->seoul"]
        self.assertSays(self.words(line), "is paused at", "throw away", "geo-pitr-file", "sudo gitlab-ctl geo-replication-resume")
        self.assertSays(found["geo.site-registered", "tokyo->seoul"]["summary"], "disabled")

    def test_a_leftover_point_in_time_file_fails_although_replay_runs(self):
        found = self.broken(["leftover-pitr-file"], {("replication.not-paused", "tokyo->seoul"): "fail"})
        self.assertSays(self.words(found["replication.not-paused", "tokyo->seoul"]), "geo-pitr-file on seoul-pg-1", "while replay runs",
                        "mv /var/opt/gitlab/postgresql/data/geo-pitr-file")

    def test_a_primary_without_its_database_is_not_ready_in_either_direction(self):
        self.lab.fault("postgresql-down", "tokyo")
        answer, lines = self.check()
        self.assertEqual(answer.code, 2, answer)
        for about in ("tokyo->seoul", "seoul->tokyo"):
            self.assertFalse(self.verdict(lines, about)["isReady"])
        found = self.concerns(lines)
        self.assertSays(found["node.services-up", "tokyo-pg-1"]["summary"], "postgresql of tokyo-pg-1 is down")
        self.assertEqual(found["replication.streaming", "tokyo->seoul"]["verdict"], "fail")
        for check in ("replication.lag", "geo.complete", "geo.verified", "geo.log-cursor", "database.same-lineage"):
            self.assertEqual(found[check, "tokyo->seoul"]["verdict"], "unknown")
            self.assertSays(found[check, "tokyo->seoul"]["summary"], "is not known", "PostgreSQL cannot be reached")
        for node in ("tokyo-rails-1", "tokyo-rails-2"):
            self.assertSays(found["node.ready", node]["summary"], "HTTP 503")

    def test_a_candidate_without_its_database_is_not_ready(self):
        self.lab.fault("postgresql-down", "seoul")
        answer, lines = self.check()
        self.assertEqual(answer.code, 2, answer)
        found = self.concerns(lines)
        self.assertSays(found["node.services-up", "seoul-pg-1"]["summary"], "postgresql of seoul-pg-1 is down")
        self.assertSays(found["replication.streaming", "tokyo->seoul"]["summary"], "tokyo-pg-1 sends WAL to nobody outside tokyo")
        for check in ("replication.lag", "replication.slot", "replication.not-paused", "database.same-lineage"):
            self.assertEqual(found[check, "tokyo->seoul"]["verdict"], "unknown")
            self.assertSays(found[check, "tokyo->seoul"]["summary"], "seoul-pg-1 is not known", "PostgreSQL cannot be reached")

    # --- Geo's own numbers

    def test_rows_without_a_registry_fail_although_the_status_says_100_percent(self):
        found = self.broken(["missing-registry-rows"], {("geo.complete", "tokyo->seoul"): "fail"})
        self.assertSays(found["geo.complete", "tokyo->seoul"]["summary"], "uploads: 3 of", "have no registry row on seoul",
                        "its percentage does not count them")

    def test_a_failed_registry_row_fails(self):
        found = self.broken(["failed-registry-row"], {("geo.complete", "tokyo->seoul"): "fail",
                                                        ("geo.waiting-items", "tokyo->seoul"): "warn"})
        self.assertSays(found["geo.complete", "tokyo->seoul"]["summary"], "uploads: 1 of", "failed to synchronise")
        self.assertSays(found["geo.waiting-items", "tokyo->seoul"]["summary"], "uploads: failed to synchronise: 1 times")

    def test_a_status_that_is_no_longer_updated_is_not_believed(self):
        self.lab.fault("stale-status", "seoul")
        # What an hour of waiting would do.
        row = ("update geo_node_statuses set updated_at = now() - interval '1 hour', last_successful_status_check_at = now() - interval '1 hour'"
               " where geo_node_id = (select id from geo_nodes where name = 'seoul')")
        self.lab.sql("tokyo-pg-1", row)
        found = self.concerned({("geo.status-fresh", "tokyo->seoul"): "fail", ("geo.healthy", "tokyo->seoul"): "unknown"})
        self.assertSays(found["geo.status-fresh", "tokyo->seoul"]["summary"], "seoul", "old")


if __name__ == "__main__":
    unittest.main()
