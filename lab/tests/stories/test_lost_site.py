"""The primary site is lost: what is refused, what is believed, and what happens to nodes that come back."""

import json
import re
import shlex
import signal
import subprocess
import time
from datetime import datetime as Moment
from pathlib import Path

from support import ROOT, Story, Tool, end, entry, lab, leave_lab, until

# Writes that arrived and were not replayed, and writes and pushes that did not arrive.
PAUSED, CUT_OFF, PUSHED = 60, 20, 5
# From the power's return to the end of a second writable site: a look at a node (its sshd has to be up), the pause after it,
# and the stop of its database, as slow as three labs on two cores make them. Usual are 10 to 20 s.
RETURN_SECONDS = 90
BURST = 1_000_000_000

# Of a user who gave the file a name.
UPLOAD = "/var/opt/gitlab/gitlab-rails/uploads/-/system/personal_snippet/7/what's \"new\".txt"
ARCHIVES = "var/opt/gitlab/geo-failover-divergence"

WORDS = "power of the hall was cut, ticket 123"


class LostSite(Story):
    """Each step stands on the one before."""

    limit = 700

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-lost")
        cls.tool = Tool(cls.lab)
        cls.tokyo = [name for name in cls.lab.nodes if name.startswith("tokyo-") and name != "tokyo-lb-1"]
        cls.vouched = [name for name in cls.tokyo if name != "tokyo-rails-1"]
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    def plan(self, *argv):
        return self.tool("plan", "unplanned-failover", "--from", "tokyo", "--to", "seoul", "--out",
                         self.tool.state / "lost.geoplan", *argv)

    def test_1_a_primary_that_only_the_operator_does_not_see_is_not_left(self):
        """The whole site is cut off from the operator, and serves as seoul sees it."""
        for node in ["tokyo-lb-1", *self.tokyo]:
            self.lab.fault("partition-operator", node)
        answer = self.plan("--attest", f"{','.join(self.tokyo)}={WORDS}")
        self.assertEqual(answer.code, 2, answer)
        self.assertSays(answer.text, "primary.not-out-of-reach", "7 nodes of tokyo are alive and beyond the operator's reach",
                        "tokyo-lb-1 (seen by seoul-pg-1", "reach them another way", "no plan was made")
        self.assertFalse((self.tool.state / "lost.geoplan").exists())
        for node in self.tokyo:
            self.assertEqual(self.lab.jobs(node), [])
        self.lab.heal()

    def test_2_a_word_for_a_node_that_answers_is_refused(self):
        answer = self.plan("--attest", f"tokyo-redis-1={WORDS}")
        self.assertEqual(answer.code, 3, answer)
        self.assertSays(answer.text, "tokyo-redis-1 answers, so nobody's word is needed")

    def test_3_two_addresses_that_were_exchanged_stop_everything(self):
        text = Path(self.lab.inventory).read_text()
        first, second = (re.search(name + r": *{ address: ([0-9.]+)", text).group(1) for name in ("tokyo-redis-1", "seoul-redis-1"))
        swapped = text.replace(first, "?").replace(second, first).replace("?", second)
        path = Path(self.lab.inventory).with_name("swapped.yaml")
        path.write_text(swapped)
        answer = self.plan("--inventory", path)
        self.assertIn(answer.code, (2, 3), answer)
        # Its host key is another's: nothing is asked of it, and no command is sent.
        self.assertSays(answer.text, "tokyo-redis-1", "no plan was made")
        self.assertEqual(self.lab.jobs("seoul-redis-1"), [])

    def test_4_a_silent_site_is_left_only_with_a_proof_or_a_word_for_each_node(self):
        # Replay was paused when it happened: what users wrote since had arrived, and was not replayed. Of what they wrote in
        # the last moment nothing had arrived.
        self.lab.fault("pause-replay")
        self.lab.command("load", "burst", "tokyo", "--writes", str(PAUSED), "--pushes", "0")
        until(lambda: self.received() >= self.lab.sql("tokyo-pg-1", "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"),
              what="the writes to arrive")
        self.lab.fault("cut-replication")
        self.lab.command("load", "burst", "tokyo", "--writes", str(CUT_OFF), "--pushes", str(PUSHED))
        self.lab.on("tokyo-rails-1", "sh", "-c", f"mkdir -p '{Path(UPLOAD).parent}' && echo only in tokyo >{shlex.quote(UPLOAD)}")
        for node in ["tokyo-lb-1", *self.tokyo]:
            self.lab.fault("node-down", node)
        self.tool("check", "--for", "unplanned", "--from", "tokyo", "--to", "seoul")
        answer = self.plan("--repair", "replication.not-paused")
        self.assertEqual(answer.code, 3, answer)
        self.assertSays(answer.text, "not proven to be fenced, and nobody vouches for it", "--attest")
        for node in self.tokyo:
            self.assertSays(answer.text, node)

    def received(self):
        return self.lab.sql("seoul-pg-1", "SELECT pg_last_wal_receive_lsn() - '0/0'::pg_lsn")

    def test_5_paused_replay_with_a_point_in_time_file_blocks_and_the_step_is_offered(self):
        answer = self.plan("--attest", f"{','.join(self.tokyo)}={WORDS}")
        self.assertEqual(answer.code, 2, answer)
        self.assertSays(answer.text, "NOT READY: 1 check fails", "replication.not-paused", "geo-replication-resume")

    def test_6_one_command_brings_the_other_site_into_service(self):
        """tokyo-rails-1 is isolated by a program of the inventory, the others are vouched for."""
        command = f"{ROOT}/lab/lab --name {self.lab.real_name} fault"
        prove = f"{command} list --json | grep -q '\"target\": \"'$1'\"'"
        fences = json.dumps([{"name": "power", "run": ["sh", "-c", f"{command} node-down $1", "off", "{node}"],
                              "prove": ["sh", "-c", prove, "prove", "{node}"], "nodes": ["tokyo-rails-1"]}])
        path = Path(self.lab.inventory).with_name("fences.yaml")
        path.write_text(Path(self.lab.inventory).read_text() + f"\nfences: {fences}\n")
        answer = self.plan("--inventory", path, "--attest", f"{','.join(self.vouched)}={WORDS}", "--repair",
                           "replication.not-paused")
        self.assertEqual(answer.code, 0, answer)
        self.assertSays(answer.text, "This gives tokyo up.", "NOT PROVEN: tokyo-pg-1 does not answer", WORDS,
                        "isolate", "power", "accepted, tokyo is the site that is lost:",
                        "sudo -n gitlab-ctl geo-replication-resume", "accepted, a step of this plan mends it:")
        type(self).digest = json.loads((self.tool.state / "lost.geoplan").read_text().split("\n", 1)[0])["digest"]
        done = self.tool("execute", self.tool.state / "lost.geoplan", "--approve", self.digest, timeout=600)
        self.assertEqual(done.code, 0, done)
        self.assertSays(done.text, "NOT PROVEN: tokyo-pg-1", WORDS, "geo-failover guard")
        kinds = [entry(record) for record in self.tool.journal()]
        self.assertTrue(any(kind == "stepSucceeded" and body["step"].startswith("isolate") for kind, body in kinds))
        self.assertFalse(any(kind == "commandStarted" and "tokyo" in body["key"] for kind, body in kinds))
        report = self.tool("report")
        self.assertSays(report.out, "RTO reached | at least", "by the machine", "waiting for a person", "acknowledged",
                        "NOT PROVEN to be fenced", "vouched for `tokyo-pg-1`")

    def test_7_what_was_lost_is_within_what_was_acknowledged(self):
        _, audit = self.lab.audit()
        # What had arrived while replay was paused was kept by the step that resumed it.
        self.assertEqual(self.lab.sql("seoul-pg-1", f"SELECT count(*) FROM lab_writes WHERE number > {BURST}"), str(PAUSED))
        self.assertGreaterEqual(audit["writes"]["lost"], CUT_OFF, audit)
        report = json.loads(self.tool("report", "-o", "json").out.splitlines()[0])
        self.assertSays(self.tool("report").out, "RPO reached | acknowledged before the promotion: As far as can be seen this loses",
                        "what was committed after")
        # The statement is never less than the loss: whatever was lost, users were told that it is stored after that moment.
        last = Moment.fromisoformat(report["loss"]["lastReplayedAt"]["known"]["value"].replace("Z", "+00:00"))
        lost = [Moment.fromisoformat(write["time"].replace("Z", "+00:00")) for write in audit["writes"]["first_lost"]]
        self.assertGreaterEqual(min(lost), last, (report["loss"], audit))
        # A lost push was acknowledged after that moment, or its project is named.
        self.assertGreaterEqual(audit["pushes"]["lost"], PUSHED, audit)
        projects = report["loss"]["projects"].get("known", {}).get("value", {}).get("projects", [])
        for push in audit["pushes"]["first_lost"]:
            self.assertTrue(Moment.fromisoformat(push["time"].replace("Z", "+00:00")) >= last
                            or push["project"] in [project["path"] for project in projects], (push, report["loss"]))

    def test_8_nodes_that_come_back_are_fenced_at_first_contact(self):
        process = self.tool.popen("guard", "--for", "3m", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(end, process)
        booted = time.monotonic()
        self.lab.heal()
        _, said = process.communicate(timeout=500)
        self.assertEqual(process.returncode, 0, said)
        for node in self.tokyo:
            self.assertSays(said, f"{node} ANSWERED AGAIN", f"{node} is fenced: services down, masked at boot and for systemctl")
        self.assertSays(self.tool("status").out, "Next: geo-failover report")
        _, audit = self.lab.audit()
        # A second site was writable from its boot to the fence that the journal tells of, and not once after that.
        records = [(record["at"], *entry(record)) for record in self.tool.journal()]
        fenced = {body["node"]: at for at, kind, body in records if kind == "nodeFencedAgain"}
        self.assertLessEqual(set(self.tokyo), {body["node"] for _, kind, body in records if kind == "nodeReturned"})
        shift = time.time() - time.monotonic()
        for level, node in (("database", "tokyo-pg-1"), ("application", "tokyo-rails-1")):
            for span in audit[level]["two_writable"]:
                self.assertGreaterEqual(span["from_monotonic"], booted, audit)
                self.assertLess(span["seconds"], RETURN_SECONDS, audit)
                ended = span["from_monotonic"] + span["seconds"] + shift
                last = max(Moment.fromisoformat(fenced[name].replace("Z", "+00:00")).timestamp() for name in (node, "tokyo-pg-1"))
                self.assertLessEqual(ended, last + 1, audit)
        # They stay down after another power cut.
        self.lab.fault("reboot", "tokyo-pg-1")
        self.assertNotIn("run: postgresql", self.lab.on("tokyo-pg-1", "gitlab-ctl", "status", check=False))

    def archive(self, node):
        return next((self.lab.files(node) / ARCHIVES).iterdir())

    def test_9_what_only_the_former_primary_has_is_saved_there_to_the_row_and_the_commit(self):
        truth = json.loads(self.lab.command("audit", "--divergence", "--json", check=False).stdout)["only_on"]["tokyo"]
        self.assertGreaterEqual(len(truth["writes"]), CUT_OFF)
        self.assertGreaterEqual(len(truth["pushes"]), PUSHED)
        self.assertSays(self.tool("divergence", "list").out, "No node that answered has an archive")
        wrong = self.tool("divergence", "commands", "--from", "seoul", "--to", "tokyo")
        self.assertEqual(wrong.code, 3, wrong)
        self.assertSays(wrong.text, "it is tokyo that went on alone")
        answer = self.tool("divergence", "commands", "--from", "tokyo", "--to", "seoul")
        self.assertEqual(answer.code, 0, answer)
        # A line of its own may be inside of the program: words, not lines.
        words = shlex.split(answer.out, comments=True)
        inventory = Path(self.lab.inventory).read_text()
        addresses = {re.search(name + r": *{ address: ([0-9.]+)", inventory).group(1): name for name in self.tokyo}
        nodes = {addresses[word.split("@")[1]]: words[at + 1] for at, word in enumerate(words) if word.startswith("geo-ops@")}
        self.assertEqual(set(nodes), {"tokyo-rails-1", "tokyo-rails-2", "tokyo-sidekiq-1", "tokyo-pg-1", "tokyo-gitaly-1"})
        control = self.lab.files("tokyo-pg-1") / "var/opt/gitlab/postgresql/data/global/pg_control"
        before = control.read_bytes()

        # Killed in the middle, it is not complete, and run again it is.
        self.lab.on("tokyo-pg-1", "bash", "-c", f"set -m; sh -c \"$1\" >/dev/null 2>&1 & until [ -s /{ARCHIVES}/*/STATE ]; do"
                    " kill -0 $! || exit 1; done; kill -KILL -- -$!; wait", "killed", nodes["tokyo-pg-1"], check=False)
        unfinished = self.tool("divergence", "list")
        self.assertEqual(unfinished.code, 2, unfinished)
        self.assertSays(unfinished.out, "tokyo-pg-1", "NOT COMPLETE")
        for node, command in nodes.items():
            self.assertIn("saved into", self.lab.on(node, "sh", "-c", command))
            self.assertIn("saved before", self.lab.on(node, "sh", "-c", command))
        done = self.tool("divergence", "list", "-o", "json")
        self.assertEqual(done.code, 0, done)
        found = {line["node"]: line for line in map(json.loads, done.out.splitlines()) if "folder" in line}
        self.assertEqual({node: (line["state"], line["leftOut"]) for node, line in found.items()}, {node: ("complete", []) for node in nodes})
        self.assertEqual(control.read_bytes(), before, "the original is never opened")
        self.assertEqual([one.name for one in self.archive("tokyo-pg-1").parent.glob("copy-*")], [])

        database, storage = self.archive("tokyo-pg-1"), self.archive("tokyo-gitaly-1")
        rows = [json.loads(line) for line in next(database.glob("database/rows/*.lab_writes.jsonl")).read_text().splitlines()]
        self.assertEqual({write["number"] for write in truth["writes"]} - {row["number"] for row in rows}, set())
        self.assertNotEqual(list(database.glob("database/wal/0000*")), [])
        place = dict(reversed(line.split("\t")) for line in (database / "database/projects.tsv").read_text().splitlines())
        for push in truth["pushes"]:
            folder = storage / "repositories" / place[push["project"]].replace("/", "_")
            self.assertIn(push["commit"], (folder / "commits.tsv").read_text())
            clone = Path(self.tool.state) / f"bundle-{folder.name}"
            if not clone.exists():
                subprocess.run(["git", "clone", "--quiet", "--mirror", folder / "all.bundle", clone], check=True, capture_output=True)
            subprocess.run(["git", "--git-dir", clone, "merge-base", "--is-ancestor", push["commit"], "main"], check=True)
        compared = self.tool("divergence", "compare", "--from", "tokyo", "--to", "seoul", "-o", "json")
        self.assertEqual(compared.code, 2, compared)
        lacking = {line["project"]: (line["object"], line["state"]) for line in map(json.loads, compared.out.splitlines())}
        self.assertEqual(lacking, {push["project"]: (push["commit"], "not there") for push in truth["pushes"]})
        files = self.archive("tokyo-rails-1")
        self.assertIn(UPLOAD.split("gitlab-rails/")[1], (files / "files/list.tsv").read_text())
        self.assertEqual((files / "files/data" / UPLOAD.split("gitlab-rails/")[1]).read_text(), "only in tokyo\n")
        for node in nodes:
            folder = self.archive(node)
            self.assertEqual([oct(path.stat().st_mode & 0o777) for path in folder.rglob("*") if path.stat().st_mode & 0o077], [])
            sums = "".join(line.split("\t", 1)[1] for line in (folder / "MANIFEST").read_text().splitlines(True))
            checked = subprocess.run(["sha256sum", "--check", "--quiet"], input=sums, text=True, capture_output=True, cwd=folder)
            self.assertEqual(checked.returncode, 0, checked)


class PrimaryDies(Story):
    """In the middle of a planned failover the primary site loses its power."""

    limit = 700

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-dies")
        cls.tool = Tool(cls.lab)
        cls.tokyo = [name for name in cls.lab.nodes if name.startswith("tokyo-") and name != "tokyo-lb-1"]
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    def test_the_run_keeps_its_journal_and_goes_on_under_the_gates_of_an_unplanned_failover(self):
        plan, approval = self.tool.plan()
        process = self.tool.execute_until(
            lambda: any(entry(r)[0] == "stepStarted" and entry(r)[1]["step"] == "drain-queues" for r in self.tool.journal()),
            "the run to be under way", plan, approval)
        self.addCleanup(end, process)
        # Held while the power goes: on a busy machine the run could prove first that nothing is lost.
        process.send_signal(signal.SIGSTOP)
        for node in ["tokyo-lb-1", *self.tokyo]:
            self.lab.fault("node-down", node)
        process.send_signal(signal.SIGCONT)
        # Twice: a command on a node that is gone would be waited for until it counts as lost.
        process.terminate()
        time.sleep(0.5)
        process.terminate()
        self.assertEqual(process.wait(timeout=400), 4)
        run = self.tool.runs[-1].name

        words = self.tool("resume", run, "--attest", f"{','.join(self.tokyo)}={WORDS}", "--approve", approval)
        self.assertEqual(words.code, 3, words)
        self.assertSays(words.text, "In a planned failover nothing is given up", "--unplanned --reason")
        silent = self.tool("resume", run, "--unplanned", "--reason", "the hall burned", "--approve", approval)
        self.assertEqual(silent.code, 3, silent)
        self.assertSays(silent.text, "do not answer, and nothing proves that they can write nothing", "--attest")

        # The power comes back a minute after the promotion, while that run goes on or watches.
        with (self.tool.state / "resumed.txt").open("w+") as output:
            process = self.tool.popen("resume", run, "--unplanned", "--reason", "the hall burned", "--attest",
                                      f"{','.join(self.tokyo)}={WORDS}", "--approve", approval, "--guard", "10m",
                                      stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
            self.addCleanup(end, process)
            self.heal_a_minute_after("promote-first-rails")
            code = process.wait(timeout=600)
            output.seek(0)
            said = output.read()
        self.assertEqual(code, 0, said)
        self.assertSays(said, "The promise that nothing is lost cannot be kept any more", "GAVE THE PRIMARY UP",
                        "the hall burned", "the run finished", "tokyo-pg-1 ANSWERED AGAIN")
        for node in self.tokyo:
            self.assertSays(said, f"{node} is fenced: services down, masked at boot and for systemctl")
        self.assertEqual([r.name for r in self.tool.runs], [run], "it is one run with one journal")
        report = self.tool("report", run)
        self.assertSays(report.out, "unplanned", "when the primary was given up", "wait-for-replication", "SKIPPED")
        _, audit = self.lab.audit()
        self.assertEqual(audit["writable_now"], ["seoul"], audit)
        # Maintenance Mode was on before it died: what users were told is stored had arrived.
        self.assertEqual(audit["writes"]["lost"], 0, audit)
        for level in ("database", "application"):
            for span in audit[level]["two_writable"]:
                self.assertGreaterEqual(span["from_monotonic"], self.booted, audit)
                self.assertLess(span["seconds"], RETURN_SECONDS, audit)

    def heal_a_minute_after(self, step):
        """As soon as the journal, by its own times, has it done for a minute."""
        def done():
            for record in self.tool.journal():
                if entry(record)[0] == "stepSucceeded" and entry(record)[1]["step"] == step:
                    return Moment.fromisoformat(record["at"].replace("Z", "+00:00")).timestamp()
        promoted = until(done, what=f"{step} to be done", timeout=400)
        until(lambda: time.time() >= promoted + 60, what="a minute to pass", interval=1)
        self.booted = time.monotonic()
        self.lab.heal()
