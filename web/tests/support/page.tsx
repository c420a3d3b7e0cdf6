import { createMemoryHistory, createRouter } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { vi } from "vitest";
import { App } from "../../src/app";
import { router } from "../../src/router";
import type { FakeGateway } from "./gateway";

/** Opens the whole page at `path` (with its search) against the gateway, as main.tsx would. */
export function openPage(path: string, gateway: FakeGateway) {
  vi.stubGlobal("fetch", gateway.fetch);
  const history = createMemoryHistory({ initialEntries: [path] });
  const pages = createRouter({ ...router.options, history });
  render(<App router={pages} connect={gateway.connect} />);
  return { user: userEvent.setup(), history };
}
