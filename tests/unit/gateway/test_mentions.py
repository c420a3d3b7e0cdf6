from __future__ import annotations

import time

import pytest

from services.gateway.inbound.mention import ALIASES, NEGATED, PUT_OFF, Mention, find_mention
from shared.contracts.delivery import Word

NOBODY_SAYS = Mention()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@agent plan", Mention("plan")),
        ("@AGENT Approve v2 3fa94c11", Mention("approve", "v2 3fa94c11")),
        ("@agent, reject use the other parser\nand more", Mention("reject", "use the other parser")),
        ("hello\n@agent retry", Mention("retry")),
        ("Please look:\n- @agent implement this", Mention("implement", "this")),
        ("# @agent plan it", Mention("plan", "it")),
        ("> @agent stop\n\n@agent plan", Mention("plan")),
        ("```\n@agent stop\n```\n@agent plan", Mention("plan")),
        ("@agent[bot] go  on", Mention("continue")),
        ("/agent stop", Mention("stop")),
    ],
)
def test_a_directive_stands_behind_a_mention_at_the_start_of_a_line(text: str, found: Mention) -> None:
    assert find_mention(text, "@agent") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@agent implement\tnow", Mention("implement", "now")),
        ("(@agent implement)", Mention("implement")),
        ("**@agent** implement", Mention("implement")),
        ("_@agent_ **stop!**", Mention("stop")),
        ("👋 @agent implement?", Mention("implement")),
        ("@agent\nimplement", Mention("implement")),
        ("@agent please fix this", Mention("fix", "this")),
        ("@agent, could you please implement", Mention("implement")),
        ("@agent: stop - wrong repository.", Mention("stop", "wrong repository")),
        ("@agent reject (too big)", Mention("reject", "(too big)")),
        ("@agent approve v1 `3fa94c11`.", Mention("approve", "v1 3fa94c11")),
        ("[@agent](https://github.test/agent) stop", Mention("stop")),
        ("Please **@agent** stop.", Mention("stop")),
        ("Please @agent, stop this", Mention("stop", "this")),
        ("Hey @agent status", Mention("status")),
        ("**Hello**, could be:\nok, please: _@agent_ plan", Mention("plan")),
    ],
)
def test_punctuation_emphasis_courtesy_and_line_ends_around_a_directive_do_not_matter(
    text: str, found: Mention
) -> None:
    assert find_mention(text, "@agent") == found


@pytest.mark.parametrize("word", Word)
def test_every_word_has_its_own_name_and_its_aliases(word: Word) -> None:
    assert word in ALIASES[word]
    rest = "off" if word is Word.AUTO else ""
    for alias in ALIASES[word]:
        assert find_mention(f"@agent {alias.title()} {rest}", "@agent") == Mention(word, rest)


@pytest.mark.parametrize(
    "text",
    [
        "@agent",
        "@agent auto generate the docs",
        "@agent what do you think?",
        "I asked @agent, implement is broken",
        "Thanks @agent, fix looks good",
        "I told @agent stop",
        "Please ask @agent, stop is not enough",
        "@agent help me with the parser",
        "@agent status bars are broken",
        "@agent `stop`",
        "@agent stopwatch is broken",
        "@agent stop-gap please",
    ],
)
def test_a_mention_without_a_directive_is_a_mention(text: str) -> None:
    assert find_mention(text, "@agent") == NOBODY_SAYS


@pytest.mark.parametrize(
    "text",
    [
        *(
            "@agent do not plan",
            "@agent don't plan",
            "@agent don’t plan",
            "@agent dont plan it",
            "@agent never approve",
        ),
        *("@agent please do not implement this", "@agent not approve v1 3fa94c11", "@agent, DO NOT retry!"),
        *("@agent do **not** plan", "@agent please\ndo not plan", "@agent do not\nplan", "@agent\ndo\nnot implement"),
        *("@agent you should not implement this yet", "@agent I do not want you to plan", "@agent no plan please"),
        *("@agent never ever go on", "@agent cannot approve this", "@agent do not stop", "@agent don't even start"),
        *("@agent do not, under any circumstances, implement", "@agent we must not go ahead and fix this"),
        *("@agent no need to review", "@agent nobody said implement", "@agent bitte nicht implement", "@agent don't!"),
        *("@agent without planning, go", "@agent there is no reason to be implementing it", "@agent is not approved"),
        *(
            "@agent implement not",
            "@agent implement not yet",
            "@agent do nothing",
            "@agent plan? no!",
            "/agent don't fix",
        ),
        *(
            "@agent hold off on fix",
            "@agent please hold off",
            "@agent refrain from implementing",
            "@agent refrain from any work",
            "@agent approve v1 3fa94c11 - not yet!",
            "@agent approve 3fa94c11 once it is faster",
            "@agent approve, but wait",
        ),
    ],
)
def test_what_is_not_to_be_done_is_answered_in_words_and_begins_nothing(text: str) -> None:
    found = find_mention(text, "@agent")
    assert found is not None
    assert found.directive == "help"
    assert found.argument


