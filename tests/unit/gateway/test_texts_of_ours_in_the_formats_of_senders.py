from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.outbound.channels.adf import document, wiki
from services.gateway.outbound.channels.sentry import note_of
from services.gateway.outbound.defused import defused
from services.gateway.outbound.task_comment import task_comment
from testing.jira_server import adf_checks
from testing.task_details import STORIES

HOSTILE = """\
Ask [~ada] and @bob, see [it](javascript:alert(1)) or {color:red}h1. that{color} !https://evil.example/a.png!

h1. no heading
bq. no quotation

> # quoted heading
>
> | a | b |
> |---|---|
> | 1 | {code} |

- item

  ## heading in an item

      code in an item

```python
{noformat}
print(1)
```
"""


def nodes(node: dict[str, object]) -> list[dict[str, object]]:
    inner = node.get("content", [])
    assert isinstance(inner, list)
    return [node, *(each for child in inner for each in nodes(child))]


def test_a_comment_is_a_document_with_tables_code_and_what_opens_at_a_click() -> None:
    made = document(task_comment(STORIES["in review"]))
    kinds = {str(each["type"]) for each in nodes(made)}
    assert kinds >= {"heading", "table", "bulletList", "orderedList", "expand"}
    assert "journeyman:" not in json.dumps(made)
    assert "☑ Work" in json.dumps(made, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [HOSTILE, defused(HOSTILE), "<!-- only -->", "", "- \n- a\n\n1. b\n   - c\n     > d\n"],
    ids=["hostile", "defused", "comment", "empty", "lists"],
)
def test_a_document_does_nothing_but_show(text: str) -> None:
    made = json.dumps(document(text))
    assert '"href": "javascript' not in made
    assert not {"mention", "media", "inlineCard", "blockCard"} & {str(each["type"]) for each in nodes(document(text))}


def test_wiki_markup_in_a_text_is_text() -> None:
    made = wiki(document(HOSTILE))
    for acting in ("[~", "{color", "!https", "\nh1. no", "bq. no", "{code}"):
        assert acting not in made
    assert "&#91;&#126;ada&#93;" in made
    assert "{noformat}\n{ noformat}\nprint(1)\n{noformat}" in made


def test_a_comment_in_wiki_markup_has_our_own_markup() -> None:
    made = wiki(document(task_comment(STORIES["in review"])))
    assert made.startswith("{*}Ready for review:{*} [pull request 12|https://github.com/octo/app/pull/12]")
    assert "||Command||Verdict||" in made
    assert "{panel:title=Plan v1 bf26e7fd, approved by grace}" in made
    assert "comment {{@agent approve v1 bf26e7fd}}" in wiki(document(task_comment(STORIES["awaiting approval"])))


def test_a_note_of_sentry_has_no_html() -> None:
    made = note_of("T:comment", task_comment(STORIES["in review"]))
    assert "<" not in made
    assert "**Plan v1 `bf26e7fd`, approved by grace**" in made
    assert made.endswith("`journeyman:T:comment`")


@given(st.text(alphabet="ab1 \n#*_-+`~[]()<>!|{}\\&;:>.'\"/?=@^", max_size=200))
def test_any_text_becomes_a_document_and_wiki_markup(text: str) -> None:
    made = document(text)
    assert all(each["text"] for each in nodes(made) if each["type"] == "text")
    wiki(made)


@pytest.mark.fixtures
def test_documents_are_what_atlassians_schema_takes() -> None:
    checks = adf_checks()
    assert checks is not None
    # Half a second each; the whole comment is checked by the server of ours.
    assert not [error.message[:200] for error in checks.iter_errors(document(HOSTILE))]
