import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { Call, Door, Webhook } from "../src/api/types";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";

const HOOK: Webhook = {
  name: "builds",
  enabled: true,
  made_by: "user:local",
  definition: { verification: { scheme: "bearer" } },
  fingerprint: "0123456789abcdef",
  overlap_until: null,
  url: "http://localhost/webhooks/builds",
  call: 'curl -H "Authorization: Bearer $SECRET"',
};

const REFUSED: Call = {
  at: "2026-01-02T03:04:05Z",
  outcome: "refused",
  status: 401,
  code: "signature-invalid",
  reason: "The secret does not fit.",
  delivery: "",
  event: "",
  client: "203.0.113.9",
  headers: ["x-sig"],
  body: '{"say": "<script>alert(1)</script>\u202e"}',
  body_bytes: 40,
};
const TAKEN: Call = {
  ...REFUSED,
  outcome: "accepted",
  status: 202,
  code: "",
  reason: "",
  delivery: "d1",
  body: "{}",
};
const DOOR: Door = {
  name: "builds",
  title: "Nightly builds",
  custom: true,
  health: "refusing",
  problem: "",
  last_success: "2026-01-02T03:00:00Z",
  last_accepted: null,
  last_ignored: null,
  last_refused: REFUSED,
  accepted_today: 3,
  duplicates_today: 1,
  ignored_today: 2,
  refused_today: 4,
  refusals_today: { "signature-invalid": 4 },
};

const withHooks = (...hooks: Webhook[]) => {
  const gateway = new FakeGateway();
  gateway.webhooks = hooks;
  return gateway;
};

test("a webhook says who made it, how it is called, and why its newest call was refused", async () => {
  const gateway = withHooks(HOOK);
  gateway.calls = [REFUSED, TAKEN];
  const { user } = openPage("/hooks", gateway);
  const item = within((await screen.findByRole("heading", { name: "builds" })).closest("li") as HTMLElement);
  expect(item.getByText("On")).toBeVisible();
  expect(item.getByText(/made by user:local/)).toBeVisible();
  await user.click(item.getByText("Last deliveries"));
  await user.click(await item.findByText("The secret does not fit."));
  expect(item.getByText(/<script>alert\(1\)<\/script>/)).toBeVisible();
  expect(item.getAllByText("U+202E")[0]).toBeVisible();
  await user.click(item.getByText("accepted"));
  await user.click(item.getByRole("button", { name: "Redeliver" }));
  expect(await item.findByText(/acted on once more/)).toBeVisible();
  expect(gateway.commands.at(-1)?.path).toBe("/api/deliveries/d1/replay");
  expect(item.getByText(/Bearer \$SECRET/)).toBeInTheDocument();
});

