from __future__ import annotations

import json
from typing import Any

import pytest

from services.gateway.inbound.github import read
from services.gateway.inbound.sender import Ignored, Reading
from shared.contracts.delivery import Signal, SignalKind
from shared.ops.config import Config, Policy, Repo

ADA = {"login": "ada", "type": "User"}
EVE = {"login": "eve", "type": "User"}
RENOVATE = {"login": "renovate[bot]", "type": "Bot"}
OURS = {"login": "my-app[bot]", "type": "Bot"}
CONFIG = Config(
    repos={"Octo/App": Repo(url="https://github.test/octo/app.git", id=99)},
    policy=Policy(login="my-app", app_id=5, bots=("renovate[bot]",)),
)
ISSUE = {
    "id": 700,
    "number": 7,
    "title": "It drops",
    "body": "It does.",
    "created_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-02T03:04:05Z",
    "state": "open",
    "user": ADA,
    "author_association": "OWNER",
}
COMMENT = {
    "id": 21,
    "body": "@agent plan",
    "user": ADA,
    "author_association": "MEMBER",
    "updated_at": "2026-01-02T04:00:00Z",
}


def reading(event: str, action: str, config: Config = CONFIG, **changes: Any) -> Reading:
    repository = {"full_name": "octo/app", "id": 99}
    body = {"action": action, "issue": ISSUE, "repository": repository, "sender": ADA, **changes}
    return read(event, json.dumps(body).encode(), config)


def signal(event: str, action: str, **changes: Any) -> Signal:
    meaning = reading(event, action, **changes).meaning
    assert isinstance(meaning, Signal), meaning
    return meaning


def reason(event: str, action: str, **changes: Any) -> str:
    meaning = reading(event, action, **changes).meaning
    assert isinstance(meaning, Ignored), meaning
    return meaning.reason


def was(text: str) -> dict[str, Any]:
    return {"body": {"from": text}}


# ---- the thing, not its name


def test_a_thing_is_known_by_its_repositorys_number_and_by_the_names_that_older_versions_gave_it() -> None:
    found = reading("issues", "opened")
    assert isinstance(found.meaning, Signal)
    assert (found.meaning.thread, found.meaning.repo) == ("github:99#7", "Octo/App")
    assert found.formerly == ("github:octo/app#7", "github:Octo/App#7")


def test_after_a_rename_the_number_leads_to_the_same_thread_and_to_the_configured_repository() -> None:
    renamed = signal("issues", "opened", repository={"full_name": "octo/other", "id": 99})
    assert (renamed.thread, renamed.repo) == ("github:99#7", "Octo/App")
    unknown = signal("issues", "opened", repository={"full_name": "octo/other", "id": 98})
    assert (unknown.thread, unknown.repo) == ("github:98#7", "octo/other")


def test_a_comment_brings_the_text_of_its_issue() -> None:
    found = signal("issue_comment", "created", comment=COMMENT)
    assert (found.title, found.context, found.text) == ("It drops", "It does.", "@agent plan")


# ---- edits


def test_an_edited_issue_tells_its_new_words() -> None:
    found = signal("issues", "edited", changes=was("It did."))
    assert (found.kind, found.text, found.mentioned, found.directive) == (SignalKind.EDITED, "It does.", False, "")


def test_a_mention_that_an_edit_brings_is_work() -> None:
    now = {**ISSUE, "body": "It does.\n\n@agent implement"}
    found = signal("issues", "edited", issue=now, changes=was("It does."))
    assert (found.mentioned, found.directive) == (True, "implement")
    assert not signal("issues", "edited", issue=now, changes=was("It.\n\n@agent implement")).mentioned


def test_an_edit_of_neither_title_nor_text_is_none() -> None:
    assert "neither" in reason("issues", "edited", changes={})
    assert "neither" in reason("issues", "edited")


def test_a_mention_that_an_edit_brings_into_a_comment_counts_as_a_new_comment() -> None:
    found = signal("issue_comment", "edited", comment=COMMENT, changes=was("nothing"))
    assert (found.kind, found.directive, found.origin) == (SignalKind.COMMENT, "plan", "github:comment/21")


def test_another_word_in_a_comment_is_another_message() -> None:
    found = signal("issue_comment", "edited", comment=COMMENT, changes=was("@agent stop"))
    assert (found.kind, found.origin) == (SignalKind.COMMENT, "github:comment/21/2026-01-02T04:00:00Z")


def test_other_words_behind_the_same_word_are_another_wording() -> None:
    comment = {**COMMENT, "body": "@agent plan it well"}
    found = signal("issue_comment", "edited", comment=comment, changes=was("@agent plan"))
    assert (found.kind, found.text) == (SignalKind.EDITED, "@agent plan it well")


@pytest.mark.parametrize(
    ("comment", "changes", "sender", "said"),
    [
        (
            {**COMMENT, "body": "@agent approve v1 3fa94c11\n\nThanks!"},
            was("@agent approve v1 3fa94c11"),
            ADA,
            "as it was",
        ),
        ({**COMMENT, "body": "never mind"}, was("@agent plan"), ADA, "any more"),
        (COMMENT, was("nothing"), EVE, "somebody else"),
        (COMMENT, was("@agent plan"), ADA, "not edited"),
        (COMMENT, {}, ADA, "not edited"),
    ],
)
def test_an_edited_comment_never_approves_and_only_its_author_speaks_in_it(
    comment: Any, changes: Any, sender: Any, said: str
) -> None:
    assert said in reason("issue_comment", "edited", comment=comment, changes=changes, sender=sender)


