"""Half of the primary's site answers: what does is stopped in the order that saves most, one service of it ignores TERM, one
node answers SSH and hangs on sudo, and the rest is silent."""

import json
import re
import subprocess
from pathlib import Path

from support import ROOT, Story, Tool, end, entry, lab, leave_lab, until
from terminal import Terminal

WORDS = "power of the rack was cut, ticket 123"


class HalfLost(Story):
    """Each step stands on the one before."""

    limit = 900

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-half")
        cls.tool = Tool(cls.lab)
        cls.plan_file = cls.tool.state / "half.geoplan"
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")
        for node in ("tokyo-lb-1", "tokyo-rails-2", "tokyo-gitaly-1"):
            cls.lab.fault("node-down", node)
        cls.lab.fault("hung-service", "tokyo-sidekiq-1", "sidekiq")
        cls.lab.fault("sudo-hang", "tokyo-redis-1")

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    def plan(self, *argv):
        return self.tool("plan", "unplanned-failover", "--from", "tokyo", "--to", "seoul", "--out", self.plan_file, *argv)

    def test_1_a_node_that_answers_and_hangs_on_sudo_is_neither_stopped_nor_taken_for_gone(self):
        answer = self.plan("--attest", f"tokyo-rails-2,tokyo-gitaly-1,tokyo-redis-1={WORDS}")
        self.assertEqual(answer.code, 2, answer)
        self.assertSays(answer.text, "primary.not-out-of-reach", "tokyo-redis-1 (seen by operator", "no plan was made",
                        "fence it by a program of the inventory")

    def test_2_one_command_stops_what_answers_and_isolates_the_rest(self):
        command = f"{ROOT}/lab/lab --name {self.lab.real_name} fault"
        prove = f"{command} list --json | grep -q '\"name\": \"node-down\", \"target\": \"'$1'\"'"
        dry = f"test \"$GEO_FAILOVER_DRY_RUN\" != 1 || {{ echo would switch $1 off; exit 0; }}; {command} node-down $1"
        fences = json.dumps([{"name": "power", "run": ["sh", "-c", dry, "off", "{node}"], "time_limit": "2m",
                              "prove": ["sh", "-c", prove, "prove", "{node}"], "nodes": ["tokyo-redis-1", "tokyo-rails-2"]}])
        path = Path(self.lab.inventory).with_name("fences.yaml")
        path.write_text(Path(self.lab.inventory).read_text() + f"\nfences: {fences}\n")
        self.tool.environment["GEO_FAILOVER_INVENTORY"] = str(path)

        tried = self.tool("inventory", "try-fences", "tokyo-redis-1")
        self.assertEqual(tried.code, 0, tried)
        self.assertSays(tried.text, "power: run, dry: exit 0; prove: exit 1", "would switch tokyo-redis-1 off")

        answer = self.plan("--attest", f"tokyo-gitaly-1={WORDS}")
        self.assertEqual(answer.code, 0, answer)
        self.assertSays(answer.text, "tokyo-redis-1 answers and cannot be commanded", "it is isolated by power",
                        "NOT PROVEN: tokyo-gitaly-1 does not answer", "sudo -n gitlab-ctl graceful-kill",
                        "only if the command before it did not exit with 0")
        with Terminal(self.tool, "execute", self.plan_file, columns=140) as terminal:
            terminal.expect("Type the name of the site", timeout=400)
            terminal.type("tokyo")
            terminal.expect("Type the name of the site to promote.", timeout=600)
            terminal.type("seoul")
            # It stays and watches what was only said to be off.
            terminal.expect("not seen to be fenced", timeout=600)
            terminal.expect("Ctrl-C ends the watch")
            terminal.interrupt()
            self.assertEqual(terminal.exit(), 0)

    def test_3_the_application_went_first_the_database_last_and_cleanly(self):
        started = [body["key"] for kind, body in map(entry, self.tool.journal()) if kind == "commandStarted"]
        place = {name: [i for i, key in enumerate(started) if key.startswith(name)] for name in ("stop-application", "stop-database", "fence")}
        self.assertTrue(all(place.values()), started)
        self.assertLess(max(place["stop-application"]), min(place["stop-database"]), started)
        self.assertLess(max(place["stop-database"]), min(place["fence"]), started)

    def test_4_what_ignores_TERM_is_killed_and_seen_to_be_down(self):
        commands = [command for _, _, command in self.lab.jobs("tokyo-sidekiq-1")]
        self.assertTrue(any("graceful-kill" in command for command in commands), commands)
        self.assertFalse(any("graceful-kill" in command for _, _, command in self.lab.jobs("tokyo-rails-1")))
        fenced = [body for kind, body in map(entry, self.tool.journal()) if kind == "stepSucceeded" and body["step"] == "fence@tokyo-sidekiq-1"]
        self.assertEqual([finding["verdict"] for finding in fenced[0]["findings"]], ["pass"], fenced)

    def test_5_nothing_of_the_database_is_lost_and_the_report_says_so(self):
        report = self.tool("report")
        self.assertSays(report.out, "RPO reached | no committed write of the database was lost", "NOT PROVEN to be fenced",
                        "vouched for `tokyo-gitaly-1`")
        _, audit = self.lab.audit()
        self.assertEqual(audit["writes"]["lost"], 0, audit)
        self.assertEqual((audit["writable_now"], audit["database"]["two_writable"]), (["seoul"], []), audit)
        # What a person was waited for is told apart from what the machine took.
        told = json.loads(self.tool("report", "-o", "json").out.splitlines()[0])
        self.assertGreater(told["humanSeconds"], 0)
        self.assertSays(report.out, "of the run by the machine", "waiting for a person")
        self.assertLess(told["humanSeconds"], told["outageSeconds"] + 600)

    def test_6_every_later_output_says_what_is_not_proven(self):
        for argv in (["check"], ["status"], ["watch", "--once"]):
            answer = self.tool(*argv)
            self.assertSays(answer.text, "NOT PROVEN", "tokyo-gitaly-1", WORDS, "geo-failover guard")
        found = [json.loads(line) for line in self.tool("check", "-o", "json").out.splitlines()]
        amber, = [line for line in found if line.get("check") == "operator.left-proven"]
        self.assertEqual(amber["verdict"], "warn")

    def test_7_a_node_that_was_reached_serves_nothing_after_a_reboot_and_what_comes_back_is_fenced(self):
        for node in ("tokyo-pg-1", "tokyo-rails-1", "tokyo-sidekiq-1"):
            self.lab.fault("reboot", node)
            self.assertNotIn("run: ", re.sub(r"run: log:", "", self.lab.on(node, "gitlab-ctl", "status", check=False)))
        process = self.tool.popen("guard", "--for", "5m", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(end, process)
        self.lab.heal()
        _, said = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 0, said)
        for node in ("tokyo-gitaly-1", "tokyo-rails-2", "tokyo-redis-1"):
            self.assertSays(said, f"{node} ANSWERED AGAIN", f"{node} is fenced")
        _, audit = self.lab.audit()
        # The database's node had its boot guard: not for a moment were two sites writable.
        self.assertEqual((audit["writable_now"], audit["database"]["two_writable"]), (["seoul"], []), audit)
        found = [json.loads(line) for line in self.tool("check", "-o", "json").out.splitlines()]
        green, = [line for line in found if line.get("check") == "operator.left-proven"]
        self.assertEqual(green["verdict"], "pass", green)