@pytest.mark.parametrize(
    "text",
    [
        "| @agent approve v1 3fa94c11 |",
        "| what |\n|---|\n| @agent approve v1 3fa94c11 |",
        "what | who\n--|--\n@agent approve v1 3fa94c11 | Ada",
        "@agent approve | who\n--|--\nx | y",
    ],
)
def test_the_cell_of_a_table_is_not_the_start_of_a_line(text: str) -> None:
    assert find_mention(text, "@agent") == NOBODY_SAYS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[@agent approve v1 3fa94c11](http://example.test)", None),
        ("[*@agent* approve][1]\n\n[1]: http://example.test", None),
        ('<a href="http://example.test">@agent approve v1 3fa94c11</a>', None),
        ("<table><tr><td>\n\n@agent approve v1 3fa94c11\n\n</td></tr></table>", None),
        ("@agent [approve](http://example.test)", NOBODY_SAYS),
        ("[**@agent**](http://example.test), stop", Mention("stop")),
        ("[@agent[bot]](http://example.test) stop", Mention("stop")),
        ("[see](http://example.test)\n@agent stop", Mention("stop")),
        ("@agent fix [the sum](http://example.test)", Mention("fix", "the sum")),
        ("@agent fix <http://example.test/1>", Mention("fix", "http://example.test/1")),
    ],
)
def test_the_text_of_a_link_says_nothing_unless_it_is_who_is_mentioned(text: str, found: Mention | None) -> None:
    assert find_mention(text, "@agent") == found


@pytest.mark.parametrize(
    "text",
    [
        "@agent implement once #5 is merged",
        "@agent implement it, but only if the tests pass",
        "@agent implement once [#5](http://example.test/5) is merged",
        "@agent plan this when #5 is merged",
        "@agent implement tomorrow",
        "@agent fix it tomorrow, please",
        "@agent plan later",
        "@agent implement this next week.",
        "@agent review after the release",
        "@agent go on as soon as CI is green",
        "@agent implement, but please do not start before Monday",
        "@agent implement the parser, but don't start yet",
        "@agent implement the parser\nbut please do not begin until Ada agrees",
        "@agent fix the sum. Wait for my word.",
        "@agent plan — actually, forget it",
        "@agent implement the parser - never mind",
        "@agent retry, no, hold off",
        "@agent plan, but wait for CI",
        "@agent **implement** (not before Monday)",
    ],
)
def test_work_that_is_put_off_is_answered_in_words_and_does_not_begin(text: str) -> None:
    assert find_mention(text, "@agent") == Mention("help", PUT_OFF)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("@agent implement the scheduler that runs once a day", "implement"),
        ("@agent fix the bug that appears when #5 is merged", "fix"),
        ("@agent fix: when I save, it crashes", "fix"),
        ("@agent fix\nWhen I save, it crashes.", "fix"),
        ("@agent fix this. If the list is empty, it crashes.", "fix"),
        ("@agent implement when expressions", "implement"),
        ("@agent fix after_commit, if possible", "fix"),
        ("@agent review it when you have time", "review"),
        ("@agent plan if possible", "plan"),
        ("@agent fix it, when done tell Ada", "fix"),
        ("@agent fix this bug: never mind the tests", "fix"),
        ("@agent implement tomorrow's view", "implement"),
        ("@agent implement later-binding", "implement"),
        ("@agent fix the race, do not start the server twice", "fix"),
        ("@agent fix the deadlock, wait for the lock", "fix"),
        ("@agent implement caching, but only when the flag is set", "implement"),
        ("@agent implement the parser. Do not touch the API.", "implement"),
        ("@agent implement it before_save", "implement"),
        ("@agent implement logout; drop it from the menu", "implement"),
        ("@agent hold the parser off", ""),
        ("@agent the debounce should hold off", ""),
        ("@agent stop planning", "stop"),
        ("@agent stop if you can", "stop"),
        ("@agent ask when the cache is flushed", "ask"),
    ],
)
def test_a_condition_inside_a_wish_puts_nothing_off(text: str, word: str) -> None:
    found = find_mention(text, "@agent")
    assert found is not None
    assert found.directive == word


