import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Webhook } from "../src/api/types";
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
  recent: [{ at: "2026-01-02T03:04:05Z", status: 401, delivery: "", reason: "The secret does not fit." }],
};

const withHooks = (...hooks: Webhook[]) => {
  const gateway = new FakeGateway();
  gateway.webhooks = hooks;
  return gateway;
};

test("a webhook says who made it, how it is called, and why its newest call was refused", async () => {
  openPage("/hooks", withHooks(HOOK));
  const item = within((await screen.findByRole("heading", { name: "builds" })).closest("li") as HTMLElement);
  expect(item.getByText("On")).toBeVisible();
  expect(item.getByText(/made by user:local/)).toBeVisible();
  expect(item.getByText("The secret does not fit.")).toBeVisible();
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
