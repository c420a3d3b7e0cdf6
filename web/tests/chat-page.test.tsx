import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { FakeGateway, talkEntry, talkRow } from "./support/gateway";
import { openPage } from "./support/page";
import { me } from "./support/people";

const ASKED = talkEntry({
  seq: 1,
  event: "asked",
  author: "user:ada",
  message_id: "m1",
  data: { message: "What waits for me?" },
});

function talking(...entries: Parameters<typeof talkEntry>[0][]): FakeGateway {
  const gateway = new FakeGateway();
  gateway.me = {
    ...me("operator", "sayToBrain", "confirmProposal", "dismissProposal", "interruptAnswer"),
    name: "ada",
  };
  gateway.talks = [talkRow()];
  gateway.talked = [ASKED, ...entries.map((entry, index) => talkEntry({ seq: index + 2, ...entry }))];
  return gateway;
}

const proposal = (over: object = {}) => ({
  proposal: {
    proposal_id: "p1",
    action: "submit",
    task_id: "T9",
    repo: "octo/app",
    title: "Mend the sum",
    text: "1 + 1 gives 3.",
    ...over,
  },
});

test("conversations are listed, searched, and say what waits in them", async () => {
  const gateway = talking();
  gateway.talks = [
    talkRow({ undecided: 1, messages: 3 }),
    talkRow({ id: "talk-2", title: "About bills", waiting: 1 }),
    talkRow({ id: "talk-3", title: "Of old", archived: true }),
  ];
  const { user } = openPage("/chat", gateway);
  expect(
    await screen.findByRole("link", { name: /What waits for me\?.*1 proposal waits for you/ }),
  ).toBeVisible();
  expect(screen.getByRole("link", { name: /About bills.*The brain is answering/ })).toBeVisible();
  await user.type(screen.getByRole("searchbox"), "bills");
  await waitFor(() => expect(screen.queryByRole("link", { name: /What waits/ })).toBeNull());
  await user.clear(screen.getByRole("searchbox"));
  await user.click(screen.getByRole("checkbox", { name: "Archived" }));
  expect(await screen.findByRole("link", { name: /Of old/ })).toBeVisible();
});

test("a first message begins a conversation, and is shown there once", async () => {
  const gateway = new FakeGateway();
  const { user, history } = openPage("/chat", gateway);
  expect(await screen.findByText("No conversations yet")).toBeVisible();
  await user.type(screen.getByLabelText("Message"), "Is it green?{Enter}");
  await waitFor(() => expect(history.location.pathname).toBe("/chat/talk-new"));
  expect(await screen.findByText("Waits for its turn")).toBeVisible();
  expect(screen.getAllByText("Is it green?", { selector: "p" })).toHaveLength(1);
  expect(gateway.commands.at(-1)).toMatchObject({
    path: "/api/chat",
    body: {
      message: "Is it green?",
      session_id: "",
      message_id: expect.stringMatching(/^[0-7][0-9A-Z]{25}$/),
    },
  });
});

test("an answer is shown as it comes, and whole when it is there", async () => {
  const gateway = talking();
  openPage("/chat/talk-1", gateway);
  await screen.findByText("Waits for its turn");
  expect(gateway.topics).toContain("sessions");
  gateway.happens("talk-1", { event: "answer-started", message_id: "m1" });
  expect(await screen.findByText("Thinking")).toBeVisible();
  await waitFor(() => expect(gateway.topics).toContain("output:talk-1"));
  gateway.says("talk-1", "cli-1", "Two **tas", "ks** wait");
  expect(await screen.findByText("tasks")).toBeVisible();
  gateway.happens("talk-1", {
    event: "answered",
    message_id: "m1",
    data: { text: "Two tasks wait for you." },
  });
  expect(await screen.findByText("Two tasks wait for you.")).toBeVisible();
  expect(screen.getAllByRole("article", { name: "Brain" })).toHaveLength(1);
  expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
});

test("an answer is stopped, and a message that waits is taken back", async () => {
  const gateway = talking({ event: "answer-started", message_id: "m1" });
  const { user } = openPage("/chat/talk-1", gateway);
  await user.click(await screen.findByRole("button", { name: "Stop" }));
  expect(gateway.commands.at(-1)?.path).toBe("/api/sessions/talk-1/messages/m1/interrupt");
  gateway.happens("talk-1", { event: "interrupted", message_id: "m1", data: { text: "Two" } });
  expect(await screen.findByText("The answer was broken off.")).toBeVisible();
});

