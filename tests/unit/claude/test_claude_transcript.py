"""A packed session is the same bytes for the same session, and unpacking trusts nothing."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from shared.claude.conversation.transcript import SessionUnusable, pack_session, restore_session, session_file

SESSION = "0b7a1c9e-3b0f-4f57-9a53-1c1c5b0e4a11"


def _session(config: Path) -> Path:
    folder = config / "projects" / "-work"
    (folder / SESSION / "subagents").mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_bytes(b'{"n":1}\n{"n":2}\n{"unfin')
    (folder / SESSION / "subagents" / "a.jsonl").write_bytes(b'{"a":1}\n')
    (folder / "another.jsonl").write_bytes(b"{}\n")
    return config


def _archive(*members: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return packed.getvalue()


def test_a_session_is_restored_with_what_lies_beside_it_up_to_its_last_whole_line(tmp_path: Path) -> None:
    packed = pack_session(_session(tmp_path / "here"), SESSION)
    assert packed == pack_session(tmp_path / "here", SESSION)
    there = tmp_path / "there"
    assert restore_session(there, Path("/srv/work_tree/x.1"), packed) == SESSION
    restored = session_file(there, SESSION)
    assert restored is not None
    assert restored.parent.name == "-srv-work-tree-x-1"
    assert restored.read_bytes() == b'{"n":1}\n{"n":2}\n'
    assert (restored.parent / SESSION / "subagents" / "a.jsonl").read_bytes() == b'{"a":1}\n'
    assert not (restored.parent / "another.jsonl").exists()


def test_an_unknown_session_is_said_to_be_so(tmp_path: Path) -> None:
    assert session_file(tmp_path, SESSION) is None
    with pytest.raises(FileNotFoundError, match=SESSION):
        pack_session(tmp_path, SESSION)


def test_an_id_that_is_a_pattern_or_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="UUID"):
        session_file(tmp_path, "../*")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", f"{SESSION}/../evil", "another.jsonl", SESSION])
def test_a_member_outside_the_session_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(SessionUnusable):
        restore_session(tmp_path, tmp_path, _archive(tarfile.TarInfo(f"{SESSION}.jsonl"), tarfile.TarInfo(name)))
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo(f"{SESSION}/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(SessionUnusable, match="no plain file"):
        restore_session(tmp_path, tmp_path, _archive(tarfile.TarInfo(f"{SESSION}.jsonl"), link))


def test_too_many_files_and_damage_are_refused(tmp_path: Path) -> None:
    many = [tarfile.TarInfo(f"{SESSION}.jsonl"), *(tarfile.TarInfo(f"{SESSION}/{n}") for n in range(1000))]
    with pytest.raises(SessionUnusable, match="over"):
        restore_session(tmp_path, tmp_path, _archive(*many))
    for damaged in (b"", b"no archive", _archive(many[0])[:20]):
        with pytest.raises(SessionUnusable):
            restore_session(tmp_path, tmp_path, damaged)
