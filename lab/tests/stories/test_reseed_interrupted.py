"""A re-seed that meets, one after the other, all that can interrupt a copy, and then an operator whose machine and network fail
ten times and more. Under load; it ends as if nothing had happened, and nothing that was there is thrown away."""

import json
import random
import re
import shlex
import signal
import subprocess
import time
import unittest
from pathlib import Path

from support import BIN, TRANSCRIPT, Answer, Story, Tool, digest, end, entry, group, lab, leave_lab, until

PG = "/var/opt/gitlab/postgresql"
PASSWORD = "practice-replication"
NODE, SOURCE = "tokyo-pg-1", "seoul-pg-1"
APPLICATION = {"puma", "gitlab-workhorse", "nginx", "sidekiq", "geo-logcursor"}
PROGRESS = "SELECT backup_streamed * 100 / greatest(backup_total, 1) FROM pg_stat_progress_basebackup WHERE phase = 'streaming database files'"
KILLS, CUTS = 10, 5


class ReseedInterrupted(Story):
    """The tests are steps of one story and run in the order of their numbers; what it left behind is judged at the end."""
    limit = 900

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-interrupted", "--failback")
        cls.tool = cls.first = Tool(cls.lab)
        cls.secret = cls.tool.state / "replication-password"
        cls.secret.write_text(PASSWORD + "\n")
        cls.inventory = cls.tool.state / "inventory.yaml"
        # The lab's certificates are signed by nobody.
        cls.inventory.write_text(
            Path(cls.lab.inventory).read_text() + f"replication: {{ password: 'file:{cls.secret}', sslmode: prefer }}\n")
        cls.tool.environment["GEO_FAILOVER_INVENTORY"] = str(cls.inventory)
        cls.halts, cls.seen = {}, set()
        cls.events, cls.pieces, cls.killed, cls.cuts, cls.machine = [], [], [], 0, 0
        cls.tokyo = [name for name in cls.lab.nodes if name.startswith("tokyo") and "-lb-" not in name]
        until(lambda: cls.tool("check", "--from", "tokyo", "--to", "seoul").code == 0, timeout=400, interval=2,
              what="a deployment that can fail over")

    @classmethod
    def tearDownClass(cls):
        leave_lab()         # of no use to anybody else

    # --- What is there

    def kept(self):
        """The data directories that were moved aside; none that was seen before may be gone."""
        found = set(self.lab.on(NODE, "sh", "-c", f"ls -d {PG}/data.* 2>/dev/null; true").split())
        self.assertLessEqual(self.seen, found, "a data directory was removed")
        type(self).seen = found
        return found

    def copies(self):
        """What each command printed that copied, or was to."""
        folder = self.lab.files(NODE) / "var/lib/geo-failover/jobs"
        jobs = sorted(folder.glob("*/*/command"), key=lambda job: job.stat().st_mtime_ns)
        return [(job.parent / "output").read_text(errors="replace") for job in jobs if "replicate-geo-database" in job.read_text()]

    def progress(self):
        """Of a base backup that copies files at this moment: how much of it is done, in percent."""
        return int(self.lab.on(SOURCE, "gitlab-psql", "-Atc", PROGRESS, check=False).split("\n")[0] or -1)

    def assertNothingServes(self):
        for node in self.tokyo:
            said = self.lab.on(node, "gitlab-ctl", "status", check=False)
            running = set(re.findall(r"^run: ([\w-]+):", said, re.MULTILINE))
            self.assertFalse(running & (APPLICATION | {"postgresql"}), f"{node}: {said}")

    # --- The tool

    def resume_argv(self, reason):
        return ["resume", self.tool.runs[-1].name, "--approve", self.digest, "--reason", reason]

    def assertHalted(self, what, answer):
        """At the step that copies, with nothing of the site serving; it says how to go on, and not without a word."""
        self.assertEqual(answer.code, 4, answer)
        status = self.tool.status()
        self.assertEqual([trouble["step"] for trouble in status["troubled"]], ["replicate"], answer)
        self.halts[what] = status["troubled"][0]["reason"]
        self.assertSays(self.tool("status").out, "replicate", f"geo-failover resume {self.tool.runs[-1].name} --reason TEXT")
        self.assertNothingServes()
        self.kept()

    def interrupted(self, what, reason, act, percent=20):
        """Resumes, acts in the middle of the copy, and tells how the tool ended."""
        argv = self.resume_argv(reason)
        process = self.tool.popen(*argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  start_new_session=True)
        began = time.monotonic()
        try:
            until(lambda: process.poll() is not None or self.progress() >= percent, interval=0.02, what=f"a copy to meet: {what}")
            acted = process.poll() is None
            if acted:
                act()
            said, _ = process.communicate(timeout=280)
        finally:
            end(process)
        answer = Answer(argv, process.returncode, said, "", time.monotonic() - began)
        self.assertTrue(acted, f"no copy to meet: {what}\n{answer}")
        return answer

    # --- The story

    def test_1_there(self):
        path = self.tool.state / "there.geoplan"
        until(lambda: self.tool("plan", "planned-failover", "--from", "tokyo", "--to", "seoul", "--out", path).code == 0, timeout=300,
              interval=2, what="a plan of the failover")
        answer = self.tool("execute", path, "--approve", digest(path))
        self.assertEqual(answer.code, 0, answer)
        self.lab.wait_for_users_at("seoul")

    def test_2_a_wrong_password_halts_before_anything_is_moved(self):
        path = self.tool.state / "back.geoplan"
        self.secret.write_text(PASSWORD + "-of-last-year\n")
        until(lambda: self.tool("plan", "reseed-secondary", "--from", "seoul", "--to", "tokyo", "--waive",
                                "operator.observation-window@seoul->tokyo=practice", "--out", path).code == 0,
              timeout=300, interval=2, what="a plan of the re-seed")
        type(self).digest = digest(path)
        self.lab.fault("slow-basebackup", NODE, "512k")       # a copy has a middle
        self.assertHalted("password", self.tool("execute", path, "--approve", self.digest))
        self.assertIn("password authentication failed", self.copies()[-1])
        self.assertEqual(self.kept(), set())
        # Nobody has said yet that it was mended.
        records = len(self.tool.journal())
        unsaid = self.tool("resume", "--approve", self.digest)
        self.assertEqual(unsaid.code, 5, unsaid)
        self.assertEqual((len(self.tool.journal()), len(self.copies())), (records, 1))

    def test_3_the_base_backup_is_killed(self):
        self.secret.write_text(PASSWORD + "\n")
        answer = self.interrupted("kill", "the password is that of this year",
                                  lambda: self.lab.on(NODE, "pkill", "-KILL", "-x", "pg_basebackup"), percent=80)
        self.assertHalted("kill", answer)
        # Nobody sees a terminal here: it had said how far it was when it had been silent for 15 s.
        self.assertRegex(answer.text, r"replicate: tokyo-pg-1 \d+ s; \d+ % of [\d.]+ MiB")
        self.lab.fault("slow-basebackup", NODE, "4M")
        self.assertEqual(len(self.kept()), 1)
        # What it had copied stays. Files come in the order of the source's directory, another on each file system: let this one
        # have come, with the address that the source listens at.
        data = "var/opt/gitlab/postgresql/data/postgresql.conf"
        self.lab.on(NODE, "test", "-d", f"{PG}/data/base")
        (self.lab.files(NODE) / data).write_text((self.lab.files(SOURCE) / data).read_text())

    def test_4_the_source_is_restarted(self):
        """PostgreSQL ends the copies of one that stops; were it not so, the tool would go through."""
        answer = self.interrupted("restart", "nothing, somebody had killed it",
                                  lambda: self.lab.on(SOURCE, "gitlab-ctl", "restart", "postgresql"))
        self.assertHalted("restart", answer)

    def test_5_the_disk_of_the_target_is_full(self):
        answer = self.interrupted("disk", "the primary's database is up again", lambda: self.lab.fault("full-disk", NODE))
        self.assertHalted("disk", answer)
        # pg_basebackup has removed what it had copied. As long as there is no room for another, nothing is begun.
        self.lab.fault("full-disk", NODE, "10M")
        copies = len(self.copies())
        again = self.tool(*self.resume_argv("nothing, in hope"))
        self.assertEqual(again.code, 4, again)
        self.assertEqual(len(self.copies()), copies, again)
        self.assertSays(again.text, "/var/opt/gitlab of tokyo-pg-1 has", "free, and a copy of the database of seoul-pg-1 needs")
        self.lab.command("fault", "heal", "full-disk", NODE)

    def test_6_ten_kills_and_a_bad_network(self):
        """Each comes a random moment after so many steps are done; the first kill meets the last copy."""
        chance, done = random.Random(20261203), self.over()
        type(self).last = self.tool.status()["total"] - 2
        kinds = ["kill"] * (KILLS - 1) + ["cut"] * CUTS
        chance.shuffle(kinds)
        places = sorted(chance.sample(range(done + 1, self.last), len(kinds)))
        self.events[:] = [(done, "kill"), *zip(places, kinds)]
        reason, again = "the machine before this one was switched off", None
        deadline = time.monotonic() + 700
        while True:
            self.assertLess(time.monotonic(), deadline, self.pieces)
            answer = self.piece(again or self.resume_argv(reason), chance)
            again = None
            if answer.code == 0:
                break
            # 3: too few nodes answered to begin with. 4: halted for want of an answer. 6: held by the machine before.
            self.assertIn(answer.code, (3, 4, 6, -signal.SIGKILL), f"{answer}\n{self.pieces}")
            if answer.code == 6:
                again = [*self.resume_argv(reason), "--take-over", self.tool.runs[-1].name]
            if self.machine == 0 and len(self.killed) >= KILLS // 2:
                again = self.another_machine(reason) or again
        self.lab.heal()
        self.assertEqual((len(self.killed), self.cuts, self.machine, self.events), (KILLS, CUTS, 1, []), self.pieces)

    def over(self):
        return sum(entry(record)[0] == "stepSucceeded" for record in self.tool.journal())

    def piece(self, argv, chance):
        """Runs the tool until it is killed or ends."""
        output = open(self.tool.state / f"piece-{len(self.pieces)}", "w+b")
        program = None
        if self.machine:
            program = ["unshare", "--uts", "sh", "-c", f"hostname desk-{self.machine}; exec " + shlex.join([BIN, *map(str, argv)])]
            self.tool.environment["USER"] = f"operator-{self.machine}"
        process = self.tool.popen(*argv, program=program, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        began = time.monotonic()
        try:
            known, size, due = len(self.tool.journal()), None, None
            while process.poll() is None:
                if (now := self.tool.journal_size()) != size:
                    size, records = now, self.tool.journal()
                    over = self.over()
                if self.events and over >= self.events[0][0] and self.may_begin(argv, records[known:]):
                    due = due or time.monotonic() + chance.uniform(0, 3)
                    if time.monotonic() >= due or over >= self.last:
                        due = None
                        self.strike(process, over, chance.uniform(0.2, 4))
                time.sleep(0.01)
        finally:
            end(process)
            output.seek(0)
            said = output.read().decode(errors="replace")
            output.close()
        answer = Answer([str(a) for a in argv], process.returncode, said, "", time.monotonic() - began)
        if TRANSCRIPT:
            with open(TRANSCRIPT, "a") as file:
                file.write(f"$ {answer}\n")
        self.pieces.append((answer.code, round(answer.seconds, 1), self.over(), said[-300:] if answer.code > 0 else ""))
        return answer

    def may_begin(self, argv, fresh):
        """Of no use before the run goes on. The first kill is for a copy; whoever takes over has to have the nodes first."""
        told = [entry(record) for record in fresh]
        if not self.killed:
            return bool(told) and told[-1][0] == "commandStarted"
        # All of the journal is fresh to another machine.
        return any(kind == "runResumed" and ("--from-node" not in argv or body["by"]["user"] == f"operator-{self.machine}")
                   for kind, body in told)

    def strike(self, process, over, seconds):
        if self.events.pop(0)[1] == "kill":
            process.send_signal(signal.SIGKILL)
            process.wait()
            record = self.tool.journal()[-1]
            self.killed.append((over, entry(record)[0], group(record)))
            return
        self.lab.fault("cut-operator")
        type(self).cuts += 1
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        self.lab.command("fault", "heal", "cut-operator")

    def another_machine(self, reason):
        """The state directory is gone with its machine; a copy of the journal, which may lack its end, is on a node."""
        run, tool = self.tool.runs[-1].name, Tool(self.lab)
        tool.environment["GEO_FAILOVER_INVENTORY"] = str(self.inventory)
        told = tool("status", "--on-nodes").out
        if "--from-node" not in told:
            return None
        type(self).tool, type(self).machine = tool, self.machine + 1
        node = told.split(f"resume {run} --from-node ")[1].split()[0]
        return ["resume", run, "--from-node", node, "--approve", self.digest, "--take-over", run, "--reason", reason]

    # --- What it left behind

    def test_7_tokyo_is_the_secondary_of_seoul(self):
        self.assertEqual(self.lab.sql(SOURCE, "select slot_name, active from pg_replication_slots"), "tokyo|t")
        self.assertEqual(self.lab.sql(NODE, "select pg_is_in_recovery()"), "t")
        self.assertEqual(self.lab.sql(NODE, "select status, slot_name from pg_stat_wal_receiver"), "streaming|tokyo")
        for name in self.tokyo:
            self.assertEqual(self.lab.on(name, "sh", "-c", "ls /opt/gitlab/sv/*/down 2>/dev/null; true"), "", name)
        states = self.lab.state_of_nodes()
        self.assertEqual(len(states), 14)
        for name, state in states.items():
            self.assertEqual(state["boot"], "enabled", name)
            self.assertEqual(set(state["services"].values()), {"run"}, f"{name}: {state}")
            if state["in recovery"]:
                self.assertEqual(state["in recovery"], "t" if name.startswith("tokyo") else "f", name)
                self.assertEqual([row.rsplit("|", 1)[1] for row in state["sites"]], ["t", "f"], f"{name}: {state}")
        status = self.tool.status()
        self.assertTrue(status["isFinished"], status)

    def test_7a_every_database_that_was_moved_aside_is_kept(self):
        """The first one is the former primary's, whole and shut down; the others are copies that broke off, or empty."""
        moved = re.findall(rf"\* Moving old data directory to '({PG}/data\.\d+)'\n\* Starting base backup", "".join(self.copies()))
        self.assertEqual(sorted(moved), sorted(self.kept()))
        self.assertEqual(len(moved), 4)
        control = self.lab.on(NODE, "/opt/gitlab/embedded/bin/pg_controldata", min(moved))
        self.assertSays(control, "Database cluster state: shut down")

    def test_7b_no_command_was_started_twice_but_those_that_the_journal_shows_as_tried_again(self):
        records = [entry(record) for record in self.tool.journal()]
        self.assertEqual([record["sequence"] for record in self.tool.journal()], list(range(len(records))))
        started = {body["key"]: (body["step"], body["attempt"]) for kind, body in records if kind == "commandStarted"}
        ended = {(body["step"], body["attempt"]) for kind, body in records if kind in ("stepFailed", "stepLeftInDoubt")}
        count = 0
        for node in self.lab.nodes:
            for run, key, command in self.lab.jobs(node):
                if run != self.tool.runs[-1].name:
                    continue
                count += 1
                self.assertIn(key, started, command)
                folder = self.lab.files(node) / "var/lib/geo-failover/jobs" / run / key
                self.assertEqual(len((folder / "exit").read_text().splitlines()), 1, key)
                step, attempt = started[key]
                if attempt > 1:
                    self.assertIn((step, attempt - 1), ended, key)
        self.assertGreater(count, 40)
        again = {step for step, attempt in started.values() if attempt > 1}
        self.assertIn("replicate", again)

    def test_7c_nothing_is_lost_and_nobody_holds_the_nodes(self):
        self.lab.wait_for_users_at("seoul")
        self.lab.command("load", "stop")
        code, audit = self.lab.audit()
        self.assertEqual((code, audit["verdict"], audit["site"], audit["writes"]["lost"], audit["pushes"]["lost"]),
                         (0, "nothing lost", "seoul", 0, 0), json.dumps(audit)[:2000])
        self.assertEqual((audit["database"]["two_writable"], audit["writable_now"]), ([], ["seoul"]))
        for node in (each for each in self.lab.nodes if "-lb-" not in each):
            lease = self.lab.files(node) / "var/lib/geo-failover/lease"
            self.assertFalse(lease.exists() and lease.read_text().strip(), node)

    def test_7d_it_can_be_failed_over_to_again(self):
        until(lambda: self.tool("check", "--from", "seoul", "--to", "tokyo").code == 0, timeout=300, interval=2,
              what="a deployment that can fail over to tokyo")

    def test_8_each_halt_says_why(self):
        """The last lines that gitlab-ctl prints are tips of which none was the cause."""
        for what, words in (("password", "password authentication failed"), ("kill", "pg_basebackup"),
                            ("restart", "pg_basebackup: error: "), ("disk", "No space left on device")):
            with self.subTest(what):
                self.assertSays(self.halts[what], words)


if __name__ == "__main__":
    unittest.main()
