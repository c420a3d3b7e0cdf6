"""What the golden logs are about: real services, the real CLI with the scripted model, people who steer, accidents.

A scenario is a coroutine that leaves a log behind. Every event there is must come about in at least one of them.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from cli.demo.webhook import Issue
from services.brain.actors.pull_requests import CLOSING_GRACE
from shared.contracts import delivery, reply, run, session, task, user, webhook
from shared.contracts.decider import Rejected
from shared.contracts.ids import derived_task_id, new_task_id
from shared.contracts.pull_request import CatchUp, CheckSeen, PullState, ReviewNote
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent, utc_now
from shared.nats.journal import NatsJournal
from shared.nats.streams import ARTIFACTS, MEBI
from shared.runtime.dead_letters import count
from shared.workspace.branches import branch_name
from testing.door import BEARER
from testing.eventually import eventually
from testing.github_server import GitHubServer, Person, Repo
from testing.service_group import ROOT
from testing.system import REPO
from tests.golden.play import ADA, WITHIN_S, Play, cut_power, exhausted_model

IMPLEMENT: Final = task.Directive.IMPLEMENT
PLAN: Final = task.Directive.PLAN
REQUIRED: Final = task.Approval.REQUIRED
ALL: Final = ("projector", "brain", "planner", "executor", "gateway")
WORKERS: Final = ("brain", "executor", "gateway")
TURNS: Final = 1000
OWN_TURNS: Final = 4
"""What the scripted executor does when it has done the turns that it was told to do."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """``play`` makes the log. ``checks`` are the repository's (None: detected), ``ack_wait_s`` is the consumers'."""

    play: Callable[[Play], Awaitable[None]]
    checks: tuple[str, ...] | None = ()
    ack_wait_s: float = 10.0


async def plain(play: Play) -> None:
    """An issue's webhook, triage, a plan that is approved by a comment, work, checks, the branch."""
    await play.group.start(*ALL)
    issue = Issue(repo=REPO, number=7, opened=utc_now().replace(microsecond=0))
    await play.deliver("issues", issue.payload())
    ready = (await play.until(issue.task_id, "task.plan-ready")).data
    await play.deliver("issue_comment", _comment(issue, f"@agent approve v{ready.version} {ready.digest[:12]}"))
    await play.until(issue.task_id, "task.completed")


async def cancelled(play: Play) -> None:
    """Stopped while planning, stopped at a question of the agent and tried again, and a plan that is turned down."""
    await play.group.start("brain", "planner", "executor", "gateway")
    planning = await play.submit("Think for ever\n\ndemo planner: hang", directive=PLAN)
    await play.until(planning, "plan.claimed")
    await eventually(lambda: play.group.run_dir(planning, "plan", member="planner"))
    await play.tell(planning, task.Stop(reason="It takes too long."))
    await play.until(planning, "task.cancelled")

    asking = await play.submit("Ask before you go on\n\ndemo executor: ask Go on?", directive=IMPLEMENT)
    await play.until(asking, "task.question-asked")
    await play.tell(asking, task.Stop())
    await play.until(asking, "task.cancelled")
    await play.tell(asking, task.Retry())
    await play.until(asking, "task.question-asked", anew=True)
    await play.tell(asking, task.GiveInput(message="Yes, please."))
    await play.until(asking, "task.completed")

    refused = await play.submit("Paint the shed", directive=PLAN, approval=REQUIRED)
    await play.until(refused, "task.plan-ready")
    await play.tell(refused, task.Reject(reason="There is no shed."))
    await play.until(refused, "task.rejected")


async def taken_over(play: Play) -> None:
    """An executor loses its power in the middle of the work; another one goes on from the last checkpoint."""
    await play.group.start("brain", "gateway")
    first = play.group.add("executor", name="first", data=play.group.folder / "first")
    await first.start()
    id = await play.submit(
        "Two files, with a pause between them\n\n"
        "demo executor: write first.txt one\ndemo executor: sleep 1\ndemo executor: sleep 30\n"
        "demo executor: write last.txt two",
        directive=IMPLEMENT,
    )
    await play.until(id, "run.checkpointed")
    cut_power(first, id)
    await play.group.add("executor", name="second", data=play.group.folder / "second").start()
    await play.until(id, "task.completed")
    assert (await play.names(id)).count("run.claimed") == 2


async def parked(play: Play) -> None:
    """A command that nobody can read, and work that no executor can do: both are parked, and the task goes on."""
    id = new_task_id()
    broken = play.group.data / "runs" / f"run-{id}-1-1" / "run.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("not what was written here")
    await play.group.start(*WORKERS)
    await play.submit("Write a note", directive=IMPLEMENT, id=id)
    await play.group.bus.publish(f"cmd.task.{id}.stop", b'{"reason": 7}', {})
    await play.until(id, "task.failed")

    async def both_parked() -> bool:
        return await count(play.group.bus) == 2

    await eventually(both_parked)
    await play.tell(id, task.Retry())
    await play.until(id, "task.completed")