def test_a_word_of_the_repositorys_own_can_be_negated_too() -> None:
    words = {"entwerfe": Word.PLAN}
    assert find_mention("@agent entwerfe nicht", "@agent", words=words) == Mention("help", NEGATED)
    assert find_mention("@agent nicht entwerfe", "@agent", words=words) == Mention("help", NEGATED)
    assert find_mention("@agent entwerfe", "@agent", words=words) == Mention("plan")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@agent do it", Mention("implement", "it")),
        ("@agent do the plan", Mention("implement", "the plan")),
        ("@agent do stop", Mention("stop")),
        ("@agent do review the parser", Mention("review", "the parser")),
        ("@agent fix not found errors", Mention("fix", "not found errors")),
        ("@agent implement no-op filters", Mention("implement", "no-op filters")),
        ("@agent plan. Do not touch the API.", Mention("plan", "Do not touch the API")),
        ("@agent reject it does not build", Mention("reject", "it does not build")),
        ("@agent don't break the build", NOBODY_SAYS),
        ("@agent do not change the public API, please", NOBODY_SAYS),
        ("@agent the parser does not accept empty lists", NOBODY_SAYS),
        ("@agent no", NOBODY_SAYS),
        ("@agent do you approve of this?", NOBODY_SAYS),
        ("@agent approve v1 3fa94c11, thanks", Mention("approve", "v1 3fa94c11, thanks")),
    ],
)
def test_a_not_elsewhere_negates_no_directive(text: str, found: Mention) -> None:
    assert find_mention(text, "@agent") == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no mention",
        "> @agent stop",
        "   > @agent stop",
        "- > @agent stop",
        "> quoted\n@agent stop",
        "<blockquote>\n\n@agent stop\n\n</blockquote>",
        "```\n@agent stop\n```",
        "~~~text\n@agent stop",
        "````\n```\n@agent stop\n````",
        "    @agent implement",
        "text\n\n\t@agent implement",
        "<pre>\n@agent stop\n</pre>",
        "see `x @agent retry y`",
        "``a ` @agent stop``",
        "<code>@agent stop</code>",
        "~~@agent stop~~",
        "![@agent stop](https://example.test/a.png)",
        "me@agent.com",
        "mail me@agent now",
        "@agent-smith stop",
        "@agents stop",
        "@agent.example.org",
        "github.com/@agent",
        "cd /agent stop",
        "use `@agent stop` to stop it",
        "thanks\n\n-- \n@agent stop",
        "thanks\n\nOn Mon, 3 May 2026 at 10:00, Ada <ada@example.test> wrote:\n@agent stop",
        "thanks\n\nOn Mon, 3 May 2026 at 10:00, Ada Augusta\n<ada@example.test> wrote:\n@agent stop",
        "danke\n\nAm 03.05.2026 um 10:00 schrieb Ada:\n@agent stop",
        "thanks\n\n-----Original Message-----\nFrom: Ada\n@agent stop",
    ],
)
def test_quotations_code_hidden_words_tails_of_emails_and_other_names_do_not_address_us(text: str) -> None:
    assert find_mention(text, "@agent") is None


