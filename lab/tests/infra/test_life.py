"""A lab comes up, comes back, and goes without a trace, however it was interrupted."""
import json
import os
import signal
import subprocess
import unittest

from support import LAB, STATE, lab, net, nodes, operator_reaches, reaches, status, traces, until

NAME = "test-life"


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lab(NAME, "down")
        lab(NAME, "up", "--bare")
        cls.number = net(NAME)

    @classmethod
    def tearDownClass(cls):
        lab(NAME, "down")

    def test_every_node_is_up_and_knows_its_name(self):
        found = nodes(NAME)
        self.assertEqual(len(found), 15)
        for name, node in found.items():
            with self.subTest(name):
                self.assertEqual(node["state"], "up")
                self.assertEqual(lab(NAME, "exec", name, "--", "hostname", "-f").stdout, f"{name}.lab.test\n")

    def test_operator_logs_in_by_key_and_may_sudo(self):
        done = lab(NAME, "ssh", "seoul-geo-1", "sudo -n id -un; hostname")
        self.assertEqual(done.stdout, "root\nseoul-geo-1\n")
        self.assertEqual(done.stderr, "")

    def test_every_key_of_the_operator_is_accepted(self):
        state = STATE / NAME
        for key in ("id_ed25519", "id_ecdsa", "id_rsa"):
            done = subprocess.run(
                ["ssh", "-F", "none", "-i", state / key, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes",
                 "-o", f"UserKnownHostsFile={state}/known_hosts", f"geo-ops@10.{self.number}.1.21", "id -un"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
            self.assertEqual((done.returncode, done.stdout), (0, "geo-ops\n"), f"{key}: {done.stderr}")
        phrase = (state / "passphrase").read_text().strip()
        shown = subprocess.run(["ssh-keygen", "-y", "-P", phrase, "-f", state / "id_ed25519_encrypted"], capture_output=True, text=True)
        self.assertIn(shown.stdout.split()[1], (state / "nodes/tokyo-pg-1/root/home/geo-ops/.ssh/authorized_keys").read_text())

    def test_rails_nodes_share_host_keys_and_no_others_do(self):
        keys = {}
        for line in (STATE / NAME / "known_hosts").read_text().splitlines():
            names, kind, key = line.split()
            if kind == "ssh-ed25519":
                keys.setdefault(key, []).append(names.split(",")[1])
        shared = [sorted(names) for names in keys.values() if len(names) > 1]
        self.assertEqual(shared, [["seoul-rails-1", "seoul-rails-2", "tokyo-rails-1", "tokyo-rails-2"]])

    def test_a_node_sees_nothing_of_the_host_but_its_programs(self):
        roots = lab(NAME, "exec", "tokyo-pg-1", "--", "ls", "/").stdout.split()
        self.assertNotIn("work", roots)
        self.assertEqual(lab(NAME, "exec", "tokyo-pg-1", "--", "ls", "-A", "/root", "/usr/local/bin").stdout.split(), ["/root:", "/usr/local/bin:"])
        processes = lab(NAME, "exec", "tokyo-pg-1", "--", "ps", "-e", "-o", "pid=").stdout.split()
        self.assertLess(len(processes), 15)

    def test_load_balancer_answers_503_when_no_rails_node_is_ready(self):
        def code():
            return subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://10.{self.number}.1.10/"],
                                  capture_output=True, text=True).stdout
        until(lambda: code() == "503", what="503 of the load balancer")

    def test_exec_passes_on_input_output_status_and_user(self):
        done = subprocess.run([LAB, "--name", NAME, "exec", "--user", "gitlab-psql", "tokyo-pg-1", "--", "sh", "-c", "cat; id -un; exit 7"],
                              input="in\n", capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (7, "in\ngitlab-psql\n"))

    def test_works_with_closed_stdin(self):
        done = subprocess.run(f"{LAB} --name {NAME} exec tokyo-pg-1 -- hostname <&-; {LAB} --name {NAME} ssh tokyo-pg-1 hostname <&-",
                              shell=True, capture_output=True, text=True)
        self.assertEqual(done.stdout, "tokyo-pg-1\ntokyo-pg-1\n", done.stderr)

    def test_up_again_changes_nothing(self):
        before = lab(NAME, "exec", "tokyo-pg-1", "--", "cat", "/etc/machine-id", "/proc/1/stat").stdout
        keys = (STATE / NAME / "known_hosts").read_text()
        self.assertIn("nothing was missing", lab(NAME, "up").stdout)
        self.assertEqual(before.split()[:1], lab(NAME, "exec", "tokyo-pg-1", "--", "cat", "/etc/machine-id").stdout.split())
        self.assertEqual(keys, (STATE / NAME / "known_hosts").read_text())

    def test_up_brings_back_a_killed_node_with_its_disk(self):
        lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "echo kept >/var/lib/kept")
        pid = int((STATE / NAME / "nodes/tokyo-pg-1/pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        until(lambda: nodes(NAME)["tokyo-pg-1"]["state"] == "DOWN", what="the node to be seen down")
        lab(NAME, "up")
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "cat /var/lib/kept").stdout, "kept\n")

    def test_up_brings_back_everything_as_after_a_reboot_of_the_machine(self):
        lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "echo kept >/usr/bin/kept")
        for file in (STATE / NAME / "nodes").glob("*/pid"):
            os.kill(int(file.read_text().split()[0]), signal.SIGKILL)
        until(lambda: all(n["state"] == "DOWN" for n in nodes(NAME).values()), what="all nodes to be down")
        subprocess.run(["ip", "link", "del", f"geolab{self.number}"], check=True)
        subprocess.run(["ip", "netns", "del", f"geo-lab-{self.number}"], check=True)
        for usr in (STATE / NAME / "nodes").glob("*/root/usr"):
            subprocess.run(["umount", usr], check=True)
        lab(NAME, "up")
        self.assertTrue(status(NAME)["up"])
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "cat /usr/bin/kept").stdout, "kept\n")
        until(lambda: reaches(NAME, "tokyo-pg-1", f"10.{self.number}.2.21"), what="the network")

    def test_boot_obeys_whether_gitlab_is_enabled(self):
        node = "seoul-redis-1"
        systemctl = lambda *a: lab(NAME, "exec", node, "--", "systemctl", *a, check=False)
        self.assertEqual((systemctl("is-enabled", "gitlab-runsvdir").stdout, systemctl("is-active", "gitlab-runsvdir").stdout), ("enabled\n", "active\n"))
        disabled = systemctl("disable", "gitlab-runsvdir")
        self.assertEqual((disabled.returncode, disabled.stdout, disabled.stderr),
                         (0, "", 'Removed "/etc/systemd/system/multi-user.target.wants/gitlab-runsvdir.service".\n'))
        self.assertEqual(systemctl("disable", "gitlab-runsvdir").returncode, 0)
        answer = systemctl("is-enabled", "gitlab-runsvdir")
        self.assertEqual((answer.returncode, answer.stdout), (1, "disabled\n"))
        self.assertEqual(systemctl("is-active", "gitlab-runsvdir").stdout, "active\n")
        lab(NAME, "fault", "reboot", node)
        answer = systemctl("is-active", "gitlab-runsvdir")
        self.assertEqual((answer.returncode, answer.stdout), (3, "inactive\n"))
        self.assertEqual(systemctl("enable", "--now", "gitlab-runsvdir").returncode, 0)
        self.assertEqual(systemctl("is-active", "gitlab-runsvdir").stdout, "active\n")
        lab(NAME, "fault", "reboot", node)
        self.assertEqual(systemctl("is-active", "gitlab-runsvdir").stdout, "active\n")

    def test_a_masked_unit_can_neither_be_enabled_nor_started(self):
        node, own = "seoul-redis-1", "/etc/systemd/system/gitlab-runsvdir.service"
        systemctl = lambda *a: lab(NAME, "exec", node, "--", "systemctl", *a, check=False)
        said = lambda answer: (answer.returncode, answer.stdout, answer.stderr)
        self.assertEqual(said(systemctl("mask", "gitlab-runsvdir")), (0, "", f"Created symlink {own} → /dev/null.\n"))
        self.assertEqual(said(systemctl("mask", "gitlab-runsvdir")), (0, "", ""))
        self.assertEqual(said(systemctl("is-enabled", "gitlab-runsvdir")), (1, "masked\n", ""))
        # What runs goes on, until somebody stops it or the node reboots.
        self.assertEqual(systemctl("is-active", "gitlab-runsvdir").stdout, "active\n")
        lab(NAME, "fault", "reboot", node)
        self.assertEqual(systemctl("is-active", "gitlab-runsvdir").stdout, "inactive\n")
        self.assertEqual(said(systemctl("start", "gitlab-runsvdir")),
                         (1, "", "Failed to start gitlab-runsvdir.service: Unit gitlab-runsvdir.service is masked.\n"))
        self.assertEqual(said(systemctl("enable", "--now", "gitlab-runsvdir")), (1, "", f"Failed to enable unit: Unit file {own} is masked.\n"))
        self.assertEqual(said(systemctl("disable", "gitlab-runsvdir")), (0, "", f"Unit {own} is masked, ignoring.\n"))
        self.assertEqual(systemctl("is-active", "gitlab-runsvdir").stdout, "inactive\n")
        self.assertEqual(said(systemctl("unmask", "gitlab-runsvdir")), (0, "", f'Removed "{own}".\n'))
        self.assertEqual(said(systemctl("unmask", "gitlab-runsvdir")), (0, "", ""))
        # Masked while it was enabled: that comes back with the unit.
        self.assertEqual(systemctl("is-enabled", "gitlab-runsvdir").stdout, "enabled\n")
        self.assertEqual(systemctl("start", "gitlab-runsvdir").returncode, 0)
        # An administrator's own file is never replaced.
        lab(NAME, "exec", node, "--", "cp", "/usr/lib/systemd/system/gitlab-runsvdir.service", own)
        self.assertEqual(said(systemctl("mask", "gitlab-runsvdir")), (1, "", f"Failed to mask unit: File '{own}' already exists.\n"))
        lab(NAME, "exec", node, "--", "rm", own)

    def test_stopping_the_unit_stops_what_it_started(self):
        node = "seoul-sidekiq-1"
        service = "/opt/gitlab/service/sleeper"
        lab(NAME, "exec", node, "--", "sh", "-c", f"mkdir -p {service} && printf '#!/bin/sh\\nexec sleep 4321\\n' >{service}/run && chmod 755 {service}/run")
        running = lambda: lab(NAME, "exec", node, "--", "pgrep", "-f", "sleep 4321", check=False).returncode == 0
        until(running, what="the service to run")
        lab(NAME, "exec", node, "--", "systemctl", "disable", "--now", "gitlab-runsvdir")
        self.assertFalse(running())
        lab(NAME, "exec", node, "--", "systemctl", "enable", "--now", "gitlab-runsvdir")
        until(running, what="the service to run again")

    def test_orphans_are_reaped_at_once(self):
        lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "setsid sh -c 'sleep 0.2 & echo $! >/tmp/orphan' & wait")
        until(lambda: lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "! test -e /proc/$(cat /tmp/orphan)", check=False).returncode == 0, 3,
              "the orphan to be reaped")

    def test_inventory_and_hook(self):
        state = STATE / NAME
        text = (state / "inventory.yaml").read_text()
        self.assertIn(f"seoul-sidekiq-1: {{ address: 10.{self.number}.2.15, components: [sidekiq, logcursor] }}", text)
        hook = state / "hooks/point-dns-at"
        self.assertEqual((state / "dns").read_text(), "tokyo\n")
        subprocess.run([hook, "seoul"], check=True, capture_output=True)
        self.assertEqual((state / "dns").read_text(), "seoul\n")
        self.assertEqual(subprocess.run([hook, "berlin"], capture_output=True).returncode, 64)
        self.assertEqual((state / "dns").read_text(), "seoul\n")
        subprocess.run([hook, "tokyo"], check=True, capture_output=True)
        self.assertEqual([p.name for p in state.glob("dns*")], ["dns"])