async def revised(play: Play) -> None:
    """The first plan is turned down with a word of advice; the second one is approved and carried out."""
    await play.group.start("brain", "planner", "executor", "gateway")
    id = await play.submit("Write down what a bill is", directive=PLAN, approval=REQUIRED)
    await play.until(id, "task.plan-ready")
    await play.tell(id, task.Revise(feedback="Say it in one sentence."))
    await play.approve(id, version=2)
    await play.until(id, "task.completed")


async def approval_expired(play: Play) -> None:
    """Nobody approves the plan in time."""
    for service in ("planner", "gateway"):
        play.group.add(service)
    play.group.add("brain", JOURNEYMAN_APPROVAL_TIMEOUT_HOURS="0.001")
    for member in play.group.members.values():
        await member.start()
    id = await play.submit("Write down what a bill is", directive=PLAN, approval=REQUIRED)
    await play.until(id, "task.approval-expired")


async def usage_limit(play: Play) -> None:
    """The model's account has used up what it may: the task is paused, and goes on by itself."""
    async with exhausted_model() as url:
        await play.group.start("brain", "gateway")
        first = play.group.add("executor", name="limited", JOURNEYMAN_ANTHROPIC_BASE_URL=url)
        await first.start()
        id = await play.submit("Write a note", directive=IMPLEMENT)
        await play.until(id, "task.paused")
        await first.stop()
    await play.group.add("executor").start()
    await play.until(id, "task.completed")


async def conversation(play: Play) -> None:
    """A question that the brain answers, a wish that becomes work, and one for a repository that nobody knows."""
    await play.group.start("brain", "planner", "executor", "gateway")
    talk, asked, wished, strange = "talk-1", new_task_id(), new_task_id(), new_task_id()
    say = {asked: "What is this repository about?", wished: "Write down what a bill is", strange: "Mend the roof"}
    for id, message in say.items():
        repo = "octo/roof" if id == strange else REPO
        approval = task.Approval.AUTO
        await play.tell(
            talk, session.Say(message=message, author="ada", task_id=id, repo=repo, approval=approval), kind="session"
        )
    await play.until(strange, "task.declined")
    await play.until(talk, "session.answer-recorded")
    await play.until(wished, "task.completed")


async def asked(play: Play) -> None:
    """What is said in a conversation, and comes to: answers, a failure, one broken off, what is proposed, a plan."""
    await play.group.start("projector")
    first = play.group.add("brain", name="first-brain", data=play.group.folder / "first-brain")
    await first.start()
    talk = "talk-2"

    async def ask(message: str) -> str:
        id = new_task_id()
        about = (session.Attachment(kind=session.AttachmentKind.REPOSITORY, reference=REPO),)
        said = session.Ask(message_id=id, message=message, author=ADA, repo=REPO, attachments=about)
        await play.tell(talk, said, kind="session")
        return id

    await ask("What goes on?\n\ndemo: slow-stream 4")
    await _said(play, talk, "session", first.name, "message_start")
    first.send(signal.SIGSTOP)
    await _said(play, talk, "session", first.name, '"type":"result"')
    await first.kill()
    await play.group.start("brain")
    await play.until(talk, "session.answered")
    await first.start()
    await play.until(talk, "session.spend-recorded")
    await first.stop()
    await ask("Propose a note about bills")
    confirmed = (await play.until(talk, "session.proposed")).data.proposal
    await play.until(talk, "session.answered", anew=True)
    await play.tell(talk, session.Confirm(proposal_id=confirmed.proposal_id), kind="session")
    await play.until(confirmed.task_id, "task.submitted")
    await ask(f"Should we stop {confirmed.task_id}?")
    turned_down = (await play.until(talk, "session.proposed", anew=True)).data.proposal
    await play.tell(talk, session.Dismiss(proposal_id=turned_down.proposal_id), kind="session")
    await ask("Think\n\ndemo: fail 400")
    await play.until(talk, "session.failed")
    broken_off = await ask("Tell me\n\ndemo: slow-stream 60")
    await play.until(talk, "session.claimed", anew=True)
    await play.tell(talk, session.Interrupt(message_id=broken_off), kind="session")
    await play.until(talk, "session.interrupted")
    planned = new_task_id()
    work = session.Say(message="Write a note", author=ADA, task_id=planned, repo=REPO, directive=PLAN)
    for command in (work, session.Rename(title="Bills"), session.Archive(), session.Unarchive()):
        await play.tell(talk, command, kind="session")
    await play.until(planned, "task.submitted")


async def questions(play: Play) -> None:
    """The agent asks, and is told things that it did not ask for."""
    await play.group.start(*WORKERS)
    id = await play.submit(
        "Take a note\n\ndemo executor: ask Which colour?\ndemo executor: turns 8\ndemo executor: write note.txt x",
        directive=IMPLEMENT,
    )
    await play.until(id, "task.question-asked")
    await play.tell(id, task.GiveInput(message="Ultramarine"))
    await play.until(id, "task.work-resumed")
    await play.tell(id, task.GiveInput(message="Mention the penguin."))
    await play.until(id, "task.completed")


