"""What happened to a run."""

from __future__ import annotations

from typing import assert_never

from shared.contracts import run
from shared.contracts.sentences.words import SPENT, at_commit, because, counted, one_line, verdicts


def sentence(event: run.RunEvent) -> str:
    """One line."""
    match event:
        case run.QuestionAsked() | run.InputGiven() | run.InputMissed() | run.Resumed():
            return _of_its_questions(event)
        case run.Committed() | run.Reopened():
            return _of_its_result(event)
        case run.Succeeded() | run.Failed() | run.StopRequested() | run.Stopped() | run.SpendRecorded():
            return _of_its_end(event)
        case run.Requested(round=number):
            return f"Round {number} of the work waits for an executor."
        case run.Claimed(worker=worker, attempt=attempt):
            return f"{worker} took the work (attempt {attempt})."
        case run.Started(model=model, resumed=resumed, cli_version=version):
            return f"The agent {'goes on' if resumed else 'has started'} with {model} in Claude Code {version}."
        case run.Checkpointed(turn=turn, commit=commit):
            return f"Checkpoint after turn {turn}{at_commit(commit)}."
        case _:
            assert_never(event)


def _of_its_questions(event: run.QuestionAsked | run.InputGiven | run.InputMissed | run.Resumed) -> str:
    match event:
        case run.QuestionAsked(question=question):
            return f"The agent asks: {one_line(question)}"
        case run.InputGiven(message=message):
            return f"The agent is told: {one_line(message)}"
        case run.InputMissed(message=message):
            return f"Said when the work had just ended, so a further wish: {one_line(message)}"
        case run.Resumed():
            return "The agent was handed its answer."
        case _:
            assert_never(event)


def _of_its_result(event: run.Committed | run.Reopened) -> str:
    match event:
        case run.Committed(commit=commit, files=files):
            return f"The agent's work is committed{at_commit(commit)} ({counted(len(files), 'file')}), to be checked."
        case run.Reopened(checks=()):
            return "The agent goes on: somebody spoke after its last turn."
        case run.Reopened(checks=checks):
            return f"The agent is to mend what fails: {one_line(', '.join(check.command for check in checks))}"
        case _:
            assert_never(event)


def _of_its_end(event: run.Succeeded | run.Failed | run.StopRequested | run.Stopped | run.SpendRecorded) -> str:
    match event:
        case run.Succeeded(commit=commit, files=files, checks=checks, evidence=evidence, summary=summary):
            parts = [counted(len(files), "file"), *verdicts(checks), *([evidence] if evidence else [])]
            return f"The agent is done{at_commit(commit)} ({', '.join(parts)}){because(summary)}"
        case run.Failed(message=message):
            return f"The agent failed: {one_line(message)}"
        case run.StopRequested(reason=reason):
            return f"The agent is to be stopped{because(reason)}"
        case run.Stopped(killed=killed):
            return f"The agent has stopped{f' ({killed} processes were killed)' if killed else ''}."
        case run.SpendRecorded():
            return SPENT
        case _:
            assert_never(event)
