"""The layout of `gitlab:geo:status` (17.7 and later): labels right-justified in 43 columns."""

import datetime

from gitlab_lab.rails.data_types import TYPES

WIDTH = 43


def _line(label, value):
    return f"{label + ':':>{WIDTH}} {value}"


def _heading(text):
    return f"\n{text:>{WIDTH + 1}}\n{'-' * (WIDTH + 1)}"


def _ago(moment):
    if moment is None:
        return "Never"
    if isinstance(moment, str):
        moment = datetime.datetime.fromisoformat(moment)
    now = datetime.datetime.now(moment.tzinfo) if moment.tzinfo else datetime.datetime.utcnow()
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 30:
        return "less than a minute ago"
    if seconds < 90:
        return "1 minute ago"
    if seconds < 2700:
        return f"{round(seconds / 60)} minutes ago"
    return f"about {max(1, round(seconds / 3600))} hours ago"


def _event(number, moment):
    return "Not applicable." if number is None else f"{number} ({_ago(moment)})"


def _counts(good, bad, total):
    failed = f"failed {bad} / " if bad else ""
    percent = good * 100 // total if total else 0
    return f"{failed}succeeded {good} / total {total} ({percent}%)"


def _rows(row, word, good, bad, total):
    lines = []
    for kind in TYPES:
        counts = [row["status"].get(f"{kind.plural}_{name}", 0) for name in (good, bad, total)]
        if counts[2]:
            lines.append(_line(f"{kind.title} {word}", _counts(*counts)))
    return "\n".join(lines)


def _replicated(row):
    return _rows(row, "replicated", "synced_count", "failed_count", "registry_count")


def _verified(row):
    return _rows(row, "verified", "verified_count", "verification_failed_count", "verification_total_count")


def replication_rows(row):
    return f"{_replicated(row)}\n{_verified(row)}"


def complete(row):
    """`replication_verification_complete?`: 100 % of the registry rows that exist; types without rows are skipped."""
    for kind in TYPES:
        registry, synced, verified = (
            row["status"].get(f"{kind.plural}_{name}", 0) for name in ("registry_count", "synced_count", "verified_count"))
        if registry and (synced < registry or verified < registry):
            return False
    return True


def full(node, row, report_time):
    lag = row.get("db_replication_lag_seconds")
    return "\n".join([
        _heading("Geo Site Information"),
        _line("Name", node["name"]),
        _line("URL", node["url"]),
        _line("Geo Role", "Primary" if node["primary"] else "Secondary"),
        _line("Health Status", "Healthy"),
        _line("This Node's GitLab Version", row["version"]),
        _heading("Replication Information"),
        _line("Sync Settings", "Full"),
        _line("Database replication lag", "N/A" if lag is None else f"{lag} seconds"),
        _line("Last event ID seen from primary", _event(row.get("last_event_id"), row.get("last_event_date"))),
        _line("Last event ID processed", _event(row.get("cursor_last_event_id"), row.get("cursor_last_event_date"))),
        _line("Last status report was", _ago(report_time)),
        _heading("Replication Status"),
        _replicated(row),
        _heading("Verification Status"),
        _verified(row),
        "",
    ])