async def failed(play: Play) -> None:
    """No plan comes out; checks fail after the work; and a branch of that name is there already, until it is not."""
    await play.group.start("brain", "planner", "executor", "gateway")
    planless = await play.submit("Think\n\ndemo planner: fail 400", directive=PLAN)
    await play.until(planless, "task.failed")
    red = await play.submit("Break it\n\ndemo executor: write broken.txt x", directive=IMPLEMENT)
    await play.until(red, "task.failed")
    text = "Take a note\n\ndemo executor: write note.txt x"
    taken = await play.submit(text, directive=IMPLEMENT)
    branch = branch_name(taken, text.splitlines()[0])
    _git(play.group.repository, "branch", branch, "main")
    await play.until(taken, "reply.failed")
    await play.until(taken, "task.failed")
    _git(play.group.repository, "branch", "--delete", "--force", branch)
    await play.tell(taken, task.Retry())
    await play.until(taken, "task.completed")


async def further_wishes(play: Play) -> None:
    """Comments wish something further: of a plan, of an agent at work, of what is published, and nothing at all."""
    await play.group.start("brain", "planner", "executor", "gateway")
    issue = Issue(repo=REPO, number=8, opened=utc_now().replace(microsecond=0))
    id = issue.task_id
    script = "demo executor: write note.txt x\ndemo executor: ask Go on?"

    async def say(number: int, text: str) -> None:
        await play.deliver("issue_comment", _comment(issue, text, number))

    await say(1, f"@agent plan a note\n\n{script}")
    await play.until(id, "task.plan-ready")
    await say(2, "@agent plan it in one sentence")
    ready = (await play.until(id, "task.plan-ready", anew=True)).data
    await say(3, f"@agent approve v{ready.version} {ready.digest[:12]}")
    await play.until(id, "task.question-asked")
    await say(4, "@agent implement it in red")
    await play.until(id, "task.completed")
    await say(5, "@agent implement it in blue, too\n\ndemo executor: write blue.txt x")
    await play.until(id, "task.question-asked", anew=True)
    await play.tell(id, task.FollowUp(text="Yes, in blue."))
    await play.until(id, "task.completed", anew=True)
    await say(6, "@agent implement")
    await play.until(id, "task.follow-up-refused")


async def outside(play: Play) -> None:
    """What happens to an issue outside: strangers, edits, refusals, its closing, and a delivery that is replayed."""
    await play.group.start("brain", "planner", "executor", "gateway")
    issue = Issue(repo=REPO, number=9, opened=utc_now().replace(microsecond=0))
    id = issue.task_id

    async def say(number: int, text: str, **changes: object) -> str:
        return await play.deliver("issue_comment", _comment(issue, text, number, **changes))

    early = await say(1, "@agent stop")
    await play.until(id, "task.action-refused")
    refused = await say(2, "@agent implement", author_association="NONE")
    await play.until(refused, "delivery.refused")
    await say(3, "@agent plan a note\n\ndemo executor: write note.txt x\ndemo executor: ask Go on?")
    await play.until(id, "task.plan-ready")
    edited = issue.payload()
    edited["issue"]["body"] += "\nIn one line."
    await play.deliver("issues", edited | {"action": "edited", "changes": {"body": {"from": "before"}}})
    await play.until(id, "task.edited")
    await say(4, "@agent revise one sentence is enough")
    await play.until(id, "task.plan-ready", anew=True)
    await say(5, "@agent reject")
    await play.until(id, "task.rejected")
    await say(6, "@agent retry")
    ready = (await play.until(id, "task.plan-ready", anew=True)).data
    await say(7, f"@agent approve v{ready.version} {ready.digest[:12]}")
    await play.until(id, "task.question-asked")
    await play.deliver("issues", issue.payload() | {"action": "closed"})
    await play.until(id, "task.cancelled")
    await say(8, "@agent go on")
    await play.until(id, "task.question-asked", anew=True)
    await say(9, "@agent go on, whatever happens")
    await say(10, "@agent implement it in red")
    await play.until(id, "task.completed")
    await say(11, "@agent implement it in blue, too")
    await play.until(id, "task.question-asked", anew=True)
    await say(12, "@agent stop")
    await play.until(id, "task.cancelled", anew=True)
    told = delivery.Replay(signal=(await play.until(early, "delivery.accepted")).data.signal)
    await play.tell(early, told, kind="delivery")
    await play.until(early, "delivery.replayed")

    other = Issue(repo=REPO, number=10, opened=issue.opened)
    await play.deliver("issue_comment", _comment(other, "@agent implement\n\ndemo executor: ask Which?", 13))
    await play.until(other.task_id, "task.question-asked")
    await play.deliver("issue_comment", _comment(other, "@agent go on", 14))
    await play.until(other.task_id, "task.going-on")
    await play.deliver("issue_comment", _comment(other, "@agent stop", 15))
    await play.until(other.task_id, "task.cancelled")