class Interrupted(unittest.TestCase):
    """`up` is killed at different moments; `down` and another `up` cope with whatever is left."""
    name = "test-crash"

    def tearDown(self):
        lab(self.name, "down")

    def killed_up(self, after):
        process = subprocess.Popen([LAB, "--name", self.name, "up", "--bare"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                   start_new_session=True)
        for line in process.stdout:
            if after in line:
                break
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()

    def test_down_after_a_crash_leaves_nothing(self):
        for phase in ("Making", "SSH keys", "files of", "inventory"):
            with self.subTest(phase):
                self.killed_up(phase)
                record = STATE / self.name / "lab.json"
                number = json.loads(record.read_text())["net"] if record.exists() else 0
                lab(self.name, "down")
                self.assertEqual(traces(self.name, number), [])

    def test_up_after_a_crash_makes_a_good_lab(self):
        self.killed_up("inventory")
        lab(self.name, "up", "--bare")
        self.assertTrue(status(self.name)["up"])
        number = net(self.name)
        until(lambda: operator_reaches(f"10.{number}.1.21"), what="the network")
        lab(self.name, "down")
        self.assertEqual(traces(self.name, number), [])

    def test_down_without_the_recorded_processes(self):
        lab(self.name, "up", "--bare")
        number = net(self.name)
        for file in (STATE / self.name / "nodes").glob("*/pid"):
            file.unlink()
        lab(self.name, "down")
        self.assertEqual(traces(self.name, number), [])

    def test_down_twice(self):
        lab(self.name, "down")
        self.assertIn("nothing to do", lab(self.name, "down").stdout)


class Several(unittest.TestCase):
    names = ("test-one", "test-two")

    def tearDown(self):
        for name in self.names:
            lab(name, "down")

    def test_two_labs_made_at_the_same_time_do_not_meet(self):
        began = [subprocess.Popen([LAB, "--name", name, "up", "--bare"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True) for name in self.names]
        for process in began:
            out, _ = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, out)
        one, two = (net(name) for name in self.names)
        self.assertNotEqual(one, two)
        until(lambda: operator_reaches(f"10.{one}.1.21"), what="the network")
        until(lambda: operator_reaches(f"10.{two}.1.21"), what="the network")
        self.assertFalse(reaches(self.names[0], "tokyo-pg-1", f"10.{two}.1.21"))
        lab(self.names[0], "down")
        self.assertEqual(traces(self.names[0], one), [])
        self.assertTrue(status(self.names[1])["up"])
        self.assertIn(self.names[1], lab("x", "list").stdout)


class Damage(unittest.TestCase):
    name = "test-damage"

    def tearDown(self):
        lab(self.name, "down")

    def test_down_with_a_damaged_record(self):
        lab(self.name, "up", "--bare")
        number = net(self.name)
        (STATE / self.name / "lab.json").write_text("{")
        done = lab(self.name, "status", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("damaged", done.stderr)
        lab(self.name, "down")
        self.assertEqual(traces(self.name, number), [])

    def test_wrong_use_is_explained(self):
        for argv, code in ((["status"], 1), (["exec", "tokyo-pg-1", "--", "true"], 1), (["ssh", "tokyo-pg-1"], 1), (["no-such-verb"], 64), ([], 64)):
            with self.subTest(argv):
                done = lab(self.name, *argv, check=False)
                self.assertEqual(done.returncode, code)
                self.assertNotIn("Traceback", done.stderr)

    def test_an_ordinary_user_is_told_to_become_root(self):
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", LAB, "--name", self.name, "up"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("must run as root", done.stderr)
