"""What happened to a task."""

from __future__ import annotations

from typing import assert_never

from shared.contracts import task
from shared.contracts.evidence import Outcome
from shared.contracts.pull_request import CatchUp, Merge
from shared.contracts.sentences.words import SPENT, again, at_commit, because, counted, dollars, one_line


def sentence(event: task.TaskEvent) -> str:
    """One line."""
    match event:
        case (
            task.Submitted()
            | task.FollowedUp()
            | task.FollowUpRefused()
            | task.ActionRefused()
            | task.Edited()
            | task.GoingOn()
            | task.TriageRequested()
            | task.Triaged()
            | task.Answered()
            | task.Declined()
            | task.ReviewRequested()
            | task.ReviewWritten()
            | task.SpendRecorded()
        ):
            return _of_its_beginning(event)
        case (
            task.PlanningRequested()
            | task.PlanReady()
            | task.Approved()
            | task.Rejected()
            | task.RevisionRequested()
            | task.ApprovalExpired()
        ):
            return _of_its_plan(event)
        case (
            task.ExecutionRequested()
            | task.QuestionAsked()
            | task.InputGiven()
            | task.WorkResumed()
            | task.RunSucceeded()
        ):
            return _of_its_work(event)
        case (
            task.InReview()
            | task.CatchUpRequested()
            | task.HeadSeen()
            | task.CheckEnded()
            | task.Reviewed()
            | task.AutomaticSet()
            | task.PersonNeeded()
            | task.ChecksPassed()
            | task.ThingClosed()
            | task.Reverted()
        ):
            return _of_its_review(event)
        case _:
            return _of_its_end(event)


def _of_its_beginning(
    event: task.Submitted
    | task.FollowedUp
    | task.FollowUpRefused
    | task.ActionRefused
    | task.Edited
    | task.GoingOn
    | task.TriageRequested
    | task.Triaged
    | task.Answered
    | task.Declined
    | task.ReviewRequested
    | task.ReviewWritten
    | task.SpendRecorded,
) -> str:
    match event:
        case task.Submitted(title=title, source=source):
            return f"Submitted from {source.reference or source.kind}: {one_line(title)}"
        case task.FollowedUp(text=text, stage=stage):
            return f"A further wish makes another round, from {stage}{because(text)}"
        case task.FollowUpRefused(text=text, reason=reason):
            return f"A further wish was not taken. {one_line(reason)} It was{because(text)}"
        case task.ActionRefused(action=action, reason=reason):
            return f"Asked to {action.replace('-', ' ')}, which was refused. {one_line(reason)}"
        case task.Edited(counts=True, part=part):
            return f"{'What was asked for' if part else 'Its text'} was edited, and counts as it reads now."
        case task.Edited(part=part):
            return f"{'What was asked for' if part else 'Its text'} was edited: changed since the work began."
        case task.GoingOn():
            return "The work goes on although what it is about may be closed."
        case task.TriageRequested(attempt=attempt):
            return f"Triage was asked to look at it{again(attempt)}."
        case task.Triaged(verdict=verdict, decided_by=by, reason=reason):
            return f"Triage ({by}) decided to {verdict}{because(reason)}"
        case task.Answered(answer=answer):
            return f"Answered: {one_line(answer)}"
        case task.Declined(reason=reason):
            return f"Declined{because(reason)}"
        case task.ReviewRequested(review=review):
            return f"A review of pull request {review.number} was asked for{at_commit(review.head)}."
        case task.ReviewWritten(review=review, findings=findings, summary=summary):
            found = counted(len(findings), "finding")
            return f"The review of pull request {review.number} is written, with {found}{because(summary)}"
        case task.SpendRecorded():
            return SPENT
        case _:
            assert_never(event)


def _of_its_plan(
    event: task.PlanningRequested
    | task.PlanReady
    | task.Approved
    | task.Rejected
    | task.RevisionRequested
    | task.ApprovalExpired,
) -> str:
    match event:
        case task.PlanningRequested(repo=repo, base_commit=commit):
            return f"A plan was asked for, against {repo}{at_commit(commit)}."
        case task.PlanReady(version=version):
            return f"Plan {version} waits for approval."
        case task.Approved(plan=plan):
            return f"Plan {plan.version} ({plan.digest[:8]}) was approved, against {plan.base_commit[:8]}."
        case task.Rejected(version=version, reason=reason):
            return f"Plan {version} was rejected{because(reason)}"
        case task.RevisionRequested(version=version, feedback=feedback):
            return f"Another plan than {version} was asked for{because(feedback)}"
        case task.ApprovalExpired(version=version):
            return f"Nobody approved plan {version} in time."
        case _:
            assert_never(event)


def _of_its_work(
    event: task.ExecutionRequested | task.QuestionAsked | task.InputGiven | task.WorkResumed | task.RunSucceeded,
) -> str:
    match event:
        case task.ExecutionRequested(round=number, base_commit=commit):
            return f"The work was asked for{at_commit(commit)}{again(number)}."
        case task.QuestionAsked(question=question):
            return f"The agent asks: {one_line(question)}"
        case task.InputGiven(message=message):
            return f"Told the agent: {one_line(message)}"
        case task.WorkResumed():
            return "The agent goes on."
        case task.RunSucceeded(commit=commit, branch=branch, summary=summary):
            return f"The work is done{at_commit(commit)}, to be published as {branch}{because(summary)}"
        case _:
            assert_never(event)