async def reworded(play: Play) -> None:
    """A comment that asks for work reads otherwise, before an agent is at work and while it is; then an older wording
    comes late."""
    await play.group.start("brain", "planner", "executor", "gateway")
    issue = Issue(repo=REPO, number=16, opened=utc_now().replace(microsecond=0))
    id, script = issue.task_id, "demo executor: write note.txt x\ndemo executor: ask Go on?"

    async def edit(minute: int, was: str, text: str) -> None:
        told = _comment(issue, f"@agent plan {text}\n\n{script}", updated_at=_minute(minute))
        changes = {"changes": {"body": {"from": f"@agent plan {was}\n\n{script}"}}}
        await play.deliver("issue_comment", told | {"action": "edited"} | changes)

    await play.deliver("issue_comment", _comment(issue, f"@agent plan a note\n\n{script}", updated_at=_minute(0)))
    ready = (await play.until(id, "task.plan-ready")).data
    await edit(2, "a note", "a note in red")
    await play.until(id, "task.edited")
    approve = f"@agent approve v{ready.version} {ready.digest[:12]}"
    await play.deliver("issue_comment", _comment(issue, approve, 2, updated_at=_minute(3)))
    await play.until(id, "task.question-asked")
    await edit(4, "a note in red", "a note in blue")
    await play.until(id, "task.input-given")
    await edit(3, "a note in red", "a note in green")
    await play.until(id, "task.completed")


def _minute(number: int) -> str:
    return f"2026-11-27T03:{number:02d}:00Z"


async def on_github(play: Play) -> None:
    """The whole way on a GitHub of ours: marks, one comment, an approval, a pull request, a refusal and answers."""
    async with GitHubServer() as server:
        repo = await _open_to(play, server)
        await play.group.start("projector", "brain", "planner", "executor")
        ada, eve = server.person("ada"), server.person("eve")
        number = ada.opens_issue(REPO, "Take a note", "@agent plan\n\ndemo executor: write note.txt x")
        id = _task_of(repo, number)
        ready = (await play.until(id, "task.plan-ready")).data

        refused = eve.comments(REPO, number, "@agent fix")
        await _shown(play, id, f"refusal/github:comment/{refused}")
        approving = ada.comments(REPO, number, f"@agent approve v{ready.version} {ready.digest[:12]}")
        await play.until(id, "task.in-review")
        asked = ada.comments(REPO, number, "@agent status")
        await _shown(play, id, f"answer/github:comment/{asked}")
        await _shown(play, id, "reaction/thing", mark="rocket")
        await _shown(play, id, f"reaction/github:comment/{approving}", mark="+1")
        posted = (await play.until(id, "reply.posted")).data
        await _shown(play, id, f"check/{posted.commit}")

        delivery_id = (await _first(play, "evt.delivery.*.refused")).actor.id
        async with httpx.AsyncClient(base_url=play.group.http, timeout=60, trust_env=False, headers=BEARER) as http:
            await http.post(f"/api/deliveries/{delivery_id}/replay", headers={"X-Journeyman": "1"})
        await play.until(delivery_id, "delivery.replayed")


async def reviewing(play: Play) -> None:
    """A stranger's pull request is reviewed for somebody who may, and again, with a word about it."""
    async with GitHubServer() as server:
        id, ada, number = await _a_strangers_pull_request(play, server)
        await play.until(id, "task.completed")
        ada.comments(REPO, number, "@agent review\n\nIs it tested?")
        await play.until(id, "task.completed", anew=True)
        await _shown(play, id, "review/3")


async def review_not_shown(play: Play) -> None:
    """A review that GitHub does not take is shown when it takes it, and is written once."""
    async with GitHubServer() as server:
        id, _, _ = await _a_strangers_pull_request(play, server, archived=True)
        await play.until(id, "task.failed")
        server.repos[REPO].archived = False
        await play.tell(id, task.Retry())
        await play.until(id, "task.completed")


async def _a_strangers_pull_request(
    play: Play, server: GitHubServer, *, archived: bool = False
) -> tuple[str, Person, int]:
    """The task of its review, who has asked for that, and its number."""
    repo = await _open_to(play, server)
    await play.group.start("projector", "brain")
    ada, eve = server.person("ada"), server.person("eve")
    place = play.group.repository
    (place / "shares.py").write_text("def shares(cents, people):\n    return [cents // people] * people\n")
    _git(place, "switch", "--quiet", "--create", "share")
    _git(place, "add", "shares.py")
    _git(place, "-c", "user.name=Eve", "-c", "user.email=eve@example.org", "commit", "--quiet", "-m", "Shares")
    _git(place, "update-ref", "refs/forks/eve/share", "HEAD")
    _git(place, "switch", "--quiet", "main")
    _git(place, "branch", "--delete", "--force", "share")
    asked = {"head": "eve:share", "base": "main", "title": "Shares", "body": "It shares."}
    number = int(eve.does("POST", f"/repos/{REPO}/pulls", **asked)["number"])
    repo.archived = archived
    ada.comments(REPO, number, "@agent review")
    return _task_of(repo, number), ada, number


