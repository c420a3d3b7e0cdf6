"""Whatever an agent writes, the texts that people get of it call nobody, load nothing, and fit."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.gateway.outbound.defused import code, cut, defused, one_line
from services.gateway.outbound.task_comment import task_comment
from testing.rendered import assert_harmless, read
from testing.task_details import STORIES, a_plan

PIECES = st.sampled_from(
    [
        *(
            "@ada",
            "@octo/team",
            "#7",
            "octo/app#7",
            "GH-7",
            "\\",
            "`",
            "``",
            "```",
            "~~~",
            "\n",
            "\n\n",
            "    ",
            "  ",
            "\t",
        ),
        *(
            "- ",
            "1. ",
            "> ",
            "|",
            "|---|---|\n",
            "*",
            "_",
            "**",
            "~~",
            "![",
            "[",
            "](",
            ")",
            "]",
            "<",
            ">",
            "<!--",
            "-->",
        ),
        *("<img src=x>", "<details>", "</details>", "<a href=x>", "&#64;", "&commat;", "&", "https://x.example/@ada"),
        *(
            "https://github.com/o/r/issues/7",
            "http://",
            "$",
            "a",
            "é",
            "\u200b",
            "\u202e",
            "😀",
            "# ",
            "=",
            "---",
            "^",
            ":",
        ),
        "[x]: y\n",
    ]
) | st.text(max_size=4)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@settings(deadline=None, max_examples=300)
@given(TEXTS)
@example("- ```\n@ada")
@example("---#7")
@example("é/0#7")
def test_a_defused_text_is_harmless_also_when_it_is_cut(text: str) -> None:
    made = defused(text)
    assert_harmless(made)
    assert_harmless(one_line(text))
    assert_harmless(code(text))
    for limit in (300, 330, 400):
        assert len(cut(made, limit)) <= max(limit, 0)
        assert_harmless(cut(made, limit))


@settings(deadline=None, max_examples=60)
@given(TEXTS, TEXTS, st.sampled_from(sorted(STORIES)))
def test_a_tasks_comment_has_one_mark_and_calls_nobody(text: str, other: str, name: str) -> None:
    task = STORIES[name]
    task = replace(
        task,
        summary=text,
        answer=text if task.answer else "",
        error_message=other,
        plans=tuple(a_plan(other, by=each.approved_by) for each in task.plans),
        run=task.run and replace(task.run, question=text, summary=other),
    )
    made = task_comment(task)
    assert_harmless(made)
    assert read(made).comments == [f"journeyman:{task.id}:comment"]
