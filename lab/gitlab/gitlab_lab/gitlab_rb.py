"""Reads gitlab.rb: the assignments that operators write, files that it loads, nothing else of Ruby.

A line that is not understood is an error, as it is in the real file: a typing
mistake there is the usual reason for a failed reconfigure.
"""

import re

from gitlab_lab import paths

SETTINGS = set(
    """external_url roles git_data_dirs gitlab_rails puma gitlab_workhorse nginx sidekiq gitaly
    postgresql patroni pgbouncer consul redis geo_primary geo_secondary geo_postgresql geo_logcursor
    logrotate prometheus alertmanager node_exporter gitlab_exporter redis_exporter postgres_exporter
    gitlab_kas registry mailroom letsencrypt prometheus_monitoring user gitlab_shell praefect package
    sidekiq_cluster gitlab_pages pages_nginx mattermost""".split()
)

TOKENS = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*|\\\n)|(?P<newline>\n)|(?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
    |(?P<words>%w[\[\(][^\]\)]*[\]\)])|(?P<number>-?\d[\d_]*(?:\.\d+)?)|(?P<arrow>=>)|(?P<label>[A-Za-z_]\w*:(?!:))
    |(?P<symbol>:[A-Za-z_]\w*)|(?P<name>[A-Za-z_]\w*)|(?P<mark>[\[\](){},=])""",
    re.VERBOSE,
)


class ConfigError(Exception):
    """gitlab.rb cannot be read; the text is what Ruby would say."""


def load(name=paths.GITLAB_RB, result=None):
    try:
        text = paths.read(name)
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror}") from error
    return _Parser(text, name).settings({} if result is None else result)


def parse(text):
    return _Parser(text, paths.GITLAB_RB).settings({})


class _Parser:
    def __init__(self, text, name):
        self.name = name
        self.tokens = list(self._tokenize(text))
        self.position = 0

    def _tokenize(self, text):
        line, position = 1, 0
        while position < len(text):
            match = TOKENS.match(text, position)
            if not match:
                raise ConfigError(f"{self.name}:{line}: syntax error, unexpected {text[position]!r}")
            if match.lastgroup != "space":
                yield match.lastgroup, match.group(), line
            line += match.group().count("\n")
            position = match.end()
        yield "newline", "\n", line
        yield "end", "end-of-input", line

    def _fail(self):
        kind, text, line = self.tokens[self.position]
        shown = {"newline": "newline", "end": "end-of-input"}.get(kind, repr(text))
        raise ConfigError(f"{self.name}:{line}: syntax error, unexpected {shown}")

    def _peek(self):
        return self.tokens[self.position][1]

    def _take(self, *expected):
        kind, text, _ = self.tokens[self.position]
        if expected and text not in expected:
            self._fail()
        self.position += 1
        return kind, text

    def _skip_newlines(self):
        while self.tokens[self.position][0] == "newline":
            self.position += 1

    def settings(self, result):
        self._skip_newlines()
        while self.tokens[self.position][0] != "end":
            self._statement(result)
            if self.tokens[self.position][0] != "newline":
                self._fail()
            self._skip_newlines()
        return result

    def _statement(self, result):
        kind, name = self._take()
        if kind != "name":
            self.position -= 1
            self._fail()
        if name == "from_file":
            load(self._value(), result)
            return None
        if name not in SETTINGS:
            raise ConfigError(f"undefined method `{name}' for Gitlab:Module")
        if self._peek() == "[" and self.tokens[self.position + 1][0] in ("string", "symbol"):
            # `roles ['x']` is a call with an array; `puma['x'] = 1` is an assignment.
            if name != "roles":
                return self._assignment(result, name)
        if self._peek() in ("(", "="):
            opening = self._take()[1]
            result[name] = self._value()
            if opening == "(":
                self._skip_newlines()
                self._take(")")
        else:
            result[name] = self._value()
        return None

    def _assignment(self, result, name):
        target, keys = result.setdefault(name, {}), []
        while self._peek() == "[":
            self._take("[")
            keys.append(self._value())
            self._take("]")
        self._take("=")
        for key in keys[:-1]:
            target = target.setdefault(key, {})
        target[keys[-1]] = self._value()

    def _value(self):
        self._skip_newlines()
        kind, text = self._take()
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "words":
            return text[3:-1].split()
        if kind == "number":
            digits = text.replace("_", "")
            return float(digits) if "." in digits else int(digits)
        if kind == "symbol":
            return text[1:]
        if text in ("true", "false", "nil"):
            return {"true": True, "false": False, "nil": None}[text]
        if text == "[":
            return self._items("]", self._value)
        if text == "{":
            return dict(self._items("}", self._pair))
        self.position -= 1
        return self._fail()

    def _pair(self):
        kind, text = self._take()
        if kind == "label":
            return text[:-1], self._value()
        self.position -= 1
        key = self._value()
        self._take("=>")
        return key, self._value()

    def _items(self, closing, item):
        items = []
        self._skip_newlines()
        while self._peek() != closing:
            items.append(item())
            self._skip_newlines()
            if self._peek() != closing:
                self._take(",")
                self._skip_newlines()
        self._take(closing)
        return items