async def _open_to(play: Play, server: GitHubServer) -> Repo:
    """A gateway that is an App on this GitHub, and the repository there."""
    repo = server.repo(REPO, people={"ada": "write", "eve": "read"}, git=play.group.repository / ".git")
    app = server.app()
    server.webhook(f"{play.group.http}/webhooks/github", play.group.secret, app=app)
    key = play.group.folder / "app.pem"
    key.write_text(app.private_key)
    gateway = play.group.add(
        "gateway",
        JOURNEYMAN_GITHUB_API_URL=server.url,
        JOURNEYMAN_GITHUB_APP_ID=str(app.id),
        JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE=str(key),
    )
    await gateway.start()
    return repo


def _task_of(repo: Repo, number: int) -> str:
    """The task about an issue or a pull request."""
    opened = int(datetime.fromisoformat(repo.issues[number]["created_at"]).timestamp() * 1000)
    return derived_task_id(opened, f"github:{repo.id}#{number}")


async def _shown(play: Play, id: str, effect: str, *, mark: str = "") -> None:
    """Wait until this is shown to people; ``mark``: as this."""

    async def is_shown() -> bool:
        story = await NatsJournal(play.group.bus).load(Actor("reply", id))
        newest = [each.data for each in story if getattr(each.data, "effect", "") == effect]
        wanted = [each for each in newest if isinstance(each, reply.Wanted)]
        return bool(wanted) and isinstance(newest[-1], reply.Shown) and mark in ("", wanted[-1].text)

    await eventually(is_shown, within=WITHIN_S)


async def _first(play: Play, subject: str) -> RecordedEvent:
    """The first event there is that fits."""
    async with contextlib.aclosing(NatsJournal(play.group.bus).follow(subject, after=0)) as events:  # type: ignore[type-var]  # an async generator behind the protocol
        return await anext(events)


async def fell_short(play: Play) -> None:
    """Checks fail after the work: what was made is published as it is, or gone on from, or cannot be published yet."""
    await play.group.start(*WORKERS)
    text = "Break it\n\ndemo executor: write broken.txt x"
    as_it_is = await play.submit(text, directive=IMPLEMENT)
    await play.until(as_it_is, "task.failed")
    branch = branch_name(as_it_is, text.splitlines()[0])
    _git(play.group.repository, "branch", branch, "main")
    await play.tell(as_it_is, task.Publish())
    await play.until(as_it_is, "task.failed", anew=True)
    _git(play.group.repository, "branch", "--delete", "--force", branch)
    await play.tell(as_it_is, task.Retry())
    await play.until(as_it_is, "task.completed")

    gone_on_from = await play.submit(text, directive=IMPLEMENT)
    await play.until(gone_on_from, "task.failed")
    await play.tell(gone_on_from, task.Retry(from_result=True))
    await play.until(gone_on_from, "task.failed", anew=True)


async def stopped_late(play: Play) -> None:
    """A stop while the result is checked leaves it to be published; words after the end of the work are a wish."""
    await play.group.start("brain", "executor", "gateway")
    id = await play.submit("Write a note\n\ndemo executor: write slow.txt x", directive=IMPLEMENT)
    await play.until(id, "run.committed")
    await play.tell(id, task.Stop(reason="Enough."))
    await play.until(id, "task.cancelled")
    await play.tell(id, task.Publish())
    await play.until(id, "task.completed")

    done = await play.submit("Write a note", directive=IMPLEMENT)
    # As the task's own reaction would send it, had it been told a moment before it heard of the end.
    newest = (await play.until(done, "task.completed")).sequence
    await play.tell(done, run.GiveInput(message="And a second one.", cause=newest), kind="run")
    await play.until(done, "task.completed", anew=True)


async def budget_reached(play: Play) -> None:
    """The approved budget is too small: no retry within it costs anything, and one with a larger one does the work."""
    await play.group.start("brain", "planner", "executor", "gateway")
    id = await play.submit("Write down what a bill is", directive=PLAN, approval=REQUIRED)
    ready = (await play.until(id, "task.plan-ready")).data
    await play.tell(id, task.Approve(version=ready.version, digest=ready.digest, budget_microusd=1000))
    await play.until(id, "task.failed")
    for retry in (task.Retry(), task.Retry(budget_microusd=1000)):
        with contextlib.suppress(Rejected):
            await play.tell(id, retry)
            raise AssertionError("a retry that would end in the same way was taken")
    await play.tell(id, task.Retry(budget_microusd=5_000_000))
    await play.until(id, "task.completed")


async def withdrawn(play: Play) -> None:
    """The task is stopped when its result is to be published and no gateway has begun with it."""
    await play.group.start("brain", "executor")
    mark = play.group.folder / "died-at"
    await play.group.add("gateway", name="first", CRASH_AT="gateway.activity.taken", CRASH_MARK=str(mark)).start()
    id = await play.submit("Take a note\n\ndemo executor: write note.txt x", directive=IMPLEMENT)
    await play.until(id, "reply.requested")
    await eventually(mark.exists)
    await play.tell(id, task.Stop(reason="Never mind."))
    await play.until(id, "task.cancelled")
    await play.group.add("gateway").start()
    await play.until(id, "reply.withdrawn")


