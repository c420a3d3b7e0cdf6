from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from services.gateway.actors.reply import DECIDER, LINES_A_MINUTE, MARKS_A_MINUTE, MAX_DISPLAYS
from shared.contracts.reply import (
    Claim,
    Claimed,
    Conclude,
    Concluded,
    EffectStatus,
    Fail,
    Failed,
    Mark,
    Reply,
    Requested,
    Show,
    Shown,
    Want,
    Wanted,
)
from testing.given import given

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
THREAD = "github:1#7"
WANT = Want(effect="comment", thread=THREAD, repo="octo/app", revision=1, at=AT)
WANTED = Wanted(effect="comment", thread=THREAD, repo="octo/app", revision=1, at=AT)
CLAIMED = Claimed(effect="comment", attempt=1, worker="g1")
SHOWN = Shown(effect="comment", attempt=1, revision=3, url="u", external="55")


def eyes(number: int, at: datetime = AT) -> Wanted:
    origin = f"github:comment/{number}"
    return Wanted(effect=f"reaction/{origin}", thread=THREAD, repo="octo/app", target=origin, text=Mark.AT_WORK, at=at)


def want(wanted: Wanted) -> Want:
    return Want(**{name: getattr(wanted, name) for name in wanted.__struct_fields__})


def shown_of(state: Reply, effect: str = "comment") -> tuple[EffectStatus, int, str]:
    display = state.displays[effect]
    return display.status, display.shown, display.external


def test_a_comment_is_wanted_where_the_task_came_from_and_later_ones_find_the_place() -> None:
    given(DECIDER).when(WANT).then(WANTED)
    later = Want(effect="comment", revision=4, at=AT)
    given(DECIDER, WANTED).when(later).then(replace(WANTED, revision=4))
    given(DECIDER).when(later).nothing()


def test_a_task_that_came_otherwise_has_its_comment_where_people_speak_about_it() -> None:
    later = Want(effect="comment", revision=4, at=AT + timedelta(seconds=1))
    given(DECIDER, eyes(1)).when(later).then(replace(WANTED, revision=4, at=later.at))
    given(DECIDER, eyes(1)).when(replace(later, at=AT - timedelta(seconds=1))).nothing()


def test_what_is_shown_as_of_a_revision_is_not_written_again_for_an_older_one() -> None:
    given(DECIDER, WANTED).when(WANT).nothing()
    given(DECIDER, WANTED, CLAIMED, SHOWN).when(replace(WANT, revision=3)).nothing()
    given(DECIDER, WANTED, CLAIMED, SHOWN).when(replace(WANT, revision=4)).then(replace(WANTED, revision=4))


def test_only_the_newest_attempt_says_what_is_shown() -> None:
    again = Claimed(effect="comment", attempt=2, worker="g2")
    report = Show(effect="comment", attempt=1, revision=3, url="u", external="55")
    given(DECIDER, WANTED, CLAIMED).when(report).then(SHOWN)
    given(DECIDER, WANTED, CLAIMED, again).when(report).is_rejected("attempt-stale")
    given(DECIDER, WANTED, CLAIMED, SHOWN).when(report).nothing()
    given(DECIDER, WANTED, CLAIMED, SHOWN).when(Claim(effect="comment", worker="g")).is_rejected("attempt-stale")
    given(DECIDER).when(report).is_rejected("effect-unknown")
    assert shown_of(given(DECIDER, WANTED, CLAIMED, SHOWN).state) == (EffectStatus.POSTED, 3, "55")


def test_what_was_wanted_while_the_older_one_was_written_is_written_next() -> None:
    newer = replace(WANTED, revision=9)
    after = given(DECIDER, WANTED, CLAIMED, newer, SHOWN)
    assert shown_of(after.state) == (EffectStatus.REQUESTED, 3, "55")
    after.when(Claim(effect="comment", worker="g1")).then(replace(CLAIMED, attempt=2))


def test_what_could_not_be_shown_is_tried_again_for_what_is_newer() -> None:
    failed = Failed(effect="comment", attempt=1, code="gone", message="Gone.")
    report = Fail(effect="comment", attempt=1, code="gone", message="Gone.")
    given(DECIDER, WANTED, CLAIMED).when(report).then(failed)
    given(DECIDER, WANTED, CLAIMED, failed).when(report).nothing()
    given(DECIDER, WANTED, CLAIMED, failed).when(Claim(effect="comment", worker="g")).is_rejected("attempt-stale")
    newer = replace(WANTED, revision=9)
    for story in ((WANTED, CLAIMED, failed, newer), (WANTED, CLAIMED, newer, failed)):
        assert given(DECIDER, *story).state.displays["comment"].status is EffectStatus.REQUESTED


def test_in_a_storm_the_first_messages_get_a_mark_and_the_others_none() -> None:
    storm = [eyes(number) for number in range(MARKS_A_MINUTE)]
    given(DECIDER, *storm[:-1]).when(want(storm[-1])).then(storm[-1])
    given(DECIDER, *storm).when(want(eyes(99))).nothing()
    later = eyes(99, AT + timedelta(minutes=1))
    given(DECIDER, *storm).when(want(later)).then(later)
    # What is marked already says how it ended.
    ended = replace(want(storm[0]), text=Mark.DONE, revision=7)
    given(DECIDER, *storm).when(ended).then(replace(storm[0], text=Mark.DONE, revision=7))


