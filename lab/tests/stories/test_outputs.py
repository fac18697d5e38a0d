"""`check` for those who are not at a terminal, again and again, compared with before, after a disaster, and with no right
too many."""

import json
import signal
import subprocess
import unittest
import xml.etree.ElementTree as ElementTree

from support import Story, Tool, end, lab, until
from terminal import Terminal


class Outputs(Story):
    limit = 500

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-outputs")

    def setUp(self):
        super().setUp()
        self.tool = Tool(self.lab)
        self.addCleanup(self.lab.heal)

    def ready(self):
        return until(lambda: (a := self.tool("check", "-o", "json")).code == 0 and a, what="the lab to be ready")

    def findings(self, answer):
        return {(line["check"], line["subject"]): line["verdict"] for line in map(json.loads, answer.out.splitlines())
                if line["type"] == "finding"}

    # --- Rights

    def test_the_printed_list_is_enough_and_a_shell_is_not_in_it(self):
        self.ready()                            # the first check of a machine says that it is the first
        before = self.findings(self.ready())
        rules = self.tool("sudoers", "--user", "geo-ops").out
        files = {node: self.lab.files(node) / "etc/sudoers.d/geo-ops" for node in self.lab.nodes}
        was = {node: path.read_text() for node, path in files.items()}
        self.addCleanup(lambda: [path.write_text(was[node]) for node, path in files.items()])
        for path in files.values():
            path.write_text(rules)
        for argv in (["sudo", "-n", "sh", "-s"], ["sudo", "-n", "/bin/cat", "/etc/shadow"]):
            answer = self.lab.on("seoul-pg-1", "sh", "-c", f"runuser -u geo-ops -- {' '.join(argv)} </dev/null 2>&1; echo $?")
            self.assertNotEqual(answer.split()[-1], "0", answer)
        last = {}

        def as_before():
            last.update(found := self.findings(self.tool("check", "-o", "json")))
            return found == before
        try:
            until(as_before, what="the same findings")
        except AssertionError as error:
            self.fail(f"{error}: {[(key, last[key], before.get(key)) for key in last if last[key] != before.get(key)]}")
        # With the other list, and not without it, a shell as root is there.
        for path in files.values():
            path.write_text(rules + self.tool("sudoers", "--for", "execute").out)
        answer = self.lab.on("seoul-pg-1", "sh", "-c", "echo id -u | runuser -u geo-ops -- sudo -n sh -s 2>&1")
        self.assertEqual(answer.split(), ["0"])

    # --- Forms

    def test_junit_has_a_case_per_finding_and_says_what_fails(self):
        findings = self.findings(self.ready())
        answer = self.tool("check", "--output", "junit")
        suite = ElementTree.fromstring(answer.out).find("testsuite")
        self.assertEqual((answer.code, suite.get("name"), suite.get("failures"), suite.get("errors")), (0, "tokyo -> seoul", "0", "0"))
        self.assertEqual(len(suite.findall("testcase")), len(findings))
        self.lab.fault("empty-cluster-json", "seoul-rails-1")
        answer = self.tool("check", "--output", "junit")
        self.assertEqual(answer.code, 2)
        failed = [case for case in ElementTree.fromstring(answer.out).iter("testcase") if case.find("failure") is not None]
        self.assertIn("node.cluster-file seoul-rails-1", [case.get("name") for case in failed])
        self.assertSays(failed[0].find("failure").text, "fix:")

    def test_a_plugin_says_one_line_and_exits_as_plugins_do(self):
        self.ready()
        answer = self.tool("check", "--output", "nagios")
        # Nobody has drilled on a lab that is minutes old: a warning.
        self.assertEqual((answer.code, answer.out.count("\n")), (1, 1), answer)
        self.assertRegex(answer.out, r"^GEO-FAILOVER WARNING - tokyo -> seoul: READY .*\| 'failed'=0;;;0 'unknown'=0;;;0 .*'wal'=\d+B;;;0 ")
        self.lab.fault("node-down", "seoul-gitaly-1")
        answer = self.tool("check", "--output", "nagios")
        self.assertIn(answer.code, (2, 3), answer)
        self.lab.heal()
        answer = self.tool("check", "--output", "nagios", "-i", "/nowhere.yaml")
        self.assertEqual((answer.code, answer.out.startswith("GEO-FAILOVER UNKNOWN - ")), (3, True), answer)

    def test_a_change_request_has_verdict_evidence_and_loss(self):
        self.ready()
        self.lab.fault("empty-cluster-json", "seoul-rails-1")
        answer = self.tool("check", "--output", "markdown")
        self.assertEqual(answer.code, 2)
        self.assertSays(answer.out, "# Failover readiness: tokyo -> seoul", "**tokyo -> seoul: NOT READY", "| FAIL | node.cluster-file | seoul-rails-1 |",
                        "## Evidence and remedies", "mv /etc/gitlab/gitlab-cluster.json", "## What a failover at that moment would lose")

    # --- Then and now

    def test_what_changed_since_a_saved_check(self):
        self.ready()
        path = self.tool.state / "before.json"
        until(lambda: self.tool("check", "--save", path).code == 0, what="a check in which no visit was too slow")
        saved = json.loads(path.read_text())
        self.assertEqual((saved["type"], saved["schema"], saved["pairs"][0]["isReady"]), ("saved-check", 1, True))
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.lab.fault("empty-cluster-json", "seoul-rails-1")
        answer = self.tool("check", "--diff", path)
        self.assertEqual(answer.code, 2)
        self.assertSays(answer.out, "was READY, is NOT READY", "NEW node.cluster-file", "was PASS, is FAIL")
        lines = [json.loads(line) for line in self.tool("check", "--diff", path, "-o", "json").out.splitlines()]
        difference = next(line for line in lines if line["type"] == "difference")
        self.assertIn(("appeared", "node.cluster-file"), [(change["kind"], change["check"]) for change in difference["changes"]])
        broken = self.tool.state / "torn.json"
        broken.write_text(path.read_text()[:-100])
        answer = self.tool("check", "--diff", broken)
        self.assertEqual(answer.code, 65, answer)

    def test_a_lost_primary_is_measured_by_what_it_said_last(self):
        self.ready()
        for node in [name for name in self.lab.nodes if name.startswith("tokyo-")]:
            self.lab.fault("node-down", node)
        argv = ["check", "--for", "unplanned", "--from", "tokyo", "--to", "seoul"]
        answer = self.tool(*argv)
        self.assertSays(answer.out, "NOT KNOWN", "when it was seen last (what it did since is NOT KNOWN)", "as last seen", "from tokyo-pg-1")
        loss = next(line for line in map(json.loads, self.tool(*argv, "-o", "json").out.splitlines()) if line["type"] == "loss")
        self.assertNotIn("value", loss["bytes"])
        self.assertEqual(loss["lastSeen"]["bytes"]["from"], "tokyo-pg-1")
        self.assertFalse(loss["isNothing"])
        # Who never saw the primary has nothing to add.
        other = Tool(self.lab)
        loss = next(line for line in map(json.loads, other(*argv, "-o", "json").out.splitlines()) if line["type"] == "loss")
        self.assertNotIn("lastSeen", loss)

    # --- Again and again

    def test_elsewhere_than_on_a_terminal_a_watch_is_a_line_per_look_and_per_change(self):
        self.ready()
        log = self.tool.state / "watch.log"
        with open(log, "w") as out:
            process = self.tool.popen("check", "--watch", "--every", "5", stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            self.addCleanup(end, process)
            until(lambda: "tokyo -> seoul: READY" in log.read_text(), what="the first look")
            self.lab.fault("empty-cluster-json", "seoul-rails-1")
            until(lambda: "NEW node.cluster-file seoul-rails-1" in log.read_text(), what="the change to be said")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(300), 2, log.read_text())
        self.assertNotIn("\x1b", log.read_text())

    def test_on_a_terminal_a_watch_is_redrawn_and_ends_with_the_last_verdict(self):
        self.ready()
        with Terminal(self.tool, "check", "--watch", "--every", "5") as screen:
            screen.expect("tokyo -> seoul: READY")
            until(lambda: screen._bytes.count(b"\x1b[H\x1b[J") >= 2, what="the screen to be drawn again")
            screen.interrupt()
            self.assertEqual(screen.exit(), 0, screen.text[-2000:])


if __name__ == "__main__":
    unittest.main()