def _of_its_review(
    event: task.InReview
    | task.CatchUpRequested
    | task.HeadSeen
    | task.CheckEnded
    | task.Reviewed
    | task.AutomaticSet
    | task.PersonNeeded
    | task.ChecksPassed
    | task.ThingClosed
    | task.Reverted,
) -> str:
    match event:
        case task.InReview(by=by, pull_request=number, branch=branch, commit=commit, attention=attention):
            who = f" again, by {by}" if by else ""
            needed = f" A person is needed: {one_line(attention)}" if attention else ""
            return f"In review{who}: pull request {number}, {branch}{at_commit(commit)}.{needed}"
        case task.CatchUpRequested(base=base) as behind:
            way = "rebased onto" if behind.how is CatchUp.REBASE else "merged with"
            return f"The base of the pull request has moved: its branch is to be {way} {base[:12]}."
        case task.HeadSeen(head=head, base=base) if base:
            return f"The pull request was brought up to date with {base[:12]} of its base{at_commit(head)}."
        case task.HeadSeen(head=head, by=by, moved=True):
            return f"{one_line(by) or 'Somebody'} has pushed to the pull request{at_commit(head)}."
        case task.HeadSeen(head=head):
            return f"The pull request cannot be merged as it is{at_commit(head)}."
        case task.CheckEnded(check=check, head=head):
            return f"A check ended as {check.conclusion.replace('_', ' ')}{at_commit(head)}: {one_line(check.name)}"
        case task.Reviewed(verdict="dismissed"):
            return "What was said in a review does not count any more."
        case task.Reviewed(note=note, verdict=verdict):
            how = {"approved": "approves it", "changes_requested": "wants changes"}.get(verdict, "says in the review")
            where = f" on {one_line(note.path)}" if note.path else ""
            return f"{one_line(note.author) or 'Somebody'} {how}{where}{because(note.text)}"
        case task.AutomaticSet(on=on):
            return f"Rounds on the pull request are made {'by themselves' if on else 'only when somebody asks'}."
        case task.PersonNeeded(reason=reason):
            return f"A person is needed. {one_line(reason)}"
        case task.ChecksPassed(head=head):
            return f"The checks of the pull request have passed{at_commit(head)}."
        case task.ThingClosed(reason=reason):
            return f"What it is about is closed; the review ends, unless a merge has closed it{because(reason)}"
        case task.Reverted(pull_request=number, by=by):
            return f"The merge of pull request {number} was taken back{f' by {by}' if by else ''}."
        case _:
            assert_never(event)


def _of_its_end(
    event: task.PublicationRequested
    | task.StopRequested
    | task.Completed
    | task.Failed
    | task.Cancelled
    | task.Retried
    | task.Paused
    | task.Resumed,
) -> str:
    match event:
        case task.StopRequested(reason=reason):
            return f"The agent is to be stopped{because(reason)}"
        case task.PublicationRequested(result=result, publication=number):
            return f"The result{at_commit(result.commit)} ({result.evidence}) is to be published{again(number)}."
        case task.Completed(outcome=Outcome.NOTHING_TO_CHANGE, summary=summary):
            return f"Completed: nothing had to change{because(summary)}"
        case task.Completed(outcome=Outcome.REVIEWED, url=url):
            return f"Completed: the review is shown{f', see {url}' if url else ''}."
        case task.Completed(merge=Merge(by=by, commit=merged), pull_request=number):
            return f"Completed: pull request {number} was merged{f' by {by}' if by else ''}{at_commit(merged)}."
        case task.Completed(summary=summary, commit=commit, branch=branch, evidence=evidence):
            proven = f", {evidence}" if evidence else ""
            return f"Completed{f' as {branch}' if branch else ''}{at_commit(commit)}{proven}{because(summary)}"
        case task.Failed(stage=stage, message=message):
            return f"Failed in {stage}: {one_line(message)}"
        case task.Cancelled(reason=reason):
            return f"Cancelled{because(reason)}"
        case task.Retried(review=written) if written:
            return "Retried: the review that is there is shown."
        case task.Retried(stage=stage, from_result=from_result, budget_microusd=budget):
            allowed = f", for at most {dollars(budget)}" if budget else ""
            on_top = ", on top of the result that is there" if from_result else ""
            reopened = f", as pull request {event.pull_request} is open again" if event.pull_request else ""
            return f"Retried, from {stage}{on_top}{reopened}{allowed}."
        case task.Paused(stage=stage, message=message, until=until, tries=tries):
            return f"Paused in {stage}{again(tries)} until {until:%Y-%m-%d %H:%M:%S} UTC: {one_line(message)}"
        case task.Resumed(stage=stage):
            return f"The pause is over; going on with {stage}."
        case _:
            assert_never(event)