async def in_review(play: Play) -> None:
    """Results in pull requests: merged while an agent works further on one and taken back, closed and opened again."""
    await play.group.start("brain", "executor")
    note = "Take a note\n\ndemo executor: write note.txt x"
    merged = await _reviewed(play, f"{note}\ndemo executor: ask Go on?", number=12)
    await play.tell(merged, task.FollowUp(text="And a second one."))
    await play.until(merged, "task.question-asked", anew=True)
    await play.tell(merged, task.RecordPullRequest(number=12, state=PullState.MERGED, by="ada", commit="5eed" * 10))
    await play.until(merged, "task.completed")
    revert = task.RecordPullRequest(number=12, state=PullState.MERGED, by="ada", commit="feed" * 10, reverted=True)
    await play.tell(merged, revert)
    await play.until(merged, "task.reverted")

    closed = await _reviewed(play, note, number=13)
    await play.tell(closed, task.RecordPullRequest(number=13, state=PullState.CLOSED, by="ada"))
    await play.until(closed, "task.cancelled")
    await play.tell(closed, task.RecordPullRequest(number=13, state=PullState.OPEN, by="ada"))
    await play.until(closed, "task.in-review", anew=True)
    await play.tell(closed, task.RecordClosed(reason="ada has closed the issue.", at=utc_now() - CLOSING_GRACE))
    await play.until(closed, "task.cancelled", anew=True)
    await play.group.start("gateway")
    await play.until(closed, "reply.posted")


async def reopened(play: Play) -> None:
    """Pull requests that are closed during a round and reopened: the round goes on, its result is published, or a
    person is needed."""
    await play.group.start("brain", "executor")
    id = await _reviewed(play, "Take a note\n\ndemo executor: write note.txt x", number=12)
    closed = task.RecordPullRequest(number=12, state=PullState.CLOSED, by="ada")
    opened = task.RecordPullRequest(number=12, state=PullState.OPEN, by="ada")
    await play.tell(id, task.FollowUp(text="Go on.\n\ndemo executor: ask Which?\ndemo executor: write two.txt x"))
    await play.until(id, "task.question-asked")
    await play.tell(id, closed)
    await play.until(id, "task.cancelled")
    await play.tell(id, opened)
    await play.until(id, "task.retried")
    await play.until(id, "task.question-asked", anew=True)
    await play.tell(id, task.GiveInput(message="This one."))
    await play.until(id, "task.run-succeeded", anew=True)
    await play.tell(id, closed)
    await play.until(id, "task.cancelled", anew=True)
    await play.tell(id, opened)
    again = (await play.until(id, "task.publication-requested")).data
    published = task.RecordPublished(
        commit=again.result.commit,
        branch=again.result.branch,
        url=f"https://forge.example/{REPO}/pull/12",
        attempt=again.attempt,
        publication=again.publication,
        pull_request=12,
    )
    await play.tell(id, published)
    await play.until(id, "task.in-review", anew=True)
    await play.tell(id, task.FollowUp(text="And more.\n\ndemo executor: ask Which?"))
    await play.until(id, "task.question-asked", anew=True)
    await play.tell(id, task.Stop(reason="Enough."))
    await play.until(id, "task.cancelled", anew=True)
    await play.tell(id, closed)
    await play.until(id, "task.cancelled", anew=True)
    await play.tell(id, opened)
    await play.until(id, "task.in-review", anew=True)


async def watched(play: Play) -> None:
    """A pull request whose check fails, that conflicts, is pushed to and is reviewed, with rounds on and off."""
    await play.group.start("brain", "executor")
    id = await _reviewed(play, "Take a note\n\ndemo executor: write note.txt x", number=12)
    red = CheckSeen(key="check/1", name="ci/tests", conclusion="failure", url="https://ci.example/1")
    head = (await play.until(id, "task.in-review")).data.commit
    await play.tell(id, task.RecordCheck(head=head, check=red, **_now()))
    await play.until(id, "task.followed-up")
    await play.until(id, "task.person-needed")
    await play.tell(id, task.SetAutomatic(on=False, at=utc_now()))
    await play.until(id, "task.automatic-set")
    await play.tell(id, task.RecordHead(number=12, head=head, conflict=True, **_now()))
    await play.until(id, "task.person-needed", anew=True)
    note = ReviewNote(
        key="n1", review="31", author="bob", text="Name it better.", path="note.txt", line=1, mentioned=True
    )
    await play.tell(id, task.RecordReview(number=12, note=note, origin="github:review-comment/1", **_now()))
    await play.until(id, "task.followed-up", anew=True)
    await play.until(id, "task.in-review", anew=True)
    await play.tell(id, task.RecordHead(number=12, head="c0de" * 10, by="bob", **_now()))
    await play.until(id, "task.head-seen", anew=True)
    green = CheckSeen(key="suite/2", name="ci (all)", conclusion="success")
    await play.tell(id, task.RecordCheck(head="c0de" * 10, check=green, **_now()))
    await play.until(id, "task.checks-passed")
    await play.tell(id, task.GoOn(at=utc_now()))
    await play.until(id, "task.going-on")


