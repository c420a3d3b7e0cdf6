#!/bin/sh
# Stands in for the Claude Code CLI where a test is about everything around an agent: it says what a real one would
# say, in a millisecond, and does one small thing. "linger 3" in its prompt makes it work for three seconds; asked to judge what has the title "Question …" it answers.
session=
while [ $# -gt 0 ]; do
  case $1 in --session-id | --resume) session=$2; shift ;; esac
  shift
done

say() { printf '%s\n' "$1"; }
heard() { say "{\"type\":\"command_lifecycle\",\"command_uuid\":\"$1\",\"state\":\"$2\",\"session_id\":\"$session\"}"; }

# What was said is kept where the CLI keeps it, so that another machine can go on from it.
remember() {
  folder=$CLAUDE_CONFIG_DIR/projects/$(printf %s "$PWD" | tr -c A-Za-z0-9 -)
  [ -d "$folder" ] || mkdir -p "$folder"
  printf '{"type":"user","sessionId":"%s","message":{"role":"user","content":"%s"}}\n' "$session" "$1" >>"$folder/$session.jsonl"
}

work='{"act":true,"work_kind":"chore","title":"Write one file","risk":"low","reason":"It was asked for."}'
review='{"summary":"It writes one file.","findings":[]}'
question='{"act":false,"work_kind":"question","title":"Answer","risk":"low","reason":"It was asked.","answer":"Yes."}'

turn() {
  heard "$1" queued
  heard "$1" started
  say "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"$session\",\"model\":\"noop\",\"tools\":[],\"claude_code_version\":\"0.0.0\"}"
  say "{\"type\":\"assistant\",\"message\":{\"id\":\"msg_$1\",\"model\":\"noop\",\"content\":[{\"type\":\"tool_use\",\"id\":\"tool_$1\",\"name\":\"Write\",\"input\":{}}],\"usage\":{\"input_tokens\":10,\"output_tokens\":1}},\"parent_tool_use_id\":null,\"session_id\":\"$session\"}"
  answer= structured=null
  case $JOURNEYMAN_RUN_MARK in
    run-*) remember "$1"; printf 'Written by %s.\n' "$session" >"noop-$session.txt"; answer="Wrote one file." ;;
    plan-*) answer="# Plan\\n\\nWrite one file." ;;
    session-*) remember "$1"; answer="Yes." ;;
    *) structured=$verdict ;;
  esac
  say "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"tool_$1\",\"content\":\"ok\"}]},\"parent_tool_use_id\":null,\"session_id\":\"$session\"}"
  [ -z "$2" ] || sleep "$2"
  used='{"noop":{"inputTokens":10,"outputTokens":5,"cacheReadInputTokens":0,"cacheCreationInputTokens":0,"costUSD":0.0001,"costBasis":"list"}}'
  say "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"num_turns\":1,\"result\":\"$answer\",\"structured_output\":$structured,\"session_id\":\"$session\",\"total_cost_usd\":0.0001,\"modelUsage\":$used,\"model_usage_since_last_result\":$used,\"terminal_reason\":\"completed\",\"queued_turn_count\":0}"
  heard "$1" completed
}

done=
while IFS= read -r line; do
  case $line in
    '{"type": "user", "uuid": "'*)
      id=${line#'{"type": "user", "uuid": "'}
      id=${id%%\"*}
      case $done in *"$id"*) continue ;; esac  # a message sent again is the same message
      done="$done $id"
      pause= verdict=$work
      case $line in *"Title: Question"*) verdict=$question ;; *"Review pull request "*) verdict=$review ;; esac
      case $line in *"linger "*) pause=${line#*"linger "}; pause=${pause%%[!0-9]*} ;; esac
      turn "$id" "$pause"
      ;;
    *'"end_session"'*) exit 0 ;;
  esac
done
