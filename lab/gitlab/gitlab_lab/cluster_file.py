"""/etc/gitlab/gitlab-cluster.json: what `geo promote` writes over gitlab.rb.

The file is rewritten in place as the real one is, so a full disk leaves it with
0 bytes, and an empty file then breaks promote and reconfigure alike.
"""

import json
import os

from gitlab_lab import paths


class Broken(Exception):
    """The file exists and is not a JSON object."""


def load():
    try:
        text = paths.read(paths.CLUSTER_FILE)
    except FileNotFoundError:
        return {}
    if not text.strip():
        raise Broken("Top level JSON object must be a Hash or Array. (actual: NilClass)")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Broken(f"unexpected token at '{text[:20]}' ({error})") from error
    if not isinstance(document, dict):
        raise Broken(f"Top level JSON object must be a Hash or Array. (actual: {type(document).__name__})")
    return document


def merge(values):
    """Adds values and says whether the file could be written; raises OSError when the disk is full."""
    document = load()
    for section, settings in values.items():
        document.setdefault(section, {}).update(settings)
    if not os.path.isdir(paths.at(os.path.dirname(paths.CLUSTER_FILE))):
        return False
    descriptor = os.open(paths.at(paths.CLUSTER_FILE), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2))
    except OSError as error:
        error.strerror = f"{error.strerror} @ fptr_finalize_flush"
        error.filename = paths.CLUSTER_FILE
        raise
    return True