async def caught_up(play: Play) -> None:
    """A pull request whose base has moved twice: what git can take over is taken, and what it cannot is told."""
    await play.group.start("brain", "executor")
    id = await _reviewed(play, "Take a note\n\ndemo executor: write note.txt x", number=12)
    head, new = (await play.until(id, "task.in-review")).data.commit, "c0de" * 10
    first, second = "ba5e" * 10, "ba5f" * 10
    await play.tell(id, task.RecordBase(head=head, base=first, how=CatchUp.MERGE, at=utc_now()))
    await play.until(id, "task.catch-up-requested")
    await play.tell(id, task.RecordHead(number=12, head=new, base=first, **_now()))
    await play.until(id, "task.head-seen")
    why = {"code": "base-conflict", "problem": "Its base has moved, and both have changed note.txt."}
    await play.tell(id, task.RecordBase(head=new, base=second, how=CatchUp.REBASE, at=utc_now(), **why))
    await play.until(id, "task.person-needed")


def _now() -> dict[str, Any]:
    at = utc_now()
    return {"at": at, "due": at}


async def _reviewed(play: Play, text: str, *, number: int) -> str:
    """A task whose result stands in a pull request; no gateway is there that would publish it otherwise."""
    id = await play.submit(text, directive=IMPLEMENT)
    if " ask " in text:
        await play.until(id, "task.question-asked")
        await play.tell(id, task.GiveInput(message="Go on."))
    done = (await play.until(id, "task.run-succeeded")).data
    url = f"https://forge.example/{REPO}/pull/{number}"
    published = task.RecordPublished(
        commit=done.commit, branch=done.branch, url=url, attempt=done.attempt, publication=1, pull_request=number
    )
    await play.tell(id, published)
    await play.until(id, "task.in-review")
    return id


async def paid_late(play: Play) -> None:
    """Agents whose services are lost work on unheard, and are paid for when those come back; triage breaks off."""
    await play.group.start("brain", "gateway")
    lost = {}
    for service, kind, text, directive in (
        ("planner", "plan", "Write down what a bill is", PLAN),
        ("executor", "run", "Take a note\n\ndemo executor: sleep 2\ndemo executor: write note.txt x", IMPLEMENT),
    ):
        first = play.group.add(service, name=f"first-{service}", data=play.group.folder / f"first-{service}")
        await first.start()
        id = await play.submit(text, directive=directive)
        await _said(play, id, kind, first.name, "message_start")
        first.send(signal.SIGSTOP)
        await _said(play, id, kind, first.name, '"type":"result"')
        await first.kill()
        lost[id, f"{kind}.spend-recorded"] = first
        if service == "executor":
            await play.group.start("planner", "executor")
    for id, _ in lost:
        await play.until(id, "task.completed")
    for (id, recorded), first in lost.items():
        await first.start()
        await play.until(id, recorded)

    id = await play.submit("Think for ever\n\ndemo brain: cut\ndemo brain: hang")
    await _said(play, id, "task", "brain", "message_start")
    await play.tell(id, task.Stop())
    await play.until(id, "task.spend-recorded")


async def judged(play: Play) -> None:
    """What triage comes to: a model acts, answers, cannot, and cannot now; and of one task it is not asked."""
    await play.group.start("brain")
    for text, what in (
        ("Write down what a bill is", "task.planning-requested"),
        ("What is this repository about?", "task.answered"),
        ("Think\n\ndemo brain: fail 400", "task.failed"),
    ):
        await play.until(await play.submit(text), what)
    await play.until(await play.submit("Mend the roof", repo="octo/roof"), "task.declined")
    async with exhausted_model() as url:
        await play.group.members["brain"].stop()
        await play.group.add("brain", name="limited", JOURNEYMAN_ANTHROPIC_BASE_URL=url).start()
        await play.until(await play.submit("Write a note"), "task.paused")


async def own_webhook(play: Play) -> None:
    """A webhook that a person has made, what comes by it, and everything that is done to it."""
    await play.group.start("brain", "planner", "executor", "gateway")
    bearer = webhook.Verification(scheme=webhook.Scheme.BEARER)
    what = {"verification": bearer, "repo": REPO, "agent": "executor", "directive": IMPLEMENT}
    async with httpx.AsyncClient(base_url=play.group.http, timeout=60, trust_env=False, headers=BEARER) as http:
        made = await http.post(
            "/api/webhooks",
            content=msgspec.json.encode({"name": "builds", "paths": {"text": "log", "id": "id"}, **what}),
            headers={"X-Journeyman": "1", "Content-Type": "application/json"},
        )
        secret = made.json()["secret"]
        sent = await http.post(
            "/webhooks/builds",
            json={"id": 7, "log": "Write down what a bill is"},
            headers={"Authorization": f"Bearer {secret}"},
        )
    accepted = await NatsJournal(play.group.bus).load(Actor("delivery", sent.json()["delivery"]))
    signal = accepted[0].data.signal
    await play.until(derived_task_id(signal.opened_at_ms, signal.thread), "task.completed")
    changed = webhook.Definition(verification=bearer, filters=("log",), description="Only failed ones")
    for command in (
        webhook.Change(definition=changed),
        webhook.RotateSecret(fingerprint="0123456789abcdef", overlap_until=utc_now()),
        webhook.Disable(),
        webhook.Enable(),
    ):
        await play.tell("builds", command, kind="webhook")


