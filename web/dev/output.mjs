// A made-up agent at work, as the CLI's stream-json lines (shapes taken from recorded runs of the real one).
const CWD = "/srv/journeyman/worktrees/t1";

let serial = 0;
const uid = (prefix) => `${prefix}_${(++serial).toString(36).padStart(6, "0")}`;

/** Yields `{ actor, line }`; `clock()` gives the milliseconds for timestamps and is told how long each step took. */
export function* work({ actor, clock, session = "s-1", broken = false }) {
  const stamp = (ms) => new Date(clock(ms)).toISOString();
  const line = (fields) => ({ actor, line: { session_id: session, ...fields } });
  const event = (fields) => line({ type: "stream_event", event: fields, parent_tool_use_id: null });

  function* say(text) {
    const id = uid("msg");
    yield event({ type: "message_start", message: { id, role: "assistant", content: [] } });
    yield event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
    for (const part of text.match(/.{1,18}/gs) ?? [])
      yield event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: part } });
    yield line({
      type: "assistant",
      message: { id, content: [{ type: "text", text }] },
      parent_tool_use_id: null,
      timestamp: stamp(400),
    });
    yield event({ type: "content_block_stop", index: 0 });
  }
  function* think(text) {
    const id = uid("msg");
    yield line({
      type: "assistant",
      message: { id, content: [{ type: "thinking", thinking: text }] },
      parent_tool_use_id: null,
      timestamp: stamp(300),
    });
  }
  function* use(name, input, output, { ms = 80, error = false } = {}) {
    const id = uid("toolu");
    yield line({
      type: "assistant",
      message: { id: uid("msg"), content: [{ type: "tool_use", id, name, input }] },
      parent_tool_use_id: null,
      timestamp: stamp(120),
    });
    yield line({
      type: "user",
      message: {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: id, content: output, is_error: error }],
      },
      parent_tool_use_id: null,
      timestamp: stamp(ms),
    });
  }
  const path = (name) => `${CWD}/${name}`;

  yield line({
    type: "system",
    subtype: "init",
    cwd: CWD,
    model: "claude-opus-5-5",
    claude_code_version: "2.1.330",
    tools: ["Bash", "Edit", "Read", "Write"],
  });
  if (actor === "plan") {
    yield* say("I will look at how the greeting is built before proposing anything.");
    yield* use(
      "Bash",
      { command: "git log --oneline | head -5; ls", description: "look around" },
      "63a8f86 Add the greeter\n91b1f00 First commit\nREADME.md\npyproject.toml\nsrc\ntests",
      { ms: 150 },
    );
    for (const name of ["src/greeter/__init__.py", "tests/test_greet.py", "pyproject.toml", "README.md"])
      yield* use("Read", { file_path: path(name) }, `     1\t"""${name}"""\n     2\t…`, { ms: 40 });
    yield* use(
      "Grep",
      { pattern: "GREETER_LANG", path: CWD },
      "README.md:14:GREETER_LANG selects the language",
      { ms: 60 },
    );
    yield* say(
      "The setting is documented but never read. The fix is small: a table of texts and one lookup.",
    );
    yield* use(
      "StructuredOutput",
      { summary: "Use the configured language", markdown: "…" },
      "Structured output provided successfully",
      { ms: 5 },
    );
    yield line({
      type: "result",
      subtype: "success",
      is_error: false,
      num_turns: 4,
      duration_ms: 14_200,
      result: "",
    });
    return;
  }
  yield* think(
    "The plan is approved. First the failing test, then the table, then the lookup.\nKeep the public signature.",
  );
  yield* say("Starting with the test, so that I can see it fail.");
  yield* use(
    "Edit",
    {
      file_path: path("tests/test_greet.py"),
      old_string: 'def test_greets():\n    assert greet("Ada") == "Hello, Ada!"',
      new_string:
        'def test_greets():\n    assert greet("Ada") == "Hello, Ada!"\n\n\ndef test_greets_in_german(monkeypatch):\n    monkeypatch.setenv("GREETER_LANG", "de")\n    assert greet("Ada") == "Hallo, Ada!"',
    },
    "The file has been updated.",
    { ms: 60 },
  );
  yield* use(
    "Bash",
    { command: "pytest -q tests/test_greet.py", description: "run the new test" },
    "Exit code 1\n\u001b[31mF\u001b[0m\u001b[32m.\u001b[0m                                                                       \u001b[31m[100%]\u001b[0m\n=================================== FAILURES ===================================\n\u001b[31m\u001b[1m___________________________ test_greets_in_german ___________________________\u001b[0m\n\n\u001b[1m\u001b[31mE       AssertionError: assert 'Hello, Ada!' == 'Hallo, Ada!'\u001b[0m\n\ntests/test_greet.py:9: AssertionError\n\u001b[31m\u001b[1m1 failed\u001b[0m, \u001b[32m1 passed\u001b[0m in 0.08s",
    { ms: 1840, error: true },
  );
  yield* say("It fails for the right reason: the text is fixed. Now the table.");
  yield* use(
    "Write",
    {
      file_path: path("src/greeter/messages.py"),
      content:
        '"""The greeting in each language."""\n\nimport logging\n\nTEXTS = {"en": "Hello, {name}!", "de": "Hallo, {name}!", "fr": "Bonjour, {name} !"}\nlog = logging.getLogger(__name__)\n\n\ndef text_for(language: str) -> str:\n    """The text in `language`; English, and one warning, when there is none."""\n    if language in TEXTS:\n        return TEXTS[language]\n    log.warning("no greeting in %r, using English", language)\n    return TEXTS["en"]\n',
    },
    "File created successfully",
    { ms: 30 },
  );
  yield line({
    type: "system",
    subtype: "api_retry",
    attempt: 1,
    max_retries: 4,
    retry_delay_ms: 1248,
    error_status: 529,
    error: "overloaded",
  });
  yield* use(
    "Edit",
    {
      file_path: path("src/greeter/__init__.py"),
      old_string: '    return f"Hello, {name}!"',
      new_string: '    return text_for(os.environ.get("GREETER_LANG", "en")).format(name=name)',
    },
    "The file has been updated.",
    { ms: 40 },
  );
  for (const name of ["src/greeter/__init__.py", "src/greeter/messages.py", "tests/test_greet.py"])
    yield* use("Read", { file_path: path(name) }, `     1\t"""${name}"""`, { ms: 30 });
  if (broken) {
    yield* use(
      "Bash",
      { command: "pytest -q", description: "run everything" },
      "Exit code 1\n\u001b[31m2 failed\u001b[0m, \u001b[32m8 passed\u001b[0m in 2.71s",
      { ms: 2900, error: true },
    );
    yield line({
      type: "result",
      subtype: "error_max_turns",
      is_error: true,
      num_turns: 41,
      duration_ms: 412_000,
      errors: ["Reached the maximum of 40 turns."],
    });
    return;
  }
  yield* use(
    "Bash",
    { command: "pytest -q && ruff check .", description: "run everything" },
    `${Array.from({ length: 30 }, (_, i) => `\u001b[32mtests/test_${i}.py ....\u001b[0m`).join("\n")}\n\u001b[32m\u001b[1m56 passed\u001b[0m in 1.81s\nAll checks passed!`,
    { ms: 2410 },
  );
}

/** The way a run ends well. */
export function* finish({ actor, clock, session = "s-1" }) {
  const stamp = (ms) => new Date(clock(ms)).toISOString();
  const text =
    "All 56 tests pass, among them three new ones. `greet()` now uses the configured language and falls back to English with **one** warning.";
  yield {
    actor,
    line: {
      type: "assistant",
      session_id: session,
      message: { id: uid("msg"), content: [{ type: "text", text }] },
      parent_tool_use_id: null,
      timestamp: stamp(500),
    },
  };
  yield {
    actor,
    line: {
      type: "result",
      session_id: session,
      subtype: "success",
      is_error: false,
      num_turns: 9,
      duration_ms: 192_000,
      result: text,
    },
  };
}

/** One more step of an agent that never gets done: what a live view looks like. */
export function* chatter(n, { actor, clock, session = "s-1" }) {
  const stamp = (ms) => new Date(clock(ms)).toISOString();
  const id = uid("toolu");
  yield {
    actor,
    line: {
      type: "assistant",
      session_id: session,
      message: {
        id: uid("msg"),
        content: [{ type: "tool_use", id, name: "Bash", input: { command: `pytest -q tests/test_${n}.py` } }],
      },
      parent_tool_use_id: null,
      timestamp: stamp(0),
    },
  };
  yield {
    actor,
    line: {
      type: "user",
      session_id: session,
      message: {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: id,
            content: `\u001b[32m${n} passed\u001b[0m in 0.0${n % 10}s`,
            is_error: false,
          },
        ],
      },
      parent_tool_use_id: null,
      timestamp: stamp(200),
    },
  };
}
