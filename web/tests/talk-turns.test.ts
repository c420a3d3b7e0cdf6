import { expect, test } from "vitest";
import { Spoken } from "../src/screens/chat/spoken";
import { endedSpeakers, tasksIn, turnsOf } from "../src/screens/chat/turns";
import { talkEntry } from "./support/gateway";

const PROPOSAL = { proposal_id: "p1", action: "stop", task_id: "T1", text: "Too dear." };

test("a message is followed by what came of it, also where the next one was said before that", () => {
  const turns = turnsOf([
    talkEntry({ event: "asked", author: "user:ada", message_id: "m1", data: { message: "One?" } }),
    talkEntry({ event: "answer-started", message_id: "m1" }),
    talkEntry({ event: "asked", author: "user:bo", message_id: "m2", data: { message: "Two?" } }),
    talkEntry({ event: "proposed", message_id: "m1", data: { proposal: PROPOSAL } }),
    talkEntry({
      event: "answered",
      message_id: "m1",
      data: { text: "Yes.", usage: [{ cost_microusd: 3 }, { cost_microusd: 4 }] },
    }),
    talkEntry({ event: "confirmed", principal: "user:ada", data: { proposal: PROPOSAL } }),
  ]);
  expect(turns.map(({ id, state }) => [id, state])).toEqual([
    ["m1", "over"],
    ["m2", "waiting"],
  ]);
  expect(turns[0]?.answers).toMatchObject([{ outcome: "answered", text: "Yes.", costMicrousd: 7 }]);
  expect(turns[0]?.proposals).toMatchObject([
    { id: "p1", action: "stop", text: "Too dear.", decided: { by: "user:ada", confirmed: true } },
  ]);
});

test("a message that became a task has that task, and its answer when it was a question", () => {
  const [turn] = turnsOf([
    talkEntry({ event: "said", author: "user:ada", task_id: "T1", data: { message: "Mend it" } }),
    talkEntry({ event: "answer-recorded", task_id: "T1", data: { text: "It was whole." } }),
  ]);
  expect(turn).toMatchObject({ state: "task", taskId: "T1", answers: [{ text: "It was whole." }] });
});

test("an answer to a message in front of the page is shown by itself", () => {
  expect(turnsOf([talkEntry({ event: "failed", message_id: "m0", data: { message: "No." } })])).toMatchObject(
    [{ id: "m0", text: "", answers: [{ outcome: "failed", text: "No." }] }],
  );
});

test("what the agents of older answers have said is not said now", () => {
  const spoken = new Spoken();
  const say = (speaker: string, text: string) => {
    spoken.take({ type: "stream_event", session_id: speaker, event: { type: "message_start" } });
    spoken.take({
      type: "stream_event",
      session_id: speaker,
      event: { delta: { type: "text_delta", text } },
    });
  };
  say("old", "Old words.");
  const ended = endedSpeakers([talkEntry({ event: "answered", data: { session: "old" } })]);
  expect(spoken.text("", ended)).toBe("");
  say("new", "Let me look.");
  say("new", "Here it is");
  expect(spoken.text("", ended)).toBe("Let me look.\n\nHere it is");
  spoken.begin();
  expect(spoken.text("", ended)).toBe("");
});

test("the tasks that an answer names are found once each", () => {
  const [a, b] = ["01JX7Z0000000000000000TASK", "01JX7Z0000000000000000KSAT"];
  expect(tasksIn(`Of ${a} and ${b}, ${a} waits. Not X${a}.`)).toEqual([a, b]);
});
