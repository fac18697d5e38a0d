"""gitaly: real bare repositories behind `git http-backend`, and what Geo asks of them."""

import hashlib
import os
import re
import subprocess

from gitlab_lab import paths
from gitlab_lab.app.http import Answer, Request, as_json, serve

HASHED = re.compile(r"@hashed/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}\.git")
GIT_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin", "HOME": "/var/opt/gitlab", "GIT_PROJECT_ROOT": paths.REPOSITORIES, "GIT_HTTP_EXPORT_ALL": "1",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "REMOTE_USER": "git", "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "http.receivepack", "GIT_CONFIG_VALUE_0": "true", "GIT_CONFIG_KEY_1": "safe.directory", "GIT_CONFIG_VALUE_1": "*",
    # A program less for each fetch: none looks whether there is something to tidy up.
    "GIT_CONFIG_KEY_2": "maintenance.auto", "GIT_CONFIG_VALUE_2": "false",
}


def listen_address():
    match = re.search(r'listen_addr = "([^"]+)"', paths.read("/var/opt/gitlab/gitaly/config.toml"))
    host, _, port = match[1].rpartition(":")
    return host, int(port)


def answer(request):
    if request.path == "/health":
        return Answer(200, "ok\n")
    if request.path == "/checksum":
        return checksum(request.json()["repository"])
    if request.path == "/fetch":
        return fetch(request.json())
    if HASHED.match(request.path.lstrip("/")):
        return backend(request)
    return Answer(404, "no such repository\n")


def _directory(repository):
    if not HASHED.fullmatch(repository):
        raise ValueError(f"not a repository path: {repository}")
    return f"{paths.REPOSITORIES}/{repository}"


def _git(arguments, timeout=50):
    return subprocess.run(["git", *arguments], env=GIT_ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)


def checksum(repository):
    """A digest over all refs: equal on both sites exactly when they hold the same."""
    done = _git(["--git-dir", _directory(repository), "for-each-ref", "--format=%(objectname) %(refname)"])
    if done.returncode:
        return as_json(200, {"error": "repository does not exist"})
    return as_json(200, {"checksum": hashlib.sha1(b"\n".join(sorted(done.stdout.splitlines()))).hexdigest()})


def fetch(question):
    """Makes the repository an exact copy of the one at `remote`."""
    directory = _directory(question["repository"])
    if not os.path.isdir(directory):
        created = _git(["init", "--bare", "--quiet", "--initial-branch=main", directory])
        if created.returncode:
            return as_json(200, {"error": created.stderr.decode(errors="replace").strip()})
    try:
        done = _git(["--git-dir", directory, "-c", "gc.auto=0", "-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=20", "fetch",
                     "--prune", "--no-tags", "--no-write-fetch-head", "--quiet", question["remote"], "+refs/*:refs/*"])
    except subprocess.TimeoutExpired:
        return as_json(200, {"error": "fetch timed out"})
    if done.returncode:
        return as_json(200, {"error": done.stderr.decode(errors="replace").strip()})
    return as_json(200, {"fetched": True})


def backend(request: Request):
    """One CGI call of git-http-backend; a push is on disk when it returns."""
    environment = {
        **GIT_ENVIRONMENT, "REQUEST_METHOD": request.method, "PATH_INFO": request.path, "QUERY_STRING": request.query,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(["git", "http-backend"], env=environment, input=request.body, capture_output=True, timeout=55, check=False)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, kind, headers = 200 if not done.returncode else 500, "text/plain", []
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name == "Status":
            status = int(value.split()[0])
        elif name == "Content-Type":
            kind = value
        elif name:
            headers.append((name, value))
    return Answer(status, body, kind, headers)


def run():
    serve("gitaly", listen_address(), answer)