async def people(play: Play) -> None:
    """A person who comes, may more, has tokens, goes, and comes again."""
    await play.group.start("brain")
    token = user.MakeToken(
        token="abc123",
        hash="5" * 64,
        name="CI",
        role=user.Role.OPERATOR,
        scopes=(user.Scope.TASKS,),
        ends_at=utc_now(),
    )
    for command in (
        user.Invite(role=user.Role.OPERATOR),
        user.ChangeRole(role=user.Role.ADMIN),
        token,
        user.RevokeToken(token="abc123"),
        user.Disable(),
        user.Enable(),
    ):
        await play.client.send(Actor("user", "ada"), command, principal="service:gateway")


async def _said(play: Play, id: str, kind: str, member: str, what: str) -> None:
    """Wait until the task's agent at this service has put that into its output."""

    def said() -> bool:
        return what in (play.group.run_dir(id, kind, member=member) / "stdout.jsonl").read_text()

    await eventually(said, within=WITHIN_S)


async def thousand_turns(play: Play) -> None:
    """An agent that takes a thousand turns, with a checkpoint at nearly each of them."""
    agents = play.group.folder / "agents"
    shutil.copytree(ROOT / "agents", agents)
    role = agents / "executor" / "CLAUDE.md"
    role.write_text(re.sub(r"(?m)^maxTurns: .*$", f"maxTurns: {TURNS}", role.read_text()))
    # A conversation that grows is kept a thousand times.
    artifacts = (await play.group.bus.js.stream_info(f"OBJ_{ARTIFACTS}")).config
    artifacts.max_bytes = 4096 * MEBI
    await play.group.bus.js.update_stream(artifacts)
    await play.group.start("brain", "gateway")
    executor = play.group.add(
        "executor",
        JOURNEYMAN_AGENTS_DIR=str(agents),
        JOURNEYMAN_RUN_BUDGET_USD="1000",
        JOURNEYMAN_RUN_TIMEOUT_SECONDS="86400",
    )
    await executor.start()
    id = await play.submit(f"Walk a long way\n\ndemo executor: turns {TURNS - OWN_TURNS}", directive=IMPLEMENT)
    await play.group.until(id, "task.completed", within=5400)


SCENARIOS: Final = {
    "plain": Scenario(play=plain, checks=None),
    "cancelled": Scenario(play=cancelled),
    "taken-over": Scenario(play=taken_over, ack_wait_s=3.0),
    "parked": Scenario(play=parked),
    "revised": Scenario(play=revised),
    "approval-expired": Scenario(play=approval_expired),
    "usage-limit": Scenario(play=usage_limit),
    "conversation": Scenario(play=conversation),
    "asked": Scenario(play=asked, ack_wait_s=3.0),
    "questions": Scenario(play=questions),
    "failed": Scenario(play=failed, checks=("test ! -e broken.txt || { echo broken.txt is there; exit 1; }",)),
    "further-wishes": Scenario(play=further_wishes),
    "outside": Scenario(play=outside),
    "reworded": Scenario(play=reworded),
    "on-github": Scenario(play=on_github),
    "reviewing": Scenario(play=reviewing),
    "review-not-shown": Scenario(play=review_not_shown),
    "fell-short": Scenario(play=fell_short, checks=("test ! -e broken.txt || { echo broken.txt is there; exit 1; }",)),
    "stopped-late": Scenario(play=stopped_late, checks=("test ! -e slow.txt || sleep 600",)),
    "budget-reached": Scenario(play=budget_reached),
    "in-review": Scenario(play=in_review),
    "reopened": Scenario(play=reopened),
    "watched": Scenario(play=watched),
    "caught-up": Scenario(play=caught_up),
    "withdrawn": Scenario(play=withdrawn, ack_wait_s=40.0),
    "paid-late": Scenario(play=paid_late, ack_wait_s=3.0),
    "judged": Scenario(play=judged),
    "own-webhook": Scenario(play=own_webhook),
    "people": Scenario(play=people),
    "thousand-turns": Scenario(play=thousand_turns, ack_wait_s=3.0),
}


def _git(repository: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True)


def _comment(issue: Issue, text: str, number: int = 1, **changes: object) -> dict[str, object]:
    """What GitHub sends for a comment of the issue's author."""
    payload = issue.payload()
    return payload | {
        "action": "created",
        "comment": {
            "id": number,
            "body": text,
            "html_url": f"{payload['issue']['html_url']}#issuecomment-{number}",
            "user": payload["issue"]["user"],
            "author_association": "OWNER",
            "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **changes,
        },
    }