test("a proposal says exactly what will be done, and is done once it is confirmed", async () => {
  const gateway = talking({ event: "proposed", message_id: "m1", data: proposal() });
  const { user } = openPage("/chat/talk-1", gateway);
  const card = within(await screen.findByRole("region", { name: "Proposal: Open a task in octo/app" }));
  expect(card.getByText("Mend the sum")).toBeVisible();
  expect(card.getByText("1 + 1 gives 3.")).toBeVisible();
  expect(card.getByText(/plan waits for an approval/)).toBeVisible();
  expect(gateway.commands).toEqual([]);
  await user.click(card.getByRole("button", { name: "Confirm" }));
  expect(gateway.commands.at(-1)?.path).toBe("/api/sessions/talk-1/proposals/p1/confirm");
  gateway.happens("talk-1", { event: "confirmed", principal: "user:ada", data: proposal() });
  expect(await screen.findByText("Confirmed by ada")).toBeVisible();
  expect(card.queryByRole("button", { name: "Confirm" })).toBeNull();
  expect(card.getByRole("link")).toHaveAttribute("href", "/tasks/T9");
});

test("a proposal is turned down, and a refusal stands in its card", async () => {
  const gateway = talking({
    event: "proposed",
    message_id: "m1",
    data: proposal({ action: "stop", text: "Too dear." }),
  });
  gateway.commandsFail = { status: 409, detail: "Nothing like this is proposed here any more." };
  const { user } = openPage("/chat/talk-1", gateway);
  const card = within(await screen.findByRole("region", { name: "Proposal: Stop this task" }));
  expect(card.getByText("Why: Too dear.")).toBeVisible();
  await user.click(card.getByRole("button", { name: "Dismiss" }));
  expect(await card.findByRole("alert")).toHaveTextContent("Nothing like this is proposed here any more.");
  expect(card.getByRole("button", { name: "Dismiss" })).toBeEnabled();
});

test("who may only read has no buttons and nothing to write in", async () => {
  const gateway = talking({ event: "proposed", message_id: "m1", data: proposal() });
  gateway.me = me("viewer", "listSessions", "getSession");
  openPage("/chat/talk-1", gateway);
  expect(await screen.findByText("Your role cannot decide on this.")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Confirm" })).toBeNull();
  expect(screen.getByText("You may read here, and say nothing.")).toBeVisible();
  expect(screen.queryByLabelText("Message")).toBeNull();
});

test("a message that was refused says why, and is sent again under its own id", async () => {
  const gateway = talking();
  gateway.commandsFail = { status: 409, detail: "So many messages wait already (20)." };
  const { user } = openPage("/chat/talk-1", gateway);
  await user.type(await screen.findByLabelText("Message"), "And this?{Enter}");
  expect(await screen.findByText(/Not sent: So many messages wait already/)).toBeVisible();
  gateway.commandsFail = undefined;
  await user.click(screen.getByRole("button", { name: "Send again" }));
  await waitFor(() => expect(screen.queryByText(/Not sent/)).toBeNull());
  expect(await screen.findAllByText("And this?")).toHaveLength(1);
  const ids = gateway.commands.map(({ body }) => (body as { message_id: string }).message_id);
  expect(ids[0]).toBe(ids[1]);
});

test("a message without an answer says why, and is asked again as another one", async () => {
  const gateway = talking({
    event: "failed",
    message_id: "m1",
    data: { message: "The model is out of reach." },
  });
  const { user } = openPage("/chat/talk-1", gateway);
  expect(await screen.findByText("The model is out of reach.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Ask again" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.body).toMatchObject({ message: "What waits for me?" }));
});

test("a draft outlives the page, and each conversation has its own", async () => {
  const { user } = openPage("/chat/talk-1", talking());
  await user.type(await screen.findByLabelText("Message"), "Half a tho");
  expect(sessionStorage.getItem("journeyman.draft.chat.talk-1")).toBe("Half a tho");
});

test("a conversation is renamed and archived", async () => {
  const gateway = talking();
  gateway.me = me("operator", "sayToBrain", "renameSession", "archiveSession");
  const { user } = openPage("/chat/talk-1", gateway);
  await user.click(await screen.findByRole("button", { name: "Rename" }));
  await user.clear(screen.getByLabelText("Title"));
  await user.type(screen.getByLabelText("Title"), "Bills{Enter}");
  await waitFor(() =>
    expect(gateway.commands.at(-1)).toMatchObject({
      path: "/api/sessions/talk-1/rename",
      body: { title: "Bills" },
    }),
  );
  await user.click(screen.getByRole("button", { name: "Archive" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.path).toBe("/api/sessions/talk-1/archive"));
});

test("what cannot be shown says so, and is tried again", async () => {
  openPage("/chat/nothing", talking());
  expect(await screen.findByText("There is no session nothing.")).toBeVisible();
});
