"""An empty home for programs that agents and checks run, in which toolchains and package clients work all the same.

What a tool must know of the account's real home is given to it by itself: the root of a version manager by its
environment variable, the settings of a package client as a copy without credentials. Everything that is written to the
home, such as a cache or ``.bashrc``, goes with it. Programs that ask the system's user database instead of ``HOME``
(``ssh``, a JVM outside Maven) still find the real one.
"""

from __future__ import annotations

import configparser
import contextlib
import io
import json
import os
import re
import shutil
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from shared.ops.environment import PACKAGE_CLIENTS, TOOL_DIRECTORIES, inherited, without_userinfo

_ROOTS: Final = {
    "PYENV_ROOT": ".pyenv",
    "RBENV_ROOT": ".rbenv",
    "NODENV_ROOT": ".nodenv",
    "GOENV_ROOT": ".goenv",
    "JENV_ROOT": ".jenv",
    "RUSTUP_HOME": ".rustup",
    "VOLTA_HOME": ".volta",
    "ASDF_DATA_DIR": ".asdf",
    "MISE_DATA_DIR": ".local/share/mise",
    "UV_PYTHON_INSTALL_DIR": ".local/share/uv/python",
}
"""Roots of version managers and where they are by default; they hold programs, and no credentials."""
ROOT_NAMES: Final = frozenset(_ROOTS)

_SECRET: Final = re.compile(
    r"token|secret|passw|credential|auth|(?:^|[_-])key$|client[_-]cert|passphrase|username", re.I
)
_NPM_KEPT: Final = re.compile(
    r"(?:@[^:\s]+:)?registry|cafile|ca(?:\[\])?|strict-ssl|proxy|https-proxy|noproxy|offline|prefer-offline|fetch-[a-z-]+"
)
_GO_KEPT: Final = re.compile(
    r"GO(?:PROXY|PRIVATE|NOPROXY|NOSUMDB|SUMDB|INSECURE|FLAGS|TOOLCHAIN|EXPERIMENT)|CGO_ENABLED"
)


def variables(home: Path, source: Mapping[str, str]) -> dict[str, str]:
    """``HOME`` and what lets toolchains work in it. ``source`` is the account's environment, whose HOME is looked at.

    A directory that a tool writes to, such as ``GOPATH``, is passed on only when it lies outside the account's home.
    """
    account = _account(source)
    found = inherited(source, PACKAGE_CLIENTS)
    for name in TOOL_DIRECTORIES & source.keys():
        writes = name in ("GOPATH", "GOMODCACHE", "GOCACHE")
        if not (writes and account and Path(source[name]).is_relative_to(account)):
            found[name] = source[name]
    for name, place in _ROOTS.items():
        root = Path(source[name]) if source.get(name) else account / place if account else None
        # os.access asks without an error also where this account may not look.
        if root is not None and os.access(root, os.R_OK | os.X_OK) and root.is_dir():
            found[name] = str(root)
    if "RUSTUP_HOME" in found:
        found.setdefault("RUSTUP_AUTO_INSTALL", "0")  # it would be written to the account's home
    # Gradle asks the user database too.
    return {**found, "HOME": str(home), "GRADLE_USER_HOME": str(home / ".gradle"), **_home_of_maven(home)}


def _home_of_maven(home: Path) -> dict[str, str]:
    """A JVM asks the user database for its home. Maven splits its options at blanks, whatever quotes there are."""
    if " " in str(home):
        return {"JAVA_TOOL_OPTIONS": f'"-Duser.home={home}"'}
    return {"MAVEN_OPTS": f"-Duser.home={home}"}


def furnish(home: Path, source: Mapping[str, str]) -> None:
    """Make the home, and copy the package clients' settings into it without credentials.

    A file that cannot be read or understood is left out: nobody can tell what is a credential in it.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    account = _account(source)
    if account is None or account == home:
        return
    settings = Path(source.get("XDG_CONFIG_HOME") or account / ".config")
    cargo = Path(source.get("CARGO_HOME") or account / ".cargo")
    for place, target, cleaned in (
        (account / ".pip" / "pip.conf", ".config/pip/pip.conf", _ini),
        (settings / "pip" / "pip.conf", ".config/pip/pip.conf", _ini),
        (account / ".npmrc", ".npmrc", _npmrc),
        (settings / "uv" / "uv.toml", ".config/uv/uv.toml", _toml),
        (cargo / "config", ".cargo/config.toml", _toml),
        (cargo / "config.toml", ".cargo/config.toml", _toml),
        (settings / "go" / "env", ".config/go/env", _go_env),
        (account / ".m2" / "settings.xml", ".m2/settings.xml", _maven),
        (account / ".tool-versions", ".tool-versions", str),
    ):
        _copy(place, home / target, cleaned)
    for packages in installed_packages(source):
        # What `pip install --user` has put there can be imported, and nothing is written there.
        own = home / packages.relative_to(account)
        own.mkdir(parents=True, exist_ok=True)
        (own / "account.pth").write_text(f"{packages}\n")


def installed_packages(source: Mapping[str, str]) -> list[Path]:
    """What `pip install --user` has put into the account's home."""
    account = _account(source)
    return [] if account is None else sorted(account.glob(".local/lib/python3*/site-packages"))


def remove_tree(path: Path) -> None:
    """Remove a folder, also when what is in it was made read-only, as Go does. What is not there is gone already."""
    if path.is_symlink():
        return
    with contextlib.suppress(OSError):
        path.chmod(0o700)
    for folder, folders, _ in os.walk(path):
        for name in folders:  # before they are looked into
            with contextlib.suppress(OSError):
                if not (below := Path(folder, name)).is_symlink():
                    below.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def _account(source: Mapping[str, str]) -> Path | None:
    return Path(source["HOME"]) if source.get("HOME") else None


def _copy(place: Path, target: Path, cleaned: Callable[[str], str]) -> None:
    try:
        text = cleaned(place.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error, ET.ParseError):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")


def _ini(text: str) -> str:
    found = configparser.RawConfigParser()
    found.read_string(text)
    for section in found.sections():
        for key, value in found.items(section):
            if _SECRET.search(key):
                found.remove_option(section, key)
            else:
                found.set(section, key, without_userinfo(value))
    written = io.StringIO()
    found.write(written)
    return written.getvalue()


def _npmrc(text: str) -> str:
    return _lines(text, _NPM_KEPT)


def _go_env(text: str) -> str:
    return _lines(text, _GO_KEPT)


def _lines(text: str, kept: re.Pattern[str]) -> str:
    """The ``key=value`` lines with these keys."""
    pairs = (line.partition("=") for line in text.splitlines())
    return "".join(
        f"{key.strip()}={without_userinfo(value.strip())}\n" for key, _, value in pairs if kept.fullmatch(key.strip())
    )


def _toml(text: str) -> str:
    return "".join(f"{json.dumps(key)} = {_toml_value(value)}\n" for key, value in _open(tomllib.loads(text)).items())


def _open(table: dict[str, Any]) -> dict[str, Any]:
    """The table without what may be secret; variables for the programs that Cargo builds are left out altogether."""
    return {key: value for key, value in table.items() if key != "env" and not _SECRET.search(key)}


def _toml_value(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(k)} = {_toml_value(v)}" for k, v in _open(value).items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml_value, value)) + "]"
        case str():
            return json.dumps(without_userinfo(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _maven(text: str) -> str:
    root = ET.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            name = child.tag.rpartition("}")[2]
            if name == "servers" or name == "localRepository" or _SECRET.search(name):
                parent.remove(child)
            elif child.text:
                child.text = without_userinfo(child.text)
    return ET.tostring(root, "unicode")
