import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Markdown } from "../src/components/markdown";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { task } from "./support/tasks";

const FOREIGN = [
  "javascript:alert(document.domain)",
  " JavaScript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox",
  "file:///etc/passwd",
  "//evil.example/path",
];

const source = (url: string) => ({
  kind: "github",
  reference: "github:octo/greeter#7",
  url,
  author: "mallory",
});

test.each(FOREIGN)("a source at %j is named in the list and not linked", async (url) => {
  openPage("/", new FakeGateway(task({ source: source(url) })));
  expect((await screen.findAllByText("octo/greeter#7")).map((each) => each.closest("a"))).toEqual([
    null,
    null,
  ]);
});

test.each(FOREIGN)("a source at %j is named on the task's page and not linked", async (url) => {
  const shown = task({ source: source(url) });
  openPage(`/tasks/${shown.id}?tab=timeline`, new FakeGateway(shown));
  const details = await screen.findByRole("complementary", { name: "Details" });
  expect(details).toHaveTextContent("octo/greeter#7");
  expect(details.querySelector("a")).toBeNull();
});

test.each(["http://localhost:3000/octo/greeter", "https://github.com/octo/greeter/issues/7"])(
  "a source at %j is linked, and the page there does not learn of this one",
  async (url) => {
    openPage("/", new FakeGateway(task({ source: source(url) })));
    const [link] = await screen.findAllByRole("link", { name: "octo/greeter#7" });
    expect(link).toHaveAttribute("href", url);
    expect(link).toHaveAttribute("rel", "noreferrer noopener");
  },
);

test.each(["javascript:alert(1)", "data:text/html,x", "mailto:eve@evil.example", "/api/tasks", "#top"])(
  "a link to %j in what an agent wrote is plain text",
  (url) => {
    render(<Markdown text={`See [the result](${url}).`} />);
    expect(document.body).toHaveTextContent("See the result.");
    expect(document.querySelector("a")).toBeNull();
  },
);

test("a link to another site in what an agent wrote opens beside the page", () => {
  render(<Markdown text="See [the result](https://example.org/x)." />);
  const link = screen.getByRole("link", { name: "the result" });
  expect(link).toHaveAttribute("href", "https://example.org/x");
  expect(link).toHaveAttribute("target", "_blank");
  expect(link).toHaveAttribute("rel", "noreferrer noopener");
});

test("an image in what an agent wrote becomes a link, or its text where it may not be one", () => {
  render(<Markdown text="![chart](https://example.org/x.png) ![spy](javascript:alert(1))" />);
  expect(document.querySelector("img")).toBeNull();
  expect(screen.getAllByRole("link").map((link) => link.textContent)).toEqual(["chart"]);
  expect(screen.getByText(/spy/)).toBeInTheDocument();
});