test("a form filled in by hand makes the webhook, and its secret is shown until somebody has it", async () => {
  const gateway = withHooks();
  const { user } = openPage("/hooks", gateway);
  await user.click(await screen.findByRole("button", { name: "New webhook" }));
  await user.type(screen.getByRole("textbox", { name: "Name" }), "builds");
  await user.click(screen.getByRole("textbox", { name: /A sample/ }));
  await user.paste('{"build": {"name": "nightly"}}');
  await user.type(screen.getByRole("textbox", { name: /^Title/ }), "build.name");
  const found = within(screen.getByRole("region", { name: "Found in the sample" }));
  expect(await found.findByText("nightly")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Make webhook" }));
  expect(await screen.findByText("made-secret")).toBeVisible();
  const made = gateway.commands.find(({ path }) => path === "/api/webhooks");
  expect(made?.body).toMatchObject({
    name: "builds",
    verification: { scheme: "hmac", header: "X-Signature-256", prefix: "sha256=" },
    paths: { title: "build.name" },
    directive: "auto",
  });
  expect(made?.body).not.toHaveProperty("secret");
  await user.click(screen.getByRole("button", { name: "I have it" }));
  expect(screen.queryByText("made-secret")).toBeNull();
});

test("words become a form that is looked at and saved by a person, and by nobody else", async () => {
  const gateway = withHooks();
  gateway.draft = {
    task_id: "T1",
    state: "done",
    problem: "",
    name: "nightly",
    definition: {
      verification: { scheme: "hmac", header: "X-Build-Signature", prefix: "sha256=" },
      paths: { title: "build.name" },
      filters: ["status == 'failed'"],
      description: "Builds \u202ethat fail",
    },
    notes: ["Which header has the time?\u202e"],
  };
  const { user } = openPage("/hooks", gateway);
  await user.click(await screen.findByRole("button", { name: "New webhook" }));
  await user.type(
    screen.getByRole("textbox", { name: /own words/ }),
    "Builds that fail; the secret is hunter2",
  );
  await user.click(screen.getByRole("button", { name: "Draft the form" }));
  expect(await screen.findByText(/Nothing is made yet/)).toBeVisible();
  expect(screen.getByText(/looked like a secret/)).toBeVisible();
  expect(screen.getByText(/Which header has the time/)).toBeVisible();
  expect(screen.getByText("U+202E")).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Name" })).toHaveValue("nightly");
  expect(screen.getByRole("textbox", { name: "Header with the signature" })).toHaveValue("X-Build-Signature");
  expect(gateway.commands.map(({ path }) => path)).not.toContain("/api/webhooks");
  await user.clear(screen.getByRole("textbox", { name: /^Title/ }));
  await user.type(screen.getByRole("textbox", { name: /^Title/ }), "build.title");
  await user.click(screen.getByRole("button", { name: "Make webhook" }));
  expect(await screen.findByText("made-secret")).toBeVisible();
  expect(gateway.commands.at(-1)?.body).toMatchObject({
    name: "nightly",
    paths: { title: "build.title" },
    filters: ["status == 'failed'"],
  });
});

test("each way of verification asks for what it needs and for nothing else", async () => {
  const { user } = openPage("/hooks", withHooks());
  await user.click(await screen.findByRole("button", { name: "New webhook" }));
  const how = screen.getByRole("combobox", { name: "How a delivery is verified" });
  expect(screen.getByRole("textbox", { name: "Header with the signature" })).toHaveValue("X-Signature-256");
  await user.selectOptions(how, "basic");
  expect(screen.getByRole("textbox", { name: "User name" })).toBeVisible();
  expect(screen.queryByRole("textbox", { name: "Header with the signature" })).toBeNull();
  await user.selectOptions(how, "jwt");
  expect(screen.getByLabelText(/^Secret/)).toBeVisible();
  await user.type(screen.getByRole("textbox", { name: "Address of the keys (JWKS)" }), "https://k.test");
  expect(screen.queryByLabelText(/^Secret/)).toBeNull();
});

test("what the gateway refuses is said beside the form, and nothing typed is lost", async () => {
  const gateway = withHooks();
  const { user } = openPage("/hooks", gateway);
  await user.click(await screen.findByRole("button", { name: "New webhook" }));
  await user.type(screen.getByRole("textbox", { name: "Name" }), "builds");
  gateway.commandsFail = { status: 409, detail: "There is a webhook of this name." };
  await user.click(screen.getByRole("button", { name: "Make webhook" }));
  expect(await screen.findByText("There is a webhook of this name.")).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Name" })).toHaveValue("builds");
});

test("a webhook is switched off where it stands", async () => {
  const gateway = withHooks(HOOK);
  const { user } = openPage("/hooks", gateway);
  await user.click(await screen.findByRole("button", { name: "Disable" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.path).toBe("/api/webhooks/builds/disable"));
});

test("a test call says what the webhook answered", async () => {
  const gateway = withHooks(HOOK);
  gateway.delivered = { status: 200, delivery: "", task_id: "", reason: "the filter does not hold" };
  vi.stubGlobal("confirm", () => true);
  const { user } = openPage("/hooks", gateway);
  await user.click(await screen.findByRole("button", { name: "Send a test" }));
  expect(await screen.findByText("200: the filter does not hold")).toBeVisible();
});

test("the system page shows every way in with its health, its counts and its last refusal", async () => {
  const gateway = new FakeGateway();
  const github: Door = {
    ...DOOR,
    name: "github",
    title: "GitHub",
    custom: false,
    health: "not-set-up",
    problem: "It has no secret: set JOURNEYMAN_GITHUB_WEBHOOK_SECRET and restart the gateway.",
    last_refused: null,
    last_success: null,
    refusals_today: {},
  };
  gateway.doors = [github, DOOR];
  openPage("/system", gateway);
  const item = within((await screen.findByRole("heading", { name: "builds" })).closest("li") as HTMLElement);
  expect(item.getByText("Refusing")).toBeVisible();
  expect(item.getByText("Nightly builds")).toBeVisible();
  expect(item.getByText("The secret does not fit.")).toBeVisible();
  expect(item.getByText("4 did not prove where they came from")).toBeVisible();
  const other = within(screen.getByRole("heading", { name: "GitHub" }).closest("li") as HTMLElement);
  expect(other.getByText("Not set up")).toBeVisible();
  expect(other.getByText(/set JOURNEYMAN_GITHUB_WEBHOOK_SECRET/)).toBeVisible();
  expect(other.getByText("none yet")).toBeVisible();
});