@pytest.mark.parametrize("before", ["nothing", "@agent plan", "@agent approve v1 deadbeef"])
def test_an_approval_that_an_edit_brings_is_an_edit_which_is_refused_in_words(before: str) -> None:
    comment = {**COMMENT, "body": "@agent approve v1 3fa94c11"}
    found = signal("issue_comment", "edited", comment=comment, changes=was(before))
    assert (found.kind, found.directive, found.origin) == (SignalKind.EDITED, "approve", "github:comment/21")


# ---- ends, and what is given to us


@pytest.mark.parametrize(
    ("action", "changes", "text"),
    [
        ("closed", {"issue": {**ISSUE, "state_reason": "not_planned"}}, "eve has closed the issue (not planned)."),
        ("deleted", {}, "eve has deleted the issue."),
        ("deleted", {"sender": {"login": "ev\x1fe", "id": 9, "type": "User"}}, "eve has deleted the issue."),
        (
            "transferred",
            {"changes": {"new_issue": {"html_url": "https://github.test/octo/b/issues/1"}}},
            "eve has transferred the issue to https://github.test/octo/b/issues/1.",
        ),
    ],
)
def test_a_thing_that_is_gone_says_who_has_ended_it(action: str, changes: Any, text: str) -> None:
    found = signal("issues", action, **{"sender": EVE, **changes})
    assert (found.kind, found.text) == (SignalKind.CLOSED, text)


def test_an_issue_that_is_reopened_says_by_whom() -> None:
    found = signal("issues", "reopened")
    assert (found.kind, found.text, found.trusted) == (SignalKind.REOPENED, "ada has reopened the issue.", True)
    assert not signal("issues", "reopened", sender=EVE).trusted


def test_an_issue_that_is_assigned_to_our_account_is_work() -> None:
    assert signal("issues", "assigned", assignee=OURS).kind is SignalKind.WORK
    assert "somebody else" in reason("issues", "assigned", assignee=ADA)
    assert "somebody else" in reason("issues", "assigned", assignee=ADA, config=Config())
    assert "closed" in reason("issues", "assigned", assignee=OURS, issue={**ISSUE, "state": "closed"})


def test_our_account_may_be_addressed_by_its_own_name() -> None:
    assert signal("issue_comment", "created", comment={**COMMENT, "body": "@my-app stop"}).directive == "stop"


# ---- programs and ourselves


@pytest.mark.parametrize(
    ("comment", "sender"),
    [
        ({**COMMENT, "user": OURS}, OURS),
        ({**COMMENT, "user": {"login": "My-App", "type": "User"}}, ADA),
        ({**COMMENT, "performed_via_github_app": {"id": 5}}, ADA),
        ({**COMMENT, "body": "<!-- journeyman:1 -->\n@agent plan"}, ADA),
    ],
)
def test_what_we_write_ourselves_never_triggers_anything(comment: Any, sender: Any) -> None:
    assert "our own" in reason("issue_comment", "created", comment=comment, sender=sender)


def test_an_issue_and_an_edit_of_our_own_are_no_work() -> None:
    assert "our own" in reason("issues", "opened", issue={**ISSUE, "user": OURS}, sender=OURS)
    assert "our own" in reason("issues", "opened", issue={**ISSUE, "performed_via_github_app": {"id": 5}})
    assert "our own" in reason("issues", "edited", changes=was("It did."), sender=OURS)


def test_another_app_is_not_ours() -> None:
    assert signal("issue_comment", "created", comment={**COMMENT, "performed_via_github_app": {"id": 6}}).trusted


def test_a_listed_program_asks_for_work_and_decides_nothing() -> None:
    comment = {**COMMENT, "user": RENOVATE}
    found = signal("issue_comment", "created", comment=comment, sender=RENOVATE)
    assert (found.by_program, found.directive) == (True, "plan")
    for word in ("approve v1 3fa94c11", "stop", "retry", "go on", "reject"):
        said = {**comment, "body": f"@agent {word}"}
        assert "a person's word" in reason("issue_comment", "created", comment=said, sender=RENOVATE)


# ---- doubles


def test_the_same_happening_has_the_same_content_by_an_app_and_by_a_repositorys_webhook() -> None:
    by_hook = reading("issue_comment", "created", comment=COMMENT)
    by_app = reading("issue_comment", "created", comment=COMMENT, installation={"id": 1})
    assert by_hook.content and by_hook.content == by_app.content


@pytest.mark.parametrize(
    "changes",
    [
        {"comment": {**COMMENT, "id": 22}},
        {"comment": {**COMMENT, "body": "@agent stop"}},
        {"comment": {**COMMENT, "updated_at": "2026-01-02T05:00:00Z"}},
        {"sender": EVE},
    ],
)
def test_another_happening_has_another_content(changes: Any) -> None:
    before = reading("issue_comment", "created", comment=COMMENT)
    assert reading("issue_comment", "created", **{"comment": COMMENT, **changes}).content != before.content


def test_a_payload_that_does_not_say_enough_has_no_content_of_its_own() -> None:
    assert reading("issue_comment", "created", comment={**COMMENT, "id": 0}).content == ()
    assert reading("ping", "").content == ()