@pytest.mark.parametrize(
    "tail",
    [
        *(
            "On Mon, Ada wrote:",
            "On Monday Ada wrote:",
            "On Mon, Nov 27, 2026 at 5:00 AM Ada <ada@example.test> wrote:",
        ),
        *("Am Mo. schrieb Ada:", "Am Montag, dem 3. Mai schrieb Ada Lovelace <ada@example.test>:", "Ada wrote:"),
        *("Ada Lovelace <ada@example.test> schrieb am Mo., 27. Nov. 2026 um 05:00 Uhr:", "@ada wrote:"),
        *("Le lun. 27 nov. 2026 à 05:00, Ada a écrit :", "Le lundi, Ada a écrit :", "El lun, Ada escribió:"),
        *("Il giorno lun Ada ha scritto:", "Op ma 27 nov schreef Ada:", "Em seg., Ada escreveu:", "Den mån skrev Ada:"),
        *("On Mon, Nov 27,\n2026 at 5:00 AM Ada\n<ada@example.test> wrote:", "2026-11-27 5:00 Ada <ada@example.test>:"),
        *(
            "Von: Ada\nGesendet: Montag\nAn: Bob\nBetreff: Plan",
            "Von: Bob\nGesendet: Montag",
            "*Von:* Ada\n\n*Gesendet:* Mo",
        ),
        *(
            "From: Ada\nSent: Monday\nTo: Bob\nSubject: Plan",
            "**From:** Ada\n**Date:** today",
            "From: ada@example.test",
        ),
        *("From: x", "From: Ada", "Von: Ada Lovelace", "**From:** ada"),
        *("De : Ada\nEnvoyé : lundi\nÀ : Bob\nObjet : Plan", "De: Ada\nEnviado el: lunes\nPara: Bob\nAsunto: Plan"),
        *(
            "Date: Monday\nFrom: Ada",
            "Subject: Plan\nFrom: Ada",
            "-----Original Message-----",
            "--- Message d'origine ---",
        ),
        *("-------- Ursprüngliche Nachricht --------", "---------- Forwarded message ---------", "_" * 32, "-- ", "—"),
        *("Begin forwarded message:", "Sent from my iPhone", "Gesendet von meinem iPhone", "Get Outlook for iOS"),
        *("Reply to this email directly, view it on GitHub", "2026年11月27日 Ada 写道：", "От: Ada\nДата: сегодня"),
        *("From: Ada Sent: Monday To: Bob Subject: Plan", "<b>From:</b> Ada<br>\n<b>Sent:</b> Monday<br>"),
    ],
)
def test_what_stands_below_the_header_of_a_mail_is_nobodys_word(tail: str) -> None:
    assert find_mention(f"thanks\n\n{tail}\n@agent approve v1 3fa94c11", "@agent") is None
    assert find_mention(f"{tail}\n\n@agent approve v1 3fa94c11", "@agent") is None
    assert find_mention(f"@agent plan\n\n{tail}\n\n@agent stop", "@agent") == Mention("plan")


@pytest.mark.parametrize(
    "above",
    [
        *("Here is what I wrote:", "I wrote:", "The function that Bob wrote:", "From: 1.2\nTo: 1.3", "Date: tomorrow"),
        *(
            "On the whole it works:",
            "To: everybody",
            "Steps:",
            "From here on:",
            "- one\n- two",
            "Am Ende:",
            "Subject: x",
        ),
        *("A: yes\nB: no", "Plan --- and more", "The message:", "Data: [1, 2]", "Le plan :"),
    ],
)
def test_a_line_that_is_no_header_of_a_mail_takes_nobodys_word(above: str) -> None:
    assert find_mention(f"{above}\n\n@agent plan", "@agent") == Mention("plan")


def test_a_line_of_an_emails_tail_inside_code_ends_nothing() -> None:
    assert find_mention("```\nOn 3 May 2026, Ada wrote:\n```\n@agent stop", "@agent") == Mention("stop")


def test_different_directives_in_one_text_are_answered_with_help_and_the_same_one_twice_counts_once() -> None:
    assert find_mention("@agent stop\n\n@agent plan", "@agent") == Mention("help", "one at a time, not stop and plan")
    assert find_mention("@agent fix the sum\n\n@agent fix the rest", "@agent") == Mention("fix", "the sum")


def test_other_handles_may_be_configured_and_several_count_at_once() -> None:
    assert find_mention("@my.bot plan", "@my.bot") == Mention("plan")
    assert find_mention("@myxbot plan", "@my.bot") is None
    assert find_mention("@journeyman-app stop", "@agent", "@journeyman-app") == Mention("stop")


@pytest.mark.parametrize(
    "hostile",
    [
        "<pre " * 13_000,
        f"On {'1' * 400}\n" * 160,
        f"On {'wrote ' * 60}\n" * 170,
        f"On {'a ' * 200}:\n" * 150,
        f"From: {'a' * 400}\n" * 150,
        f"{'Ada ' * 100}wrote:\n" * 150,
        f"{'<a@' * 150}>:\n" * 140,
        "[" * 65_000,
        "[a](b)" * 10_000 + "\n@agent",
        "![" * 32_000,
        "*a **a " * 9_000,
        "> " * 32_000,
        "<a " * 21_000,
        "[a]: b\n" * 9_000,
    ],
)
def test_a_hostile_text_takes_a_moment_and_not_seconds(hostile: str) -> None:
    began = time.process_time()
    assert find_mention(f"@agent stop\n\n{hostile} @agent", "@agent") == Mention("stop")
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("hostile", [", but", "this ", "not ", "but do not start ", ", wait, no", "now please ", "if "])
def test_hostile_words_around_a_word_take_a_moment_and_not_seconds(hostile: str) -> None:
    began = time.process_time()
    find_mention(f"@agent fix {hostile * 5_000}\n\n@agent {hostile * 5_000}\n\n{hostile * 5_000}@agent", "@agent")
    assert time.process_time() - began < 1.0