def test_one_person_is_told_the_same_refusal_once_and_a_storm_of_refusals_is_cut() -> None:
    def refusal(number: int, author: str) -> Wanted:
        origin = f"github:comment/{number}"
        return Wanted(
            effect=f"refusal/{origin}", thread=THREAD, repo="r", target=origin, text="No.", author=author, at=AT
        )

    first = refusal(1, "eve")
    given(DECIDER, first).when(want(refusal(2, "eve"))).nothing()
    given(DECIDER, first).when(want(refusal(2, "bob"))).then(refusal(2, "bob"))
    storm = [refusal(number, f"eve{number}") for number in range(LINES_A_MINUTE)]
    given(DECIDER, *storm).when(want(refusal(99, "bob"))).nothing()


def test_the_end_of_the_work_is_seen_at_every_message_that_asked_for_it() -> None:
    decision = replace(eyes(3), text=Mark.HEARD, revision=6)
    told = Concluded(effects=(eyes(1).effect, eyes(2).effect), text=Mark.DONE, revision=9)
    given(DECIDER, eyes(1), eyes(2), decision).when(Conclude(text=Mark.DONE, revision=9)).then(told)
    done = replace(eyes(1), text=Mark.DONE, revision=9)
    given(DECIDER, done).when(Conclude(text=Mark.DONE, revision=12)).nothing()
    of_later_work = eyes(4, AT + timedelta(seconds=9))
    given(DECIDER, of_later_work).when(Conclude(text=Mark.DONE, revision=9, at=AT)).nothing()
    failed_later = Concluded(effects=(done.effect,), text=Mark.NOT_DONE, revision=12)
    given(DECIDER, done).when(Conclude(text=Mark.NOT_DONE, revision=12)).then(failed_later)
    given(DECIDER).when(Conclude(text=Mark.DONE, revision=9)).nothing()


def test_what_was_not_done_is_under_way_again_and_what_was_done_stays_done() -> None:
    failed, done = replace(eyes(1), text=Mark.NOT_DONE, revision=9), replace(eyes(2), text=Mark.DONE, revision=9)
    again = Conclude(text=Mark.AT_WORK, revision=12)
    under_way = Concluded(effects=(failed.effect,), text=Mark.AT_WORK, revision=12)
    given(DECIDER, failed, done, eyes(3)).when(again).then(under_way)


def test_what_the_task_refuses_names_who_asked_and_where_as_the_mark_at_the_message_does() -> None:
    marked = replace(eyes(1), author="ada", url="https://github.test/octo/app/issues/7#issuecomment-1")
    confused = replace(marked, text=Mark.REFUSED, revision=5, at=AT)
    refusal = Want(effect=f"refusal/{marked.target}", target=marked.target, text="There is no plan.", at=AT)
    told = Wanted(
        effect=refusal.effect,
        thread=THREAD,
        repo="octo/app",
        target=marked.target,
        text="There is no plan.",
        author="ada",
        url=marked.url,
        at=AT,
    )
    mark = Want(effect=marked.effect, target=marked.target, text=Mark.REFUSED, revision=5, at=AT)
    given(DECIDER, marked).when(mark).then(confused)
    given(DECIDER, marked, confused).when(refusal).then(told)
    again = replace(refusal, effect="refusal/o2", target="o2", author="ada")
    given(DECIDER, marked, confused, told).when(again).nothing()


def test_what_happened_before_the_task_had_a_place_is_told_nowhere() -> None:
    refusal = Want(effect="refusal/o", target="o", text="No.", author="ada", at=AT + timedelta(seconds=1))
    told = Wanted(
        **{**{name: getattr(refusal, name) for name in Wanted.__struct_fields__}, "thread": THREAD, "repo": "octo/app"}
    )
    given(DECIDER).when(refusal).nothing()
    given(DECIDER, eyes(1)).when(refusal).then(told)
    given(DECIDER, eyes(1)).when(replace(refusal, at=AT - timedelta(seconds=1))).nothing()


def test_a_commits_check_is_no_place_for_comments() -> None:
    check = Wanted(effect="check/c1", thread="commit:c1", repo="", target="c1")
    given(DECIDER, check).when(Want(effect="comment", revision=4)).nothing()


def test_publications_go_on_as_before_beside_what_is_shown() -> None:
    requested = Requested(effect="branch/1", repo="r", base_commit="c0", commit="c1", branch="b", cause=8)
    state = given(DECIDER, WANTED, requested).state
    assert set(state.effects) == {"branch/1"} and set(state.displays) == {"comment"}
    assert state.thread == THREAD


def test_what_is_shown_for_one_task_is_remembered_within_bounds() -> None:
    many = [eyes(number, AT + timedelta(minutes=number)) for number in range(MAX_DISPLAYS + 3)]
    state = given(DECIDER, WANTED, *many).state
    assert len(state.displays) == MAX_DISPLAYS
    assert "comment" in state.displays and eyes(MAX_DISPLAYS + 2).effect in state.displays
    # A report about a forgotten one changes nothing.
    assert DECIDER.evolve(state, Shown(effect=eyes(0).effect, attempt=1, revision=1)) == state


STATE = Wanted(effect="state", thread=THREAD, repo="octo/app", text="working", revision=2, at=AT)


def test_a_status_is_wanted_again_only_when_it_is_another_one() -> None:
    again = Want(effect="state", text="working", revision=5, at=AT)
    given(DECIDER, WANTED, STATE).when(again).nothing()
    given(DECIDER, WANTED, STATE).when(replace(again, text="review")).then(replace(STATE, text="review", revision=5))


def test_what_only_other_senders_can_show_is_not_wanted() -> None:
    wanted = Want(effect="state", text="working", revision=2, at=AT, only=("jira", "sentry"))
    given(DECIDER, WANTED).when(wanted).nothing()
    given(DECIDER, WANTED).when(replace(wanted, only=("github",))).then(STATE)
